//! A program of ours at the other end.

use super::stream::{Stream, StreamReader, StreamWriter};
use crate::Peer;
use packetstream_core::blocking::{InsideRuntime, may_block};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::io::{self, IoSlice, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a child may take to end once its stream is gone; then it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A child process whose standard input and output are a [`Stream`].
///
/// A thread waits for the child. When the stream is dropped the child sees the end of its input, and is killed if it has
/// not ended 5 s later. Shutting the stream down, as a connection does at its end, waits until the child has ended: see
/// [`CloseReport::shut_down`](crate::CloseReport::shut_down), which tells when it did not exit with 0.
#[derive(Debug)]
pub struct Child {
    keeper: Arc<Keeper>,
}

impl Child {
    /// Starts a program. Its standard error stays what the command says, which is ours by default.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or this machine has no thread to wait for it.
    pub fn spawn(mut command: Command) -> io::Result<(Stream, Self)> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let pid = child.id();
        let keeper = Arc::new(Keeper {
            child: Mutex::new(child),
            life: Mutex::new(Life::Runs),
            ended: Condvar::new(),
        });
        let waiting = Arc::clone(&keeper);
        let waiter = thread::Builder::new().name("packetstream child".into());
        if let Err(error) = waiter.spawn(move || waiting.wait_for(pid)) {
            keeper.kill();
            keeper.reap();
            return Err(error);
        }
        let (Some(input), Some(output)) = (input, output) else {
            return Err(io::Error::other("the child has no pipes"));
        };
        let leash =
            Leash { input: Arc::new(Mutex::new(Some(input))), guard: Arc::new(Guard(Arc::clone(&keeper))) };
        let writer = StreamWriter::child(leash);
        Ok((Stream::of(Peer::Child { pid }, StreamReader::other(output), writer), Self { keeper }))
    }

    /// Waits until the child has ended.
    ///
    /// # Errors
    ///
    /// When its status cannot be had, or on a thread of an async runtime.
    pub fn wait(self) -> io::Result<ExitStatus> {
        may_block().map_err(|refused: InsideRuntime| io::Error::other(refused))?;
        self.keeper.ended(None).unwrap_or_else(|| Err(unknown()))
    }
}

/// Waits for a child, and ends it.
#[derive(Debug)]
struct Keeper {
    child: Mutex<std::process::Child>,
    life: Mutex<Life>,
    ended: Condvar,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Life {
    Runs,
    Ended(ExitStatus),
    /// It has ended, and its status cannot be had.
    Lost,
}

impl Keeper {
    /// Waits until the child has ended. The child is not held meanwhile, so that it can be killed; its number is not
    /// given away before it is reaped.
    fn wait_for(&self, pid: u32) {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Some(pid) = pid
            && let Err(error) = waitid(WaitId::Pid(pid), ended)
            && error == rustix::io::Errno::INTR
        {}
        self.reap();
    }

    fn reap(&self) {
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) = status.map_or(Life::Lost, Life::Ended);
        self.ended.notify_all();
    }

    fn kill(&self) {
        // It may have ended just now.
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    /// How it ended; nothing if it does not within the limit.
    fn ended(&self, limit: Option<Duration>) -> Option<io::Result<ExitStatus>> {
        let runs = |life: &mut Life| *life == Life::Runs;
        let life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        let life = match limit {
            Some(limit) => {
                self.ended.wait_timeout_while(life, limit, runs).unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.ended.wait_while(life, runs).unwrap_or_else(PoisonError::into_inner),
        };
        match *life {
            Life::Runs => None,
            Life::Ended(status) => Some(Ok(status)),
            Life::Lost => Some(Err(unknown())),
        }
    }

    /// Ends it, if it does not end by itself in time.
    fn stop(&self) -> io::Result<ExitStatus> {
        if let Some(status) = self.ended(Some(GRACE)) {
            return status;
        }
        self.kill();
        self.ended(Some(GRACE)).unwrap_or_else(|| Err(unknown()))
    }
}

fn unknown() -> io::Error {
    io::Error::other("the status of the child is not known")
}

/// What the stream of a child holds: the child's input, and the child.
#[derive(Clone, Debug)]
pub(super) struct Leash {
    /// Taken when the child is to see its end.
    input: Arc<Mutex<Option<ChildStdin>>>,
    guard: Arc<Guard>,
}

impl Leash {
    /// Ends the child, which ends whatever waits for its pipes.
    ///
    /// # Errors
    ///
    /// When it did not end well.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        // One that is being written to does not see its end, and is killed.
        drop(self.input.try_lock().ok().and_then(|mut input| input.take()));
        let status = self.guard.0.stop()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("the child has ended with {status}")))
    }

    fn with_input<T>(&self, act: impl FnOnce(&mut ChildStdin) -> io::Result<T>) -> io::Result<T> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        input.as_mut().map_or_else(|| Err(io::ErrorKind::BrokenPipe.into()), act)
    }
}

impl Write for Leash {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.with_input(|input| input.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.with_input(|input| input.write_vectored(bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with_input(Write::flush)
    }
}

/// Sees to it that a child does not outlive its stream for long.
#[derive(Debug)]
struct Guard(Arc<Keeper>);

impl Drop for Guard {
    fn drop(&mut self) {
        if self.0.ended(Some(Duration::ZERO)).is_some() {
            return;
        }
        let keeper = Arc::clone(&self.0);
        let stop = thread::Builder::new().name("packetstream child".into());
        if stop.spawn(move || drop(keeper.stop())).is_err() {
            self.0.kill();
        }
    }
}
