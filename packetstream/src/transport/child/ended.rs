//! How a child has ended.

use rustix::process::Signal;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;

/// How much of a child's last line its error shows, in characters.
const SHOWN: usize = 300;

/// What is known once a child has ended.
#[derive(Clone, Debug)]
pub(super) struct Exit {
    /// Nothing if the system does not tell.
    pub(super) status: Option<ExitStatus>,
    /// The end of what it has said on standard error, where that was listened to.
    pub(super) said: String,
}

/// A child that did not end well: by a signal, or with a status other than 0.
///
/// It is the inner error of the [`io::Error`] with which reading from the child, writing to it, or shutting its stream
/// down fails, and thereby of what a connection to it fails with; [`find_in`](Self::find_in) gets it out.
///
/// ```
/// use packetstream::{ChildEnded, PacketConnection, Stream};
/// use std::os::unix::process::ExitStatusExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stream = Stream::connect(&"exec:sh -c 'kill -9 $$'".parse()?).await?;
/// let error = PacketConnection::builder().spawn(stream).closed().await.result.unwrap_err();
/// let ended = ChildEnded::find_in(&error).unwrap();
/// assert_eq!(ended.status.signal(), Some(9));
/// assert_eq!(ended.to_string(), format!("child {} was ended by signal 9 (SIGKILL)", ended.pid));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ChildEnded {
    /// Which process it was. Another one may have the number by now.
    pub pid: u32,
    /// How it has ended.
    pub status: ExitStatus,
    /// The end of what it has said on standard error, if [`Stderr`](super::Stderr) asked for it; else empty. Bytes
    /// that are no UTF-8 are replaced; control characters are as they were.
    pub stderr: String,
}

impl ChildEnded {
    /// The child among an error's causes.
    #[must_use]
    pub fn find_in<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let shared = error.downcast_ref::<Arc<io::Error>>().map(Arc::as_ref);
            // What an `io::Error` was made of is not its `source`.
            let inner = shared.or_else(|| error.downcast_ref()).and_then(io::Error::get_ref);
            let found = error.downcast_ref().or_else(|| inner?.downcast_ref());
            if found.is_some() {
                return found;
            }
            cause = error.source();
        }
        None
    }

    /// Nothing if the child has ended well, or its status is not known.
    pub(super) fn unless_well(pid: u32, exit: &Exit) -> Option<Self> {
        let status = exit.status.filter(|status| !status.success())?;
        Some(Self { pid, status, stderr: exit.said.clone() })
    }
}

impl fmt::Display for ChildEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "child {} ", self.pid)?;
        match (self.status.signal(), self.status.code()) {
            (Some(number), _) => {
                write!(f, "was ended by signal {number}")?;
                if let Some(name) = signal_name(number) {
                    write!(f, " ({name})")?;
                }
            }
            (None, Some(code)) => write!(f, "ended with status {code}")?,
            (None, None) => write!(f, "ended with {}", self.status)?,
        }
        match self.stderr.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
            Some(line) => write!(f, ": {}", Printable { text: line, longest: SHOWN }),
            None => Ok(()),
        }
    }
}

impl Error for ChildEnded {}

/// Text of a stranger on one line: control characters escaped, and cut where it is too long.
pub(super) struct Printable<'a> {
    pub(super) text: &'a str,
    /// In characters.
    pub(super) longest: usize,
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.text.chars();
        for c in chars.by_ref().take(self.longest) {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        if chars.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// The numbers differ from one kind of machine to another.
fn signal_name(number: i32) -> Option<&'static str> {
    let names = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
        (Signal::VTALARM, "SIGVTALRM"),
        (Signal::PROF, "SIGPROF"),
        (Signal::SYS, "SIGSYS"),
    ];
    names.into_iter().find(|(signal, _)| signal.as_raw() == number).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(wait_status: i32, said: &str) -> String {
        let status = ExitStatus::from_raw(wait_status);
        ChildEnded { pid: 42, status, stderr: said.into() }.to_string()
    }

    #[test]
    fn the_signal_is_named_or_the_status_told() {
        assert_eq!(ended(Signal::KILL.as_raw(), ""), "child 42 was ended by signal 9 (SIGKILL)");
        let segv = Signal::SEGV.as_raw();
        assert_eq!(ended(segv, ""), format!("child 42 was ended by signal {segv} (SIGSEGV)"));
        assert_eq!(ended(40, ""), "child 42 was ended by signal 40");
        assert_eq!(ended(3 << 8, ""), "child 42 ended with status 3");
    }

    #[test]
    fn the_last_line_that_says_something_is_told_on_one_line() {
        let said = "Warning: something\nPermission \x1b[31mdenied\r\n\n  \n";
        assert_eq!(ended(255 << 8, said), r"child 42 ended with status 255: Permission \u{1b}[31mdenied");
        let long = ended(1 << 8, &"x".repeat(SHOWN + 1));
        assert_eq!(long, format!("child 42 ended with status 1: {}…", "x".repeat(SHOWN)));
    }

    #[test]
    fn it_is_found_among_the_causes_of_an_error() {
        let exit = Exit { status: Some(ExitStatus::from_raw(9)), said: String::new() };
        let child = ChildEnded::unless_well(7, &exit).unwrap();
        let io = Arc::new(io::Error::new(io::ErrorKind::BrokenPipe, child.clone()));
        let error = packetstream_core::ConnectionError::Read(Arc::clone(&io));
        assert_eq!(ChildEnded::find_in(&error), Some(&child));
        assert_eq!(ChildEnded::find_in(&packetstream_core::CallError::Lost(error)), Some(&child));
        assert_eq!(ChildEnded::find_in(io.as_ref()), Some(&child));
        assert_eq!(ChildEnded::find_in(&io::Error::other("something else")), None);
    }

    #[test]
    fn a_child_that_ended_well_is_no_error() {
        for status in [Some(ExitStatus::from_raw(0)), None] {
            assert_eq!(ChildEnded::unless_well(7, &Exit { status, said: String::new() }), None);
        }
    }
}
