//! Runs the models, on all cores: `models SCHEDULES [MODEL...]`. `REPLAY` is a schedule that has failed, as it was
//! printed, of the one model that is named then.

#[cfg(any(feature = "loom", feature = "shuttle"))]
fn main() -> std::process::ExitCode {
    use packetstream_models::models::{Model, models};
    use std::process::ExitCode;
    use std::sync::Mutex;
    use std::thread;
    use std::time::Instant;

    let mut arguments = std::env::args().skip(1);
    let Some(schedules) = arguments.next().and_then(|schedules| schedules.parse().ok()) else {
        eprintln!("usage: models SCHEDULES [MODEL...]");
        return ExitCode::FAILURE;
    };
    let names: Vec<String> = arguments.collect();
    let is_named = |model: &Model| names.is_empty() || names.iter().any(|name| name == model.name);
    let named: Vec<Model> = models().filter(is_named).collect();
    if named.is_empty() {
        eprintln!("models: none has this name");
        return ExitCode::FAILURE;
    }
    let next = Mutex::new(named.iter());
    let work = || {
        // In a statement of its own, or the lock were held by it all.
        while let Some(model) = { next.lock().unwrap().next() } {
            let start = Instant::now();
            let explored = explore(model.run, schedules);
            println!("models: {}: {explored}; {:.1?}", model.name, start.elapsed());
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let is_well = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        // All of them are waited for.
        workers.into_iter().map(thread::ScopedJoinHandle::join).filter(Result::is_err).count() == 0
    });
    // What is wrong is printed by the checker.
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(not(any(feature = "loom", feature = "shuttle")))]
fn main() {
    panic!("built without a model checker: see `models/run`");
}

/// Every order of the threads, and whatever each of them may see of the others' memory.
#[cfg(all(feature = "loom", not(feature = "shuttle")))]
fn explore(model: fn(), _: usize) -> String {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    let count = Arc::new(AtomicU64::new(0));
    // No bound: it is told of all of them, or does not end.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = None;
    let counts = Arc::clone(&count);
    builder.check(move || {
        counts.fetch_add(1, Ordering::Relaxed);
        model();
    });
    format!("all {} schedules", count.load(Ordering::Relaxed))
}

/// Orders at random: half of them any, half such as interrupt few threads.
#[cfg(feature = "shuttle")]
fn explore(model: fn(), schedules: usize) -> String {
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
        config.stack_size = 256 << 10;
        // Every atomic is as if it were the strongest: loom looks at those that are not.
        config.silence_warnings = true;
        config
    };
    let any = Runner::new(RandomScheduler::new(schedules.div_ceil(2)), config()).run(model);
    let few = Runner::new(PctScheduler::new(INTERRUPTED, schedules / 2), config()).run(model);
    format!("{} schedules", any + few)
}
