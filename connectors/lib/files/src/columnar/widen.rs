//! One schema for files whose columns have types that differ: whole numbers widen within their sign, to floating point, and
//! decimals to more digits before the point. Anything else is a file that does not fit.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;

/// The narrowest type that holds both.
pub(crate) fn join(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => return Some(other.clone()),
        (DataType::Decimal128(p, s), DataType::Decimal128(q, t)) if s == t => {
            return Some(DataType::Decimal128(*p.max(q), *s));
        }
        _ => {}
    }
    match (rank(a)?, rank(b)?) {
        ((Class::Signed, x), (Class::Signed, y)) => signed(x.max(y)),
        ((Class::Unsigned, x), (Class::Unsigned, y)) => unsigned(x.max(y)),
        ((Class::Signed, x), (Class::Unsigned, y)) | ((Class::Unsigned, y), (Class::Signed, x)) => signed(x.max(y * 2)),
        ((Class::Float, 32), (Class::Signed | Class::Unsigned, bits))
        | ((Class::Signed | Class::Unsigned, bits), (Class::Float, 32))
            if bits <= 16 =>
        {
            Some(DataType::Float32)
        }
        // Whole numbers of 64 bits would lose digits.
        ((Class::Float, _), (_, bits)) | ((_, bits), (Class::Float, _)) if bits <= 32 => Some(DataType::Float64),
        ((Class::Float, _), (Class::Float, _)) => Some(DataType::Float64),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Signed,
    Unsigned,
    Float,
}

fn rank(ty: &DataType) -> Option<(Class, u32)> {
    Some(match ty {
        DataType::Int8 => (Class::Signed, 8),
        DataType::Int16 => (Class::Signed, 16),
        DataType::Int32 => (Class::Signed, 32),
        DataType::Int64 => (Class::Signed, 64),
        DataType::UInt8 => (Class::Unsigned, 8),
        DataType::UInt16 => (Class::Unsigned, 16),
        DataType::UInt32 => (Class::Unsigned, 32),
        DataType::Float32 => (Class::Float, 32),
        DataType::Float64 => (Class::Float, 64),
        _ => return None,
    })
}

fn signed(bits: u32) -> Option<DataType> {
    Some(match bits {
        8 => DataType::Int8,
        16 => DataType::Int16,
        32 => DataType::Int32,
        64 => DataType::Int64,
        _ => return None,
    })
}

fn unsigned(bits: u32) -> Option<DataType> {
    Some(match bits {
        8 => DataType::UInt8,
        16 => DataType::UInt16,
        32 => DataType::UInt32,
        _ => return None,
    })
}

macro_rules! lossless {
    ($array:expr, $to:expr, $($from:ident as $from_type:ty => $($into:ident as $into_type:ty),+;)*) => {
        match ($array.data_type(), $to) {
            $($((DataType::$from, DataType::$into) => {
                let typed: &PrimitiveArray<$from_type> = $array.as_primitive::<$from_type>();
                let wide: PrimitiveArray<$into_type> = typed.unary(|value| value.into());
                Some(Arc::new(wide) as ArrayRef)
            })+)*
            _ => None,
        }
    };
}

/// The column as a type that [`join`] made of its own; none if it does not widen to it.
pub(crate) fn widen(array: &ArrayRef, to: &DataType) -> Option<ArrayRef> {
    if array.data_type() == to {
        return Some(Arc::clone(array));
    }
    if let (DataType::Decimal128(from, a), DataType::Decimal128(precision, b)) = (array.data_type(), to)
        && a == b
        && from <= precision
    {
        let typed = array.as_primitive::<Decimal128Type>().clone();
        return typed.with_precision_and_scale(*precision, *b).ok().map(|array| Arc::new(array) as ArrayRef);
    }
    lossless!(array, to,
        Int8 as Int8Type => Int16 as Int16Type, Int32 as Int32Type, Int64 as Int64Type, Float32 as Float32Type,
            Float64 as Float64Type;
        Int16 as Int16Type => Int32 as Int32Type, Int64 as Int64Type, Float32 as Float32Type, Float64 as Float64Type;
        Int32 as Int32Type => Int64 as Int64Type, Float64 as Float64Type;
        UInt8 as UInt8Type => UInt16 as UInt16Type, UInt32 as UInt32Type, Int16 as Int16Type, Int32 as Int32Type,
            Int64 as Int64Type, Float32 as Float32Type, Float64 as Float64Type;
        UInt16 as UInt16Type => UInt32 as UInt32Type, Int32 as Int32Type, Int64 as Int64Type, Float32 as Float32Type,
            Float64 as Float64Type;
        UInt32 as UInt32Type => Int64 as Int64Type, Float64 as Float64Type;
        Float32 as Float32Type => Float64 as Float64Type;
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Int32Array;

    #[test]
    fn types_widen_only_where_no_value_is_lost() {
        assert_eq!(join(&DataType::Int32, &DataType::Int64), Some(DataType::Int64));
        assert_eq!(join(&DataType::UInt32, &DataType::Int8), Some(DataType::Int64));
        assert_eq!(join(&DataType::Int32, &DataType::Float32), Some(DataType::Float64));
        assert_eq!(join(&DataType::Int64, &DataType::Float64), None);
        assert_eq!(join(&DataType::Utf8, &DataType::Int64), None);
        let (a, b) = (DataType::Decimal128(10, 2), DataType::Decimal128(12, 2));
        assert_eq!(join(&a, &b), Some(b));
    }

    #[test]
    fn widened_columns_keep_values_and_nulls() {
        let narrow: ArrayRef = Arc::new(Int32Array::from(vec![Some(-1), None]));
        let wide = widen(&narrow, &DataType::Float64).unwrap();
        assert_eq!(wide.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(), [Some(-1.0), None]);
        assert!(widen(&narrow, &DataType::Utf8).is_none());
    }
}
