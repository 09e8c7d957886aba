//! The few fields of an X.509 certificate that the host reads itself: the signature's algorithm, the dates and the
//! public key. Everything that decides on trust is left to rustls' own parser; this one only has to be safe with
//! hostile bytes: it never allocates, never indexes and reads no length it has no bytes for.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, Error};

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// Parts of a certificate, borrowed from its DER form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certificate<'a> {
    /// Content of the outer `signatureAlgorithm`'s sequence: OID and parameters.
    pub(super) signature_algorithm: &'a [u8],
    /// Content of the public key's `AlgorithmIdentifier`.
    pub(super) key_algorithm: &'a [u8],
    /// The public key's bits.
    pub(super) key: &'a [u8],
    not_before: u64,
    not_after: u64,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate; none if it is not one.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(Reader(der).expect(SEQUENCE)?);
        let mut body = Reader(outer.expect(SEQUENCE)?);
        let signature_algorithm = outer.expect(SEQUENCE)?;
        body.optional(VERSION)?;
        body.expect(INTEGER)?;
        body.expect(SEQUENCE)?; // signature
        body.expect(SEQUENCE)?; // issuer
        let mut validity = Reader(body.expect(SEQUENCE)?);
        let not_before = validity.time()?;
        let not_after = validity.time()?;
        body.expect(SEQUENCE)?; // subject
        let mut key_info = Reader(body.expect(SEQUENCE)?);
        let key_algorithm = key_info.expect(SEQUENCE)?;
        let (unused_bits, key) = key_info.expect(BIT_STRING)?.split_first()?;
        (*unused_bits == 0).then_some(Self { signature_algorithm, key_algorithm, key, not_before, not_after })
    }

    /// Whether the certificate is valid at this time.
    pub(super) fn check_dates(&self, now: UnixTime) -> Result<(), Error> {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        if now.as_secs() < self.not_before {
            return Err(CertificateError::NotValidYetContext { time: now, not_before: at(self.not_before) }.into());
        }
        if now.as_secs() > self.not_after {
            return Err(CertificateError::ExpiredContext { time: now, not_after: at(self.not_after) }.into());
        }
        Ok(())
    }
}

/// Reads DER elements from the front.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next element, if it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }

    /// Skips the next element if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Option<()> {
        if self.0.first() == Some(&tag) {
            self.next()?;
        }
        Some(())
    }

    /// The bytes of the next element, an object identifier.
    pub(super) fn oid(&mut self) -> Option<&'a [u8]> {
        self.expect(OBJECT_IDENTIFIER)
    }

    /// Tag and content of the next element; long tags and indefinite lengths do not exist in certificates.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (tag & 0x1f != 0x1f).then_some((tag, content))
    }

    /// Seconds since 1970 of a `UTCTime` or `GeneralizedTime` in UTC.
    fn time(&mut self) -> Option<u64> {
        let (tag, text) = self.next()?;
        let digits = text.strip_suffix(b"Z")?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let (year, rest) = match (tag, digits.len()) {
            (UTC_TIME, 12) => {
                let (year, rest) = digits.split_at_checked(2)?;
                let year = number(year);
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            (GENERALIZED_TIME, 14) => {
                let (year, rest) = digits.split_at_checked(4)?;
                (number(year), rest)
            }
            _ => return None,
        };
        let mut fields = rest.chunks_exact(2).map(|field| i8::try_from(number(field)).ok());
        let mut field = || fields.next().flatten();
        let time = DateTime::new(year, field()?, field()?, field()?, field()?, field()?, 0).ok()?;
        let seconds = time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
        // Before 1970 counts as the epoch: valid since ever, or expired since ever.
        Some(u64::try_from(seconds).unwrap_or(0))
    }
}

/// The value of at most four ASCII digits.
fn number(digits: &[u8]) -> i16 {
    digits.iter().fold(0, |n, &digit| n * 10 + i16::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_1970() {
        let time = |tag: u8, text: &str| {
            let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
            der.extend_from_slice(text.as_bytes());
            Reader(&der).time()
        };
        assert_eq!(time(UTC_TIME, "240101000000Z"), Some(1_704_067_200));
        assert_eq!(time(UTC_TIME, "700101000001Z"), Some(1));
        assert_eq!(time(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(time(GENERALIZED_TIME, "19500101000000Z"), Some(0));
        assert_eq!(time(GENERALIZED_TIME, "20501301000000Z"), None);
        assert_eq!(time(UTC_TIME, "2401010000Z"), None);
        assert_eq!(time(UTC_TIME, "24010100000xZ"), None);
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_survived() {
        let signed = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let der = signed.cert.der().to_vec();
        assert!(Certificate::parse(&der).is_some());
        for end in 0..der.len() {
            assert!(Certificate::parse(&der[..end]).is_none(), "{end}");
        }
        for at in 0..der.len() {
            let mut bent = der.clone();
            bent[at] ^= 0xff;
            let _ = Certificate::parse(&bent);
        }
    }
}
