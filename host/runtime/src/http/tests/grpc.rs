//! gRPC: HTTP/2 with trailers, over TLS and, where there is none, with prior knowledge.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderMap;
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::*;

/// Answers a call with what it was sent, and its status in trailers.
async fn call(request: Request<Incoming>) -> Response<ServerBody> {
    let head = format!("{:?} {} te={:?} ", request.version(), request.uri().path(), request.headers().get("te"));
    let message = request.into_body().collect().await.unwrap().to_bytes();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let data = Bytes::from([head.as_bytes(), &message].concat());
    let frames = [Ok(Frame::data(data)), Ok(Frame::trailers(trailers))];
    Response::new(StreamBody::new(futures::stream::iter(frames)).boxed())
}

/// Speaks HTTP/2 where the client starts with its preface, else HTTP/1.1, as gRPC servers with a REST side do.
async fn either(connections: Arc<AtomicUsize>) -> SocketAddr {
    listen(move |stream| {
        connections.fetch_add(1, Ordering::Relaxed);
        async move {
            let service = service_fn(|request| async { Ok::<_, std::convert::Infallible>(call(request).await) });
            let mut start = [0; 3];
            stream.peek(&mut start).await.unwrap();
            let io = TokioIo::new(stream);
            let _ = if &start == b"PRI" {
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                builder.serve_connection(io, service).await
            } else {
                hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
            };
        }
    })
    .await
}

fn grpc(url: &str) -> Request<WasiBody> {
    let request = Request::post(url).header("content-type", "application/grpc+proto").header("te", "trailers");
    request.body(body("message")).unwrap()
}

#[tokio::test]
async fn a_call_without_tls_speaks_http2_at_once() {
    let connections = shared::<AtomicUsize>();
    let address = either(connections.clone()).await;
    let client = client_with(policy(HOST, address.port(), true), &[], HttpSettings::default());
    for _ in 0..2 {
        let mut hooks = Hooks::new(client.clone(), 1);
        let response = send(&mut hooks, grpc(&url(address, "/pkg.Service/Method"))).await.unwrap();
        let collected = response.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(collected.to_bytes(), "HTTP/2.0 /pkg.Service/Method te=Some(\"trailers\") message");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1, "calls share a connection");
}

#[tokio::test]
async fn other_requests_to_the_same_origin_stay_with_http1() {
    let connections = shared::<AtomicUsize>();
    let address = either(connections.clone()).await;
    let client = client_with(policy(HOST, address.port(), true), &[], HttpSettings::default());
    for _ in 0..2 {
        let mut hooks = Hooks::new(client.clone(), 1);
        send(&mut hooks, grpc(&url(address, "/call"))).await.unwrap().into_body().collect().await.unwrap();
        let plain = text(send(&mut hooks, get(&url(address, "/rest"))).await.unwrap()).await;
        assert_eq!(plain, "HTTP/1.1 /rest te=None ");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 2, "one of each protocol");
}

#[tokio::test]
async fn a_call_over_tls_negotiates_http2() {
    let (address, authority) = https2(call).await;
    let mut hooks = Hooks::new(client_with(policy(HOST, address.port(), true), &[], trusting(&authority)), 1);
    let response = send(&mut hooks, grpc(&secure_url(address, "/call"))).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(collected.to_bytes(), "HTTP/2.0 /call te=Some(\"trailers\") message");
}

#[tokio::test]
async fn a_server_without_http2_is_named_as_such() {
    let authority = Authority::new();
    // One offers protocols but not this one, the other negotiates nothing.
    for (offers, says) in [(&["http/1.1"][..], "TLS"), (&[][..], "does not offer HTTP/2")] {
        let acceptor = acceptor(&authority.sign_for(&[HOST]), None, offers, &[&rustls::version::TLS13]);
        let address = listen(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.read_u8().await;
            }
        })
        .await;
        let client = client_with(policy(HOST, address.port(), true), &[], trusting(&authority));
        let mut hooks = Hooks::new(client, 1);
        send(&mut hooks, grpc(&secure_url(address, "/call"))).await.unwrap_err();
        let told = hooks.last_failure().take().unwrap();
        assert!(told.message.contains(says), "{told}");
    }
}
