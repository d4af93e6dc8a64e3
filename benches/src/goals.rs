//! What is to be reached, and whether it is.

use crate::contestants::{BY_HAND, LIMIT, OURS, RAW};
use crate::plan::{CALLS, CONNECTIONS, IDLE, IN_FLIGHT, POOL};
use crate::python;
use crate::results::Results;
use serde_json::{Value, json};

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) must: f64,
    pub(crate) aim: f64,
    pub(crate) more_is_better: bool,
    pub(crate) reached: Option<f64>,
}

impl Goal {
    fn is_met(&self, bound: f64) -> bool {
        self.reached
            .is_some_and(|reached| if self.more_is_better { reached >= bound } else { reached <= bound })
    }

    pub(crate) fn verdict(&self) -> &'static str {
        match self.reached {
            None => "not measured",
            Some(_) if self.is_met(self.aim) => "aim",
            Some(_) if self.is_met(self.must) => "must",
            Some(_) => "NO",
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({"what": self.what, "must": self.must, "aim": self.aim, "reached": self.reached, "verdict": self.verdict()})
    }
}

/// What `benches/counted` has written: instructions and thousandths of system calls for each call.
const COUNTED: &str = include_str!("../counted.baseline");

fn counted(work: &str, layer: &str) -> Option<(f64, f64)> {
    COUNTED.lines().find_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
        [of, which, instructions, calls] if of == work && which == layer => {
            Some((instructions.parse().ok()?, calls.parse::<f64>().ok()? / 1000.0))
        }
        _ => None,
    })
}

/// By how much a call becomes dearer at most, from any size to any larger one.
fn growth(results: &Results, group: &str, contender: &str) -> Option<f64> {
    let works = results.works(group);
    let costs: Vec<f64> =
        works.iter().filter_map(|(work, _)| Some(1.0 / results.median(group, work, contender)?)).collect();
    let (mut least, mut growth) = (*costs.first()?, 1.0_f64);
    for cost in costs {
        growth = growth.max(cost / least);
        least = least.min(cost);
    }
    Some(growth)
}

pub(crate) fn goals(results: &Results) -> Vec<Goal> {
    let more =
        |what: &str, must, aim, reached| Goal { what: what.into(), must, aim, more_is_better: true, reached };
    let less = |what: &str, must, aim, reached| Goal {
        what: what.into(),
        must,
        aim,
        more_is_better: false,
        reached,
    };
    let times = |work: &str, other: &str| results.times(CALLS, work, OURS, other);
    let over_peer = |work: &str, must, aim| {
        let peer = results.best_peer(CALLS, work);
        let what = format!("{work}, times best peer ({})", peer.unwrap_or("none"));
        more(&what, must, aim, peer.and_then(|peer| times(work, peer)))
    };
    let grown = |what: &str, group: &str, other: &str| {
        let compared = growth(results, group, other).map_or("-".into(), number);
        less(&format!("W7, {what} ({other}: {compared})"), 1.5, 1.2, growth(results, group, OURS))
    };
    let (instructions, system_calls) = counted("W2-64", "typed").unzip();
    let more_than_raw =
        instructions.zip(counted("W2-64", "raw")).map(|(typed, (raw, _))| (typed / raw - 1.0) * 100.0);
    vec![
        more("W1, of raw tokio", 0.88, 0.95, times("W1", RAW)),
        more("W2-64, of the limit", 0.28, 0.40, times("W2-64", LIMIT)),
        more("W2-64, times by hand", 1.6, 2.3, times("W2-64", BY_HAND)),
        over_peer("W2-64", 7.0, 10.0),
        more("W2-1024, times by hand", 2.2, 3.0, times("W2-1024", BY_HAND)),
        over_peer("W2-1024", 11.0, 16.0),
        more("W3 1 MiB, of the limit", 0.70, 0.90, times("W3 1 MiB", LIMIT)),
        over_peer("W3 1 MiB", 1.8, 2.2),
        over_peer("W4", 25.0, 40.0),
        more("2 workers, W2-64, times by hand", 1.0, 2.0, results.times(POOL, "W2-64", OURS, BY_HAND)),
        less("W2-64, instructions per call", 2000.0, 1300.0, instructions),
        less("W2-64, system calls per call", 0.13, 0.07, system_calls),
        less("W5, KiB per idle connection of 2,000", 8.0, 5.0, results.median(IDLE, "2000", OURS)),
        less("W5, KiB per idle connection of 9,900", 8.0, 5.0, results.median(IDLE, "9900", OURS)),
        less("typed call over raw call, % more instructions", 15.0, 5.0, more_than_raw),
        more(
            "W2-64, times the Python original",
            500.0,
            2000.0,
            results
                .median(CALLS, "W2-64", OURS)
                .zip(results.median(CALLS, "W2-64", python::NAME))
                .map(|(ours, theirs)| ours / theirs),
        ),
        grown("cost from 1 to 9,900 connections", CONNECTIONS, RAW),
        grown("cost from 1 to 100,000 in flight", IN_FLIGHT, BY_HAND),
    ]
}

pub(crate) fn table(goals: &[Goal]) -> String {
    let mut table = format!("{:54} {:>8} {:>8} {:>10}\n", "what is to be reached", "must", "aim", "reached");
    for goal in goals {
        let reached = goal.reached.map_or("-".into(), number);
        let (must, aim) = (number(goal.must), number(goal.aim));
        table += &format!("{:54} {must:>8} {aim:>8} {reached:>10}  {}\n", goal.what, goal.verdict());
    }
    table
}

/// With as many digits as say something.
pub(crate) fn number(value: f64) -> String {
    match value {
        large if large >= 100.0 => format!("{large:.0}"),
        medium if medium >= 10.0 => format!("{medium:.1}"),
        small if small >= 1.0 => format!("{small:.2}"),
        part => format!("{part:.3}"),
    }
}
