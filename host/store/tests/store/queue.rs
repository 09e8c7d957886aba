//! Runs that were asked for, and schedules that ask for them.

use sluice_core::RunError;
use sluice_core::request::{Cause, RequestState};
use sluice_core::schedule::Schedule;
use sluice_store::{
    Due, LogLine, Moments, NewRequest, NewSchedule, QueueCounts, Recorded, RequestFilter, SkippedMoment, Tried,
};

use crate::support::{ELSEWHERE, HERE, Home, on_both};

on_both!(
    a_run_is_claimed_by_one_host_only,
    a_pipeline_has_one_run_under_way,
    hosts_that_take_runs_of_one_pipeline_at_once_start_one,
    a_long_queue_of_one_pipeline_hides_no_other,
    what_comes_due_is_found_by_its_index_among_thousands,
    a_run_whose_host_is_gone_is_taken_over_and_its_host_records_nothing_any_more,
    a_failed_attempt_goes_back_into_the_queue_until_its_time,
    a_waiting_run_is_cancelled_at_once_and_one_under_way_is_told,
    a_moment_of_a_schedule_is_queued_once_whoever_sees_it,
    schedules_are_listed_tenant_by_tenant_and_each_is_found_by_its_tenant_only,
    what_was_skipped_is_recorded_and_what_is_cancelled_ends,
    lists_go_page_by_page_and_never_show_another_tenant,
    a_log_is_read_on_from_any_line,
    several_runs_are_queued_together_or_not_at_all,
    what_waits_and_runs_is_counted_with_the_longest_wait,
    a_run_keeps_its_trace_from_attempt_to_attempt,
);

fn asked(id: &str, pipeline: &str) -> NewRequest {
    NewRequest {
        id: id.into(),
        pipeline: pipeline.into(),
        revision: 3,
        connection: "c1".into(),
        cause: Cause::Manual,
        moment_us: None,
        snapshot_date: Some("2026-01-31".into()),
        requested_by: "user u1".into(),
        priority: 0,
        not_before_us: 0,
        traceparent: None,
    }
}

async fn a_run_is_claimed_by_one_host_only(home: Home) {
    let store = home.store().await;
    store.ask_for_run(HERE, &asked("r1", "p1"), 5).await.unwrap();
    let waiting = store.queue_state(6).await.unwrap();
    assert_eq!((waiting.waiting.len(), waiting.running.len()), (1, 0));
    let claim = store.claim_run(HERE, "r1", "host-a", 7, 100).await.unwrap().unwrap();
    assert_eq!(
        (claim.request.attempts, claim.request.started_us, &claim.request.asked),
        (1, Some(7), &asked("r1", "p1"))
    );
    assert_eq!(store.claim_run(HERE, "r1", "host-b", 7, 100).await.unwrap(), None);
    assert_eq!(store.claim_run(ELSEWHERE, "r1", "host-b", 7, 100).await.unwrap(), None);
    assert_eq!(store.queue_state(8).await.unwrap().running.len(), 1);
    assert!(store.finish_run(&claim, RequestState::Succeeded, None, 9).await.unwrap());
    let ended = store.run_request(HERE, "r1").await.unwrap().unwrap();
    assert_eq!((ended.state, ended.ended_us), (RequestState::Succeeded, Some(9)));
    assert!(!store.finish_run(&claim, RequestState::Failed, None, 10).await.unwrap());
}

async fn a_pipeline_has_one_run_under_way(home: Home) {
    let store = home.store().await;
    store.ask_for_run(HERE, &asked("r1", "p1"), 1).await.unwrap();
    store.ask_for_run(HERE, &asked("r2", "p1"), 2).await.unwrap();
    store.ask_for_run(ELSEWHERE, &asked("r3", "p1"), 3).await.unwrap();
    store.claim_run(HERE, "r1", "host", 4, 100).await.unwrap().unwrap();
    assert_eq!(store.claim_run(HERE, "r2", "host", 4, 100).await.unwrap(), None);
    assert!(store.claim_run(ELSEWHERE, "r3", "host", 4, 100).await.unwrap().is_some());
}

async fn hosts_that_take_runs_of_one_pipeline_at_once_start_one(home: Home) {
    let mut stores = Vec::new();
    for _ in 0..6 {
        stores.push(home.store().await);
    }
    for round in 0..20 {
        let pipeline = format!("p{round}");
        let mut hosts = tokio::task::JoinSet::new();
        let start = std::sync::Arc::new(tokio::sync::Barrier::new(stores.len()));
        for (n, store) in stores.iter().enumerate() {
            let (id, store, start) = (format!("{round}-{n}"), store.clone(), start.clone());
            // Asks through the connection that the claim will use, so that all claims begin at once.
            store.ask_for_run(HERE, &asked(&id, &pipeline), 1).await.unwrap();
            hosts.spawn(async move {
                start.wait().await;
                store.claim_run(HERE, &id, &format!("host-{n}"), 2, 100).await.unwrap()
            });
        }
        assert_eq!(hosts.join_all().await.into_iter().flatten().count(), 1, "round {round}");
    }
}

async fn a_long_queue_of_one_pipeline_hides_no_other(home: Home) {
    let store = home.store().await;
    home.sql(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 6000) \
         INSERT INTO run_requests (tenant, id, pipeline, revision, connection, cause, requested_by, state, priority, \
         not_before_us, queued_us, attempts) \
         SELECT 'other', 'flood' || n, 'p1', 1, 'c1', 'backfill', 'user x', 'queued', 1, 0, n, 0 FROM s",
    )
    .await;
    store.ask_for_run(HERE, &asked("r1", "p1"), 9_000).await.unwrap();
    store.ask_for_run(HERE, &NewRequest { priority: 2, ..asked("r2", "p1") }, 9_001).await.unwrap();
    store.ask_for_run(HERE, &asked("r3", "p2"), 9_002).await.unwrap();
    store.ask_for_run(HERE, &NewRequest { not_before_us: 20_000, ..asked("r4", "p3") }, 9_003).await.unwrap();
    let waiting: Vec<_> = store.queue_state(10_000).await.unwrap().waiting.into_iter().map(|run| run.id).collect();
    assert_eq!(waiting, ["r2", "flood1", "r3"]);
}

async fn what_comes_due_is_found_by_its_index_among_thousands(home: Home) {
    let store = home.store().await;
    home.sql(
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) \
         INSERT INTO schedules (tenant, pipeline, schedule, revision, connection, decided_us, next_due_us) \
         SELECT 'local', 'p' || n, '{\"cron\":\"0 * * * *\"}', 1, 'c1', 0, n * 1000 FROM s",
    )
    .await;
    home.sql("ANALYZE").await;
    let due = store.due_schedules(3_500, 2).await.unwrap();
    let found: Vec<_> = due.iter().map(|due| due.scheduled.pipeline.as_str()).collect();
    assert_eq!(found, ["p1", "p2"]);
    assert_eq!(store.due_schedules(3_500, 10).await.unwrap().len(), 3);
    let query = "SELECT tenant, pipeline, schedule, revision, connection, decided_us, next_due_us FROM schedules \
                 WHERE next_due_us <= 3500 ORDER BY next_due_us LIMIT 10";
    let plan = home.plan(query).await;
    assert!(plan.contains("schedules_by_due") && !plan.to_lowercase().contains("sort"), "{plan}");
}

async fn a_run_whose_host_is_gone_is_taken_over_and_its_host_records_nothing_any_more(home: Home) {
    let store = home.store().await;
    store.ask_for_run(HERE, &asked("r1", "p1"), 1).await.unwrap();
    let lost = store.claim_run(HERE, "r1", "host-a", 2, 100).await.unwrap().unwrap();
    assert_eq!(store.keep_claims("host-a", 200).await.unwrap(), 1);
    assert_eq!(store.take_over("host-b", 150, 300).await.unwrap(), vec![]);
    let taken = store.take_over("host-b", 200, 300).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(store.take_over("host-c", 200, 300).await.unwrap(), vec![]);
    assert!(!store.finish_run(&lost, RequestState::Succeeded, None, 210).await.unwrap());
    assert!(store.retry_run(&taken[0], 220, Some(&RunError::internal("gone")), Tried::Lost).await.unwrap());
    let again = store.run_request(HERE, "r1").await.unwrap().unwrap();
    assert_eq!((again.state, again.attempts, again.lost, again.tried()), (RequestState::Queued, 1, 1, 0));
}

async fn a_failed_attempt_goes_back_into_the_queue_until_its_time(home: Home) {
    let store = home.store().await;
    store.ask_for_run(HERE, &asked("r1", "p1"), 1).await.unwrap();
    let claim = store.claim_run(HERE, "r1", "host", 2, 100).await.unwrap().unwrap();
    let why = RunError::config("source.config.host", "no such host");
    assert!(store.retry_run(&claim, 50, Some(&why), Tried::Failed).await.unwrap());
    assert_eq!(store.queue_state(49).await.unwrap().waiting, vec![]);
    assert_eq!(store.next_start(49).await.unwrap(), Some(50));
    assert_eq!(store.queue_state(50).await.unwrap().waiting.len(), 1);
    let again = store.claim_run(HERE, "r1", "host", 51, 100).await.unwrap().unwrap();
    assert_eq!((again.request.attempts, again.request.tried(), again.request.started_us), (2, 2, Some(2)));
    assert_eq!(again.request.error, Some(why));
}

async fn a_waiting_run_is_cancelled_at_once_and_one_under_way_is_told(home: Home) {
    let store = home.store().await;
    store.ask_for_run(HERE, &asked("r1", "p1"), 1).await.unwrap();
    store.ask_for_run(HERE, &asked("r2", "p2"), 1).await.unwrap();
    assert!(!store.cancel_run(ELSEWHERE, "r1", "not mine", 2).await.unwrap());
    assert!(store.cancel_run(HERE, "r1", "by user u1", 2).await.unwrap());
    let cancelled = store.run_request(HERE, "r1").await.unwrap().unwrap();
    assert_eq!((cancelled.state, cancelled.reason.as_deref()), (RequestState::Cancelled, Some("by user u1")));
    assert!(!store.cancel_run(HERE, "r1", "again", 3).await.unwrap());
    store.claim_run(HERE, "r2", "host", 2, 100).await.unwrap().unwrap();
    assert_eq!(store.runs_to_cancel("host").await.unwrap(), vec![]);
    assert!(store.cancel_run(HERE, "r2", "by user u1", 4).await.unwrap());
    assert_eq!(store.runs_to_cancel("host").await.unwrap(), vec![("local".into(), "r2".into())]);
}

fn scheduled(next_due_us: Option<i64>) -> NewSchedule {
    let schedule: Schedule = serde_json::from_value(serde_json::json!({"cron": "*/5 * * * *"})).unwrap();
    NewSchedule { pipeline: "p1".into(), revision: 3, connection: "c1".into(), schedule, next_due_us }
}

fn at(moment: i64, id: &str) -> NewRequest {
    NewRequest { cause: Cause::Scheduled, moment_us: Some(moment), snapshot_date: None, ..asked(id, "p1") }
}

async fn due(store: &sluice_store::Store, now: i64) -> Due {
    store.due_schedules(now, 10).await.unwrap().remove(0)
}

async fn a_moment_of_a_schedule_is_queued_once_whoever_sees_it(home: Home) {
    let (one, other) = (home.store().await, home.store().await);
    one.set_schedule(HERE, &scheduled(Some(100)), 1).await.unwrap();
    assert_eq!(one.due_schedules(99, 10).await.unwrap(), vec![]);
    assert_eq!(one.next_due().await.unwrap(), Some(100));
    let (seen, also_seen) = (due(&one, 100).await, due(&other, 100).await);
    let first = Moments { queue: vec![at(100, "a")], decided_us: 100, next_due_us: Some(200), ..Moments::default() };
    let second = Moments { queue: vec![at(100, "b")], ..first.clone() };
    assert_eq!(one.record_moments(&[(seen.clone(), first.clone())], 101).await.unwrap().queued, ["a"]);
    assert_eq!(other.record_moments(&[(also_seen.clone(), second.clone())], 101).await.unwrap(), Recorded::default());
    assert_eq!(one.run_requests(HERE, RequestFilter::default(), 10).await.unwrap().len(), 1);
    // Even a schedule that was set anew does not queue a moment again.
    one.set_schedule(HERE, &scheduled(Some(100)), 1).await.unwrap();
    let again = due(&one, 100).await;
    assert_eq!(again.unfinished, vec![("a".into(), 100)]);
    assert_eq!(one.record_moments(&[(again.clone(), second.clone())], 102).await.unwrap(), Recorded::default());
    one.drop_schedule(HERE, "p1").await.unwrap();
    assert_eq!(one.next_due().await.unwrap(), None);
}

async fn schedules_are_listed_tenant_by_tenant_and_each_is_found_by_its_tenant_only(home: Home) {
    let store = home.store().await;
    let of = |pipeline: &str| NewSchedule { pipeline: pipeline.into(), ..scheduled(None) };
    for (scope, pipeline) in [(HERE, "p1"), (HERE, "p2"), (ELSEWHERE, "p1"), (ELSEWHERE, "p3")] {
        store.set_schedule(scope, &of(pipeline), 7).await.unwrap();
    }
    let mut seen = Vec::new();
    while let Some((tenant, new)) = {
        let after = seen.last().map(|(tenant, new): &(String, NewSchedule)| (tenant.as_str(), new.pipeline.as_str()));
        store.schedules(after, 1).await.unwrap().pop()
    } {
        seen.push((tenant, new));
    }
    assert_eq!(seen, store.schedules(None, 10).await.unwrap());
    let mut expected = [(HERE, "p1"), (HERE, "p2"), (ELSEWHERE, "p1"), (ELSEWHERE, "p3")]
        .map(|(scope, p)| (scope.tenant.to_owned(), of(p)));
    expected.sort_by(|a, b| (&a.0, &a.1.pipeline).cmp(&(&b.0, &b.1.pipeline)));
    assert_eq!(seen, expected);
    let found = store.schedule(ELSEWHERE, "p3").await.unwrap().unwrap();
    assert_eq!((found.tenant.as_str(), found.decided_us, found.scheduled), (ELSEWHERE.tenant, 7, of("p3")));
    assert_eq!(store.schedule(HERE, "p3").await.unwrap(), None);
}

async fn what_was_skipped_is_recorded_and_what_is_cancelled_ends(home: Home) {
    let store = home.store().await;
    store.set_schedule(HERE, &scheduled(Some(100)), 1).await.unwrap();
    store.ask_for_run(HERE, &at(50, "old"), 50).await.unwrap();
    let skip = SkippedMoment { id: "s".into(), moment_us: 100, reason: "a blackout".into() };
    let cancel = vec![("old".into(), "a later moment came".into())];
    let moments = Moments { skip: vec![skip], cancel, decided_us: 100, ..Moments::default() };
    let recorded = store.record_moments(&[(due(&store, 100).await, moments)], 101).await.unwrap();
    assert_eq!(recorded, Recorded { queued: vec![], skipped: 1, cancelled: 1 });
    let skipped = store.run_request(HERE, "s").await.unwrap().unwrap();
    assert_eq!((skipped.state, skipped.reason.as_deref()), (RequestState::Skipped, Some("a blackout")));
    assert_eq!(store.run_request(HERE, "old").await.unwrap().unwrap().state, RequestState::Cancelled);
    assert_eq!(store.due_schedules(i64::MAX, 10).await.unwrap(), vec![]);
}

async fn lists_go_page_by_page_and_never_show_another_tenant(home: Home) {
    let store = home.store().await;
    for (id, at) in [("a", 1), ("b", 2), ("c", 2), ("d", 3)] {
        store.ask_for_run(HERE, &asked(id, "p1"), at).await.unwrap();
    }
    store.ask_for_run(ELSEWHERE, &asked("x", "p1"), 9).await.unwrap();
    let ids = |page: Vec<sluice_store::RunRequest>| page.into_iter().map(|run| run.asked.id).collect::<Vec<_>>();
    let first = store.run_requests(HERE, RequestFilter::default(), 2).await.unwrap();
    assert_eq!(ids(first), ["d", "c"]);
    let rest = RequestFilter { after: Some("c"), ..RequestFilter::default() };
    assert_eq!(ids(store.run_requests(HERE, rest, 10).await.unwrap()), ["b", "a"]);
    let none = RequestFilter { state: Some(RequestState::Running), ..RequestFilter::default() };
    assert_eq!(ids(store.run_requests(HERE, none, 10).await.unwrap()), [""; 0]);
    let other = RequestFilter { pipeline: Some("p2"), ..RequestFilter::default() };
    assert_eq!(ids(store.run_requests(HERE, other, 10).await.unwrap()), [""; 0]);
    assert_eq!(store.run_request(HERE, "x").await.unwrap(), None);
}

async fn a_log_is_read_on_from_any_line(home: Home) {
    let store = home.store().await;
    let line =
        |attempt, line| LogLine { attempt, line, at_us: 5, level: "info".into(), message: format!("{attempt}.{line}") };
    let lines = [line(1, 1), line(1, 2), line(2, 1)];
    store.add_log(HERE, "r1", &lines).await.unwrap();
    assert_eq!(store.run_log(HERE, "r1", (0, 0), 10).await.unwrap(), lines);
    assert_eq!(store.run_log(HERE, "r1", (1, 1), 1).await.unwrap(), lines[1..2]);
    assert_eq!(store.run_log(HERE, "r1", (1, 2), 10).await.unwrap(), lines[2..]);
    assert_eq!(store.run_log(ELSEWHERE, "r1", (0, 0), 10).await.unwrap(), vec![]);
}

async fn several_runs_are_queued_together_or_not_at_all(home: Home) {
    let store = home.store().await;
    store.ask_for_runs(HERE, &[asked("r1", "p1"), asked("r2", "p1")], 5).await.unwrap();
    assert!(store.ask_for_runs(HERE, &[asked("r3", "p1"), asked("r2", "p1")], 6).await.is_err());
    let all = store.run_requests(HERE, RequestFilter::default(), 9).await.unwrap();
    assert_eq!(all.iter().map(|run| run.asked.id.as_str()).collect::<Vec<_>>(), ["r2", "r1"]);
}

async fn what_waits_and_runs_is_counted_with_the_longest_wait(home: Home) {
    let store = home.store().await;
    assert_eq!(store.queue_counts(100).await.unwrap(), QueueCounts::default());
    for (id, queued_us, not_before_us) in [("r1", 10, 0), ("r2", 20, 0), ("r3", 5, 40), ("r4", 5, 101), ("r5", 6, 200)]
    {
        let new = NewRequest { not_before_us, ..asked(id, id) };
        store.ask_for_run(if id == "r2" { ELSEWHERE } else { HERE }, &new, queued_us).await.unwrap();
    }
    store.claim_run(HERE, "r1", "host", 90, 900).await.unwrap().unwrap();
    let counts = store.queue_counts(100).await.unwrap();
    assert_eq!(counts, QueueCounts { running: 1, ready: 2, later: 2, oldest_us: Some(20) });
}

async fn a_run_keeps_its_trace_from_attempt_to_attempt(home: Home) {
    let store = home.store().await;
    let trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    store.ask_for_run(HERE, &NewRequest { traceparent: trace.clone(), ..asked("r1", "p1") }, 1).await.unwrap();
    let first = store.claim_run(HERE, "r1", "host-a", 2, 3).await.unwrap().unwrap();
    let taken = store.take_over("host-b", 4, 9).await.unwrap().remove(0);
    store.retry_run(&taken, 5, None, Tried::Lost).await.unwrap();
    let again = store.claim_run(HERE, "r1", "host-b", 6, 9).await.unwrap().unwrap();
    for claim in [first, taken, again] {
        assert_eq!(claim.request.asked.traceparent, trace);
    }
}
