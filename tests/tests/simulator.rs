//! The simulator on fresh seeds, on scenarios that once failed, and on itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod simulator {
    #![allow(
        clippy::wildcard_imports,
        clippy::unreadable_literal,
        reason = "scenarios are pasted with the names they were printed with"
    )]
    use packetstream_tests::sim::words::*;

    include!("simulator/pasted.rs");

    // Rules: none: of the simulator
    #[test]
    fn a_scenario_is_printed_as_the_code_that_makes_it() {
        let scenario = include!("simulator/printed.rs");
        let (printed, test) = (include_str!("simulator/printed.rs").trim_end(), scenario.as_test());
        assert!(test.contains(printed), "not as it is printed now:\n{test}");
    }
}

use packetstream_tests::sim::{Scenario, run};
use std::hash::{BuildHasher, RandomState};
use std::process::Command;
use std::time::{Duration, Instant};

/// The scenarios that `cargo test` plays, and how long it takes at most.
const SCENARIOS: u64 = 200;
const LIMIT: Duration = Duration::from_mins(2);

/// Any seed.
fn any() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

// Rules, W-26, L-2, L-3, L-4, L-5, L-8, L-10
#[test]
fn whatever_is_done_to_two_connections_over_whatever_transport_all_invariants_hold() {
    let (first, begin) = (any(), Instant::now());
    let (mut calls, mut healthy) = (0, 0);
    for seed in (0..SCENARIOS).map(|number| first.wrapping_add(number)) {
        let scenario = Scenario::of_seed(seed);
        let done = run(&scenario, false);
        (calls, healthy) = (calls + done.calls, healthy + u64::from(scenario.is_healthy()));
        assert!(
            done.violations.is_empty(),
            "seed {seed:#x}: {:?}\n{}",
            done.violations,
            scenario.shrunk().as_test()
        );
        assert!(begin.elapsed() < LIMIT, "{seed:#x} is late");
    }
    println!("{SCENARIOS} scenarios from {first:#x}, {healthy} of them healthy, {calls} calls");
    assert!(healthy > SCENARIOS / 3 && calls > 10 * SCENARIOS, "{healthy} healthy, {calls} calls");
}

// Rules: none: of the simulator
#[test]
fn one_seed_is_one_course_of_events_to_the_last_byte_and_nanosecond() {
    let first = any();
    for seed in (0..30).map(|number| first.wrapping_add(number)) {
        let scenario = Scenario::of_seed(seed);
        assert_eq!(scenario, Scenario::of_seed(seed));
        let (once, again) = (run(&scenario, true), run(&scenario, true));
        let differ = once.trace.iter().zip(&again.trace).find(|(once, again)| once != again);
        assert_eq!(differ, None, "{seed:#x}");
        assert_eq!((once.hash, once.trace.len()), (again.hash, again.trace.len()), "{seed:#x}");
    }
}

// Rules: none: of the simulator
#[test]
fn another_process_sees_the_same() {
    let first = any();
    for seed in (0..5).map(|number| first.wrapping_add(number)) {
        let simulate =
            Command::new(env!("CARGO_BIN_EXE_simulate")).args(["--seed", &seed.to_string()]).output();
        let printed = String::from_utf8(simulate.unwrap().stdout).unwrap();
        let here = run(&Scenario::of_seed(seed), true);
        let expected = format!("{}\ntrace {:016x}\n", here.trace.join("\n"), here.hash);
        assert!(printed.ends_with(&expected), "{seed:#x}: {printed}");
    }
}

// Rules: none: of the simulator
#[test]
fn different_seeds_are_different_courses_of_events() {
    let hashes: std::collections::BTreeSet<u64> =
        (0..50).map(|seed| run(&Scenario::of_seed(seed), false).hash).collect();
    assert_eq!(hashes.len(), 50);
}
