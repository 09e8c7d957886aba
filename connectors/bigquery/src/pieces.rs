//! A record batch message in smaller batches, where it is too large to be handed on as it came, or where only its last rows are
//! wanted.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use sluice_sdk::{Error, Result};

/// About how large a piece is, bytes. A row that is larger is a piece by itself.
const PIECE: usize = 8 << 20;

/// The rows of a message behind the first `known`, in batches of equal numbers of rows.
pub(crate) fn pieces(
    message: Bytes,
    schema: &SchemaRef,
    known: u64,
) -> Result<impl Iterator<Item = RecordBatch> + use<>> {
    let bytes = message.len();
    let batch = decode(message, schema)?;
    let rows = batch.num_rows();
    let known = usize::try_from(known).unwrap_or(rows).min(rows);
    let step = (rows / (bytes / PIECE + 1)).max(1);
    // A piece of the last rows may be shorter.
    Ok((known..rows).step_by(step).map(move |from| batch.slice(from, step.min(rows - from))))
}

fn decode(message: Bytes, schema: &SchemaRef) -> Result<RecordBatch> {
    let wrong = |detail: String| Error::protocol(format!("BigQuery sent rows that cannot be read: {detail}"));
    let mut decoder = StreamDecoder::new();
    let mut announced = Buffer::from_vec(sluice_sdk::schema_message(schema)?);
    decoder.decode(&mut announced).map_err(|e| wrong(e.to_string()))?;
    let batch = decoder.decode(&mut Buffer::from(message)).map_err(|e| wrong(e.to_string()))?;
    batch.ok_or_else(|| wrong("the message is not a whole one".into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Int64Array, StringArray};
    use arrow_ipc::writer::StreamWriter;
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    const WIDTH: usize = 100;

    fn schema() -> SchemaRef {
        let fields = [Field::new("id", DataType::Int64, false), Field::new("text", DataType::Utf8, true)];
        Arc::new(Schema::new(fields.to_vec()))
    }

    /// The message of a batch with the ids `0..rows`, without the schema's.
    fn message(rows: usize) -> Bytes {
        let ids = Int64Array::from_iter_values(0..rows as i64);
        let texts = StringArray::from_iter_values((0..rows).map(|id| format!("{id:WIDTH$}")));
        let batch = RecordBatch::try_new(schema(), vec![Arc::new(ids), Arc::new(texts)]).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), &schema()).unwrap();
        let announced = writer.get_ref().len();
        writer.write(&batch).unwrap();
        let written = writer.get_ref().len();
        Bytes::from(writer.into_inner().unwrap()).slice(announced..written)
    }

    fn ids(pieces: impl Iterator<Item = RecordBatch>) -> Vec<Vec<i64>> {
        pieces.map(|piece| piece.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    #[test]
    fn a_large_message_comes_in_pieces_without_a_row_lost_or_doubled() {
        let rows = 30 * PIECE / 10 / (WIDTH + 12);
        let found = ids(pieces(message(rows), &schema(), 0).unwrap());
        assert!(found.len() > 2 && found.iter().all(|piece| piece.len() * (WIDTH + 12) < 2 * PIECE));
        assert_eq!(found.concat(), (0..rows as i64).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_known_of_a_message_is_left_out() {
        assert_eq!(ids(pieces(message(5), &schema(), 3).unwrap()), [[3, 4]]);
        assert!(ids(pieces(message(5), &schema(), 9).unwrap()).is_empty());
    }

    #[test]
    fn what_is_no_batch_of_the_schema_is_an_error() {
        let short = message(5).slice(..100);
        assert!(pieces(short, &schema(), 0).is_err());
        assert!(pieces(Bytes::from_static(b"garbage, not Arrow"), &schema(), 0).is_err());
    }
}
