//! What an implementation is known to do otherwise.

use super::run::Failure;
use std::collections::BTreeMap;

/// The cases that an implementation is known to fail, each with the reason.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Deviations {
    known: BTreeMap<u32, Known>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Known {
    reason: String,
    /// Whether it sometimes passes.
    varies: bool,
}

/// Why a file is not one of deviations.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the deviations is neither `NUMBER reason` nor `NUMBER varies: reason`")]
pub struct DeviationsError {
    line: usize,
}

/// What is to be made of a result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// As the rules say.
    Passed,
    /// Otherwise, as is known.
    Deviated,
    /// Otherwise, which was not known.
    Failed,
    /// As the rules say, although it is said to deviate.
    Mended,
}

impl Deviations {
    /// Reads a file of them: a line each, of the number of the case and the reason; `#` begins a comment.
    ///
    /// # Errors
    ///
    /// The line that is none.
    pub fn parse(text: &str) -> Result<Self, DeviationsError> {
        let mut known = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let fail = || DeviationsError { line: index + 1 };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (number, reason) = line.trim().split_once(' ').ok_or_else(fail)?;
            let number = number.parse().map_err(|_| fail())?;
            let (varies, reason) = match reason.trim().strip_prefix("varies: ") {
                Some(reason) => (true, reason),
                None => (false, reason.trim()),
            };
            if known.insert(number, Known { reason: reason.to_owned(), varies }).is_some() {
                return Err(fail());
            }
        }
        Ok(Self { known })
    }

    /// What is to be made of the result of a case.
    #[must_use]
    pub fn judge(&self, number: u32, result: &Result<(), Failure>) -> Verdict {
        match (self.known.get(&number), result) {
            // It has done nothing yet, neither as the rules say nor otherwise.
            (_, Err(Failure::Connect(_))) | (None, Err(_)) => Verdict::Failed,
            (None, Ok(())) => Verdict::Passed,
            (Some(known), Ok(())) if !known.varies => Verdict::Mended,
            (Some(_), _) => Verdict::Deviated,
        }
    }

    /// The cases that are listed, in order.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.known.keys().copied()
    }

    /// Why a case is known to fail.
    #[must_use]
    pub fn reason(&self, number: u32) -> Option<&str> {
        Some(&*self.known.get(&number)?.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_deviation_that_passes_is_told_unless_it_varies() {
        let known = Deviations::parse("# known\n\n5 never ends\n7 varies: a race\n").unwrap();
        let (sent, expected, came) = (String::new(), String::new(), String::new());
        let failed = Err(Failure::Step { line: 1, sent, expected, came });
        assert_eq!(known.judge(1, &Ok(())), Verdict::Passed);
        assert_eq!(known.judge(1, &failed), Verdict::Failed);
        assert_eq!(known.judge(5, &failed), Verdict::Deviated);
        assert_eq!(known.judge(5, &Ok(())), Verdict::Mended);
        assert_eq!(known.judge(7, &Ok(())), Verdict::Deviated);
        assert_eq!(known.judge(5, &Err(Failure::Connect("no".into()))), Verdict::Failed);
        assert_eq!(known.reason(7), Some("a race"));
    }

    #[test]
    fn a_line_that_is_none_is_told() {
        for (text, line) in [("5", 1), ("# a\nx reason", 2), ("5 a\n\n5 b", 3)] {
            assert_eq!(Deviations::parse(text).unwrap_err().line, line);
        }
    }
}
