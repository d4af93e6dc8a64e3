//! Panics of the database, which are errors here: it panics where a page is not what it has written.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Works on the database; the error is the panic's text. What was worked on is not to be used any more then.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, redb::Error> {
    let within = CATCHING.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(within);
    outcome.map_err(|panic| {
        let text = panic.downcast::<String>().map(|text| *text);
        let text = text.or_else(|panic| panic.downcast::<&str>().map(|text| (*text).to_owned()));
        redb::Error::Corrupted(text.unwrap_or_default())
    })
}

/// Has no panic of a store's database printed: it is an error of what was asked for.
///
/// This changes the process's panic hook, and is meant for programs. Other panics are printed as before.
pub fn hush_database() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !CATCHING.get() {
            others(info);
        }
    }));
}
