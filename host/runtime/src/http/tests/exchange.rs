//! Requests and responses that go well.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderMap;
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::*;

/// Echoes method, path, selected headers and body.
async fn echo(request: Request<Incoming>) -> Response<ServerBody> {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
    let head = format!(
        "{} {} {:?} host={} te={} len={} enc={}\n",
        parts.method,
        parts.uri,
        parts.version,
        header("host"),
        header("te"),
        header("content-length"),
        header("transfer-encoding")
    );
    let body = body.collect().await.unwrap().to_bytes();
    Response::new(full([head.as_bytes(), &body].concat()))
}

#[tokio::test]
async fn a_request_arrives_as_it_was_meant() {
    let address = http1(echo).await;
    let mut hooks = hooks(address);
    let port = address.port();
    let plain = text(send(&mut hooks, get(&url(address, "/a?b=c"))).await.unwrap()).await;
    assert_eq!(plain, format!("GET /a?b=c HTTP/1.1 host={HOST}:{port} te=- len=- enc=-\n"));
    let post =
        Request::post(url(address, "")).header("host", "evil.net").header("content-length", "4").body(body("data"));
    let posted = text(send(&mut hooks, post.unwrap()).await.unwrap()).await;
    assert_eq!(posted, format!("POST / HTTP/1.1 host={HOST}:{port} te=- len=4 enc=-\ndata"));
}

#[tokio::test]
async fn http2_is_spoken_where_the_server_offers_it() {
    let (address, authority) = https2(echo).await;
    let client = client_with(policy(HOST, address.port(), true), &[], trusting(&authority));
    let mut hooks = Hooks::new(client, 2);
    let response = send(&mut hooks, get(&secure_url(address, "/x"))).await.unwrap();
    assert_eq!(
        text(response).await,
        format!("GET https://{HOST}:{}/x HTTP/2.0 host=- te=- len=- enc=-\n", address.port())
    );
}

#[tokio::test]
async fn requests_at_once_share_one_http2_connection() {
    let connections = shared::<AtomicUsize>();
    let authority = Authority::new();
    let acceptor = acceptor(&authority.sign_for(&[HOST]), None, &["h2"], &[&rustls::version::TLS13]);
    let counted = connections.clone();
    let address = listen(move |stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            let service = service_fn(|request| async { Ok::<_, std::convert::Infallible>(echo(request).await) });
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    let client = client_with(policy(HOST, address.port(), true), &[], trusting(&authority));
    let requests = (0..20).map(|n| {
        // Every instance has hooks of its own; the pool is the connection's.
        let mut hooks = Hooks::new(client.clone(), 1);
        async move { text(send(&mut hooks, get(&secure_url(address, &format!("/{n}")))).await.unwrap()).await }
    });
    let answers = futures::future::join_all(requests).await;
    for (n, answer) in answers.iter().enumerate() {
        assert!(answer.contains(&format!("/{n} HTTP/2.0")), "{answer}");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_is_used_again_once_its_response_was_read() {
    let connections = shared::<AtomicUsize>();
    let counted = connections.clone();
    let address = listen(move |stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            let service = service_fn(|request| async { Ok::<_, std::convert::Infallible>(echo(request).await) });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    let client = client_with(policy(HOST, address.port(), true), &[], HttpSettings::default());
    for _ in 0..5 {
        let mut hooks = Hooks::new(client.clone(), 1);
        text(send(&mut hooks, get(&url(address, "/"))).await.unwrap()).await;
        assert_eq!(client.idle(&url(address, "/")), 1);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_whose_response_was_not_read_is_closed() {
    let address = http1(|_| async { Response::new(full(vec![b'x'; 8 << 20])) }).await;
    let client = client_with(policy(HOST, address.port(), true), &[], HttpSettings::default());
    let response = send(&mut Hooks::new(client.clone(), 1), get(&url(address, "/"))).await.unwrap();
    drop(response);
    assert_eq!(client.idle(&url(address, "/")), 0);
}

#[tokio::test]
async fn a_waiting_connection_that_the_server_closed_is_replaced_unnoticed() {
    let address = listen(|stream| async move {
        let service = service_fn(|request| async { Ok::<_, std::convert::Infallible>(echo(request).await) });
        let serving = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let _ = tokio::time::timeout(Duration::from_millis(60), serving).await;
    })
    .await;
    let mut hooks = hooks(address);
    for wait in [0, 90, 55, 58, 60, 62] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        text(send(&mut hooks, get(&url(address, "/"))).await.unwrap()).await;
    }
}

#[tokio::test]
async fn trailers_go_both_ways() {
    let (address, authority) = https2(|request: Request<Incoming>| async {
        let collected = request.into_body().collect().await.unwrap();
        let sent = collected.trailers().unwrap()["x-checksum"].clone();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        trailers.insert("x-echo", sent);
        let frames = [Ok(Frame::data(Bytes::from_static(b"data"))), Ok(Frame::trailers(trailers))];
        Response::new(StreamBody::new(futures::stream::iter(frames)).boxed())
    })
    .await;
    let mut hooks = Hooks::new(client_with(policy(HOST, address.port(), true), &[], trusting(&authority)), 1);
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", "abc".parse().unwrap());
    let frames = [Ok(Frame::data(Bytes::from_static(b"up"))), Ok(Frame::trailers(trailers))];
    let upload = StreamBody::new(futures::stream::iter(frames)).boxed_unsync();
    let request = Request::post(secure_url(address, "/")).header("te", "trailers").body(upload).unwrap();
    let collected = send(&mut hooks, request).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(collected.trailers().unwrap()["x-echo"], "abc");
    assert_eq!(collected.to_bytes(), "data");
}

#[tokio::test]
async fn a_guest_that_does_not_read_holds_the_server_back() {
    let sent = shared::<AtomicUsize>();
    let counter = sent.clone();
    let address = http1(move |_| {
        let counter = counter.clone();
        async move {
            let frames = futures::stream::unfold(0, move |n| {
                counter.fetch_add(1 << 16, Ordering::Relaxed);
                async move { (n < 4096).then(|| (Ok(Frame::data(Bytes::from(vec![b'x'; 1 << 16]))), n + 1)) }
            });
            Response::new(BodyExt::boxed(StreamBody::new(frames)))
        }
    })
    .await;
    let mut hooks = hooks(address);
    let response = send(&mut hooks, get(&url(address, "/"))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ahead = sent.load(Ordering::Relaxed);
    assert!(ahead < 64 << 20, "{ahead} of 256 MiB were sent although nobody read");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), 256 << 20);
}
