//! What handles want of the driver.

use super::call::Submission;
use super::handler::Perform;
use crate::sync::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::PoisonError;
use std::task::Waker;
use tokio::sync::oneshot;

/// Commands of handles, and how much of the connection they still want.
///
/// A channel would not do: what is sent while its receiver goes can stay in it, and its sender wait for
/// ever. Here a command is either handed to the driver or refused, under one lock.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    commands: VecDeque<Command>,
    settings: Vec<Setting>,
    wish: Wish,
    driver: Option<Waker>,
    /// Whether the driver has gone, so that nothing is obeyed any more.
    is_left: bool,
}

/// What a handle wants done, in this order.
pub(super) enum Command {
    /// Ask the peer.
    Submit(Submission),
    /// Tell when everything that was submitted before is settled.
    Barrier(oneshot::Sender<()>),
}

/// What a handle wants otherwise from now on. It overtakes commands, which may wait for an answer that depends on it.
pub(super) enum Setting {
    /// Open a channel, if it is not open.
    Open(u64),
    /// Open a channel, if it is not open, and have its requests performed so.
    Serve(u64, Box<dyn Perform>),
}

/// How much of a connection its handles want; they never want more again.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Wish {
    /// All of it.
    #[default]
    Live,
    /// To answer, and ask no more.
    Drain,
    /// To end it when everything is answered.
    Close,
    /// To end it now.
    Abort,
}

impl Inbox {
    /// Hands a command to the driver; gives it back if it comes too late. Only barriers are taken for as long as
    /// there is a driver.
    pub(super) fn push(&self, command: Command) -> Result<(), Command> {
        let mut contents = self.lock();
        let is_open = contents.wish == Wish::Live || matches!(command, Command::Barrier(_));
        if contents.is_left || !is_open {
            return Err(command);
        }
        contents.commands.push_back(command);
        wake(contents);
        Ok(())
    }

    /// Hands a setting to the driver, for as long as there is one.
    pub(super) fn set(&self, setting: Setting) {
        let mut contents = self.lock();
        if contents.is_left {
            // What may be code of others is dropped when the lock is free.
            drop(contents);
            return drop(setting);
        }
        contents.settings.push(setting);
        wake(contents);
    }

    /// Wants no more than this from now on. What was commanded before stays.
    pub(super) fn wish(&self, wish: Wish) {
        let mut contents = self.lock();
        contents.wish = contents.wish.max(wish);
        seeded!(LostWakeUp => return);
        wake(contents);
    }

    /// Has the driver look at things.
    pub(super) fn nudge(&self) {
        wake(self.lock());
    }

    /// Moves the commands and the settings behind what `taken` and `settings` hold, and says what is wished. Whoever
    /// changes that next wakes the task.
    pub(super) fn poll(
        &self,
        taken: &mut VecDeque<Command>,
        settings: &mut Vec<Setting>,
        waker: &Waker,
    ) -> Wish {
        let mut contents = self.lock();
        settings.append(&mut contents.settings);
        if taken.is_empty() {
            mem::swap(taken, &mut contents.commands);
        } else {
            taken.append(&mut contents.commands);
        }
        match &mut contents.driver {
            Some(driver) => driver.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        contents.wish
    }

    /// Takes no more requests, and moves the commands behind what `taken` holds.
    pub(super) fn end(&self, taken: &mut VecDeque<Command>) {
        let mut contents = self.lock();
        contents.wish = contents.wish.max(Wish::Close);
        taken.append(&mut contents.commands);
    }

    /// Takes no more commands at all, and drops those that nobody will obey.
    pub(super) fn leave(&self) {
        let mut contents = self.lock();
        contents.wish = contents.wish.max(Wish::Close);
        contents.is_left = true;
        contents.driver = None;
        let left = (mem::take(&mut contents.commands), mem::take(&mut contents.settings));
        drop(contents);
        drop(left);
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // No code of others runs under the lock, so there is nothing half done to be afraid of.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the driver, once the lock is free.
fn wake(mut contents: MutexGuard<'_, Contents>) {
    let driver = contents.driver.take();
    drop(contents);
    if let Some(waker) = driver {
        waker.wake();
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit(submission) => submission.fmt(f),
            Self::Barrier(_) => f.write_str("Barrier"),
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(channel) => write!(f, "Open({channel})"),
            Self::Serve(channel, _) => write!(f, "Serve({channel})"),
        }
    }
}

#[cfg(model = "loom")]
pub(in crate::connection) mod models;
