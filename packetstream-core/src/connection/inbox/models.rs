//! Commands of handles while their driver goes to sleep, or goes.

use super::super::call::Submission;
use super::super::models::Model;
use super::super::park::Place;
use super::super::trace::CallSpan;
use super::{Inbox, Wish};
use crate::sync::thread;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

pub(in crate::connection) const MODELS: &[Model] = &[
    Model { name: "inbox: whoever commands wakes the driver", run: whoever_commands_wakes_the_driver },
    Model { name: "inbox: a request is handed over or refused", run: handed_over_or_refused },
    Model { name: "inbox: a barrier is obeyed, refused or dropped", run: no_barrier_is_left },
];

fn submit(inbox: &Inbox, rq_type: u64) -> bool {
    let make = |answer| Submission {
        channel: 0,
        rq_type,
        flags: 0,
        payload: Bytes::new(),
        answer,
        observed: None,
        span: CallSpan::default(),
    };
    inbox.submit(0, make).is_some()
}

fn whoever_commands_wakes_the_driver() {
    let inbox = Arc::new(Inbox::new(2));
    for rq_type in [1, 2] {
        let inbox = Arc::clone(&inbox);
        thread::spawn(move || assert!(submit(&inbox, rq_type)));
    }
    let place = Place::new();
    let mut taken = VecDeque::new();
    while taken.len() < 2 {
        let before = taken.len();
        inbox.poll(&mut taken, &mut Vec::new(), place.waker());
        if taken.len() == before {
            place.wait();
        }
    }
}

fn handed_over_or_refused() {
    let inbox = Arc::new(Inbox::new(2));
    let submitting = {
        let inbox = Arc::clone(&inbox);
        thread::spawn(move || usize::from(submit(&inbox, 1)) + usize::from(submit(&inbox, 2)))
    };
    let closing = {
        let inbox = Arc::clone(&inbox);
        thread::spawn(move || {
            inbox.wish(Wish::Close);
            assert!(!submit(&inbox, 3), "nothing is taken after the close");
        })
    };
    let place = Place::new();
    let mut taken = VecDeque::new();
    while inbox.poll(&mut taken, &mut Vec::new(), place.waker()) == Wish::Live {
        place.wait();
    }
    // As the driver does when it has ended.
    inbox.end(&mut taken);
    inbox.leave();
    assert_eq!(taken.len(), submitting.join().unwrap(), "each is handed over or refused");
    closing.join().unwrap();
}

fn no_barrier_is_left() {
    let inbox = Arc::new(Inbox::new(2));
    let leaving = {
        let inbox = Arc::clone(&inbox);
        thread::spawn(move || {
            let mut taken = VecDeque::new();
            inbox.poll(&mut taken, &mut Vec::new(), std::task::Waker::noop());
            inbox.end(&mut taken);
            inbox.leave();
        })
    };
    let (reached, mut waiting) = oneshot::channel();
    // Refused, it is dropped.
    inbox.bar(reached);
    leaving.join().unwrap();
    let left = waiting.try_recv();
    assert_eq!(left, Err(oneshot::error::TryRecvError::Closed), "whoever waits for it would wait for ever");
}
