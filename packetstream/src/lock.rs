//! Keeps deployed peers understood: a test that compares a protocol with a file under version control.
//!
//! ```text
//! use packetstream::Protocol;
//!
//! #[test]
//! fn deployed_peers_are_understood() {
//!     packetstream::lock::assert_locked(Store::DESCRIPTION, "store.lock");
//! }
//! ```
//!
//! It fails when a number or an encoding is no longer what the file says, with a line for each difference and what
//! it does:
//!
//! | | examples | to go on |
//! |---|---|---|
//! | break | a field inserted, removed, moved or encoded otherwise; a request or a variant that is gone or has another number; another reply | a new request number, or `PACKETSTREAM_LOCK=break cargo test` while no peer is deployed |
//! | addition | a new request, variant or flag; a wider number; a failure declared where there was none | `PACKETSTREAM_LOCK=write cargo test` |
//! | other words | names of requests, fields, types; a struct around one value | the same |
//!
//! `PACKETSTREAM_LOCK=write cargo test` also makes the file. The path is relative to the package, where its
//! tests run.
//!
//! # What is an addition
//!
//! What a peer without it refuses with an error that says so, while all it knows stays as it was:
//!
//! * a request number, the number of a variant, a wider number (`uint16` to `uint`);
//! * a flag, or a field that is there only if a flag is set, where there already are flags: a peer refuses those
//!   it does not know. Where there were none it is one in a reply or a failure. In a request it is a break: flags of
//!   a request that had none are ignored, so that an old peer would do something else than it was asked;
//! * a field that takes the rest, at the end of what fills a packet or is delimited, where nothing took the rest
//!   before: without it there is no byte more, and with it an old peer says that bytes are left over;
//! * a declared failure where there was none: for an old peer the request fails all the same, though without
//!   words. No longer to declare one is a break.
//!
//! # What it does not see
//!
//! Names do not travel, but they tell what moved: two fields that swap their names are a break, though their bytes
//! be the same. What is written by hand is words here; other words are a break, and the same words over other
//! bytes go unseen. Documentation, [contracts](crate::Contract) and asserts are no part of it.

mod changes;
mod compare;
mod text;

use crate::outline::Outline;
use packetstream_core::description::Protocol;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub use changes::Change;
pub use changes::Changes;
pub use changes::Effect;
pub(crate) use text::hexadecimal;

/// Says what to do about differences: `write` or `break`.
const VARIABLE: &str = "PACKETSTREAM_LOCK";

/// Why a protocol is not the one that its lock file tells of.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// There is no file yet.
    #[error("there is no lock file {}: make it with PACKETSTREAM_LOCK=write cargo test", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("the lock file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the lock file {} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file was edited, or merged, into something else.
    #[error("the lock file {} is malformed in line {line}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Its first line that cannot be understood, from 1.
        line: usize,
        /// What is wrong with it.
        source: LockProblem,
    },
    /// The environment asks for something unknown.
    #[error("PACKETSTREAM_LOCK is {0:?}: neither write nor break")]
    Mode(OsString),
    /// The protocol is another one.
    #[error("{0}")]
    Changed(Changes),
}

/// What is wrong with a line of a lock file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LockProblem {
    /// Something else stands where this should.
    #[error("expected {0}")]
    Expected(&'static str),
    /// The line belongs below another one.
    #[error("not what can be said here")]
    Misplaced,
    /// What the line tells was told before.
    #[error("told before")]
    Repeated,
    /// Encodings lie within encodings without end.
    #[error("too deep")]
    TooDeep,
    /// The file does not tell of the type that the line names.
    #[error("a type that the file does not have")]
    UnknownType,
}

/// What to do about differences.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    /// Only tell.
    Check,
    /// Record what breaks nothing.
    Write,
    /// Record anything.
    Break,
}

impl Mode {
    fn from_environment(value: Option<OsString>) -> Result<Self, LockError> {
        match value {
            None => Ok(Self::Check),
            Some(value) => match value.to_str() {
                Some("") => Ok(Self::Check),
                Some("write") => Ok(Self::Write),
                Some("break") => Ok(Self::Break),
                _ => Err(LockError::Mode(value)),
            },
        }
    }
}

/// Compares a protocol with the lock file at `path`. With `PACKETSTREAM_LOCK=write` or `=break` in the
/// environment, records what that allows and is satisfied.
///
/// # Errors
///
/// How the protocol differs from the file; that there is none; what is wrong with it.
pub fn check(protocol: &Protocol, path: impl AsRef<Path>) -> Result<(), LockError> {
    check_in(Mode::from_environment(env::var_os(VARIABLE))?, protocol, path.as_ref())
}

/// [`check`], for a test.
///
/// # Panics
///
/// With the whole report if the protocol differs from the file.
#[track_caller]
pub fn assert_locked(protocol: &Protocol, path: impl AsRef<Path>) {
    if let Err(error) = check(protocol, path) {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        panic!("{error}{}", cause.unwrap_or_default());
    }
}

fn check_in(mode: Mode, protocol: &Protocol, path: &Path) -> Result<(), LockError> {
    let outline = Outline::of(protocol);
    let is = text::write(&outline);
    let was = match fs::read_to_string(path) {
        Ok(was) => was,
        Err(error) if error.kind() == ErrorKind::NotFound => match mode {
            Mode::Check => return Err(LockError::Missing(path.to_owned())),
            Mode::Write | Mode::Break => return record(path, &is),
        },
        Err(source) => return Err(LockError::Read { path: path.to_owned(), source }),
    };
    if was == is {
        return Ok(());
    }
    let old = match text::read(&was) {
        Ok(old) => old,
        // Whoever breaks with what is deployed need not mend the file first.
        Err(_) if mode == Mode::Break => return record(path, &is),
        Err((line, source)) => return Err(LockError::Malformed { path: path.to_owned(), line, source }),
    };
    let all = compare::changes(&old, &outline);
    let changes = Changes { protocol: outline.name, path: path.to_owned(), all };
    match mode {
        Mode::Check if changes.all.is_empty() => Ok(()),
        Mode::Write if !changes.has_breaks() => record(path, &is),
        Mode::Break => record(path, &is),
        Mode::Check | Mode::Write => Err(LockError::Changed(changes)),
    }
}

fn record(path: &Path, text: &str) -> Result<(), LockError> {
    fs::write(path, text).map_err(|source| LockError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
