use super::super::Bytes;
use super::*;

fn request(url: &str, body: &str) -> Request {
    Request { method: "GET".into(), url: url.into(), body: body.into(), ..Request::default() }
}

fn exchange(url: &str, status: u16) -> Event {
    let response = Some(Response { status, ..Response::default() });
    Event::Http(Exchange { request: request(url, ""), response, ..Exchange::default() })
}

fn player(events: Vec<Event>) -> Player {
    Player::new(Arc::new(Instance { random: String::new(), events }))
}

fn status(answer: Answer) -> u16 {
    match answer {
        Answer::Response(response, _) => response.status,
        other => panic!("{other:?}"),
    }
}

fn sent(bytes: &str) -> Event {
    Event::Sent { connection: 5, bytes: bytes.into(), failed: None }
}

fn received(bytes: &str) -> Event {
    Event::Received { connection: 5, bytes: bytes.into(), failed: None }
}

fn connect() -> Event {
    Event::Connect { connection: 5, host: "db".into(), port: 1, tls: None, failed: None }
}

#[test]
fn the_same_request_is_answered_as_often_as_it_was_recorded_whatever_the_order_of_others() {
    let mut player = player(vec![exchange("/a", 200), exchange("/b", 201), exchange("/a", 202)]);
    assert_eq!(status(player.http(&request("/b", ""))), 201);
    assert_eq!(status(player.http(&request("/a", ""))), 200);
    assert_eq!(status(player.http(&request("/a", ""))), 202);
    let Answer::Unknown(told) = player.http(&request("/a", "")) else { panic!() };
    assert_eq!(told.message, "the recording does not have GET /a");
    assert!(matches!(player.http(&request("/b", "body")), Answer::Unknown(_)));
}

#[test]
fn of_the_same_requests_the_one_for_the_same_range_answers() {
    let ranged = |range: &str| Request { headers: vec![("range".into(), range.into())], ..request("/a", "") };
    let part = |range: &str, status| {
        let response = Some(Response { status, ..Response::default() });
        Event::Http(Exchange { request: ranged(range), response, ..Exchange::default() })
    };
    let mut player = player(vec![part("bytes=0-9", 200), part("bytes=10-19", 201)]);
    assert_eq!(status(player.http(&ranged("bytes=10-19"))), 201);
    assert_eq!(status(player.http(&ranged("bytes=20-29"))), 200, "whose range is then the difference");
}

#[test]
fn with_stand_ins_a_signature_may_differ() {
    let mut player = player(vec![exchange("/a?sig=1", 200), exchange("/b?sig=1", 201)]).with_stand_ins(vec![]);
    assert_eq!(status(player.http(&request("/b?sig=2", ""))), 201);
    assert_eq!(status(player.http(&request("/a?sig=2", ""))), 200);
}

#[test]
fn a_conversation_goes_on_as_long_as_the_same_is_said() {
    let events = || vec![connect(), sent("hello"), received("good day"), sent("bye"), received("")];
    let mut same = player(events());
    same.connect(0, "db", 1).unwrap();
    same.sent(0, b"hel");
    same.sent(0, b"lo");
    assert_eq!(same.received(0, 4).unwrap(), b"good");
    assert_eq!(same.received(0, 100).unwrap(), b" day");
    same.sent(0, b"bye");
    assert_eq!(same.received(0, 100).unwrap(), b"");
    assert!(same.received(0, 100).unwrap_err().message.contains("beyond the end"));

    let mut other = player(events());
    other.connect(0, "db", 1).unwrap();
    other.sent(0, b"hallo");
    assert!(other.received(0, 100).unwrap_err().message.contains("an answer to what was sent"));
    assert!(other.connect(1, "db", 1).is_err(), "there was one connection");
    assert!(player(events()).connect(0, "db", 2).is_err(), "to another port");

    let mut first = player(events()).with_stand_ins(vec!["x".into()]);
    first.connect(0, "db", 1).unwrap();
    first.sent(0, b"something made of a secret");
    assert_eq!(first.received(0, 100).unwrap(), b"good day");
}

#[test]
fn clocks_repeat_what_they_said_and_go_on_from_there() {
    let mut player = player(vec![Event::WallClock(50), Event::MonotonicClock(7), Event::WallClock(60)]);
    assert_eq!([player.wall_clock(), player.wall_clock(), player.wall_clock()], [50, 60, 60 + TICK]);
    assert_eq!([player.monotonic_clock(), player.monotonic_clock()], [7, 7 + TICK]);
}

#[test]
fn what_was_recalled_is_found_by_its_key() {
    let found = vec![("a".to_owned(), Some(Bytes::from("1"))), ("b".to_owned(), None)];
    let player = player(vec![Event::Recall { stream: "s".into(), found }]);
    assert_eq!(player.recall("s", "a"), Some(b"1".to_vec()));
    assert_eq!((player.recall("s", "b"), player.recall("s", "c"), player.recall("t", "a")), (None, None, None));
}
