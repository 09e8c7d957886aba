//! What a browser can read, and what it has already.

use axum::http::{HeaderMap, header};

/// How a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// The smallest of what there is that the browser takes. Weights are only looked at for a refusal (`br;q=0`): every browser that takes
/// one of these reads it as well as any other.
pub(super) fn coding(headers: &HeaderMap, brotli: bool, gzip: bool) -> Coding {
    let asked = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut taken = (false, false);
    for one in asked.flat_map(|value| value.split(',')) {
        let mut parts = one.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.filter_map(|part| part.strip_prefix("q=")).any(|weight| weight.parse() == Ok(0.0_f32));
        taken.0 |= name.eq_ignore_ascii_case("br") && !refused;
        taken.1 |= name.eq_ignore_ascii_case("gzip") && !refused;
    }
    match (taken.0 && brotli, taken.1 && gzip) {
        (true, _) => Coding::Brotli,
        (false, true) => Coding::Gzip,
        (false, false) => Coding::Identity,
    }
}

/// Whether the browser has what this tag says.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(',')).map(str::trim).any(|one| one.strip_prefix("W/").unwrap_or(one) == tag)
}
