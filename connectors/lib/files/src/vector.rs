//! Sixteen bytes at a time: with the vectors of WebAssembly in the sandbox, with ordinary words elsewhere.

/// Bytes that are looked at together.
pub(crate) const WIDTH: usize = 16;

/// A bit for each byte that equals `byte`, the first byte in the lowest bit.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
pub(crate) fn equal(chunk: &[u8; WIDTH], byte: u8) -> u32 {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_splat, v128_load};
    // SAFETY: the pointer is that of 16 readable bytes; `v128_load` wants no alignment.
    let bytes = unsafe { v128_load(chunk.as_ptr().cast()) };
    u32::from(u8x16_bitmask(u8x16_eq(bytes, u8x16_splat(byte))))
}

/// A bit for each byte that equals `byte`, the first byte in the lowest bit.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
pub(crate) fn equal(chunk: &[u8; WIDTH], byte: u8) -> u32 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut mask = 0;
    let (words, _) = chunk.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let x = u64::from_le_bytes(*word) ^ (u64::from(byte) * ONES);
        // The upper bit of every byte that is zero; exact, because the addition cannot carry over.
        let zero = !(((x & LOW) + LOW) | x | LOW);
        mask |= ((zero >> 7).wrapping_mul(GATHER) >> 56) << (at * 8);
    }
    mask as u32
}

/// Sixteen bytes from `at` on, if there are so many.
#[inline(always)]
pub(crate) fn sixteen(block: &[u8], at: usize) -> Option<&[u8; WIDTH]> {
    block.get(at..)?.first_chunk()
}

/// Eight bytes from `at` on as a word whose lowest byte is the first, if there are so many.
#[inline(always)]
pub(crate) fn eight(block: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*block.get(at..)?.first_chunk()?))
}

/// Adds a piece of a block to a vector. Most values are short, and a call that copies them costs more than they do: up to 64
/// bytes are copied by sixteen, more of them than wanted, and the surplus is cut off again.
#[inline(always)]
pub(crate) fn append(out: &mut Vec<u8>, block: &[u8], from: usize, to: usize) {
    let end = out.len() + to.saturating_sub(from);
    let mut at = from;
    if to.saturating_sub(from) <= 4 * WIDTH {
        while at < to
            && let Some(chunk) = sixteen(block, at)
        {
            out.extend_from_slice(chunk);
            at += WIDTH;
        }
    }
    if at < to {
        out.extend_from_slice(block.get(at..to).unwrap_or_default());
    }
    out.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_byte_has_its_bit() {
        for at in 0..WIDTH {
            let mut chunk = [0x80_u8; WIDTH];
            chunk[at] = b',';
            assert_eq!(equal(&chunk, b','), 1 << at);
            assert_eq!(equal(&chunk, 0x80), 0xffff & !(1 << at));
            assert_eq!(equal(&chunk, b'-'), 0);
        }
    }

    #[test]
    fn pieces_of_every_length_and_place_are_appended() {
        let block: Vec<u8> = (0..200).collect();
        for from in [0, 1, 100, 190] {
            for to in from..=200 {
                let mut out = vec![7];
                append(&mut out, &block, from, to);
                assert_eq!(out[0], 7);
                assert_eq!(out[1..], block[from..to]);
            }
        }
    }

    #[test]
    fn words_end_where_the_block_does() {
        assert_eq!(eight(b"12345678", 0), Some(u64::from_le_bytes(*b"12345678")));
        assert_eq!((eight(b"12345678", 1), eight(b"", 9)), (None, None));
        assert_eq!(sixteen(b"0123456789abcdef", 1), None);
    }
}
