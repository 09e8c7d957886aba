//! Columns under values that no server should send.

use arrow_array::Array;

use super::Kind;
use super::column::{Column, Fault, Own};
use crate::config::ZeroDates;
use crate::wire::read::Bytes;

fn kinds() -> Vec<Kind> {
    vec![
        Kind::Bool,
        Kind::Flag,
        Kind::Int8,
        Kind::Int16,
        Kind::Int32,
        Kind::Int64,
        Kind::UInt8,
        Kind::UInt16,
        Kind::UInt32,
        Kind::UInt64,
        Kind::Bits,
        Kind::Float4,
        Kind::Float8,
        Kind::Decimal { precision: 15, scale: 2 },
        Kind::Decimal { precision: 65, scale: 30 },
        Kind::Date,
        Kind::DateTime,
        Kind::Timestamp,
        Kind::TimeOfDay,
        Kind::Time { digits: 3 },
        Kind::Text,
        Kind::Json,
        Kind::Bytes,
        Kind::Geometry,
        Kind::Vector,
    ]
}

/// Bytes that differ from call to call and not from run to run.
fn noise(seed: &mut u64, length: usize, kind: &Kind) -> Vec<u8> {
    let digits = matches!(kind, Kind::Decimal { .. });
    let mut next = || {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(*seed >> 56).unwrap()
    };
    let mut bytes: Vec<u8> = (0..length)
        .map(|at| match next() {
            // Mostly small, so that lengths and months get past the first check.
            n if at == 0 => n % 14,
            n if digits => b'0' + n % 11 - u8::from(n % 11 == 10) * 12,
            n if n < 160 => n % 3,
            n => n,
        })
        .collect();
    if matches!(kind, Kind::Date | Kind::DateTime | Kind::Timestamp) && next() < 128 {
        bytes.splice(..bytes.len().min(1), [4, 0xe8, 7]);
    }
    bytes
}

#[test]
fn no_value_whatever_its_bytes_brings_a_column_down() {
    let mut seed = 1;
    for kind in kinds() {
        let (mut taken, mut refused) = (0, 0);
        for round in 0..4000 {
            let mut column = Column::new(&kind, true, ZeroDates::Null);
            column.push_null().unwrap();
            match column.take(&mut Bytes(&noise(&mut seed, round % 24, &kind))) {
                Ok(()) => {
                    taken += 1;
                    match column.finish() {
                        Ok(array) => assert_eq!((array.len(), array.is_null(0)), (2, true), "{kind:?}"),
                        Err(fault) => assert_eq!(fault, Fault::Encoding, "{kind:?}"),
                    }
                }
                Err(_) => refused += 1,
            }
        }
        assert!(taken > 0 && refused > 0, "{kind:?} took {taken} and refused {refused}");
    }
}

#[test]
fn a_column_is_empty_again_when_it_is_finished() {
    for kind in kinds() {
        let mut column = Column::new(&kind, true, ZeroDates::Null);
        for _ in 0..3 {
            column.push_null().unwrap();
            column.push_null().unwrap();
            let array = column.finish().unwrap();
            assert_eq!((array.len(), array.null_count(), array.data_type()), (2, 2, &kind.data_type()));
        }
    }
}

#[test]
fn null_has_no_place_in_a_column_that_is_declared_not_null() {
    assert_eq!(Column::new(&Kind::Int32, false, ZeroDates::Null).push_null(), Err(Fault::Null));
}

#[test]
fn a_date_that_is_none_is_lost_or_refused() {
    let mut column = Column::new(&Kind::Date, true, ZeroDates::Null);
    column.take(&mut Bytes(&[0])).unwrap();
    assert_eq!((column.take_lost(), column.finish().unwrap().null_count()), (1, 1));
    assert_eq!(Column::new(&Kind::Date, true, ZeroDates::Fail).take(&mut Bytes(&[0])), Err(Fault::Own(Own::ZeroDate)));
}

#[test]
fn a_truth_value_is_0_or_1() {
    let mut column = Column::new(&Kind::Bool, true, ZeroDates::Null);
    assert_eq!(column.take(&mut Bytes(&[2])), Err(Fault::Own(Own::NotBoolean)));
    assert_eq!(column.take(&mut Bytes(&[0xff])), Err(Fault::Own(Own::NotBoolean)));
    assert_eq!(column.take(&mut Bytes(&[1])), Ok(()));
}
