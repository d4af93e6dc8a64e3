//! What came of all cases.

use super::deviations::{Deviations, Verdict};
use super::parse::Case;
use super::run::{Failure, Target, run};
use futures_util::StreamExt;
use futures_util::stream;
use std::fmt;

/// Cases at a time: most of their time is waiting.
const AT_ONCE: usize = 8;

/// How many cases came to what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// As the rules say.
    pub passed: usize,
    /// Otherwise, as is known.
    pub deviated: usize,
    /// Otherwise, or as the rules say where a deviation is listed.
    pub failed: usize,
}

/// What came of each case.
#[derive(Debug)]
pub struct Report<'a> {
    deviations: &'a Deviations,
    /// How many of the cases have a role that the program does not.
    not_held: usize,
    results: Vec<(&'a Case, Verdict, Result<(), Failure>)>,
}

impl<'a> Report<'a> {
    /// Holds a program to all cases of its roles.
    pub async fn of(cases: &'a [Case], target: &Target, deviations: &'a Deviations) -> Self {
        let runs = stream::iter(cases).map(|case| async move { (case, run(case, target).await) });
        let results: Vec<_> = runs
            .buffered(AT_ONCE)
            .filter_map(|(case, result)| async move {
                let result = result?;
                Some((case, deviations.judge(case.number, &result), result))
            })
            .collect()
            .await;
        Self { deviations, not_held: cases.len() - results.len(), results }
    }

    /// How many came to what.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for (_, verdict, _) in &self.results {
            match verdict {
                Verdict::Passed => tally.passed += 1,
                Verdict::Deviated => tally.deviated += 1,
                Verdict::Failed | Verdict::Mended => tally.failed += 1,
            }
        }
        tally
    }
}

impl fmt::Display for Report<'_> {
    /// A line for each case that is not as it should be, or is known not to be, and a line of numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (case, verdict, result) in &self.results {
            let what = match (verdict, result) {
                (Verdict::Failed, Err(failure)) => format!("failed: {failure}"),
                (Verdict::Mended, _) => "no longer deviates: take it from the list".to_owned(),
                (Verdict::Deviated, Err(failure)) => {
                    format!(
                        "deviates, as is known ({}): {failure}",
                        self.deviations.reason(case.number).unwrap_or("")
                    )
                }
                _ => continue,
            };
            let (file, _) = &case.place;
            writeln!(f, "case {} ({}; {file}): {}: {what}", case.number, case.rules, case.title)?;
        }
        let Tally { passed, deviated, failed } = self.tally();
        write!(
            f,
            "{} cases: {passed} passed, {deviated} deviate as is known, {failed} failed",
            self.results.len()
        )?;
        match self.not_held {
            0 => Ok(()),
            more => write!(f, "; {more} for the other role"),
        }
    }
}
