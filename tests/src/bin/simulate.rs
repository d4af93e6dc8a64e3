//! Runs scenarios of fresh seeds on all cores, or one again with its trace. Ends with status 1 when something does not
//! hold, and says what, with the smallest scenario that shows it.

use clap::Parser;
use packetstream_tests::sim::{Invariant, Run, Scenario, Violation, run};
use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// One in so many scenarios is run twice.
const TWICE: u64 = 100;
/// No scenario takes this long, unless it never ends.
const ENDLESS: Duration = Duration::from_secs(30);

/// Simulates connections over bad transports: scenarios of fresh seeds, until one fails.
#[derive(Debug, Parser)]
struct Options {
    /// Run so many scenarios.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    seeds: u64,
    /// Run scenarios for so many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The first seed, or else any.
    #[arg(long, value_parser = number)]
    first: Option<u64>,
    /// Run one scenario, and print all that happens.
    #[arg(long, value_parser = number)]
    seed: Option<u64>,
    /// Threads, or else one for each core.
    #[arg(long)]
    threads: Option<usize>,
    /// Say what fails first, and no more: in one line, by invariant.
    #[arg(long)]
    brief: bool,
}

fn number(text: &str) -> Result<u64, std::num::ParseIntError> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    match options.seed {
        Some(seed) => replay(seed),
        None => simulate(&options),
    }
}

fn replay(seed: u64) -> ExitCode {
    let scenario = Scenario::of_seed(seed);
    let Run { violations, hash, trace, .. } = run(&scenario, true);
    println!("{}", scenario.as_test());
    for line in trace {
        println!("{line}");
    }
    println!("trace {hash:016x}");
    for violation in &violations {
        println!("{violation}");
    }
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What all threads have done.
#[derive(Default)]
struct Tally {
    scenarios: AtomicU64,
    healthy: AtomicU64,
    twice: AtomicU64,
    calls: AtomicU64,
    packets: AtomicU64,
    is_over: AtomicBool,
    failure: Mutex<Option<(u64, Vec<Violation>)>>,
}

fn simulate(options: &Options) -> ExitCode {
    let first = options.first.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
    let threads = options.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let (tally, begin) = (Tally::default(), Instant::now());
    let end = begin + Duration::from_secs(options.seconds);
    let next = AtomicU64::new(0);
    // When each thread began its scenario, in milliseconds, and which it is.
    let under_way: Vec<_> = (0..threads).map(|_| (AtomicU64::new(0), AtomicU64::new(0))).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = under_way
            .iter()
            .map(|(since, seed)| {
                let (tally, next) = (&tally, &next);
                scope.spawn(move || {
                    while Instant::now() < end && !tally.is_over.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= options.seeds {
                            break;
                        }
                        seed.store(first.wrapping_add(number), Ordering::Relaxed);
                        since.store(millis(begin), Ordering::Relaxed);
                        tally.play(first.wrapping_add(number));
                    }
                    since.store(u64::MAX, Ordering::Relaxed);
                })
            })
            .collect();
        while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(50));
            for (since, seed) in &under_way {
                let since = Duration::from_millis(since.load(Ordering::Relaxed));
                if Duration::from_millis(millis(begin)).saturating_sub(since) > ENDLESS {
                    report(options, &tally, begin, seed.load(Ordering::Relaxed), &endless());
                    std::process::exit(1);
                }
            }
        }
    });
    let failure = tally.failure.lock().ok().and_then(|mut failure| failure.take());
    if let Some((seed, violations)) = failure {
        report(options, &tally, begin, seed, &violations);
        return ExitCode::FAILURE;
    }
    println!("{}, all is well", tally.line(begin));
    ExitCode::SUCCESS
}

fn millis(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn endless() -> Vec<Violation> {
    vec![Violation { invariant: Invariant::EndsInTime, what: format!("it takes more than {ENDLESS:?}") }]
}

impl Tally {
    fn play(&self, seed: u64) {
        let scenario = Scenario::of_seed(seed);
        let mut once = run(&scenario, false);
        if seed.is_multiple_of(TWICE) {
            let again = run(&scenario, false);
            self.twice.fetch_add(1, Ordering::Relaxed);
            if once.hash != again.hash {
                let what = format!("{:016x}, and then {:016x}", once.hash, again.hash);
                once.violations.push(Violation { invariant: Invariant::Replays, what });
            }
        }
        self.scenarios.fetch_add(1, Ordering::Relaxed);
        self.healthy.fetch_add(scenario.is_healthy().into(), Ordering::Relaxed);
        self.calls.fetch_add(once.calls, Ordering::Relaxed);
        self.packets.fetch_add(once.packets, Ordering::Relaxed);
        if !once.violations.is_empty() {
            self.is_over.store(true, Ordering::Relaxed);
            if let Ok(mut failure) = self.failure.lock() {
                failure.get_or_insert((seed, once.violations));
            }
        }
    }

    fn line(&self, begin: Instant) -> String {
        let [scenarios, healthy, twice, calls, packets] =
            [&self.scenarios, &self.healthy, &self.twice, &self.calls, &self.packets]
                .map(|count| count.load(Ordering::Relaxed));
        let millis = millis(begin);
        let rate = scenarios * 1_000 / millis.max(1);
        format!(
            "{scenarios} scenarios ({healthy} healthy, {twice} run twice), {calls} calls, {packets} packets in {}.{:03} s, {rate}/s",
            millis / 1_000,
            millis % 1_000,
        )
    }
}

fn report(options: &Options, tally: &Tally, begin: Instant, seed: u64, violations: &[Violation]) {
    if options.brief {
        let first = violations.first().map_or("", |violation| violation.invariant.name());
        println!("{} {} {first}", tally.scenarios.load(Ordering::Relaxed), millis(begin));
        return;
    }
    println!("{}; then seed {seed:#x} fails:", tally.line(begin));
    for violation in violations {
        println!("  {violation}");
    }
    if violations.iter().any(|violation| violation.what == endless()[0].what) {
        println!("{}", Scenario::of_seed(seed).as_test());
        return;
    }
    let shrunk = Scenario::of_seed(seed).shrunk();
    println!("the smallest scenario that fails so:\n\n{}", shrunk.as_test());
    for violation in run(&shrunk, false).violations {
        println!("  {violation}");
    }
}
