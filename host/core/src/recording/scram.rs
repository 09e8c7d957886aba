//! The one answer that a source makes of a secret: the signature by which a server shows, in SCRAM-SHA-256 (RFC 5802, RFC 7677), that it
//! knows the password too.
//!
//! A guest that logs in with a stand-in would refuse the signature that was recorded, and rightly so. In the first replay it is replaced
//! by the one that a server makes whose user has the stand-in for a password. SCRAM is told by its texts, whatever protocol carries
//! them; nothing else of the protocol is known here.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{hmac, pbkdf2};

/// Most rounds of hashing that a server may ask for here.
const MOST_ROUNDS: u32 = 1_000_000;

/// Characters of a signature: 32 bytes in Base64.
const SIGNATURE: usize = 44;

/// What was said so far: true for what the client sent.
pub(super) type Login = [(bool, Vec<u8>)];

/// The piece, with a signature for one of the stand-ins if it ends such a login.
pub(super) fn answer(login: &Login, mut piece: Vec<u8>, stand_ins: &[String]) -> Vec<u8> {
    let Some(at) = signature(&piece) else { return piece };
    let Some(spoken) = Spoken::of(login) else { return piece };
    if let Some(signed) = stand_ins.iter().find_map(|password| spoken.signed_with(password))
        && let Some(place) = piece.get_mut(at..at + SIGNATURE)
    {
        place.copy_from_slice(signed.as_bytes());
    }
    piece
}

/// The texts of a login.
struct Spoken {
    client_first: String,
    server_first: String,
    client_final: String,
    proof: Vec<u8>,
}

impl Spoken {
    fn of(login: &Login) -> Option<Self> {
        let text = |sent: bool, wanted: fn(&[u8]) -> Option<usize>| {
            let mut pieces = login.iter().rev().filter(|(by_client, _)| *by_client == sent);
            pieces.find_map(|(_, piece)| Some(printable(piece.get(wanted(piece)?..)?)))
        };
        // After the header of the channel binding, which is not signed.
        let client_first = text(true, |piece| find(piece, b",,n=").map(|at| at + 2))?;
        let server_first =
            text(false, |piece| find(piece, b"r=").filter(|at| find(piece, b",s=").is_some_and(|s| s > *at)))?;
        let last = text(true, |piece| find(piece, b"c=").filter(|at| find(piece, b",p=").is_some_and(|p| p > *at)))?;
        let (client_final, proof) = last.rsplit_once(",p=")?;
        let proof = STANDARD.decode(proof.get(..SIGNATURE)?).ok()?;
        Some(Self { client_first, server_first, client_final: client_final.to_owned(), proof })
    }

    /// The server's signature, if the client's proof was made with this password.
    fn signed_with(&self, password: &str) -> Option<String> {
        let field = |name: &str| self.server_first.split(',').find_map(|part| part.strip_prefix(name));
        let salt = STANDARD.decode(field("s=")?).ok()?;
        let rounds: NonZeroU32 = field("i=")?.parse().ok()?;
        if rounds.get() > MOST_ROUNDS {
            return None;
        }
        let mut salted = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut salted);
        let said = format!("{},{},{}", self.client_first, self.server_first, self.client_final);
        let client_key = mac(&salted, b"Client Key");
        let stored_key = ring::digest::digest(&ring::digest::SHA256, &client_key);
        let client_signature = mac(stored_key.as_ref(), said.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&client_signature).map(|(key, signature)| key ^ signature).collect();
        let server_key = mac(&salted, b"Server Key");
        (proof == self.proof).then(|| STANDARD.encode(mac(&server_key, said.as_bytes())))
    }
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// Where a signature stands, if there is one: `v=` and 44 characters of Base64.
fn signature(piece: &[u8]) -> Option<usize> {
    let at = find(piece, b"v=")? + 2;
    let text = piece.get(at..at + SIGNATURE)?;
    let is_base64 = text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
    is_base64.then_some(at)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The text up to the first byte that is none.
fn printable(bytes: &[u8]) -> String {
    bytes.iter().take_while(|byte| byte.is_ascii_graphic() || **byte == b' ').map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3, as Postgres frames it.
    fn login() -> Vec<(bool, Vec<u8>)> {
        let framed = |text: &str| [b"R\0\0\0\x5c\0\0\0\x0b".as_slice(), text.as_bytes()].concat();
        vec![
            (true, framed("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")),
            (false, framed("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")),
            (
                true,
                framed(
                    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                ),
            ),
        ]
    }

    #[test]
    fn the_servers_signature_is_that_of_the_password_whose_proof_was_sent() {
        let recorded = b"R\0\0\0\x36\0\0\0\x0cv=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=R\0\0\0\x08".to_vec();
        let answered = answer(&login(), recorded.clone(), &["other".to_owned(), "pencil".to_owned()]);
        assert_eq!(answered.len(), recorded.len());
        let text = String::from_utf8_lossy(&answered).into_owned();
        assert!(text.contains("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=R"), "{text}");
    }

    #[test]
    fn what_is_no_such_login_stays_as_it_is() {
        let recorded = b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_vec();
        assert_eq!(answer(&login(), recorded.clone(), &["other".to_owned()]), recorded, "another password");
        assert_eq!(answer(&[], recorded.clone(), &["pencil".to_owned()]), recorded, "no login");
        let short = b"v=6rri".to_vec();
        assert_eq!(answer(&login(), short.clone(), &["pencil".to_owned()]), short, "no signature");
        let mut endless = login();
        endless[1].1 = b"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967295".to_vec();
        assert_eq!(answer(&endless, recorded.clone(), &["pencil".to_owned()]), recorded, "rounds without end");
    }
}
