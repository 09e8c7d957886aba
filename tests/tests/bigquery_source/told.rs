//! What a person is told, and what a connection may do.

use sluice_tests::binary::{Workspace, finish};
use sluice_tests::proxy::Proxy;
use sluice_tests::{env, warehouse};

use crate::support::{Data, QUESTIONS, good, make_questions, run, table};

#[test]
fn rows_that_a_policy_hides_are_not_read() {
    let data = Data::new();
    make_questions(&data, 20);
    data.sql(
        "CREATE ROW ACCESS POLICY mine ON `{d}.posts_questions` GRANT TO ('allAuthenticatedUsers') FILTER USING (id <= 5)",
    );
    let workspace = Workspace::new();
    let streams = "  - {id: {d}.posts_questions, table: t, columns: [id]}\n";
    good(run(&workspace, &data.local(&[], streams)));
    assert_eq!(warehouse::integers(&table(&workspace, "t"), "id"), (1..=5).collect::<Vec<_>>());
    data.sql("CREATE OR REPLACE ROW ACCESS POLICY mine ON `{d}.posts_questions` GRANT TO ('user:boss@example.com') FILTER USING (TRUE)");
    let workspace = Workspace::new();
    let ran = good(run(&workspace, &data.local(&[], streams)));
    assert_eq!(ran.summary()["streams"][0]["rows_read"], 0, "access was revoked");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let data = Data::new();
    make_questions(&data, 3);
    data.sql("CREATE TABLE `{d}.docs` (doc JSON)");
    let fails = |more: &[(&str, &str)], streams: &str| {
        let ran = run(&Workspace::new(), &data.local(more, streams));
        assert_ne!(ran.code(), Some(0), "{ran:?}");
        let error = ran.summary()["error"].clone();
        (error["kind"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    };
    let table = "  - {id: {d}.posts_questions, table: t}\n";
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (&[], "  - {id: {d}.nope}\n", "not-found", "nope"),
        (&[], "  - {id: nowhere.t}\n", "not-found", "nowhere"),
        (&[("data_project", "other-company")], table, "not-found", "other-company"),
        (&[], "  - {id: orders}\n", "not-found", "ids look like dataset.table"),
        (&[], "  - {id: {d}.posts_questions, columns: [id, colour]}\n", "not-found", "column colour does not exist"),
        (&[], "  - {id: {d}.posts_questions, filter: colour = 1}\n", "config", "colour"),
        (&[], "  - {id: {d}.docs, read: {incremental: doc}}\n", "unsupported", "JSON has no order"),
        (&[], "  - {id: {d}.docs, read: {incremental: at}}\n", "not-found", "cursor column at does not exist"),
        (&[], "  - {id: \"query:nope\"}\n", "not-found", "no query nope"),
        (&[("queries", "{a: SELECT oops}")], "  - {id: \"query:a\"}\n", "config", "oops"),
        // The server refuses tables of projects that it does not know as Google refuses those that one may not see.
        (
            &[("queries", "{a: \"SELECT * FROM `secret-project.d.t`\"}")],
            "  - {id: \"query:a\"}\n",
            "permission",
            "roles/bigquery.dataViewer",
        ),
        (&[("project", "Not A Project")], table, "config", "no id of a project"),
        (&[("storage_endpoint", "http://127.0.0.1:1")], table, "transient", "nobody answers"),
    ];
    for (more, streams, kind, words) in cases {
        let (told, message) = fails(more, streams);
        assert!(told == *kind && message.contains(words), "{streams}: {told}: {message}");
    }
}

#[test]
fn a_private_endpoint_needs_the_operators_grant() {
    let data = Data::new();
    let workspace = Workspace::new();
    let pipeline = data.local(&[], "  - {id: {d}.t}\n").replace("  grants: {private_network: true}\n", "");
    let ran = run(&workspace, &pipeline);
    assert_ne!(ran.code(), Some(0));
    assert_eq!(ran.summary()["error"]["kind"], "permission", "{ran:?}");
}

#[test]
fn a_service_accounts_key_becomes_a_token_that_the_connector_never_sees() {
    let data = Data::new();
    make_questions(&data, 5);
    let rest = Proxy::before(&env("SLUICE_TEST_BIGQUERY_REST"));
    let key = env("SLUICE_TEST_GOOGLE_KEY");
    let endpoint = format!("{}/token", env("SLUICE_TEST_GOOGLE_ENDPOINT"));
    let grant = format!("grants: {{private_network: true, google_token_endpoint: \"{endpoint}\"}}");
    let pipeline = |more: &[(&str, &str)]| {
        let more: Vec<_> = more.iter().copied().chain([("endpoint", rest.url())]).collect();
        data.local(&more, "  - {id: {d}.posts_questions, table: t}\n")
            .replace("grants: {private_network: true}", &grant)
    };
    let workspace = Workspace::new();
    good(run(&workspace, &pipeline(&[("credentials", &format!("{{file: {key}}}"))])));
    assert_eq!(warehouse::integers(&table(&workspace, "t"), "id"), [1, 2, 3, 4, 5]);
    assert!(rest.heard("uthorization: Bearer token-") > 0, "requests carry a token that was issued for the key");
    // A key that nobody issued.
    let stranger = std::fs::read_to_string(&key).unwrap().replace("loader@", "stranger@");
    let workspace = Workspace::new();
    std::fs::write(workspace.path().join("key.json"), stranger).unwrap();
    let file = format!("{{file: {}}}", workspace.path().join("key.json").display());
    let ran = run(&workspace, &pipeline(&[("credentials", &file)]));
    assert_eq!((ran.code() == Some(0), &ran.summary()["error"]["kind"]), (false, &"auth".into()), "{ran:?}");
    // The host's own identity is lent by an operator only.
    let ran = run(&Workspace::new(), &pipeline(&[("application_default", "true")]));
    assert!(ran.error().contains("google_identity"), "{ran:?}");
}

#[test]
fn check_and_discover_tell_what_there_is() {
    let data = Data::new();
    make_questions(&data, 42);
    data.sql("CREATE VIEW `{d}.v` AS SELECT id FROM `{d}.posts_questions`");
    data.sql("CREATE TABLE `{d}.orders` (id INT64 NOT NULL, day DATE, updated_at TIMESTAMP, PRIMARY KEY (id) NOT ENFORCED) PARTITION BY day");
    let workspace = Workspace::new();
    let datasets = format!("[{}]", data.dataset);
    let more = [("datasets", datasets.as_str()), ("queries", "{one: SELECT 1 AS x}")];
    workspace.pipeline(&data.local(&more, "  - {id: {d}.v}\n"));
    let checked = finish(&mut workspace.command(&["check", "pipeline.yaml"]));
    let steps: Vec<_> = checked.lines.iter().filter(|line| line["event"] == "step").collect();
    assert_eq!(steps.len(), 5, "{checked:?}");
    assert!(steps.iter().all(|step| step["outcome"] == "passed"), "{checked:?}");
    let found = finish(&mut workspace.command(&["discover", "pipeline.yaml", "--columns"]));
    let streams: Vec<_> = found.lines.iter().filter(|line| line["event"] == "stream").collect();
    let ids: Vec<String> = streams.iter().map(|stream| stream["id"].as_str().unwrap().to_owned()).collect();
    let d = &data.dataset;
    let mut expected =
        vec![format!("{d}.orders"), format!("{d}.posts_questions"), format!("{d}.v"), "query:one".into()];
    expected.sort();
    assert_eq!(ids, expected);
    let stream = |id: &str| streams.iter().find(|stream| stream["id"].as_str().unwrap().ends_with(id)).unwrap();
    assert_eq!(stream("posts_questions")["rows"], 42);
    assert_eq!(stream("posts_questions")["cursor_candidates"][0], "community_owned_date");
    assert_eq!(stream("orders")["kind"], "partitioned-table");
    assert_eq!(stream("orders")["cursor_candidates"][0], "day");
    assert_eq!((&stream(".v")["kind"], &stream("query:one")["kind"]), (&"view".into(), &"query".into()));
    let columns = stream("posts_questions")["columns"].as_array().unwrap();
    assert_eq!(columns.len(), QUESTIONS.len());
    assert_eq!((&columns[7]["name"], &columns[7]["source_type"]), (&"creation_date".into(), &"TIMESTAMP".into()));
    let wrong = workspace
        .pipeline(&data.local(&[("data_project", "other-company"), ("datasets", "[gone]")], "  - {id: a.b}\n"));
    let checked = finish(&mut workspace.command(&["check", &wrong.to_string_lossy()]));
    let list = checked.lines.iter().find(|line| line["name"] == "list").unwrap();
    assert_eq!((&list["outcome"], checked.code() == Some(0)), (&"failed".into(), false), "{checked:?}");
    assert!(list["detail"].as_str().unwrap().contains("gone"), "{list}");
}
