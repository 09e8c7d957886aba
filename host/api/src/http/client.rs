//! Where a request comes from. Behind a proxy that the operator named, its header is believed, and nobody else's.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use crate::state::App;

/// Where a request comes from; none where the connection does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Client(pub Option<IpAddr>);

impl Client {
    /// As [`identify`] found it.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }

    /// As it is recorded.
    pub fn address(self) -> Option<String> {
        self.0.map(|address| address.to_string())
    }

    /// What is counted by: whoever has one IPv6 address has 2⁶⁴ of them.
    pub(crate) fn key(self) -> String {
        match self.0 {
            None => "unknown".to_owned(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// Finds out once per request.
pub async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let client = Client(peer.map(|peer| behind(peer, request.headers(), &app.limits().proxies)));
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// Who is behind the proxies: the last address in `X-Forwarded-For` that is not one of them. What stands before it, anybody may have
/// written.
fn behind(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let trusted = |address: &IpAddr| proxies.iter().any(|net| net.contains(address));
    if !trusted(&peer) {
        return peer;
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    let mut known = peer;
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { return known };
        known = address.to_canonical();
        if !trusted(&known) {
            return known;
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn found(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        behind(peer.parse().unwrap(), &headers, &["10.0.0.0/8".parse().unwrap()]).to_string()
    }

    #[test]
    fn only_proxies_of_ours_are_believed() {
        assert_eq!(found("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(found("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(found("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7", "the first is a lie");
        assert_eq!(found("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(found("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
    }

    #[tokio::test]
    async fn an_address_is_recorded_with_what_was_done() {
        let service = crate::testing::Service::new().await;
        service.tenant("acme").await;
        let admin = service.session("acme", sluice_core::access::Role::Admin).await;
        let peer: SocketAddr = "192.0.2.7:4321".parse().unwrap();
        let request = crate::testing::Service::request(axum::http::Method::PATCH, "/v1/tenants/acme", Some(&admin));
        let request =
            request.header("if-match", "\"1\"").header("x-forwarded-for", "198.51.100.1").extension(ConnectInfo(peer));
        let answer = service.finish(request, Some(serde_json::json!({"name": "Acme"}))).await;
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
        let log = service.app.store.audit_after(sluice_store::Scope { tenant: "acme" }, 0, 9).await.unwrap();
        assert_eq!(log[0].entry.address.as_deref(), Some("192.0.2.7"), "this proxy is not one of ours");
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let key = |address: &str| Client(Some(address.parse().unwrap())).key();
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::1"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
