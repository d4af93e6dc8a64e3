//! What was measured, round by round, and what is said of it.

use serde_json::{Value, json};

/// What one contender reached at one work.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) group: &'static str,
    pub(crate) work: String,
    pub(crate) contender: &'static str,
    pub(crate) unit: &'static str,
    /// One value for each round.
    pub(crate) rounds: Vec<f64>,
}

#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) figures: Vec<Figure>,
}

/// The peers, of whom the fastest counts.
pub(crate) const PEERS: &[&str] = &["tarpc", "ttrpc", "capnp-rpc", "tonic", "remoc"];

pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

impl Figure {
    pub(crate) fn median(&self) -> Option<f64> {
        median(self.rounds.iter().copied())
    }
}

impl Results {
    pub(crate) fn of(&self, group: &str, work: &str, contender: &str) -> Option<&Figure> {
        let wanted =
            |figure: &&Figure| figure.group == group && figure.work == work && figure.contender == contender;
        self.figures.iter().find(wanted)
    }

    pub(crate) fn median(&self, group: &str, work: &str, contender: &str) -> Option<f64> {
        self.of(group, work, contender)?.median()
    }

    /// How many times as fast one was as another: the median of the ratios of each round.
    pub(crate) fn times(&self, group: &str, work: &str, contender: &str, other: &str) -> Option<f64> {
        let (one, other) = (self.of(group, work, contender)?, self.of(group, work, other)?);
        median(one.rounds.iter().zip(&other.rounds).map(|(one, other)| one / other))
    }

    /// The fastest peer at some work.
    pub(crate) fn best_peer(&self, group: &str, work: &str) -> Option<&'static str> {
        let speed = |peer: &&&'static str| self.median(group, work, peer).unwrap_or_default();
        let fastest = PEERS.iter().max_by(|one, other| speed(one).total_cmp(&speed(other)))?;
        self.median(group, work, fastest).map(|_| *fastest)
    }

    /// Those of a group, by work and in the order they were measured in.
    pub(crate) fn works(&self, group: &str) -> Vec<(&str, Vec<&Figure>)> {
        let mut works: Vec<(&str, Vec<&Figure>)> = Vec::new();
        for figure in self.figures.iter().filter(|figure| figure.group == group) {
            match works.iter_mut().find(|(work, _)| *work == figure.work) {
                Some((_, figures)) => figures.push(figure),
                None => works.push((&figure.work, vec![figure])),
            }
        }
        works
    }

    pub(crate) fn json(&self) -> Value {
        let figure = |figure: &Figure| {
            json!({
                "group": figure.group,
                "work": figure.work,
                "contender": figure.contender,
                "unit": figure.unit,
                "median": figure.median(),
                "rounds": figure.rounds,
            })
        };
        self.figures.iter().map(figure).collect()
    }
}
