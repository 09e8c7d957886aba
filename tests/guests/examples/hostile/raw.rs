//! Attacks below the SDK: bytes, handles and memory that it would never hand over.

use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_ipc::{
    BodyCompressionBuilder, Buffer, CompressionType, DictionaryBatchBuilder, FieldNode, MessageBuilder, MessageHeader,
    MetadataVersion, RecordBatchBuilder,
};
use arrow_schema::{DataType, Field, Schema};
use flatbuffers::FlatBufferBuilder;
use hostile_guests::Attack;
use sluice_sdk::__private::bindings::sluice::source::output as wit;
use sluice_sdk::__private::borrowing::sluice::source::output as parts;
use sluice_sdk::{Error, Output, Result};

use super::{STREAM, batch, schema};

fn failed(error: impl std::fmt::Debug) -> Error {
    Error::internal(format!("{error:?}"))
}

pub(super) fn attack(attack: Attack, output: &mut Output) -> Result<()> {
    use Attack as A;
    let mut channel = output.stream(STREAM, schema())?;
    channel.push(&batch(0, 10))?;
    match attack {
        A::garbage => wit::push(0, &[0xab; 4096]).map_err(failed),
        A::huge_length => wit::push(0, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).map_err(failed),
        A::huge_batch => wit::push(0, &vec![0; 70 << 20]).map_err(failed),
        A::huge_call => wit::push(0, &vec![0; 120 << 20]).map_err(failed),
        A::undeclared_channel => wit::push(7, &[]).map_err(failed),
        A::lying_checkpoint => wit::checkpoint(0, b"cursor", 11).map(drop).map_err(failed),
        A::forged_checkpoint => wit::checkpoint(9, b"cursor", 10).map(drop).map_err(failed),
        A::cursor_bomb => wit::checkpoint(0, &vec![0; 1 << 20], 10).map(drop).map_err(failed),
        A::short_row => wit::push_rows(0, &[vec![wit::Value::Integer(1)]]).map_err(failed),
        A::wrong_kind => {
            let row = vec![wit::Value::Text("one".into()), wit::Value::Null];
            wit::push_rows(0, &[row]).map_err(failed)
        }
        A::odd_pieces
        | A::missing_piece
        | A::shifted_pieces
        | A::long_metadata
        | A::no_metadata
        | A::many_pieces
        | A::overlapping_pieces
        | A::piece_bomb
        | A::piece_beyond_memory
        | A::endless_piece => pieces(attack),
        A::switched_schema => {
            let other = Schema::new(vec![Field::new("other", DataType::Utf8, true)]);
            let second = wit::declare(STREAM, &schema_message(&other)).map_err(failed)?;
            wit::push(second, &whole()).map_err(failed)
        }
        A::dictionary_column | A::nested_columns | A::column_bomb | A::twin_columns | A::long_column_name => {
            wit::declare(STREAM, &schema_message(&odd_schema(attack))).map(drop).map_err(failed)
        }
        A::channel_flood => loop {
            wit::declare(STREAM, &schema_message(&schema())).map_err(failed)?;
        },
        other => wit::push(0, &claims(other)?).map_err(failed),
    }
}

/// Pushes without being asked to read.
pub(super) fn push_in_planning() -> Result<()> {
    wit::push(0, &whole()).map_err(failed)
}

/// Bodies in pieces that do not fit.
fn pieces(attack: Attack) -> Result<()> {
    let (mut metadata, body) = message();
    match attack {
        Attack::odd_pieces => {
            let mut pieces = vec![&[][..]; 1000];
            pieces.extend(body.chunks(64));
            pieces.push(&[]);
            parts::push_parts(0, &metadata, &pieces).map_err(failed)
        }
        Attack::missing_piece => parts::push_parts(0, &metadata, &[&body[64..]]).map_err(failed),
        // The same bytes, but cut where the host fills up: the layout is no longer the flatbuffer's.
        Attack::shifted_pieces => parts::push_parts(0, &metadata, &[&body[..1], &body[1..]]).map_err(failed),
        Attack::long_metadata => {
            metadata.extend_from_slice(&body);
            parts::push_parts(0, &metadata, &[&body]).map_err(failed)
        }
        Attack::no_metadata => parts::push_parts(0, &[], &[&[0; 64]]).map_err(failed),
        Attack::many_pieces => parts::push_parts(0, &metadata, &vec![&[][..]; 100_000]).map_err(failed),
        Attack::overlapping_pieces => {
            let memory = vec![0; 1 << 20];
            parts::push_parts(0, &metadata, &[&memory[..]; 70]).map_err(failed)
        }
        Attack::piece_bomb => {
            let memory = vec![0; 1 << 20];
            parts::push_parts(0, &metadata, &vec![&memory[..]; 30_000]).map_err(failed)
        }
        Attack::piece_beyond_memory => beyond([u32::MAX - 64, 1 << 20]),
        _ => beyond([64, u32::MAX]),
    }
}

/// The metadata and body of an honest batch.
fn message() -> (Vec<u8>, Vec<u8>) {
    let options = IpcWriteOptions::default();
    let (mut tracker, mut context) = (DictionaryTracker::new(false), IpcWriteContext::default());
    let (_, encoded) = IpcDataGenerator::default()
        .encode(&batch(10, 20), &mut tracker, &options, &mut context)
        .unwrap_or_else(|e| panic!("{e}"));
    (envelope(&encoded.ipc_message), encoded.arrow_data)
}

/// The same in one piece.
fn whole() -> Vec<u8> {
    let (mut metadata, body) = message();
    metadata.extend_from_slice(&body);
    metadata
}

fn envelope(flatbuffer: &[u8]) -> Vec<u8> {
    let length = flatbuffer.len().next_multiple_of(8);
    let mut metadata = vec![0xff; 4];
    metadata.extend_from_slice(&u32::try_from(length).unwrap_or(0).to_le_bytes());
    metadata.extend_from_slice(flatbuffer);
    metadata.resize(8 + length, 0);
    metadata
}

fn schema_message(schema: &Schema) -> Vec<u8> {
    let mut tracker = DictionaryTracker::new(false);
    let encoded = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
        schema,
        &mut tracker,
        &IpcWriteOptions::default(),
    );
    envelope(&encoded.ipc_message)
}

fn odd_schema(attack: Attack) -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    match attack {
        Attack::dictionary_column => {
            let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Schema::new(vec![Field::new("d", dictionary, true)])
        }
        Attack::nested_columns => {
            let nested = (0..200).fold(DataType::Int64, |inner, _| DataType::new_list(inner, true));
            Schema::new(vec![Field::new("n", nested, true)])
        }
        Attack::column_bomb => Schema::new((0..20_000).map(|n| text(&format!("c{n}"))).collect::<Vec<_>>()),
        Attack::twin_columns => Schema::new(vec![text("twin"), text("twin")]),
        _ => Schema::new(vec![text(&"c".repeat(5_000))]),
    }
}

/// Batches whose metadata says what their bodies do not hold. An honest one has two columns, ten rows and five buffers.
fn claims(attack: Attack) -> Result<Vec<u8>> {
    const HUGE: i64 = 1 << 40;
    let ids = vec![0_u8; 80];
    let texts = |offsets: [i32; 11]| {
        let mut body = ids.clone();
        offsets.iter().for_each(|offset| body.extend_from_slice(&offset.to_le_bytes()));
        body.extend_from_slice(&[0xff; 20]);
        body
    };
    let honest = [(10, 0), (10, 0)];
    let layout = [(0, 0), (0, 80), (0, 0), (80, 44), (124, 20)];
    let steady = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20];
    Ok(match attack {
        Attack::compressed_batch => batch_message(10, &honest, &layout, true, &texts(steady)),
        Attack::rows_of_nothing => batch_message(HUGE, &[(HUGE, 0); 2], &[(0, 0); 5], false, &[]),
        Attack::negative_rows => batch_message(-1, &honest, &layout, false, &texts(steady)),
        Attack::column_of_nothing => batch_message(10, &[(HUGE, 0), (10, 0)], &layout, false, &texts(steady)),
        Attack::more_nulls_than_values => batch_message(10, &[(10, 11), (10, 0)], &layout, false, &texts(steady)),
        Attack::missing_columns => batch_message(10, &[], &[], false, &[]),
        Attack::buffer_beyond_body => {
            let beyond = [(0, 0), (HUGE, 80), (0, 0), (80, 44), (124, 20)];
            batch_message(10, &honest, &beyond, false, &texts(steady))
        }
        Attack::wild_offsets => {
            let wild = [0, 2, -4, i32::MAX, 8, 10, 12, 14, 16, 18, 20];
            batch_message(10, &honest, &layout, false, &texts(wild))
        }
        Attack::text_that_is_none => batch_message(10, &honest, &layout, false, &texts(steady)),
        Attack::dictionary_batch => dictionary_message(),
        Attack::schema_for_batch => schema_message(&schema()),
        other => return Err(Error::internal(format!("{other:?} is no batch"))),
    })
}

fn batch_message(rows: i64, nodes: &[(i64, i64)], buffers: &[(i64, i64)], compressed: bool, body: &[u8]) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let nodes: Vec<FieldNode> = nodes.iter().map(|(length, nulls)| FieldNode::new(*length, *nulls)).collect();
    let buffers: Vec<Buffer> = buffers.iter().map(|(offset, length)| Buffer::new(*offset, *length)).collect();
    let (nodes, buffers) = (builder.create_vector(&nodes), builder.create_vector(&buffers));
    let compression = compressed.then(|| {
        let mut compression = BodyCompressionBuilder::new(&mut builder);
        compression.add_codec(CompressionType::ZSTD);
        compression.finish()
    });
    let mut header = RecordBatchBuilder::new(&mut builder);
    header.add_length(rows);
    header.add_nodes(nodes);
    header.add_buffers(buffers);
    if let Some(compression) = compression {
        header.add_compression(compression);
    }
    let header = header.finish().as_union_value();
    finish(builder, MessageHeader::RecordBatch, header, body)
}

fn dictionary_message() -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let mut header = DictionaryBatchBuilder::new(&mut builder);
    header.add_id(1);
    let header = header.finish().as_union_value();
    finish(builder, MessageHeader::DictionaryBatch, header, &[])
}

fn finish(
    mut builder: FlatBufferBuilder<'_>,
    kind: MessageHeader,
    header: flatbuffers::WIPOffset<flatbuffers::UnionWIPOffset>,
    body: &[u8],
) -> Vec<u8> {
    let mut message = MessageBuilder::new(&mut builder);
    message.add_version(MetadataVersion::V5);
    message.add_header_type(kind);
    message.add_header(header);
    message.add_bodyLength(body.len() as i64);
    let message = message.finish();
    builder.finish(message, None);
    let mut bytes = envelope(builder.finished_data());
    bytes.extend_from_slice(body);
    bytes
}

#[link(wasm_import_module = "sluice:source/output@0.1.0")]
unsafe extern "C" {
    #[link_name = "push-parts"]
    fn push_parts(channel: u32, metadata: *const u8, length: u32, body: *const [u32; 2], pieces: u32, ret: *mut u8);
}

#[link(wasm_import_module = "sluice:source/net@0.1.0")]
unsafe extern "C" {
    #[link_name = "[method]connection.read"]
    fn connection_read(connection: u32, most: u32, ret: *mut u8);
}

/// Names memory that is not there; a slice of Rust's cannot.
fn beyond(piece: [u32; 2]) -> Result<()> {
    let (metadata, mut ret) = (message().0, [0_u64; 16]);
    // SAFETY: what is passed is alive during the call, except for the piece itself, which is the host's to refuse.
    unsafe {
        push_parts(0, metadata.as_ptr(), metadata.len() as u32, &raw const piece, 1, ret.as_mut_ptr().cast());
    }
    Err(Error::internal("the piece was taken"))
}

/// Reads from a connection that somebody else may have opened.
pub(super) fn forged_handle() -> Result<()> {
    let mut ret = [0_u64; 16];
    // SAFETY: the host writes its answer into `ret`, which has room for it; that there is no such handle is its to find out.
    unsafe { connection_read(1, 4096, ret.as_mut_ptr().cast()) };
    Err(Error::internal("somebody's connection was read"))
}

/// Fills new memory with a mark, or counts what is not empty in it.
pub(super) fn leftovers(plant: bool) -> Result<()> {
    const PAGES: usize = 1024;
    const PAGE: usize = 1 << 16;
    let before = core::arch::wasm32::memory_grow(0, PAGES);
    if before == usize::MAX {
        return Err(Error::internal("there was no more memory"));
    }
    let first = (before * PAGE) as *mut u64;
    let mut traces = 0_u64;
    for index in 0..PAGES * PAGE / 8 {
        // SAFETY: the memory was grown just now, nobody else knows of it, and it is as long as the loop.
        unsafe {
            let word = first.add(index);
            if plant {
                word.write_volatile(0x5ec2_e75e_c2e7_5ec2);
            } else {
                traces += u64::from(word.read_volatile() != 0);
            }
        }
    }
    Err(Error::not_found(format!("{traces} traces")))
}
