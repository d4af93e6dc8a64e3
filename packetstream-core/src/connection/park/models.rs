//! Waking a thread that goes to sleep.

use super::super::models::Model;
use super::Place;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::thread;
use std::sync::Arc;

pub(in crate::connection) const MODELS: &[Model] = &[
    Model { name: "park: whoever is woken sees why", run: whoever_is_woken_sees_why },
    Model { name: "park: one wait does not take another's wake-up", run: nested },
];

fn whoever_is_woken_sees_why() {
    let place = Place::new();
    let news = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    for index in [0, 1] {
        let (news, waker) = (Arc::clone(&news), place.waker().clone());
        thread::spawn(move || {
            // Nothing but the wake-up makes it seen.
            news[index].store(1, Ordering::Relaxed);
            waker.wake();
        });
    }
    while news.iter().any(|news| news.load(Ordering::Relaxed) == 0) {
        place.wait();
    }
}

fn nested() {
    let (outer, inner) = (Place::new(), Place::new());
    for place in [&outer, &inner] {
        let waker = place.waker().clone();
        thread::spawn(move || waker.wake());
    }
    inner.wait();
    outer.wait();
}
