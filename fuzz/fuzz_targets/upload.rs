//! Whatever is uploaded as a connector, and whatever lies beside it as its signature or its publisher's key: it is refused by
//! name, or its parts are within their bounds. Everything that the host does with the bytes before it compiles them, and nothing
//! else; nothing of them is executed.
//!
//! The input is one file: a component, a signature (it begins with a brace) or a key (it begins with a dash).
//! `fuzz/README.md` says how it is run.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_core::signature::{PublicKey, Signature, Statement};

/// What a connector may import from. Sockets are among them because Python's components ask for them; each call is refused.
const KNOWN: [&str; 8] = [
    "sluice:source/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

fuzz_target!(|data: &[u8]| {
    match data.first() {
        Some(b'{') => {
            if let Ok(signature) = Signature::parse(data) {
                // Its own statement is the one that it could at best be valid for.
                let own = signature.statement.clone();
                let _ = signature.verify(&own);
                assert!(signature.verify(&Statement::new("other", "1.0.0", b"component", b"manifest")).is_err());
            }
        }
        Some(b'-') => {
            if let Ok(key) = std::str::from_utf8(data).map_or(Err(()), |text| PublicKey::from_pem(text).map_err(drop)) {
                assert_eq!(PublicKey::from_pem(&key.to_pem()).as_ref(), Ok(&key));
            }
        }
        _ => {
            if let Ok(found) = sluice_runtime::inspect(data) {
                for import in &found.imports {
                    assert!(KNOWN.iter().any(|known| import.starts_with(known)), "{import}");
                }
                assert!(found.manifest_bytes.len() <= sluice_core::manifest::MAX_BYTES);
            }
            let _ = sluice_runtime::examine(data);
        }
    }
});
