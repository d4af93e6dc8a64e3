//! Runs models: `models [SECONDS [MODEL...]]`, each for so long at most. `REPLAY` is a schedule that has failed, of the one
//! model that is named then.

#[cfg(any(feature = "loom", feature = "shuttle"))]
fn main() {
    use packetstream_models::models::models;
    use std::time::{Duration, Instant};

    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(10, |seconds| seconds.parse().expect("SECONDS is a number"));
    let names: Vec<String> = arguments.collect();
    for model in models().filter(|model| names.is_empty() || names.iter().any(|name| name == model.name)) {
        let start = Instant::now();
        let explored = explore(model.run, Duration::from_secs(seconds));
        println!("models: {}: {explored}; {:.1?}", model.name, start.elapsed());
    }
}

#[cfg(not(any(feature = "loom", feature = "shuttle")))]
fn main() {
    panic!("built without a model checker: see `models/run`");
}

/// Every order of the threads, with at most so many of them interrupted where they need not wait.
#[cfg(all(feature = "loom", not(feature = "shuttle")))]
fn explore(model: fn(), limit: std::time::Duration) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};

    const PREEMPTIONS: usize = 3;
    static COUNT: AtomicU64 = AtomicU64::new(0);

    COUNT.store(0, Ordering::Relaxed);
    let start = std::time::Instant::now();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.max_duration = Some(limit);
    builder.check(move || {
        COUNT.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let what = if start.elapsed() < limit { "all" } else { "not all" };
    format!("{} executions, {what} with {PREEMPTIONS} preemptions", COUNT.load(Ordering::Relaxed))
}

/// Orders at random: half of the time any, half of the time such as need few interruptions.
#[cfg(feature = "shuttle")]
fn explore(model: fn(), limit: std::time::Duration) -> String {
    use shuttle::scheduler::{PctScheduler, RandomScheduler};
    use shuttle::{Config, Runner};

    if let Ok(schedule) = std::env::var("REPLAY") {
        shuttle::replay(model, &schedule);
        return "replayed".into();
    }
    let config = || {
        let mut config = Config::new();
        config.max_time = Some(limit / 2);
        config.stack_size = 256 << 10;
        config
    };
    let random = Runner::new(RandomScheduler::new(usize::MAX), config()).run(model);
    let few = Runner::new(PctScheduler::new(3, usize::MAX), config()).run(model);
    format!("{} schedules", random + few)
}
