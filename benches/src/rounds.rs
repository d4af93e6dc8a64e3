//! Rounds in which each contender does each work, one after the other, so that what disturbs one disturbs all.

use crate::contenders::{by_hand::ByHand, packetstream};
use crate::stage::{Cores, Stage, Threads, Transport};
use crate::work::{self, Done, Measure, WORKS};
use std::time::Duration;

#[derive(Debug, clap::Parser)]
pub(crate) struct Options {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long one contender works in one round, in milliseconds.
    #[arg(long, default_value_t = 500)]
    millis: u64,
    #[arg(long, value_enum, default_value_t = Cores::One)]
    cores: Cores,
    #[arg(long, value_enum, default_value_t = Threads::Own)]
    threads: Threads,
    #[arg(long, value_enum, default_value_t = Transport::Unix)]
    transport: Transport,
    /// Only work whose name contains this.
    #[arg(long, default_value = "")]
    work: String,
    /// Only contenders whose name contains this.
    #[arg(long, default_value = "")]
    contender: String,
}

const CONTENDERS: &[(&str, Measure)] = &[
    ("raw tokio", work::raw),
    ("raw blocking", work::raw_blocking),
    ("limit", work::limit),
    ("by hand", work::either_way::<ByHand>),
    ("packetstream raw", work::either_way::<packetstream::Raw>),
    ("packetstream typed", work::either_way::<packetstream::Typed>),
    #[cfg(feature = "peers")]
    ("tarpc", work::one_way::<crate::contenders::tarpc::Tarpc>),
    #[cfg(feature = "peers")]
    ("ttrpc", work::one_way::<crate::contenders::ttrpc::Ttrpc>),
    #[cfg(feature = "peers")]
    ("capnp-rpc", work::either_way::<crate::contenders::capnp::Capnp>),
    #[cfg(feature = "peers")]
    ("tonic", work::one_way::<crate::contenders::tonic::Tonic>),
    #[cfg(feature = "peers")]
    ("remoc", work::either_way::<crate::contenders::remoc::Remoc>),
];

impl Options {
    pub(crate) fn run(self) {
        let stage = Stage { cores: self.cores, threads: self.threads, transport: self.transport };
        let time = Duration::from_millis(self.millis);
        for work in WORKS.iter().filter(|work| work.name.contains(&self.work)) {
            let chosen = CONTENDERS.iter().filter(|(name, _)| name.contains(&self.contender));
            let mut rates: Vec<(&str, Measure, Vec<f64>)> =
                chosen.map(|(name, measure)| (*name, *measure, Vec::new())).collect();
            for _ in 0..self.rounds {
                for (_, measure, rates) in &mut rates {
                    rates.extend(measure(stage, *work, time).map(|done| rate(stage, done)));
                }
            }
            for (name, _, mut rates) in rates {
                rates.sort_by(f64::total_cmp);
                if let Some(median) = rates.get(rates.len() / 2) {
                    println!("{:10} {name:20} {median:>12.0} calls/s", work.name);
                }
            }
        }
    }
}

/// Calls a second.
fn rate(stage: Stage, done: Done) -> f64 {
    if std::env::var_os("SHOW").is_some() {
        eprintln!("{done:?}");
    }
    let time = match (stage.cores, stage.threads) {
        (Cores::One, Threads::Own) => done.took.cpu,
        _ => done.took.wall,
    };
    done.calls as f64 / time.as_secs_f64()
}
