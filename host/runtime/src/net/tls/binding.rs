//! Channel binding `tls-server-end-point` (RFC 5929, section 4): the hash of the server's certificate, with the hash
//! function of the certificate's own signature, where MD5 and SHA-1 are replaced by SHA-256.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::certificate::{Certificate, Reader};

/// The hash function that a signature algorithm uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The binding data for a server's certificate; none where RFC 5929 leaves it undefined (a signature algorithm without
/// one hash function, such as Ed25519's, or one that is not known).
pub(crate) fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let parsed = Certificate::parse(certificate)?;
    Some(match hash_of(parsed.signature_algorithm)? {
        Hash::Sha224 => Sha224::digest(certificate).to_vec(),
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

/// Object identifiers: PKCS#1 `1.2.840.113549.1.1.x`, ECDSA `1.2.840.10045.4.x`, DSA `2.16.840.1.101.3.4.3.x`.
fn hash_of(algorithm: &[u8]) -> Option<Hash> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    const NIST: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03];
    let mut fields = Reader(algorithm);
    let oid = fields.oid()?;
    if let Some(number) = oid.strip_prefix(RSA) {
        return match number {
            // MD5, SHA-1: too weak to bind with, so SHA-256.
            [4 | 5 | 11] => Some(Hash::Sha256),
            [12] => Some(Hash::Sha384),
            [13] => Some(Hash::Sha512),
            [14] => Some(Hash::Sha224),
            [10] => pss_hash(fields),
            _ => None,
        };
    }
    if let Some(number) = oid.strip_prefix(ECDSA) {
        return match number {
            [1] | [3, 2] => Some(Hash::Sha256),
            [3, 1] => Some(Hash::Sha224),
            [3, 3] => Some(Hash::Sha384),
            [3, 4] => Some(Hash::Sha512),
            _ => None,
        };
    }
    match oid.strip_prefix(NIST)? {
        [1] => Some(Hash::Sha224),
        [2] => Some(Hash::Sha256),
        [3] => Some(Hash::Sha384),
        [4] => Some(Hash::Sha512),
        _ => None,
    }
}

/// `RSASSA-PSS-params`: the hash function stands in field 0 and is SHA-1, hence SHA-256, if it is left out.
fn pss_hash(mut fields: Reader<'_>) -> Option<Hash> {
    const SEQUENCE: u8 = 0x30;
    const FIELD_0: u8 = 0xa0;
    const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
    const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    let mut parameters = Reader(fields.expect(SEQUENCE)?);
    let Some((FIELD_0, field)) = parameters.next() else { return Some(Hash::Sha256) };
    let oid = Reader(Reader(field).expect(SEQUENCE)?).oid()?;
    if oid == SHA1 {
        return Some(Hash::Sha256);
    }
    match oid.strip_prefix(SHA2)? {
        [1] => Some(Hash::Sha256),
        [2] => Some(Hash::Sha384),
        [3] => Some(Hash::Sha512),
        [4] => Some(Hash::Sha224),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The algorithm's sequence content from its OID and parameters.
    fn algorithm(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
        let mut der = vec![0x06, u8::try_from(oid.len()).unwrap()];
        der.extend_from_slice(oid);
        der.extend_from_slice(parameters);
        der
    }

    #[test]
    fn each_signature_algorithm_has_its_hash() {
        let rsa = |n| vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n];
        let ecdsa = |n| vec![0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n];
        let null = [0x05, 0x00];
        assert_eq!(hash_of(&algorithm(&rsa(4), &null)), Some(Hash::Sha256), "MD5");
        assert_eq!(hash_of(&algorithm(&rsa(5), &null)), Some(Hash::Sha256), "SHA-1");
        assert_eq!(hash_of(&algorithm(&rsa(11), &null)), Some(Hash::Sha256));
        assert_eq!(hash_of(&algorithm(&rsa(12), &null)), Some(Hash::Sha384));
        assert_eq!(hash_of(&algorithm(&rsa(13), &null)), Some(Hash::Sha512));
        assert_eq!(hash_of(&algorithm(&ecdsa(2), &[])), Some(Hash::Sha256));
        assert_eq!(hash_of(&algorithm(&ecdsa(3), &[])), Some(Hash::Sha384));
        assert_eq!(hash_of(&algorithm(&ecdsa(4), &[])), Some(Hash::Sha512));
        assert_eq!(hash_of(&algorithm(&[0x2b, 0x65, 0x70], &[])), None, "Ed25519");
        assert_eq!(hash_of(&[]), None);
    }

    #[test]
    fn rsa_pss_names_its_hash_in_the_parameters() {
        let pss = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 10];
        let sha384 = [0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 2];
        let mut parameters = vec![0x30, 15, 0xa0, 13, 0x30, 11];
        parameters.extend_from_slice(&sha384);
        assert_eq!(hash_of(&algorithm(&pss, &parameters)), Some(Hash::Sha384));
        assert_eq!(hash_of(&algorithm(&pss, &[0x30, 0])), Some(Hash::Sha256));
        assert_eq!(hash_of(&algorithm(&pss, &[])), None);
    }
}
