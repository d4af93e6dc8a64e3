//! Calls for a writer that goes to sleep, or goes to write, and for a driver.

use super::super::super::models::Model;
use super::Bell;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Condvar, Mutex, thread};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

pub(in crate::connection) const MODELS: &[Model] = &[
    Model { name: "bell: a writer that goes to sleep hears it", run: a_writer_that_goes_to_sleep_hears_it },
    Model { name: "bell: the driver hears it while the writer is held up", run: the_driver_hears_it },
    Model { name: "bell: the writer looks when it is back", run: the_writer_looks_when_it_is_back },
    Model { name: "bell: an alarm is set while the driver goes to sleep", run: an_alarm_is_set },
    Model { name: "bell: everybody hears the end", run: everybody_hears_the_end },
];

/// What there is to look at. Nothing but the bell makes it seen.
struct Desk {
    bell: Bell,
    news: AtomicUsize,
}

impl Desk {
    fn new() -> Arc<Self> {
        Arc::new(Self { bell: Bell::default(), news: AtomicUsize::new(0) })
    }

    fn ring(self: &Arc<Self>) {
        self.news.fetch_add(1, Ordering::Relaxed);
        self.bell.ring();
    }

    fn sees(&self, news: usize) -> bool {
        self.news.load(Ordering::Relaxed) == news
    }
}

fn spawn(desk: &Arc<Desk>, work: impl FnOnce(&Arc<Desk>) + 'static) {
    let desk = Arc::clone(desk);
    thread::spawn(move || work(&desk));
}

fn a_writer_that_goes_to_sleep_hears_it() {
    let desk = Desk::new();
    spawn(&desk, Desk::ring);
    spawn(&desk, Desk::ring);
    while !desk.sees(2) {
        desk.bell.await_writer(None);
    }
}

/// The transport takes nothing until somebody has seen the news.
fn the_driver_hears_it() {
    struct Transport(Mutex<bool>, Condvar);

    let transport = Arc::new(Transport(Mutex::new(false), Condvar::new()));
    let desk = Desk::new();
    let gives_way = Arc::clone(&transport);
    spawn(&desk, move |desk| {
        while !desk.sees(1) {
            desk.bell.await_driver();
        }
        *gives_way.0.lock().unwrap() = true;
        gives_way.1.notify_one();
    });
    spawn(&desk, Desk::ring);
    if !desk.sees(1) {
        desk.bell.begin_writing();
        let mut gives_way = transport.0.lock().unwrap();
        while !*gives_way {
            gives_way = transport.1.wait(gives_way).unwrap();
        }
        drop(gives_way);
        desk.bell.end_writing();
    }
    desk.bell.ring_for_good();
}

fn the_writer_looks_when_it_is_back() {
    let desk = Desk::new();
    spawn(&desk, |desk| {
        while !desk.sees(1) {
            desk.bell.await_driver();
        }
        // There may be something to write now.
        desk.bell.ring();
    });
    spawn(&desk, Desk::ring);
    while !desk.sees(1) {
        desk.bell.begin_writing();
        desk.bell.end_writing();
        if !desk.sees(1) {
            desk.bell.await_writer(None);
        }
    }
    desk.bell.ring_for_good();
}

fn an_alarm_is_set() {
    let desk = Desk::new();
    let now = Instant::now();
    spawn(&desk, move |desk| {
        desk.bell.ring_at(now + Duration::from_hours(1));
        desk.bell.ring_at(now);
    });
    desk.bell.await_driver();
    assert_eq!(desk.bell.lock().alarm, None, "it went off");
}

fn everybody_hears_the_end() {
    let desk = Desk::new();
    spawn(&desk, |desk| desk.bell.await_driver());
    spawn(&desk, |desk| {
        desk.bell.await_writer(None);
        desk.bell.await_writer(None);
    });
    desk.bell.ring();
    desk.bell.ring_for_good();
}
