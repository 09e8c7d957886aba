//! Whatever a guest pushes: the decoder refuses it, or yields a batch that Arrow's own full validation accepts.
//!
//! A panic inside the decoder is part of the promise: it is caught and becomes a refusal. One that gets out ends the fuzzer.
//!
//! The input is a schema message and a batch message, each behind its length in four bytes; so the fuzzer can find both a schema and
//! batches that fit it. `fuzz/README.md` says how it is run.

#![no_main]

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use libfuzzer_sys::fuzz_target;
use sluice_runtime::validate::{batch, schema};

// libFuzzer's own hook would end the process before the decoder's fence can catch anything.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |data: &[u8]| {
    let Some((length, rest)) = data.split_first_chunk::<4>() else { return };
    let length = u32::from_le_bytes(*length) as usize;
    let (schema_message, batch_message) = rest.split_at(length.min(rest.len()));
    let schema = schema::decode(schema_message).map_or_else(|_| fixed(), Arc::new);
    if let Ok(decoded) = batch::decode(batch_message.to_vec(), &schema) {
        assert_eq!(decoded.schema(), schema);
        for column in decoded.columns() {
            assert_eq!(column.to_data().validate_full().err().map(|e| e.to_string()), None);
        }
    }
});

/// A schema with every shape of buffers, for inputs whose own schema is not one.
fn fixed() -> SchemaRef {
    let item = |data_type| Arc::new(Field::new("item", data_type, true));
    Arc::new(Schema::new(vec![
        Field::new("b", DataType::Boolean, true),
        Field::new("i", DataType::Int64, false),
        Field::new("d", DataType::Decimal128(38, 9), true),
        Field::new("t", DataType::Utf8, true),
        Field::new("y", DataType::LargeBinary, true),
        Field::new("f", DataType::FixedSizeBinary(3), true),
        Field::new("l", DataType::List(item(DataType::Utf8)), true),
        Field::new("s", DataType::Struct(vec![item(DataType::Int32)].into()), true),
    ]))
}
