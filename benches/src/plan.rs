//! What is measured, in which order: rounds in which each contender does the same work, one after the other, so that what
//! disturbs one disturbs all.

use crate::contestants::{BY_HAND, CONTESTANTS, Contestant, OURS, OURS_RAW, RAW};
use crate::results::{Figure, Results};
use crate::stage::{Cores, Stage, Threads, Transport, has_room_for};
use crate::work::{Done, MANY, W1, W2_64, W7_CONNECTIONS, W7_IN_FLIGHT, WORKS, Work};
use crate::{busy, idle, python};
use std::time::Duration;

/// Figures of one connection: calls a second of one core, or of the clock where there are more.
pub(crate) const CALLS: &str = "calls";
/// The same with a `multi_thread` runtime of 2 workers.
pub(crate) const POOL: &str = "2 workers";
pub(crate) const IDLE: &str = "W5";
pub(crate) const OVERTAKING: &str = "W6";
pub(crate) const CONNECTIONS: &str = "W7 connections";
pub(crate) const IN_FLIGHT: &str = "W7 in flight";
/// Connections to a server on all cores.
pub(crate) const BUSY: &str = "W7 busy";

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured. Default: 5, or 3.
    #[arg(long)]
    rounds: Option<usize>,
    /// How long one contender works in one round, in milliseconds. Default: 300, or 50.
    #[arg(long)]
    millis: Option<u64>,
    /// Less of everything, in 2 minutes.
    #[arg(long)]
    quick: bool,
    /// Where the two ends work.
    #[arg(long, value_enum, default_value_t = Cores::One)]
    pub(crate) cores: Cores,
    #[arg(long, value_enum, default_value_t = Threads::Own)]
    pub(crate) threads: Threads,
    #[arg(long, value_enum, default_value_t = Transport::Unix)]
    pub(crate) transport: Transport,
}

/// What to leave out.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Only {
    /// Only work whose name, or that of its group, contains this.
    #[arg(long = "work", default_value = "")]
    pub(crate) work: String,
    /// Only contenders whose name contains this.
    #[arg(long = "contender", default_value = "")]
    pub(crate) contender: String,
}

impl Options {
    pub(crate) fn stage(self) -> Stage {
        Stage { cores: self.cores, threads: self.threads, transport: self.transport }
    }

    fn rounds(self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 })
    }

    fn time(self) -> Duration {
        Duration::from_millis(self.millis.unwrap_or(if self.quick { 50 } else { 300 }))
    }

    fn idle_connections(self) -> &'static [usize] {
        if self.quick { &[2000] } else { &[2000, MANY] }
    }
}

/// A group of works and who does them.
struct Section {
    group: &'static str,
    stage: Stage,
    works: Vec<Work>,
    chosen: Vec<&'static Contestant>,
}

pub(crate) fn measure(options: Options, only: &Only) -> Results {
    let mut results = Results::default();
    for section in sections(options, only) {
        run(&section, options, &mut results);
    }
    let wanted = |name: &str| name.contains(&only.contender);
    let libraries = CONTESTANTS.iter().filter(|one| one.library.is_some() && wanted(one.name));
    if IDLE.contains(&only.work) {
        for &connections in options.idle_connections().iter().filter(|count| has_room_for(**count)) {
            for contestant in libraries.clone() {
                let weight = idle::weigh_apart(contestant.name, connections);
                push(
                    &mut results,
                    IDLE,
                    connections.to_string(),
                    contestant.name,
                    "KiB",
                    weight.into_iter().collect(),
                );
            }
        }
    }
    if OVERTAKING.contains(&only.work) {
        for contestant in libraries {
            let Some(library) = &contestant.library else { continue };
            let took = (0..options.rounds())
                .filter_map(|_| (library.overtake)(options.stage(), options.time().max(QUIET)));
            let micros = took.map(|took| took.as_secs_f64() * 1e6).collect();
            push(&mut results, OVERTAKING, "p99".into(), contestant.name, "us", micros);
        }
    }
    if BUSY.contains(&only.work) {
        let mut rates = vec![Vec::new(); busy::KINDS.len()];
        for _ in 0..options.rounds() {
            for (rates, (_, arguments)) in rates.iter_mut().zip(busy::KINDS) {
                rates.extend(busy::rate(arguments, options.time().max(QUIET)));
            }
        }
        for (rates, (name, _)) in rates.into_iter().zip(busy::KINDS) {
            push(&mut results, BUSY, busy::CONNECTIONS.to_string(), name, "calls/s", rates);
        }
    }
    if options.threads == Threads::Own && options.cores == Cores::One && wanted(python::NAME) {
        for work in [W1, W2_64].into_iter().filter(|work| work.name.contains(&only.work)) {
            let rates = (0..options.rounds().min(3)).map_while(|_| python::rate(work.in_flight)).collect();
            push(&mut results, CALLS, work.name.into(), python::NAME, "calls/s", rates);
        }
    }
    results
}

/// Enough for some small calls beside large ones.
const QUIET: Duration = Duration::from_millis(300);

fn sections(options: Options, only: &Only) -> Vec<Section> {
    let stage = options.stage();
    let pool = Stage { threads: Threads::Pool, ..stage };
    let on_threads: &[&str] = &[BY_HAND, OURS_RAW, OURS, "tarpc", "tonic"];
    let crowd: &[&str] = &[RAW, BY_HAND, OURS_RAW, OURS];
    let flight: &[&str] = &[BY_HAND, OURS_RAW, OURS, "tarpc"];
    let all: Vec<&str> = CONTESTANTS.iter().map(|one| one.name).collect();
    let plan = [
        (CALLS, stage, WORKS, &all[..]),
        (POOL, pool, &[W2_64][..], on_threads),
        (CONNECTIONS, stage, W7_CONNECTIONS, crowd),
        (IN_FLIGHT, stage, W7_IN_FLIGHT, flight),
    ];
    let section = |(group, stage, works, names): (&'static str, Stage, &[Work], &[&str])| {
        let wanted = |work: &&Work| work.name.contains(&only.work) || group.contains(&only.work);
        let may = |one: &&Contestant| {
            names.contains(&one.name)
                && one.name.contains(&only.contender)
                && (one.threads || stage.threads == Threads::Own)
        };
        let works = works.iter().filter(wanted).copied().collect();
        Section { group, stage, works, chosen: CONTESTANTS.iter().filter(may).collect() }
    };
    plan.map(section).into()
}

fn run(section: &Section, options: Options, results: &mut Results) {
    for work in section.works.iter().filter(|work| has_room_for(work.connections)) {
        let mut rates = vec![Vec::new(); section.chosen.len()];
        for _ in 0..options.rounds() {
            for (rates, contestant) in rates.iter_mut().zip(&section.chosen) {
                let done = (contestant.measure)(section.stage, *work, options.time());
                rates.extend(done.map(|done| rate(section.stage, done)));
            }
        }
        for (rates, contestant) in rates.into_iter().zip(&section.chosen) {
            push(results, section.group, work.name.into(), contestant.name, "calls/s", rates);
        }
    }
}

fn push(
    results: &mut Results,
    group: &'static str,
    work: String,
    contender: &'static str,
    unit: &'static str,
    rounds: Vec<f64>,
) {
    let figure = Figure { group, work, contender, unit, rounds };
    if let Some(median) = figure.median() {
        println!("{group:14} {:10} {contender:20} {median:>12.1} {unit}", figure.work);
        results.figures.push(figure);
    }
}

/// Calls a second: of the one core's time where both ends share it, which is theirs whoever else is on the machine.
fn rate(stage: Stage, done: Done) -> f64 {
    let time = match (stage.cores, stage.threads) {
        (Cores::One, Threads::Own) => done.took.cpu,
        _ => done.took.wall,
    };
    done.calls as f64 / time.as_secs_f64()
}
