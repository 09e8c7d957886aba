//! Columns under values that no server should send.

use arrow_array::Array;

use super::Kind;
use super::column::{Column, Fault, Policies};
use crate::config::{InfinityPolicy, NumericSpecial};

const POLICIES: Policies = Policies { numeric: NumericSpecial::Null, infinity: InfinityPolicy::Null };

fn kinds() -> Vec<Kind> {
    let plain = vec![
        Kind::Bool,
        Kind::Int2,
        Kind::Int4,
        Kind::Int8,
        Kind::Oid,
        Kind::Float4,
        Kind::Float8,
        Kind::Decimal { precision: 15, scale: 2 },
        Kind::Decimal { precision: 76, scale: 30 },
        Kind::Numeric,
        Kind::Money { scale: 2 },
        Kind::Text,
        Kind::Json,
        Kind::Jsonb,
        Kind::Bytes,
        Kind::Date,
        Kind::Time,
        Kind::Timestamp,
        Kind::TimestampTz,
        Kind::Uuid,
    ];
    let lists: Vec<_> = plain.iter().cloned().map(|kind| Kind::List(Box::new(kind))).collect();
    plain.into_iter().chain(lists).collect()
}

/// Bytes that differ from call to call and not from run to run.
fn noise(seed: &mut u64, length: usize) -> Vec<u8> {
    let mut next = || {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(*seed >> 56).unwrap()
    };
    // Mostly zeros: so lengths and dimensions stay small enough to get past the first check.
    (0..length).map(|_| if next() < 160 { 0 } else { next() % 9 }).collect()
}

#[test]
fn no_value_whatever_its_bytes_brings_a_column_down() {
    let mut seed = 1;
    for kind in kinds() {
        let (mut taken, mut refused) = (0, 0);
        for round in 0..4000 {
            let mut column = Column::new(&kind, true, POLICIES);
            column.push_null().unwrap();
            match column.push(&noise(&mut seed, round % 48)) {
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
        assert!(taken > 0, "{kind:?} took none of {refused}");
    }
}

#[test]
fn a_column_is_empty_again_when_it_is_finished() {
    for kind in kinds() {
        let mut column = Column::new(&kind, true, POLICIES);
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
    assert_eq!(Column::new(&Kind::Int4, false, POLICIES).push_null(), Err(Fault::Null));
    let mut column = Column::new(&Kind::List(Box::new(Kind::Int4)), false, POLICIES);
    // One dimension, one element, which is NULL.
    let array = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(column.push(&array), Ok(()), "its elements can be NULL all the same");
}
