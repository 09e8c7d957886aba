//! Whom the host's system trusts.

use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;

/// The system's authorities, read once for the process. Where the system has none (a bare container), Mozilla's list
/// that was compiled in takes their place.
pub(super) fn system() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    Arc::clone(ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        let (added, ignored) = store.add_parsable_certificates(found.certs);
        if added == 0 {
            tracing::info!(tls.roots = "built-in", "the system has no certificate authorities; using those built in");
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        } else if ignored > 0 {
            tracing::debug!(tls.roots.ignored = ignored, "some of the system's authorities cannot be read");
        }
        Arc::new(store)
    }))
}
