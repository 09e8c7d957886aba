use super::*;
use crate::recording::{Exchange, Request, Response};

fn get(url: &str, header: &str, body: &str, answered_by: Option<usize>) -> Event {
    Event::Http(Exchange {
        request: Request {
            method: "GET".into(),
            url: url.into(),
            headers: vec![("accept".into(), header.into()), ("user-agent".into(), format!("agent {body}").into())],
            body: body.into(),
        },
        response: Some(Response::default()),
        answered_by,
        ..Exchange::default()
    })
}

fn batch(rows: u64, digest: &str) -> Event {
    Event::Batch { stream: "orders".into(), rows, columns: [("id".to_owned(), digest.to_owned())].into() }
}

fn read(ended: Ended, between: Vec<Event>) -> Instance {
    let call = Event::Call(Call::Read { split: "orders".into(), start: None, rows: None });
    let mut events = vec![call];
    events.extend(between);
    events.push(Event::Returned(Returned::Read(ended)));
    Instance { random: String::new(), events }
}

fn messages(recorded: &Instance, replayed: &Instance) -> Vec<String> {
    compare(recorded, replayed).into_iter().map(|one| format!("{}: {}", one.call, one.message)).collect()
}

#[test]
fn the_same_in_another_order_is_the_same() {
    let recorded = read(Ended::Finished, vec![get("/a", "x", "1", None), get("/b", "x", "", None), batch(1, "d")]);
    let replayed =
        read(Ended::Finished, vec![get("/b", "x", "", Some(2)), get("/a", "x", "1", Some(1)), batch(1, "d")]);
    assert_eq!(messages(&recorded, &replayed), Vec::<String>::new());
}

#[test]
fn another_request_is_named_beside_the_recorded_one() {
    let recorded = read(Ended::Finished, vec![get("/a?page=1", "x", "", None), get("/a?page=2", "x", "", None)]);
    let other_url = read(Ended::Finished, vec![get("/a?page=1", "x", "", Some(1)), get("/a?page=3", "x", "", None)]);
    assert_eq!(
        messages(&recorded, &other_url),
        [
            "read of split orders: request 2 is GET /a?page=3; recorded was GET /a?page=2 (the URL differs at character 8)"
        ]
    );
    let other_body =
        read(Ended::Finished, vec![get("/a?page=1", "x", "", Some(1)), get("/a?page=2", "x", "abc", None)]);
    assert!(
        messages(&recorded, &other_body)[0]
            .contains("its body differs at byte 0: recorded was \"\", now it is \"abc\"")
    );
    let other_header =
        read(Ended::Finished, vec![get("/a?page=1", "y", "", Some(1)), get("/a?page=2", "x", "", Some(2))]);
    assert!(messages(&recorded, &other_header)[0].contains("GET /a?page=1: header accept was \"x\", now it is \"y\""));
    let fewer = read(Ended::Finished, vec![get("/a?page=1", "x", "", Some(1))]);
    assert_eq!(messages(&recorded, &fewer), ["read of split orders: it does not ask GET /a?page=2 any more"]);
}

#[test]
fn how_many_requests_a_cut_read_had_on_their_way_is_chance() {
    let recorded = read(Ended::Cut, vec![get("/a", "x", "", None), get("/b", "x", "", None), batch(3, "d")]);
    let replayed = read(Ended::Cut, vec![get("/a", "x", "", Some(1)), batch(3, "d")]);
    assert!(messages(&recorded, &replayed).is_empty());
    let other = read(Ended::Cut, vec![get("/c", "x", "", None), batch(4, "d")]);
    let said = messages(&recorded, &other);
    assert!(
        said[0].contains("request 1 is GET /c") && said[1].contains("batch 1 had 3 rows, now it has 4"),
        "{said:?}"
    );
}

#[test]
fn other_bytes_on_a_connection_are_shown_at_their_place() {
    let talk = |text: &str| {
        let sent = Event::Sent { connection: 0, bytes: text.into(), failed: None };
        read(
            Ended::Finished,
            vec![Event::Connect { connection: 0, host: "db".into(), port: 5432, tls: None, failed: None }, sent],
        )
    };
    assert_eq!(
        messages(&talk("SELECT a FROM t"), &talk("SELECT b FROM t")),
        [
            "read of split orders: what it sends to db:5432 differs at byte 7: recorded was \"SELECT a FROM t\", now it is \"SELECT b FROM t\""
        ]
    );
    let silent = read(Ended::Finished, vec![]);
    assert!(messages(&talk("x"), &silent)[0].contains("it does not connect to db:5432 any more"));
    assert!(messages(&silent, &talk("x"))[0].contains("it connects to db:5432 once more than was recorded"));
}

#[test]
fn what_is_delivered_differs_by_stream_batch_and_rows() {
    let recorded = read(Ended::Finished, vec![batch(2, "d"), batch(3, "e")]);
    let said = |between| messages(&recorded, &read(Ended::Finished, between));
    assert!(said(vec![batch(2, "d"), batch(1, "e")])[0].ends_with("stream orders: batch 2 had 3 rows, now it has 1"));
    assert!(said(vec![batch(2, "d"), batch(3, "f")])[0].ends_with("batch 2 (3 rows) has other values in column id"));
    assert!(said(vec![batch(2, "d")])[0].contains("recorded was a batch of 3 rows, now comes nothing"));
    let checkpoint = |text: &str| Event::Checkpoint { stream: "orders".into(), cursor: text.into(), rows: 5 };
    let (one, other) = (read(Ended::Finished, vec![checkpoint("a1")]), read(Ended::Finished, vec![checkpoint("a2")]));
    assert!(messages(&one, &other)[0].contains("the checkpoint after 5 rows was \"a1\", now it is \"a2\""));
}

#[test]
fn a_call_that_fails_now_says_how() {
    let recorded = read(Ended::Finished, vec![]);
    let mut failed = recorded.clone();
    failed.events[1] =
        Event::Returned(Returned::Failed { kind: "auth".into(), message: "no".into(), field: None, stream: None });
    assert_eq!(messages(&recorded, &failed), ["read of split orders: it fails as auth: no"]);
    failed.events.clear();
    assert!(messages(&recorded, &failed)[0].contains("it was not called"));
}
