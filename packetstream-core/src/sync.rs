//! Locks, atomics and threads: the standard library's, or those of a model checker.
//!
//! `models/` compiles the crate with the latter, to run it in every order of its threads, or in many. Whatever threads
//! share comes from here; only `clock.rs`, which no model has a use for, is the process's own.

#[cfg(model = "loom")]
pub(crate) use loom::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread,
};
#[cfg(model = "shuttle")]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread,
};
#[cfg(not(any(model = "loom", model = "shuttle")))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread,
};
