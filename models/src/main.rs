//! Runs models: `models [SECONDS [MODEL...]]`, each for so long at most. `REPLAY` is a schedule that has failed, of the
//! one model that is named then.

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

/// Every order of the threads, and whatever each of them may see of the others' memory.
#[cfg(all(feature = "loom", not(feature = "shuttle")))]
fn explore(model: fn(), _: std::time::Duration) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNT: AtomicU64 = AtomicU64::new(0);

    COUNT.store(0, Ordering::Relaxed);
    // No bound: it is told of all of them, or does not end.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = None;
    builder.check(move || {
        COUNT.fetch_add(1, Ordering::Relaxed);
        model();
    });
    format!("all {} schedules", COUNT.load(Ordering::Relaxed))
}

/// Orders at random: half of the time any, half of the time such as interrupt few threads.
#[cfg(feature = "shuttle")]
fn explore(model: fn(), limit: std::time::Duration) -> String {
    use shuttle::scheduler::{PctScheduler, RandomScheduler};
    use shuttle::{Config, Runner};

    /// Threads that are interrupted where they need not wait.
    const INTERRUPTED: usize = 3;

    if let Ok(schedule) = std::env::var("REPLAY") {
        shuttle::replay(model, &schedule);
        return "replayed".into();
    }
    let config = || {
        let mut config = Config::new();
        config.max_time = Some(limit / 2);
        config.stack_size = 256 << 10;
        // Every atomic is as if it were the strongest: loom looks at those that are not.
        config.silence_warnings = true;
        config
    };
    let any = Runner::new(RandomScheduler::new(usize::MAX), config()).run(model);
    let few = Runner::new(PctScheduler::new(INTERRUPTED, usize::MAX), config()).run(model);
    format!("{} schedules", any + few)
}
