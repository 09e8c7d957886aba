use super::*;

const LIMITS: Limits = Limits { slots: 4, global: 100, tenant: 10, connection: 10 };

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A run named `tenant/n`, of a pipeline and connection of its own.
fn run(name: &str, queued_at: i64) -> Queued {
    let tenant = name.split('/').next().unwrap_or_default();
    Queued {
        run: name.into(),
        tenant: tenant.into(),
        connection: format!("c-{name}"),
        pipeline: format!("p-{name}"),
        priority: Priority::Normal,
        queued_at: second(queued_at),
        not_before: None,
    }
}

fn chosen(queued: &[Queued], running: &Running, limits: &Limits, now: i64) -> Vec<String> {
    choose(queued, running, limits, &BTreeMap::new(), second(now)).runs
}

fn none() -> Running {
    Running::default()
}

#[test]
fn tenants_take_turns_however_many_runs_one_of_them_has() {
    let mut queued: Vec<Queued> = (0..1_000).map(|n| run(&format!("a/{n:04}"), 0)).collect();
    queued.push(run("b/1", 50));
    queued.push(run("c/1", 60));
    assert_eq!(chosen(&queued, &none(), &LIMITS, 100), ["a/0000", "b/1", "c/1", "a/0001"]);
}

#[test]
fn with_one_slot_the_tenant_whose_turn_is_longest_ago_goes_first() {
    let queued = [run("a/2", 0), run("b/1", 50)];
    let mut running = none();
    running.last_started = [("a".into(), second(90))].into();
    let one = Limits { slots: 1, ..LIMITS };
    assert_eq!(chosen(&queued, &running, &one, 100), ["b/1"]);
    running.last_started.insert("b".into(), second(95));
    assert_eq!(chosen(&queued, &running, &one, 100), ["a/2"]);
}

#[test]
fn a_tenant_that_runs_less_goes_first() {
    let queued = [run("a/9", 0), run("b/9", 50)];
    let mut running = none();
    running.tenants = [("a".into(), 3), ("b".into(), 1)].into();
    assert_eq!(chosen(&queued, &running, &Limits { slots: 1, ..LIMITS }, 100), ["b/9"]);
}

#[test]
fn limits_hold_for_the_host_for_all_hosts_for_a_tenant_and_for_a_connection() {
    let queued: Vec<Queued> = (0..9).map(|n| run(&format!("a/{n}"), n)).collect();
    assert_eq!(chosen(&queued, &none(), &LIMITS, 100).len(), 4);
    assert_eq!(chosen(&queued, &none(), &Limits { tenant: 2, ..LIMITS }, 100), ["a/0", "a/1"]);
    let mut running = none();
    running.tenants = [("z".into(), 99)].into();
    assert_eq!(chosen(&queued, &running, &LIMITS, 100), ["a/0"]);
    let mut shared = queued.clone();
    shared.iter_mut().take(8).for_each(|run| run.connection = "one".into());
    let starts = chosen(&shared, &none(), &Limits { connection: 1, ..LIMITS }, 100);
    assert_eq!(starts, ["a/0", "a/8"], "a run of another connection is not held up");
    running.tenants = [("a".into(), 1)].into();
    running.connections = [(("a".into(), "one".into()), 1)].into();
    assert_eq!(chosen(&shared, &running, &Limits { connection: 1, ..LIMITS }, 100), ["a/8"]);
}

#[test]
fn a_connection_of_the_same_name_in_another_tenant_is_another() {
    let mut queued = [run("a/1", 0), run("b/1", 0)];
    queued.iter_mut().for_each(|run| run.connection = "pg".into());
    assert_eq!(chosen(&queued, &none(), &Limits { connection: 1, ..LIMITS }, 100).len(), 2);
}

#[test]
fn a_tenants_own_limit_counts_instead_of_the_common_one() {
    let queued: Vec<Queued> = (0..9).map(|n| run(&format!("a/{n}"), n)).collect();
    let own = [("a".to_owned(), 3)].into();
    assert_eq!(choose(&queued, &none(), &Limits { tenant: 1, ..LIMITS }, &own, second(100)).runs.len(), 3);
    let stopped = [("a".to_owned(), 0)].into();
    assert_eq!(choose(&queued, &none(), &LIMITS, &stopped, second(100)).runs.len(), 0);
}

#[test]
fn one_run_of_a_pipeline_runs_at_a_time() {
    let mut queued = [run("a/1", 0), run("a/2", 1), run("a/3", 2)];
    queued.iter_mut().take(2).for_each(|run| run.pipeline = "p".into());
    assert_eq!(chosen(&queued, &none(), &LIMITS, 100), ["a/1", "a/3"]);
    let mut running = none();
    running.pipelines = ["p".to_owned()].into();
    assert_eq!(chosen(&queued, &running, &LIMITS, 100), ["a/3"]);
}

#[test]
fn priority_decides_within_a_tenant_and_not_between_tenants() {
    let mut queued = [run("a/1", 0), run("a/2", 50), run("b/1", 60)];
    queued[0].priority = Priority::Low;
    queued[1].priority = Priority::High;
    queued[2].priority = Priority::Low;
    assert_eq!(chosen(&queued, &none(), &LIMITS, 100), ["a/2", "b/1", "a/1"]);
}

#[test]
fn a_priority_is_found_again_by_its_number() {
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        assert_eq!(Priority::of_level(priority.level()), priority);
    }
    assert_eq!((Priority::of_level(-9), Priority::of_level(9)), (Priority::Low, Priority::High));
}

#[test]
fn a_retry_waits_for_its_time_and_the_decision_says_when_to_look_again() {
    let mut queued = [run("a/1", 0), run("a/2", 0)];
    queued[0].not_before = Some(second(130));
    let starts = choose(&queued, &none(), &LIMITS, &BTreeMap::new(), second(100));
    assert_eq!((starts.runs, starts.look_again), (vec!["a/2".to_owned()], Some(second(130))));
    assert_eq!(chosen(&queued, &none(), &LIMITS, 130), ["a/1", "a/2"]);
}

#[test]
fn a_low_run_is_not_starved_by_urgent_ones_that_keep_coming() {
    let mut low = run("a/low", 0);
    low.priority = Priority::Low;
    let one = Limits { slots: 1, ..LIMITS };
    let mut started_at = None;
    for minute in 0..600 {
        let mut high = run(&format!("a/high-{minute}"), minute * 60);
        high.priority = Priority::High;
        if chosen(&[low.clone(), high], &none(), &one, minute * 60) == ["a/low"] {
            started_at = Some(minute);
            break;
        }
    }
    assert_eq!(started_at, Some(30), "two levels below, 15 minutes each");
}

/// Hours of a busy service: tenants of very different appetite, two hosts' worth of slots.
#[test]
fn over_hours_nobody_starves_and_no_limit_is_ever_passed() {
    for seed in 1..=20_u64 {
        let mut dice = seed;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        let limits = Limits { slots: 0, global: 6, tenant: 4, connection: 2 };
        let mut queued: Vec<Queued> = (0..400).map(|n| run(&format!("greedy/{n:04}"), 0)).collect();
        let mut active: Vec<(Queued, i64)> = Vec::new();
        let mut last_started = BTreeMap::new();
        let mut longest_modest = 0;
        for now in 0..4_000_i64 {
            active.retain(|(_, ends)| *ends > now);
            if roll(40) == 0 {
                let mut new = run(&format!("modest{}/{now}", roll(3)), now);
                new.priority = [Priority::Low, Priority::Normal, Priority::High][roll(3) as usize];
                new.connection = format!("c{}", roll(2));
                queued.push(new);
            }
            let mut running = Running { last_started: last_started.clone(), ..Running::default() };
            for (run, _) in &active {
                *running.tenants.entry(run.tenant.clone()).or_default() += 1;
                *running.connections.entry((run.tenant.clone(), run.connection.clone())).or_default() += 1;
                running.pipelines.insert(run.pipeline.clone());
            }
            let limits = Limits { slots: 6 - active.len() as u32, ..limits };
            for id in chosen(&queued, &running, &limits, now) {
                let place = queued.iter().position(|run| run.run == id).expect("it was queued");
                let run = queued.remove(place);
                if run.tenant != "greedy" {
                    longest_modest = longest_modest.max(now - run.queued_at.as_second());
                }
                last_started.insert(run.tenant.clone(), second(now));
                active.push((run, now + 5 + roll(25) as i64));
            }
            assert!(active.len() <= 6, "seed {seed}");
            let greedy = active.iter().filter(|(run, _)| run.tenant == "greedy").count();
            assert!(greedy <= 4, "seed {seed}: {greedy}");
        }
        assert!(queued.is_empty(), "seed {seed}: {} runs never started", queued.len());
        // At worst it waits for its own two runs of the connection, and for a slot.
        assert!(longest_modest <= 90, "seed {seed}: somebody modest waited for {longest_modest} seconds");
    }
}

#[test]
fn the_decision_does_not_depend_on_the_order_in_which_runs_are_listed() {
    let mut queued: Vec<Queued> = (0..50).map(|n| run(&format!("{}/{n}", ["a", "b", "c"][n % 3]), 7)).collect();
    let forwards = chosen(&queued, &none(), &LIMITS, 100);
    queued.reverse();
    assert_eq!(chosen(&queued, &none(), &LIMITS, 100), forwards);
}

#[test]
fn ten_thousand_queued_runs_are_decided_quickly() {
    let queued: Vec<Queued> = (0..10_000).map(|n| run(&format!("{}/{n}", n % 50), n)).collect();
    let starts = chosen(&queued, &none(), &Limits { slots: 50, global: 50, ..LIMITS }, 20_000);
    let tenants: BTreeSet<&str> = starts.iter().filter_map(|run| run.split('/').next()).collect();
    assert_eq!((starts.len(), tenants.len()), (50, 50), "each of fifty tenants has one");
}
