//! Who hears of a run: mails through a real server, webhooks into a socket of the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluice_core::request::RequestState;
use sluice_store::{Notification, Plain, Scope, SecretChange, SecretValue};
use sluice_tests::env;
use sluice_tests::service::{Site, now_us};

const ACME: Scope<'static> = Scope { tenant: "acme" };

/// How long anything may take: a lease of somebody who died, and some more.
const PATIENCE: Duration = Duration::from_secs(200);

/// A request that a receiver got.
#[derive(Clone, Debug)]
struct Got {
    signature: String,
    id: String,
    body: Vec<u8>,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Takes webhooks: the first requests get these answers, all others 204.
struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    fn start(answers: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let all = got.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream);
                let (mut length, mut one) = (0, Got { signature: String::new(), id: String::new(), body: Vec::new() });
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let Some((name, value)) = line.trim_end().split_once(": ") else {
                        if line.trim_end().is_empty() {
                            break;
                        }
                        continue;
                    };
                    match name.to_ascii_lowercase().as_str() {
                        "content-length" => length = value.parse().unwrap(),
                        "sluice-signature" => one.signature = value.to_owned(),
                        "sluice-id" => one.id = value.to_owned(),
                        _ => {}
                    }
                }
                one.body = vec![0; length];
                reader.read_exact(&mut one.body).unwrap();
                let count = {
                    let mut all = all.lock().unwrap();
                    all.push(one);
                    all.len()
                };
                let status = answers.get(count - 1).copied().unwrap_or(204);
                // An answer that is redirected must not be followed, whatever its address.
                let answer =
                    format!("HTTP/1.1 {status} x\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n");
                let _ = reader.get_mut().write_all(answer.as_bytes());
            }
        });
        Self { port, got }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?token=tok-hunter2", self.port)
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    async fn wait_for(&self, count: usize) -> Vec<Got> {
        let begun = Instant::now();
        while self.got().len() < count {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.got());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.got()
    }
}

/// The mails to an address, in the order in which they were taken.
fn mails_to(address: &str) -> Vec<String> {
    let folder = Path::new(&env("SLUICE_TEST_SMTP_MAILBOX")).join("new");
    let mut mails = Vec::new();
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(text) = std::fs::read_to_string(file.path()) else { continue };
        if text.lines().any(|line| line == format!("To: {address}")) {
            // Long lines are cut for the journey: `=` at the end of one means that it goes on.
            let text = text.replace("=\r\n", "").replace("=\n", "");
            mails.push((file.metadata().unwrap().modified().unwrap(), text));
        }
    }
    mails.sort();
    mails.into_iter().map(|(_, text)| text).collect()
}

async fn mails_when(address: &str, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let mails = mails_to(address);
        if enough(&mails) {
            return mails;
        }
        assert!(begun.elapsed() < PATIENCE, "{mails:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn subjects(mails: &[String]) -> Vec<String> {
    let subject =
        |mail: &String| mail.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned)).unwrap();
    mails.iter().map(subject).collect()
}

/// Where the service sends mails in these tests, without TLS.
fn plain_smtp() -> String {
    format!("smtp://{}?tls=none", env("SLUICE_TEST_SMTP_ADDRESS"))
}

async fn outbox_when(site: &Site, enough: impl Fn(&[Notification]) -> bool) -> Vec<Notification> {
    let begun = Instant::now();
    loop {
        let all = site.store().notifications(ACME, None, 100).await.unwrap();
        if enough(&all) {
            return all;
        }
        assert!(begun.elapsed() < PATIENCE, "{all:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A pipeline that fails as long as there are no new rows.
fn wants_rows(notify: Value) -> Value {
    let stream = json!({"id": "t", "read": {"incremental": ""}, "checks": [{"rows": {"min": 1}}]});
    json!({"streams": [stream], "notify": notify})
}

#[tokio::test]
async fn twenty_failures_are_one_mail_and_a_digest_and_the_recovery_is_mailed() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..10);
    let address = format!("storm-{}@example.com", now_us());
    let notify = json!([{"email": [address], "digest_minutes": 1}]);
    let pipeline = site.pipeline("acme", "orders", "lake", wants_rows(notify), None).await;
    let service = site.start(&["--smtp-url", &plain_smtp(), "--mail-from", "Sluice <sluice@example.com>"]);
    // The first run finds the file, the others nothing new.
    let first = site.ask("acme", &pipeline).await;
    site.run_in("acme", &first, RequestState::Succeeded).await;
    for _ in 0..20 {
        let run = site.ask("acme", &pipeline).await;
        let failed = site.run_in("acme", &run, RequestState::Failed).await;
        assert!(failed.error.unwrap().message.contains("rows"));
    }
    let folded = |mails: &[String]| -> usize {
        let digests = mails.iter().filter(|mail| mail.contains("event"));
        digests.map(|mail| mail.matches(": failure (run ").count()).sum()
    };
    let mails = mails_when(&address, |mails| folded(mails) == 19).await;
    let failures = subjects(&mails).iter().filter(|subject| *subject == "[Sluice] orders failed").count();
    assert_eq!(failures, 1, "{mails:#?}");
    assert!(mails.len() <= 4, "{mails:#?}");
    assert!(mails[0].contains("Error (data, "), "{}", mails[0]);
    site.put("acme", "b.csv", 10..20);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Succeeded).await;
    let sent = mails.len();
    let mails = mails_when(&address, |mails| mails.len() > sent).await;
    assert_eq!(subjects(&mails).last().unwrap(), "[Sluice] orders has recovered");
    assert!(mails.last().unwrap().contains("Rows: 10 loaded"), "{:?}", mails.last());
    service.kill();
}

#[tokio::test]
async fn a_success_calls_a_webhook_with_a_signature_that_holds() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..7);
    let receiver = Receiver::start(&[]);
    let notify = json!([{"webhook": receiver.url(), "on": ["success"]}]);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({"notify": notify}), None).await;
    let service = site.start(&["--allow-private-webhooks"]);
    let run = site.ask("acme", &pipeline).await;
    let ended = site.run_in("acme", &run, RequestState::Succeeded).await;
    let got = receiver.wait_for(1).await;
    let body = got[0].json();
    assert_eq!((&body["event"], &body["tenant"], &body["id"]), (&json!("success"), &json!("acme"), &json!(got[0].id)));
    assert_eq!((&body["pipeline"]["id"], &body["pipeline"]["name"]), (&json!(pipeline), &json!("orders")));
    assert_eq!((&body["run"]["id"], &body["run"]["state"]), (&json!(run), &json!("succeeded")));
    let at = jiff::Timestamp::from_microsecond(ended.ended_us.unwrap()).unwrap().to_string();
    assert_eq!((&body["at"], &body["counts"]["rows_committed"]), (&json!(at), &json!(7)));
    assert_eq!(body["counts"]["streams"][0]["stream"], "t");

    let secret = site.store().signing_secrets(ACME, &site.vault(), now_us()).await.unwrap().current;
    let (time, signature) = got[0].signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert!((time.parse::<i64>().unwrap() - now_us() / 1_000_000).abs() < 120, "{time}");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.expose());
    let signed = [format!("{time}.").as_bytes(), &got[0].body].concat();
    assert_eq!(signature, sluice_core::hex(ring::hmac::sign(&key, &signed).as_ref()));
    let sent = outbox_when(&site, |all| all.iter().all(|one| one.delivered_us.is_some())).await;
    assert_eq!((sent.len(), sent[0].attempts), (1, 1));
    service.kill();
}

#[tokio::test]
async fn while_a_secret_is_replaced_both_sign() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..7);
    let receiver = Receiver::start(&[]);
    let notify = json!([{"webhook": receiver.url(), "on": ["success"]}]);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({"notify": notify}), None).await;
    let (store, vault) = (site.store(), site.vault());
    let old = store.signing_secrets(ACME, &vault, now_us()).await.unwrap().current;
    let until = now_us() + 3_600_000_000;
    let new = store.replace_signing_secret(ACME, &vault, 1, until, now_us()).await.unwrap().current;
    let service = site.start(&["--allow-private-webhooks"]);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Succeeded).await;
    let got = receiver.wait_for(1).await.remove(0);
    let (time, signatures) = got.signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let signed = [format!("{time}.").as_bytes(), &got.body].concat();
    let expected = [new, old].map(|secret| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.expose());
        sluice_core::hex(ring::hmac::sign(&key, &signed).as_ref())
    });
    assert_eq!(signatures.split(",v1=").collect::<Vec<_>>(), expected);
    service.kill();
}

#[tokio::test]
async fn a_receiver_that_fails_twice_gets_it_the_third_time_and_then_no_more() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..7);
    let receiver = Receiver::start(&[500, 302]);
    let notify = json!([{"webhook": receiver.url(), "on": ["success"]}]);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({"notify": notify}), None).await;
    let service = site.start(&["--allow-private-webhooks"]);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Succeeded).await;
    let all = outbox_when(&site, |all| all.iter().any(|one| one.last_error.is_some())).await;
    assert_eq!(all[0].last_error.as_deref(), Some("the receiver answered 500 Internal Server Error"));
    let sent = outbox_when(&site, |all| all.iter().any(|one| one.delivered_us.is_some())).await;
    assert_eq!((sent.len(), sent[0].attempts, sent[0].last_error.as_deref()), (1, 3, None));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let got = receiver.got();
    assert_eq!(got.len(), 3, "{got:?}");
    assert!(got.iter().all(|one| one.id == got[0].id && one.body == got[0].body), "{got:?}");
    service.kill();
}

#[tokio::test]
async fn what_ended_before_the_service_was_killed_is_told_by_the_next_one() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    let receiver = Receiver::start(&[]);
    let notify = json!([{"webhook": receiver.url(), "on": ["success"]}]);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({"notify": notify}), None).await;
    let mut runs = Vec::new();
    for round in 0..4_i64 {
        site.put("acme", &format!("{round}.csv"), round..round + 1);
        let service = site.start(&["--allow-private-webhooks"]);
        let run = site.ask("acme", &pipeline).await;
        site.run_in("acme", &run, RequestState::Succeeded).await;
        // Sometimes before it was decided whom to tell, sometimes after.
        tokio::time::sleep(Duration::from_millis(u64::try_from(round).unwrap() * 150)).await;
        service.kill();
        runs.push(run);
    }
    let service = site.start(&["--allow-private-webhooks"]);
    outbox_when(&site, |all| all.len() == 4 && all.iter().all(|one| one.delivered_us.is_some())).await;
    assert!(site.store().untold_runs(9).await.unwrap().is_empty());
    let mut told: Vec<(String, String)> = Vec::new();
    for one in receiver.got() {
        told.push((one.json()["run"]["id"].as_str().unwrap().to_owned(), one.id));
    }
    // One that was sent and not recorded before the kill is sent again under its id.
    told.sort();
    told.dedup();
    assert_eq!(told.iter().map(|(run, _)| run.clone()).collect::<Vec<_>>(), runs);
    service.kill();
}

#[tokio::test]
async fn what_the_operator_has_not_allowed_is_not_sent_and_says_why() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..7);
    let receiver = Receiver::start(&[]);
    let notify = json!([
        {"webhook": receiver.url(), "on": ["success"]},
        {"email": ["ops@example.com"], "on": ["success"]},
        {"webhook": "http://169.254.169.254/latest", "on": ["success"]},
    ]);
    let pipeline = site.pipeline("acme", "orders", "lake", json!({"notify": notify}), None).await;
    let service = site.start(&[]);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Succeeded).await;
    let all = outbox_when(&site, |all| all.len() == 3 && all.iter().all(|one| one.last_error.is_some())).await;
    for one in all {
        let option = if one.target.get("email").is_some() { "--smtp-url" } else { "--allow-private-webhooks" };
        let why = one.last_error.unwrap();
        assert!(why.contains(option) && !why.contains("hunter2"), "{why}");
        assert_eq!(one.delivered_us, None);
    }
    assert!(receiver.got().is_empty());
    let log = service.kill();
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test]
async fn a_mail_goes_over_tls_and_holds_no_secret() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    let secret = "hunter2.invalid";
    let config = json!({"port": 5432, "database": "x", "user": "x"});
    let hidden = SecretChange { field: "/host".into(), value: SecretValue::Set(Plain::new(format!("\"{secret}\""))) };
    site.connection("acme", "away", "postgres", config, json!({}), &[hidden]).await;
    let address = format!("secret-{}@example.com", now_us());
    let notify = json!([{"email": [address]}]);
    let more = json!({"streams": [{"id": "public.t"}], "notify": notify, "retry": {"max_attempts": 1}});
    let pipeline = site.pipeline("acme", "away", "away", more, None).await;
    let port = env("SLUICE_TEST_SMTP_ADDRESS").rsplit_once(':').unwrap().1.to_owned();
    let url = format!("smtp://localhost:{port}");
    let mut command = site.command(&["--smtp-url", &url, "--mail-from", "sluice@example.com"]);
    command.env("SSL_CERT_FILE", env("SLUICE_TEST_SMTP_CA"));
    let service = Site::begin(command);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Failed).await;
    let mails = mails_when(&address, |mails| !mails.is_empty()).await;
    assert_eq!(subjects(&mails), ["[Sluice] away failed"]);
    assert!(mails[0].contains("has to act"), "{}", mails[0]);
    assert!(!mails[0].contains("hunter2"), "{}", mails[0]);
    service.kill();
}

#[tokio::test]
async fn a_new_column_and_a_warning_are_told_once() {
    let site = Site::on_sqlite().await;
    site.tenant("acme").await;
    site.put("acme", "a.csv", 0..7);
    let receiver = Receiver::start(&[]);
    let stream =
        json!({"id": "t", "read": "full", "load": "catalog", "checks": [{"rows": {"max": 3}, "level": "warn"}]});
    let notify = json!([{"webhook": receiver.url()}]);
    let more = json!({"streams": [stream], "notify": notify});
    let pipeline = site.pipeline("acme", "orders", "lake", more, None).await;
    let service = site.start(&["--allow-private-webhooks"]);
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Succeeded).await;
    let got = receiver.wait_for(1).await;
    assert_eq!(got[0].json()["event"], "quality-warning");
    std::fs::write(site.lake().join("acme/a.csv"), "id,name\n1,x\n2,y\n3,z\n4,w\n").unwrap();
    let run = site.ask("acme", &pipeline).await;
    site.run_in("acme", &run, RequestState::Succeeded).await;
    let body = receiver.wait_for(2).await[1].json();
    assert_eq!((&body["event"], &body["details"][0]["stream"]), (&json!("schema-change"), &json!("t")));
    assert!(body["details"][0]["text"].as_str().unwrap().starts_with("new column name ("), "{body}");
    // The same warning waits for the digest.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(receiver.got().len(), 2, "{:?}", receiver.got());
    service.kill();
}
