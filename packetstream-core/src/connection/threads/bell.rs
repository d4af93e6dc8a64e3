//! Calling a thread to the session.

use crate::sync::{Condvar, Mutex, MutexGuard};
use std::sync::{Arc, PoisonError};
use std::task::Wake;
use tokio::time::Instant;

/// Calls the writer to the session, or the driver while the writer is busy writing.
///
/// It has a lock of its own, which nothing is done under: handles ring it from anywhere, also from within the
/// session.
#[derive(Debug, Default)]
pub(super) struct Bell {
    state: Mutex<State>,
    writer: Condvar,
    driver: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether somebody is wanted.
    is_rung: bool,
    /// Whether the writer may be held up by the transport.
    is_writing: bool,
    /// When the driver has to look in any case.
    alarm: Option<Instant>,
    is_over: bool,
}

impl Bell {
    /// Has somebody look at the session soon.
    pub(super) fn ring(&self) {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.is_rung, true) {
            let who = if state.is_writing { &self.driver } else { &self.writer };
            who.notify_one();
        }
    }

    /// Has the driver look at this time, or before.
    pub(super) fn ring_at(&self, time: Instant) {
        let mut state = self.lock();
        if state.alarm.is_none_or(|alarm| time < alarm) {
            state.alarm = Some(time);
            self.driver.notify_one();
        }
    }

    /// Calls everybody, from now on.
    pub(super) fn ring_for_good(&self) {
        self.lock().is_over = true;
        self.writer.notify_all();
        self.driver.notify_all();
    }

    /// The writer goes to write.
    pub(super) fn begin_writing(&self) {
        let mut state = self.lock();
        state.is_writing = true;
        if state.is_rung {
            // It came since the writer has looked.
            self.driver.notify_one();
        }
    }

    /// The writer is back, and will look at the session whether or not somebody has rung.
    pub(super) fn end_writing(&self) {
        let mut state = self.lock();
        state.is_writing = false;
        state.is_rung = false;
    }

    /// Waits until the writer is called, or the time has come.
    pub(super) fn await_writer(&self, until: Option<Instant>) {
        let mut state = self.lock();
        while !state.is_rung && !state.is_over {
            let Some(woken) = wait(&self.writer, state, until) else { return };
            state = woken;
        }
        state.is_rung = false;
    }

    /// Waits until the driver is called, or its time has come.
    pub(super) fn await_driver(&self) {
        let mut state = self.lock();
        while !(state.is_over || state.is_rung && state.is_writing) {
            let until = state.alarm;
            let Some(woken) = wait(&self.driver, state, until) else {
                self.lock().alarm = None;
                return;
            };
            state = woken;
        }
        if state.is_writing {
            state.is_rung = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, so there is nothing half done to be afraid of.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits to be notified; nothing if the time has come.
pub(super) fn wait<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    until: Option<Instant>,
) -> Option<MutexGuard<'a, T>> {
    let Some(until) = until else { return Some(condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)) };
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return None;
    }
    Some(condvar.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0)
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

#[cfg(model = "loom")]
pub(in crate::connection) mod models;
