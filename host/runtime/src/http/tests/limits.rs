//! Servers that flood, dawdle or lie, and guests that ask for too much.

use super::*;
use crate::net::NetErrorKind;

const SHORT: Duration = Duration::from_millis(150);

fn short() -> RequestOptions {
    RequestOptions { connect_timeout: Some(SHORT), first_byte_timeout: Some(SHORT), between_bytes_timeout: Some(SHORT) }
}

#[tokio::test]
async fn requests_under_way_are_counted_until_their_response_is_let_go() {
    let address = http1(|_| async { Response::new(full("x")) }).await;
    let mut hooks = hooks(address);
    let first = send(&mut hooks, get(&url(address, "/"))).await.unwrap();
    let _second = send(&mut hooks, get(&url(address, "/"))).await.unwrap();
    let refused = send(&mut hooks, get(&url(address, "/"))).await.unwrap_err();
    assert!(matches!(refused, Error::ConnectionLimitReached));
    let failure = hooks.last_failure().take().unwrap();
    assert_eq!(failure.kind, NetErrorKind::Limit);
    assert!(failure.message.contains("limits.instance.connections"), "{failure}");
    drop(first);
    assert!(send(&mut hooks, get(&url(address, "/"))).await.is_ok());
}

#[tokio::test]
async fn a_flood_of_headers_ends_the_request() {
    let address = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"x-flood: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n").await.is_ok() {}
    })
    .await;
    let mut hooks = hooks(address);
    let code = send(&mut hooks, get(&url(address, "/"))).await.unwrap_err();
    assert!(matches!(code, Error::HttpResponseHeaderSectionSize(_)), "{code:?}");
    assert!(hooks.last_failure().take().unwrap().message.contains("head is larger"));
}

#[tokio::test]
async fn one_endless_header_ends_the_request() {
    let address = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx-flood: ").await;
        while stream.write_all(&[b'y'; 4096]).await.is_ok() {}
    })
    .await;
    let code = send(&mut hooks(address), get(&url(address, "/"))).await.unwrap_err();
    assert!(matches!(code, Error::HttpResponseHeaderSectionSize(_)), "{code:?}");
}

#[tokio::test]
async fn a_large_http2_head_ends_the_request() {
    let (address, authority) = https2(|_| async {
        let mut response = Response::new(full("x"));
        for n in 0..100 {
            let name: http::HeaderName = format!("x-flood-{n}").parse().unwrap();
            response.headers_mut().insert(name, "y".repeat(4096).parse().unwrap());
        }
        response
    })
    .await;
    let mut hooks = Hooks::new(client_with(policy(HOST, address.port(), true), &[], trusting(&authority)), 1);
    assert!(send(&mut hooks, get(&secure_url(address, "/"))).await.is_err());
}

#[tokio::test]
async fn a_server_that_never_answers_runs_into_the_first_byte_timeout() {
    let address = raw(b"", Duration::from_secs(60)).await;
    let mut hooks = hooks(address);
    let code = send_with(&mut hooks, get(&url(address, "/")), short()).await.unwrap_err();
    assert!(matches!(code, Error::HttpResponseTimeout), "{code:?}");
    assert!(hooks.last_failure().take().unwrap().message.contains("did not answer within 0.15 seconds"));
}

#[tokio::test]
async fn a_head_that_trickles_in_runs_into_the_first_byte_timeout() {
    let address = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        for byte in b"HTTP/1.1 200 OK\r\n".iter().chain(std::iter::repeat(&b'a')) {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let code = send_with(&mut hooks(address), get(&url(address, "/")), short()).await.unwrap_err();
    assert!(matches!(code, Error::HttpResponseTimeout), "{code:?}");
}

#[tokio::test]
async fn endless_interim_responses_run_into_the_first_byte_timeout() {
    let address = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let code = send_with(&mut hooks(address), get(&url(address, "/")), short()).await.unwrap_err();
    assert!(matches!(code, Error::HttpResponseTimeout), "{code:?}");
}

#[tokio::test]
async fn silence_in_a_body_runs_into_its_timeout() {
    let address = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", Duration::from_secs(60)).await;
    let response = send_with(&mut hooks(address), get(&url(address, "/")), short()).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    let silence = body.frame().await.unwrap().unwrap_err();
    assert!(matches!(silence, Error::ConnectionReadTimeout), "{silence:?}");
}

#[tokio::test]
async fn a_guest_that_takes_its_time_is_not_timed_out() {
    let address = http1(|_| async { Response::new(full(vec![b'x'; 4 << 20])) }).await;
    let response = send_with(&mut hooks(address), get(&url(address, "/")), short()).await.unwrap();
    let mut body = response.into_body();
    let mut total = body.frame().await.unwrap().unwrap().into_data().unwrap().len();
    tokio::time::sleep(SHORT * 2).await;
    while let Some(frame) = body.frame().await {
        total += frame.unwrap().into_data().unwrap().len();
    }
    assert_eq!(total, 4 << 20);
}

#[tokio::test]
async fn a_server_that_does_not_accept_runs_into_the_connect_timeout() {
    // TLS towards a server that accepts the connection and says nothing.
    let address = listen(|stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let code = send_with(&mut hooks(address), get(&secure_url(address, "/")), short()).await.unwrap_err();
    assert!(matches!(code, Error::ConnectionTimeout | Error::ConnectionRefused), "{code:?}");
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_error_and_not_the_end() {
    let address = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", Duration::ZERO).await;
    let response = send(&mut hooks(address), get(&url(address, "/"))).await.unwrap();
    let code = response.into_body().collect().await.unwrap_err();
    assert!(matches!(code, Error::HttpResponseIncomplete | Error::ConnectionTerminated), "{code:?}");
}

#[tokio::test]
async fn answers_that_are_no_http_are_protocol_errors() {
    let answers: [&[u8]; 6] = [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
        b"HTTP/9.9 200 OK\r\n\r\n",
    ];
    for answer in answers {
        let address = raw(answer, Duration::from_millis(50)).await;
        let mut hooks = hooks(address);
        let code = send(&mut hooks, get(&url(address, "/"))).await.err();
        let told = String::from_utf8_lossy(answer);
        assert!(matches!(code, Some(Error::HttpProtocolError)), "{told}: {code:?}");
        assert_eq!(hooks.last_failure().take().unwrap().kind, NetErrorKind::Protocol, "{told}");
    }
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut hooks = hooks(closed);
    let code = send(&mut hooks, get(&url(closed, "/"))).await.unwrap_err();
    assert!(matches!(code, Error::ConnectionRefused), "{code:?}");
    assert!(hooks.last_failure().take().unwrap().message.contains("connection refused"));
}

#[tokio::test]
async fn a_cancelled_request_leaves_nothing_counted() {
    let address = raw(b"", Duration::from_secs(60)).await;
    let mut hooks = hooks(address);
    for _ in 0..5 {
        let sending = send(&mut hooks, get(&url(address, "/")));
        assert!(tokio::time::timeout(Duration::from_millis(20), sending).await.is_err());
    }
    let fine = http1(|_| async { Response::new(full("x")) }).await;
    let mut other = Hooks::new(client_with(policy(HOST, fine.port(), true), &[], HttpSettings::default()), 1);
    assert!(send(&mut other, get(&url(fine, "/"))).await.is_ok());
}
