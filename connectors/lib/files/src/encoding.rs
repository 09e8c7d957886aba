//! From other encodings to UTF-8, while reading.

use std::io::Read;

use crate::options::Encoding;

/// The encoding of a text that starts with these bytes, and how long its byte order mark is.
pub(crate) fn detect(sample: &[u8], wanted: Encoding) -> (Encoding, usize) {
    match (wanted, sample) {
        (Encoding::Auto | Encoding::Utf8, [0xef, 0xbb, 0xbf, ..]) => (Encoding::Utf8, 3),
        (Encoding::Auto | Encoding::Utf16Le, [0xff, 0xfe, ..]) => (Encoding::Utf16Le, 2),
        (Encoding::Auto | Encoding::Utf16Be, [0xfe, 0xff, ..]) => (Encoding::Utf16Be, 2),
        (Encoding::Auto, sample) => {
            // The sample may end within a character.
            let valid = match std::str::from_utf8(sample) {
                Ok(_) => true,
                Err(error) => error.error_len().is_none(),
            };
            (if valid { Encoding::Utf8 } else { Encoding::Latin1 }, 0)
        }
        (named, _) => (named, 0),
    }
}

/// A reader of UTF-8 over a reader of another encoding.
pub(crate) struct Transcoder<R> {
    inner: R,
    encoding: Encoding,
    raw: Vec<u8>,
    pending: Vec<u8>,
    given: usize,
    high: Option<u16>,
    done: bool,
}

impl<R: Read> Transcoder<R> {
    /// Reads text in an encoding other than UTF-8.
    pub(crate) fn new(inner: R, encoding: Encoding) -> Self {
        Self { inner, encoding, raw: Vec::new(), pending: Vec::new(), given: 0, high: None, done: false }
    }

    fn refill(&mut self) -> std::io::Result<()> {
        self.pending.clear();
        self.given = 0;
        let kept = self.raw.len();
        self.raw.resize(kept + (64 << 10), 0);
        let read = self.inner.read(self.raw.get_mut(kept..).unwrap_or_default())?;
        self.raw.truncate(kept + read);
        self.done = read == 0;
        if self.encoding == Encoding::Latin1 {
            for byte in self.raw.drain(..) {
                push(&mut self.pending, windows_1252(byte));
            }
            return Ok(());
        }
        let (units, rest) = self.raw.as_chunks::<2>();
        for unit in units {
            let big = self.encoding == Encoding::Utf16Be;
            let unit = if big { u16::from_be_bytes(*unit) } else { u16::from_le_bytes(*unit) };
            utf16(&mut self.pending, &mut self.high, unit);
        }
        let rest = rest.to_vec();
        if self.done && (self.high.take().is_some() || !rest.is_empty()) {
            push(&mut self.pending, char::REPLACEMENT_CHARACTER);
        }
        self.raw = if self.done { Vec::new() } else { rest };
        Ok(())
    }
}

fn utf16(out: &mut Vec<u8>, high: &mut Option<u16>, unit: u16) {
    if let Some(first) = high.take() {
        if let Some(Ok(c)) = char::decode_utf16([first, unit]).next() {
            push(out, c);
            return;
        }
        push(out, char::REPLACEMENT_CHARACTER);
    }
    match unit {
        0xd800..=0xdbff => *high = Some(unit),
        unit => push(out, char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}

fn push(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The characters of 0x80 to 0x9f; five have none and stay control characters.
const UPPER: [u16; 32] = [
    0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d,
    0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d,
    0x17e, 0x178,
];

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => {
            let unit = UPPER.get(usize::from(byte) - 0x80).copied().unwrap_or_default();
            char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        byte => char::from(byte),
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.given == self.pending.len() {
            if self.done {
                return Ok(0);
            }
            self.refill()?;
        }
        let rest = self.pending.get(self.given..).unwrap_or_default();
        let most = rest.len().min(buffer.len());
        buffer.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.given += most;
        Ok(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: Encoding) -> String {
        let mut text = String::new();
        // One byte at a time, so that characters are cut everywhere.
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
                buffer[0] = *first;
                self.0 = rest;
                Ok(1)
            }
        }
        Transcoder::new(Slow(bytes), encoding).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn utf16_in_both_orders_with_surrogates() {
        let text = "ä,€,𝄞\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(&le, Encoding::Utf16Le), text);
        assert_eq!(read(&be, Encoding::Utf16Be), text);
        assert_eq!(read(&[0x00, 0xd8, b'a', 0], Encoding::Utf16Le), "\u{fffd}a");
    }

    #[test]
    fn windows_1252_is_read_as_such() {
        assert_eq!(read(b"caf\xe9 \x80\x92", Encoding::Latin1), "café €’");
    }

    #[test]
    fn an_encoding_is_found_by_mark_or_by_validity() {
        assert_eq!(detect(b"\xef\xbb\xbfa", Encoding::Auto), (Encoding::Utf8, 3));
        assert_eq!(detect(b"\xff\xfea\0", Encoding::Auto), (Encoding::Utf16Le, 2));
        assert_eq!(detect(b"caf\xc3", Encoding::Auto), (Encoding::Utf8, 0));
        assert_eq!(detect(b"caf\xe9,", Encoding::Auto), (Encoding::Latin1, 0));
    }
}
