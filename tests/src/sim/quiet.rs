//! Panics in a simulation: heard, not printed.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    /// What panics have said on this thread, while somebody listens.
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs `work`, and returns what panics within it have said, which is not printed.
pub(super) fn listen<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_heard = HEARD.with_borrow_mut(|heard| {
                if let Some(heard) = heard {
                    heard.push(info.to_string());
                }
                heard.is_some()
            });
            if !is_heard {
                print(info);
            }
        }));
    });
    HEARD.set(Some(Vec::new()));
    let done = work();
    (done, HEARD.take().unwrap_or_default())
}
