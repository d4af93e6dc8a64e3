//! Your protocol in Python: a module for `cs.packetstream`, made from the declarations, that both asks and answers.
//!
//! A line in a test keeps it true:
//!
//! ```text
//! use packetstream::Protocol;
//!
//! #[test]
//! fn the_python_module_is_of_the_protocol_as_it_is() {
//!     packetstream::twin::assert_written(Store::DESCRIPTION, "python/store.py");
//! }
//! ```
//!
//! `PACKETSTREAM_TWIN=write cargo test` makes the file, and makes it anew when the test has failed. The path is
//! relative to the package, where its tests run. For people with Python the file is all there is: it needs
//! nothing but `cs.packetstream`.
//!
//! # What is in it
//!
//! For a protocol such as this
//!
//! ```
//! use packetstream::{Payload, Protocol, Request, twin};
//!
//! /// Counts words.
//! #[derive(Protocol)]
//! enum Counting {
//!     /// How often is a word in a text?
//!     #[request(0)]
//!     Count(Count),
//! }
//!
//! #[derive(Request)]
//! #[request(reply = Option<Counted>, error = CountError)]
//! struct Count {
//!     /// Capitals are other letters.
//!     #[request(flag = 0)]
//!     exact: bool,
//!     word: String,
//!     #[request(rest)]
//!     text: String,
//! }
//!
//! #[derive(Payload)]
//! struct Counted {
//!     count: u64,
//!     places: Vec<u32>,
//! }
//!
//! #[derive(Payload)]
//! enum CountError {
//!     NoWord,
//!     TooLong { limit: u64 },
//! }
//!
//! let module = twin::python(<Counting as Protocol>::DESCRIPTION);
//! assert!(module.contains("class CountRequest(_Request):"));
//! ```
//!
//! it has
//!
//! ```text
//! @dataclass(frozen=True)
//! class Counted:
//!     count: int
//!     places: list[int]
//!
//! class CountError: ...                       # and a class for each variant:
//! class CountErrorNoWord(CountError): ...
//! class CountErrorTooLong(CountError): ...
//!
//! @dataclass
//! class CountRequest(_Request):               # a cs.packetstream.BaseRequest
//!     """How often is a word in a text? ..."""
//!     word: str
//!     text: str
//!     #: Capitals are other letters.
//!     exact: bool = False
//!
//! class Counting(HasPacketConnection):        # a side of a connection
//!     def fulfil_count(self, request: CountRequest) -> Counted | None: ...
//!
//! RQ_TYPE_MAP = {0: CountRequest}
//! ```
//!
//! and is used like this, by who asks and by who answers:
//!
//! ```text
//! from counting import CountErrorTooLong, CountRequest, Counted, Counting, RequestFailed
//!
//! side = Counting((receive, send), packet_grace=0)
//! with side.conn:
//!     counted = side.conn_do_remote(CountRequest(word="to", text="to be or not to be"))
//!     try:
//!         counted = CountRequest(word="to", text="…").ask(side.conn)
//!     except RequestFailed as failed:
//!         if isinstance(failed.failure, CountErrorTooLong): ...
//!
//! class Server(Counting):
//!     def fulfil_count(self, request):
//!         return Counted(count=request.text.count(request.word), places=[])
//!
//! server = Server((receive, send), packet_grace=0)
//! with server.conn:
//!     server.conn.join_recv()
//! ```
//!
//! | here | in Python |
//! |---|---|
//! | a request `Count` | a class `CountRequest` with its fields, to be given by name; `.flags` are those that it travels with |
//! | a struct, a newtype | a frozen dataclass; the field of a newtype is `value`, those of a tuple are `field_0` and so on |
//! | an enum without fields | an `IntEnum` |
//! | another enum | a class, and a dataclass for each variant |
//! | numbers, texts, bytes | `int`, `float`, `str`, `bytes` |
//! | lists, arrays; tuples | `list`; `tuple`, but that of one value is the value |
//! | a map | a `dict`; a list of pairs where keys cannot be hashed |
//! | an option | the value or `None`; in an option of what may be `None` itself, `Some(value)` or `None` |
//! | a field that is the count or the id of another | nothing: it is made of the other |
//! | a flag, an option that a flag tells of | may be left out: it is what a clear flag means |
//! | names that mean something in Python | with `_` behind |
//!
//! Values are checked as they are here, when they are read and when they are written, down to 64 levels of values
//! within values; what is wrong is a `ValueError`, or a `TypeError` for what is not of the type at all. An `assert`
//! of a declaration is no part of a description, and not checked.
//!
//! What is [written by hand](packetstream_core::description::Encoding::Custom) cannot be made from a description: its
//! words are a key of `BY_HAND` in the module, under which its user puts an object that reads and writes it. Until
//! then it raises `NotImplementedError`.
//!
//! Two protocols, one asked and one answered over the same connection, are two modules: `HasPacketConnection` has
//! one table of numbers for both directions, so the side is an instance of the class that answers, and the
//! requests of the other module are asked with their own `ask`.
//!
//! # What `cs.packetstream` cannot do
//!
//! A handler in Python cannot fail with a declared failure, nor in words: any exception of it is
//! `exception during handler`. Whoever asks gets a declared failure from `ask`; `conn_do_remote` raises a `ValueError`
//! that quotes its bytes. Contracts are not kept by a Python side; they are in the documentation of its classes.

mod codec;
mod expr;
mod hints;
mod module;
mod names;
mod support;

use crate::outline::Outline;
use packetstream_core::description::Protocol;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Says what to do about a file that is another one: `write`.
const VARIABLE: &str = "PACKETSTREAM_TWIN";

/// Why a Python module is not that of a protocol.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// There is no file yet.
    #[error("there is no module {}: make it with PACKETSTREAM_TWIN=write cargo test", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("the module {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the module {} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The environment asks for something unknown.
    #[error("PACKETSTREAM_TWIN is {0:?}, not write")]
    Mode(OsString),
    /// The protocol is another one, or the file was edited.
    #[error(
        "the module {} differs from the protocol in line {line}: make it anew with PACKETSTREAM_TWIN=write cargo test",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The first line that differs, from 1.
        line: usize,
    },
}

/// What to do about a file that is another one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    /// Only tell.
    Check,
    /// Write it.
    Write,
}

impl Mode {
    fn from_environment(value: Option<OsString>) -> Result<Self, TwinError> {
        match value {
            None => Ok(Self::Check),
            Some(value) => match value.to_str() {
                Some("") => Ok(Self::Check),
                Some("write") => Ok(Self::Write),
                _ => Err(TwinError::Mode(value)),
            },
        }
    }
}

/// The Python module of a protocol, for `cs.packetstream` and Python 3.9 or later.
///
/// It is the same for the same protocol, so that a file of it can be compared.
#[must_use]
pub fn python(protocol: &Protocol) -> String {
    module::text(&Outline::of(protocol))
}

/// Compares the Python module of a protocol with the file at `path`. With `PACKETSTREAM_TWIN=write` in the
/// environment, writes it and is satisfied.
///
/// # Errors
///
/// That the file is another one; that there is none; why it cannot be read or written.
pub fn check(protocol: &Protocol, path: impl AsRef<Path>) -> Result<(), TwinError> {
    check_in(Mode::from_environment(env::var_os(VARIABLE))?, protocol, path.as_ref())
}

/// [`check`], for a test.
///
/// # Panics
///
/// If the file is another one, with the first line that differs.
#[track_caller]
pub fn assert_written(protocol: &Protocol, path: impl AsRef<Path>) {
    if let Err(error) = check(protocol, path) {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        panic!("{error}{}", cause.unwrap_or_default());
    }
}

fn check_in(mode: Mode, protocol: &Protocol, path: &Path) -> Result<(), TwinError> {
    let is = python(protocol);
    let was = match fs::read_to_string(path) {
        Ok(was) if was == is => return Ok(()),
        Ok(was) => Some(was),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => return Err(TwinError::Read { path: path.to_owned(), source }),
    };
    match (mode, was) {
        (Mode::Write, _) => {
            fs::write(path, is).map_err(|source| TwinError::Write { path: path.to_owned(), source })
        }
        (Mode::Check, None) => Err(TwinError::Missing(path.to_owned())),
        (Mode::Check, Some(was)) => {
            let same = was.lines().zip(is.lines()).take_while(|(was, is)| was == is).count();
            Err(TwinError::Changed { path: path.to_owned(), line: same + 1 })
        }
    }
}

#[cfg(test)]
mod tests;
