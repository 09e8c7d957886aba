//! Taking a packet apart. Everything answers none where the bytes end too early.

/// The rest of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Up to a zero byte, which is passed over.
    pub(crate) fn until_zero(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let taken = self.take(end)?;
        self.take(1)?;
        Some(taken)
    }

    /// A length-encoded integer; the outer none is the end, the inner one NULL.
    #[inline]
    pub(crate) fn length(&mut self) -> Option<Option<u64>> {
        Some(match self.u8()? {
            short @ ..0xfb => Some(u64::from(short)),
            0xfb => None,
            0xfc => Some(u64::from(self.u16()?)),
            0xfd => {
                let [a, b, c] = self.array()?;
                Some(u64::from(u32::from_le_bytes([a, b, c, 0])))
            }
            0xfe => Some(u64::from_le_bytes(self.array()?)),
            0xff => return None,
        })
    }

    /// A text or bytes with their length before them; the inner none is NULL.
    #[inline]
    pub(crate) fn nullable(&mut self) -> Option<Option<&'a [u8]>> {
        match self.length()? {
            Some(length) => self.take(usize::try_from(length).ok()?).map(Some),
            None => Some(None),
        }
    }

    /// The same where NULL has no place.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        self.nullable()?
    }
}

/// Appends a text with its length before it; ours are all shorter than 64 KiB.
pub(crate) fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    match u16::try_from(bytes.len()) {
        Ok(short @ ..0xfb) => out.push(short.to_le_bytes()[0]),
        Ok(length) => {
            out.push(0xfc);
            out.extend_from_slice(&length.to_le_bytes());
        }
        Err(_) => {
            out.push(0xfe);
            out.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_length_come_back() {
        for length in [0, 1, 250, 251, 252, 65_535, 65_536, 70_000] {
            let mut out = Vec::new();
            write_string(&mut out, &vec![7; length]);
            out.push(9);
            let mut bytes = Bytes(&out);
            assert_eq!(bytes.string().map(<[u8]>::len), Some(length));
            assert_eq!(bytes.0, [9]);
        }
    }

    #[test]
    fn null_and_the_end_are_different_things() {
        assert_eq!(Bytes(&[0xfb]).nullable(), Some(None));
        assert_eq!(Bytes(&[]).nullable(), None);
        assert_eq!(Bytes(&[0xff]).nullable(), None);
        assert_eq!(Bytes(&[5, 1, 2]).nullable(), None, "shorter than it claims");
        assert_eq!(Bytes(&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).nullable(), None);
    }
}
