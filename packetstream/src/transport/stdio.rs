//! This program's own standard input and output as a stream that nothing else of the program can touch.

use super::descriptors;
use super::peer::Peer;
use super::stream::Stream;
use rustix::stdio::{dup2_stdin, dup2_stdout};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long what was printed is waited for when standard output is put back: a thread may hold its lock for ever.
const FLUSH: Duration = Duration::from_millis(100);

/// Whether a stream has standard input and output.
static CLAIMED: AtomicBool = AtomicBool::new(false);

/// Descriptors 0 and 1 as a stream. What `std::io::stdin` has buffered before is not part of it.
pub(super) fn stream() -> io::Result<Stream> {
    let taken = Taken::take()?;
    let (input, output) = taken.duplicates()?;
    let stream = descriptors::pair(Peer::Stdio, input, output)?;
    Ok(stream.with_guard(taken))
}

/// Standard input and output, taken away from everything else in this program and its children: their input
/// is empty, and what they print goes to standard error. Put back on drop.
pub(crate) struct Taken {
    input: OwnedFd,
    output: OwnedFd,
    _claim: Claim,
}

impl Taken {
    pub(crate) fn take() -> io::Result<Self> {
        let claim = Claim::make()?;
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        let taken = Self { input, output, _claim: claim };
        dup2_stdin(File::open("/dev/null")?)?;
        dup2_stdout(io::stderr())?;
        Ok(taken)
    }

    /// What was taken, to read from and to write to.
    pub(crate) fn duplicates(&self) -> io::Result<(OwnedFd, OwnedFd)> {
        Ok((self.input.try_clone()?, self.output.try_clone()?))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        flush();
        // The descriptors are open, and so are their places: this cannot fail.
        let _ = dup2_stdin(&self.input);
        let _ = dup2_stdout(&self.output);
    }
}

/// Has the beginning of a line that was printed go where the rest of it would have gone.
fn flush() {
    let (done, flushed) = mpsc::channel();
    let flush = move || {
        let _ = done.send(io::stdout().flush());
    };
    if thread::Builder::new().name("flush".into()).spawn(flush).is_ok() {
        let _ = flushed.recv_timeout(FLUSH);
    }
}

/// That there is no other stream over them.
struct Claim;

impl Claim {
    fn make() -> io::Result<Self> {
        if CLAIMED.swap(true, Ordering::Acquire) {
            let text = "another stream has this program's standard input and output";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        Ok(Self)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.store(false, Ordering::Release);
    }
}
