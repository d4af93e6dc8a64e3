//! How a connection ends, step by step.

use super::*;

// Rules: L-4, L-5, L-6
#[test]
fn closing_without_anything_outstanding_sends_both_end_markers_at_once() {
    let mut state = State::default();
    state.close();
    state.close();
    assert_eq!(sent(&mut state), [3, 1, 2, 0, 3, 0, 2, 0]);
}

// Rules: L-4, L-5
#[test]
fn closing_waits_for_answers_in_both_directions() {
    let (mut a, mut b) = (State::default(), State::default());
    ask(&mut a, "asked before closing");
    ask(&mut b, "asked by the peer");
    a.close();
    let Some(Event::Requested(from_a)) = deliver(&mut a, &mut b).pop() else { panic!() };
    let Some(Event::Requested(from_b)) = deliver(&mut b, &mut a).pop() else { panic!() };
    assert_eq!(a.poll_transmit(), None, "a waits for an answer and owes one");

    b.respond(from_a.id, done("!"));
    deliver(&mut b, &mut a);
    assert_eq!(a.poll_transmit(), None, "a owes an answer");
    a.respond(from_b.id, done("?"));
    assert_eq!(a.poll_transmit(), Some(Packet::response(0, from_b.id.tag, done("?")).unwrap()));
    assert_eq!(a.poll_transmit(), Some(Packet::end_of_stream()));
    assert!(!a.is_finished(), "b has not said goodbye");

    a.handle_packet(Packet::end_of_stream()).unwrap();
    assert!(a.is_finished());
}

// Rules: L-7, L-8
#[test]
fn the_peers_last_packet_abandons_what_waits_and_closes_after_the_answers_owed() {
    let mut state = State::default();
    ask(&mut state, "older");
    ask(&mut state, "newer");
    sent(&mut state);
    let owed = requested(state.handle_packet(request(9)).unwrap());

    ask(&mut state, "never sent");
    assert_eq!(state.in_flight(), 3);

    let ended = state.handle_packet(Packet::end_of_stream()).unwrap();
    let abandoned = Abandoned { sent: vec!["older", "newer"], unsent: vec!["never sent"] };
    assert_eq!(ended, Some(Event::Ended(abandoned)));
    assert_eq!(state.in_flight(), 0);
    assert_eq!(sent(&mut state), Packet::end_of_requests().transcribe());
    assert_eq!(state.submit(0, 1, 0, Bytes::new(), "too late"), Err((SubmitError::Closed, "too late")));
    state.respond(owed.id, done(""));
    assert_eq!(sent(&mut state), [2, 9, 4, 3, 0, 2, 0]);
    assert!(state.is_finished());
}

// Rules: L-3
#[test]
fn a_response_may_follow_the_end_of_requests() {
    let mut state = State::default();
    ask(&mut state, "waiter");
    sent(&mut state);
    state.handle_packet(Packet::end_of_requests()).unwrap();
    let answered = state.handle_packet(response(2)).unwrap();
    assert_eq!(answered, Some(Event::Answered { waiter: "waiter", outcome: done("") }));
}

// Rules: R-11
#[test]
fn requests_after_the_peers_end_of_requests_are_refused() {
    let mut state = State::default();
    assert_eq!(state.handle_packet(Packet::end_of_requests()), Ok(None));
    assert_eq!(state.handle_packet(request(5)), Ok(None));
    let refusal = Packet::response(0, 5, Err(Failure::new("requests no longer allowed"))).unwrap();
    assert_eq!(state.poll_transmit(), Some(refusal));
}

// Rules: L-16
#[test]
fn nothing_behind_the_peers_last_packet_counts() {
    let mut state = State::default();
    state.handle_packet(Packet::end_of_stream()).unwrap();
    assert_eq!(state.handle_packet(request(5)), Ok(None));
    assert_eq!(state.handle_packet(Packet::end_of_stream()), Ok(None));
    assert_eq!(sent(&mut state), [3, 1, 2, 0, 3, 0, 2, 0]);
}

// Rules: L-10
#[test]
fn a_request_that_arrives_after_our_last_packet_is_not_performed() {
    let mut state = State::default();
    state.close();
    sent(&mut state);
    assert_eq!(state.handle_packet(request(5)), Ok(None));
    assert_eq!(state.poll_transmit(), None);
}

// Rules: L-17
#[test]
fn giving_up_returns_every_waiter_and_leaves_only_the_end_of_the_stream() {
    let mut state = State::default();
    ask(&mut state, "sent");
    sent(&mut state);
    ask(&mut state, "not sent");
    let owed = requested(state.handle_packet(request(5)).unwrap());
    let answered = requested(state.handle_packet(request(6)).unwrap());
    state.respond(answered.id, done("not sent either"));
    let abandoned = Abandoned { sent: vec!["sent"], unsent: vec!["not sent"] };
    assert_eq!(state.abort(), abandoned);
    state.respond(owed.id, done("too late"));
    assert_eq!(sent(&mut state), Packet::end_of_stream().transcribe());
    assert!(state.is_finished());
    assert_eq!(state.abort(), Abandoned { sent: vec![], unsent: vec![] });
}

// Rules: L-6, L-8
#[test]
fn a_goodbye_that_was_said_stays_said_when_the_peer_ends_first() {
    let mut state = State::default();
    ask(&mut state, "w");
    state.close();
    assert_eq!(state.handle_eof().unsent, ["w"]);
    assert_eq!(sent(&mut state), [3, 1, 2, 0, 3, 0, 2, 0]);
}

// Rules: L-2, L-3
#[test]
fn draining_sends_the_end_of_requests_and_answers_on() {
    let (mut a, mut b) = (State::default(), State::default());
    a.submit(0, 1, 0, Bytes::new(), "asked before").unwrap();
    a.drain();
    a.drain();
    assert_eq!(a.submit(0, 1, 0, Bytes::new(), "too late"), Err((SubmitError::Closed, "too late")));
    let asked = deliver(&mut a, &mut b);
    assert_eq!(asked.len(), 1);
    assert!(b.is_peer_draining() && !b.is_closing());

    let id = requested(Some(asked.into_iter().next().unwrap())).id;
    b.respond(id, done("answered"));
    ask(&mut b, "asked of one that drains");
    let events = deliver(&mut b, &mut a);
    assert_eq!(events[0], Event::Answered { waiter: "asked before", outcome: done("answered") });
    let Event::Requested(Requested { id, .. }) = events[1] else { panic!() };
    a.respond(id, done("served"));
    assert_eq!(deliver(&mut a, &mut b).len(), 1);
    assert_eq!(a.poll_transmit(), None, "the peer may ask on");
    assert!(!a.is_closing());
}

// Rules: L-9
#[test]
fn when_both_sides_have_drained_both_end_their_streams() {
    for b_drains_late in [true, false] {
        let (mut a, mut b) = (State::default(), State::default());
        a.drain();
        if b_drains_late {
            deliver(&mut a, &mut b);
        }
        b.drain();
        for _ in 0..3 {
            deliver(&mut a, &mut b);
            deliver(&mut b, &mut a);
        }
        assert!(a.is_finished() && b.is_finished());
    }
}

// Rules: L-6
#[test]
fn closing_after_draining_says_the_end_of_requests_once() {
    let mut state = State::default();
    state.drain();
    state.close();
    assert_eq!(sent(&mut state), [3, 1, 2, 0, 3, 0, 2, 0]);
    assert!(state.is_silent());
}

// Rules: L-14
#[test]
fn two_sides_that_close_at_once_say_both_markers_each_and_finish() {
    let (mut a, mut b) = (State::default(), State::default());
    a.close();
    b.close();
    let (from_a, from_b) = (sent(&mut a), sent(&mut b));
    for (bytes, to) in [(from_a, &mut b), (from_b, &mut a)] {
        assert_eq!(bytes, [3, 1, 2, 0, 3, 0, 2, 0]);
        to.handle_packet(Packet::end_of_requests()).unwrap();
        to.handle_packet(Packet::end_of_stream()).unwrap();
        assert_eq!(to.poll_transmit(), None);
        assert!(to.is_finished());
    }
}
