//! Conformance cases as data, and what holds a program to them.
//!
//! A case is bytes that are sent to the program under test and packets that have to come back; `tests/conformance/README.md`
//! tells how they are written. What comes is judged byte by byte here, without the library's own decoder.

mod bytes;
mod deviations;
mod parse;
mod report;
mod run;

pub use bytes::Pattern;
pub use deviations::{Deviations, DeviationsError, Verdict};
pub use parse::{Case, CaseError, Role, Step};
pub use report::{Report, Tally};
pub use run::{Failure, Target, run};

/// The cases of this repository: the name of each file and what it says.
const FILES: &[(&str, &str)] = &[
    ("numbers.cases", include_str!("../../conformance/numbers.cases")),
    ("packets.cases", include_str!("../../conformance/packets.cases")),
    ("requests.cases", include_str!("../../conformance/requests.cases")),
    ("goodbyes.cases", include_str!("../../conformance/goodbyes.cases")),
    ("malformed.cases", include_str!("../../conformance/malformed.cases")),
    ("asking.cases", include_str!("../../conformance/asking.cases")),
];

/// All cases, by number.
///
/// # Errors
///
/// When a file says something else than cases, or a number twice.
pub fn cases() -> Result<Vec<Case>, CaseError> {
    let mut cases = Vec::new();
    for (file, text) in FILES {
        cases.extend(Case::parse_all(file, text)?);
    }
    cases.sort_by_key(|case| case.number);
    match cases.windows(2).find(|pair| pair[0].number == pair[1].number) {
        Some(pair) => Err(pair[1].twice()),
        None => Ok(cases),
    }
}
