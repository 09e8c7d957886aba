use serde_json::json;

use super::*;
use crate::recording::{Bytes, Call, Exchange, Request, Response};

fn recording() -> Recording {
    let exchange = Exchange {
        request: Request { method: "GET".into(), url: "https://a.example/x?y=1".into(), ..Request::default() },
        response: Some(Response {
            status: 200,
            body: vec!["a".into(), vec![0xff].into()],
            ended: true,
            ..Response::default()
        }),
        ..Exchange::default()
    };
    Recording {
        header: Header {
            format: FORMAT,
            connector: "shop".into(),
            version: "1.0.0".into(),
            digest: "ab".into(),
            config: json!({"url": "https://a.example"}),
            folders: vec!["/data".into()],
        },
        files: vec![File {
            folder: "/data".into(),
            path: "a/b.csv".into(),
            modified_us: 1,
            content: Bytes::from("id\n"),
        }],
        instances: vec![Instance {
            random: "00".repeat(32),
            events: vec![Event::Call(Call::Check), Event::Http(exchange), Event::WallClock(7)],
        }],
    }
}

fn refused(text: &str) -> String {
    Recording::parse("r.jsonl", text.as_bytes()).unwrap_err().message
}

#[test]
fn what_is_written_is_read_and_people_can_read_it() {
    let text = recording().to_text().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 7, "{text}");
    assert_eq!(lines[3], r#"{"call":"check"}"#);
    assert!(lines[4].contains(r#""url":"https://a.example/x?y=1""#) && lines[4].contains(r#"["a",{"base64":"/w=="}]"#));
    assert_eq!(lines[6], r#"{"end":{"lines":7}}"#);
    assert_eq!(Recording::parse("r.jsonl", text.as_bytes()).unwrap(), recording());
}

#[test]
fn a_file_that_was_cut_off_or_mended_says_where() {
    let text = recording().to_text().unwrap();
    for lines in 1..7 {
        let cut: String = text.lines().take(lines).map(|line| format!("{line}\n")).collect();
        assert!(refused(&cut).contains(&format!("cut off after line {lines}")), "{}", refused(&cut));
    }
    let half = &text[..text.len() - 5];
    assert!(refused(half).contains("r.jsonl, line 7: it is not an object of JSON"), "{}", refused(half));
    let without = text.replace("{\"wall_clock\":7}\n", "");
    assert!(refused(&without).contains("line 6: it should be line 7"), "{}", refused(&without));
    assert!(refused(&format!("{text}{{\"call\":\"check\"}}\n")).contains("line 8: there is something after its end"));
}

#[test]
fn what_is_no_recording_is_told_so() {
    assert_eq!(refused(""), "r.jsonl: it is empty: it is no recording");
    assert!(refused("hello").contains("line 1: it is not an object of JSON"));
    assert!(refused("{\"call\": \"check\"}").contains("line 1: a recording begins with a line \"recording\""));
    assert!(
        refused("{\"recording\": {\"format\": 9}}")
            .contains("it is of format 9, and this version of Sluice reads format 1")
    );
    assert!(refused("{\"recording\": {\"format\": 1}}").contains("line 1: \"recording\": missing field"));
    let error = Recording::parse("r.jsonl", &[0xff, 0xfe]).unwrap_err();
    assert!(error.message.contains("not text in UTF-8"), "{error}");
}

#[test]
fn a_hostile_file_is_refused_by_its_line() {
    let text = recording().to_text().unwrap();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        refused(&text.replace(from, to))
    };
    for path in ["../b.csv", "/etc/passwd", "a//b", "a/./b", "a\\\\b", ""] {
        assert!(with("a/b.csv", path).contains("line 2: path"), "{path}");
    }
    assert!(with("\"folder\":\"/data\"", "\"folder\":\"/etc\"").contains("not among the recording's folders"));
    assert!(with("\"wall_clock\":7", "\"wall_clock\":-7").contains("line 6: \"wall_clock\": invalid value"));
    assert!(with("\"wall_clock\":7", "\"wallclock\":7").contains("line 6: \"wallclock\": unknown variant"));
    assert!(with("\"status\":200", "\"status\":70000").contains("line 5: \"http\""));
    assert!(with("/w==", "/w=!").contains("line 5"));
    assert!(with(&"00".repeat(32), "00").contains("line 3: instance.random has 64"));
    assert!(with("{\"wall_clock\":7}", "{\"wall_clock\":7,\"call\":\"check\"}").contains("one name"));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(with("\"/w==\"", &deep).contains("line 5"));
    let many: String = (0..=MAX_FILES)
        .map(|_| "{\"file\":{\"folder\":\"/data\",\"path\":\"a\",\"modified_us\":0,\"content\":\"\"}}\n")
        .collect();
    let head = text.lines().next().unwrap();
    assert!(refused(&format!("{head}\n{many}")).contains("there are too many files: a recording has at most 10000"));
    let error = Recording::parse("r.jsonl", &vec![b' '; MAX_BYTES + 1]).unwrap_err();
    assert!(error.message.contains("a recording has at most"), "{error}");
}
