//! Printing UUIDs.

/// Prints a UUID's sixteen bytes.
#[inline]
pub(crate) fn print_uuid(bytes: &[u8; 16]) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut places =
        text.iter_mut().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23)).map(|(_, place)| place);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            if let (Some(place), Some(digit)) = (places.next(), HEX.get(usize::from(nibble))) {
                *place = *digit;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_printed_in_its_five_groups() {
        let bytes = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128.to_be_bytes();
        assert_eq!(&print_uuid(&bytes), b"01234567-89ab-cdef-fedc-ba9876543210");
    }
}
