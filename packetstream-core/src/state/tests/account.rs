use super::*;

// Rules: L-2, L-5
#[test]
fn a_state_tells_how_far_its_goodbye_is() {
    let stages = |state: &State| [state.is_draining(), state.is_closing(), state.is_silent()];
    let mut state = State::default();
    assert_eq!(stages(&state), [false, false, false]);
    requested(state.handle_packet(request(9)).unwrap());
    state.drain();
    assert_eq!(stages(&state), [true, false, false]);
    state.close();
    assert_eq!(stages(&state), [true, true, false]);
    state.respond(RequestId { channel: 0, tag: 9 }, done(""));
    sent(&mut state);
    assert_eq!(stages(&state), [true, true, true]);
}

// Rules: L-2, L-4
#[test]
fn a_state_tells_how_far_the_peers_goodbye_is() {
    let stages = |state: &State| [state.is_peer_draining(), state.is_peer_silent()];
    let mut state = State::default();
    assert_eq!(stages(&state), [false, false]);
    state.handle_packet(Packet::end_of_requests()).unwrap();
    assert_eq!(stages(&state), [true, false]);
    state.handle_packet(Packet::end_of_stream()).unwrap();
    assert_eq!(stages(&state), [true, true]);
}

// Rules: L-17
#[test]
fn a_connection_that_was_given_up_is_finished_when_its_last_packet_has_gone() {
    let mut state = State::default();
    state.abort();
    assert!(!state.is_finished());
    assert_eq!(sent(&mut state), Packet::end_of_stream().transcribe());
    assert!(state.is_finished());
}

// Rules: R-9
#[test]
fn channel_0_is_open_and_others_once_they_were_opened() {
    let mut state = State::default();
    state.open_channel(7);
    assert_eq!([0, 7, 8].map(|channel| state.is_open(channel)), [true, true, false]);
}

// Rules: none: numbers
#[test]
fn what_waits_to_be_sent_is_counted_without_end_markers() {
    let queued = |state: &State| {
        (
            state.queued_requests(),
            state.queued_responses(),
            state.queued_response_bytes(),
            state.queued_bytes(),
        )
    };
    let mut state = State::default();
    for waiter in ["a", "b", "c"] {
        state.submit(0, 1, 0, Bytes::from_static(b"asks"), waiter).unwrap();
    }
    for tag in [8, 9] {
        requested(state.handle_packet(request(tag)).unwrap());
        state.respond(RequestId { channel: 0, tag }, done("answers"));
    }
    state.drain();
    assert_eq!(queued(&state), (3, 2, 14, 26));
    state.poll_transmit().unwrap();
    assert_eq!(queued(&state), (3, 1, 7, 19));
    assert!(state.transmit(|packet| assert_eq!(packet.payload(), "asks")));
    assert_eq!(queued(&state), (2, 1, 7, 15));
    assert!(state.transmit(|packet| assert_eq!(packet.payload(), "answers")));
    assert_eq!(queued(&state), (2, 0, 0, 8));
    assert!(!state.is_finished());
    sent(&mut state);
    assert_eq!(queued(&state), (0, 0, 0, 0));
}
