mod account;
mod goodbyes;

use super::*;
use crate::outcome::Reply;

type State = ConnectionState<&'static str>;

#[allow(clippy::unnecessary_wraps, reason = "an outcome is what `respond` takes")]
fn done(text: &'static str) -> Outcome {
    Ok(Reply::from(Bytes::from(text)))
}

/// Hands all pending packets from one machine to the other and returns what they meant to it.
fn deliver(from: &mut State, to: &mut State) -> Vec<Event<&'static str>> {
    let packets: Vec<Packet> = std::iter::from_fn(|| from.poll_transmit()).collect();
    packets.into_iter().filter_map(|packet| to.handle_packet(packet).unwrap()).collect()
}

fn sent(state: &mut State) -> Vec<u8> {
    std::iter::from_fn(|| state.poll_transmit()).flat_map(|packet| packet.transcribe()).collect()
}

fn ask(state: &mut State, waiter: &'static str) -> RequestId {
    state.submit(0, 1, 0, Bytes::new(), waiter).unwrap()
}

fn request(tag: u64) -> Packet {
    Packet::request(0, tag, 1, 0, Bytes::new()).unwrap()
}

fn response(tag: u64) -> Packet {
    Packet::response(0, tag, done("")).unwrap()
}

fn requested(event: Option<Event<&'static str>>) -> Requested {
    match event {
        Some(Event::Requested(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

// Rules: W-25
#[test]
fn tags_start_at_2_on_channel_0_and_at_0_elsewhere_and_grow_by_one() {
    let mut state = State::default();
    state.open_channel(7);
    let tags = |state: &mut State, channel| {
        [(); 3].map(|()| state.submit(channel, 1, 0, Bytes::new(), "").unwrap().tag)
    };
    assert_eq!(tags(&mut state, 0), [2, 3, 4]);
    assert_eq!(tags(&mut state, 7), [0, 1, 2]);
    assert_eq!(tags(&mut state, 0), [5, 6, 7]);
}

// Rules: L-4, L-5
#[test]
fn what_is_written_where_it_lies_is_what_would_be_taken() {
    let (mut written, mut taken) = (State::default(), State::default());
    for state in [&mut written, &mut taken] {
        ask(state, "waiter");
        requested(state.handle_packet(request(9)).unwrap());
        state.respond(RequestId { channel: 0, tag: 9 }, done(""));
        state.handle_packet(response(2)).unwrap();
        state.close();
    }
    while let Some(expected) = taken.poll_transmit() {
        let mut packets = Vec::new();
        assert!(written.transmit(|packet| packets.push(packet.clone())));
        assert_eq!(packets, [expected]);
    }
    assert!(written.is_silent());
    assert!(!written.transmit(|packet| panic!("{packet}")));
}

// Rules: W-10, W-11, W-12, W-25
#[test]
fn the_first_request_and_its_answer_have_the_bytes_of_the_specification() {
    let (mut a, mut b) = (State::default(), State::default());
    a.submit(0, 1, 0x55, Bytes::from_static(&[2, 3]), "waiter").unwrap();
    let packet = a.poll_transmit().unwrap();
    assert_eq!(packet.transcribe(), [6, 2, 0x82, 0x56, 2, 2, 3][..]);

    let request = requested(b.handle_packet(packet).unwrap());
    assert_eq!((request.rq_type, request.flags, &request.payload[..]), (1, 0x55, &[2, 3][..]));
    b.respond(request.id, Ok(Reply::from((0x11, Bytes::from_static(&[3, 2])))));
    let packet = b.poll_transmit().unwrap();
    assert_eq!(packet.transcribe(), [5, 2, 0x81, 0x0c, 3, 2][..]);

    let outcome = Ok(Reply::from((0x11, Bytes::from_static(&[3, 2]))));
    assert_eq!(a.handle_packet(packet), Ok(Some(Event::Answered { waiter: "waiter", outcome })));
}

// Rules: W-27
#[test]
fn the_same_tag_in_both_directions_is_two_requests() {
    let (mut a, mut b) = (State::default(), State::default());
    assert_eq!((ask(&mut a, "of a").tag, ask(&mut b, "of b").tag), (2, 2));
    let of_a = requested(deliver(&mut a, &mut b).pop());
    let of_b = requested(deliver(&mut b, &mut a).pop());
    b.respond(of_a.id, done("by b"));
    assert_eq!(deliver(&mut b, &mut a), [Event::Answered { waiter: "of a", outcome: done("by b") }]);
    a.respond(of_b.id, done("by a"));
    assert_eq!(deliver(&mut a, &mut b), [Event::Answered { waiter: "of b", outcome: done("by a") }]);
}

// Rules: R-4
#[test]
fn flags_and_payload_of_an_answer_reach_its_waiter_ok_or_not() {
    let (mut a, mut b) = (State::default(), State::default());
    let (flags, payload) = (0x11, Bytes::from_static(b"why"));
    for outcome in [Ok(Reply { flags, payload: payload.clone() }), Err(Failure { flags, payload })] {
        ask(&mut a, "waiter");
        let asked = requested(deliver(&mut a, &mut b).pop());
        b.respond(asked.id, outcome.clone());
        assert_eq!(deliver(&mut b, &mut a), [Event::Answered { waiter: "waiter", outcome }]);
    }
}

// Rules: R-2
#[test]
fn answers_find_their_waiters_in_any_order() {
    let (mut a, mut b) = (State::default(), State::default());
    let tags = ["first", "second", "third"].map(|waiter| ask(&mut a, waiter));
    deliver(&mut a, &mut b);
    for (id, waiter) in [(tags[2], "third"), (tags[0], "first"), (tags[1], "second")] {
        b.respond(id, done(waiter));
        assert_eq!(deliver(&mut b, &mut a), [Event::Answered { waiter, outcome: done(waiter) }]);
    }
}

// Rules: W-29, R-9
#[test]
fn a_request_on_an_unknown_channel_is_refused_there() {
    let mut state = State::default();
    let stranger = Packet::request(7, 5, 1, 0, Bytes::new()).unwrap();
    assert_eq!(state.handle_packet(stranger), Ok(None));
    let refusal = Packet::response(7, 5, Err(Failure::new("unknown channel 7"))).unwrap();
    assert_eq!(state.poll_transmit(), Some(refusal));
    assert_eq!(state.submit(7, 1, 0, Bytes::new(), "w"), Err((SubmitError::UnknownChannel(7), "w")));
}

// Rules: W-25, W-29
#[test]
fn channels_have_tags_of_their_own() {
    let (mut a, mut b) = (State::default(), State::default());
    a.open_channel(2);
    b.open_channel(2);
    let main = ask(&mut a, "main");
    let [zero, one, two] = [(); 3].map(|()| a.submit(2, 1, 0, Bytes::new(), "side").unwrap());
    assert_eq!((zero.tag, one.tag, two.tag, main.tag), (0, 1, 2, 2));
    assert_eq!(deliver(&mut a, &mut b).len(), 4);
    b.respond(two, done("side"));
    assert_eq!(deliver(&mut b, &mut a), [Event::Answered { waiter: "side", outcome: done("side") }]);
    b.respond(main, done("main"));
    assert_eq!(deliver(&mut b, &mut a), [Event::Answered { waiter: "main", outcome: done("main") }]);
}

// Rules
#[test]
fn a_tag_in_flight_is_answered_once_and_for_the_first_request() {
    let mut state = State::default();
    let first = requested(state.handle_packet(request(5)).unwrap());
    assert_eq!(state.handle_packet(request(5)), Ok(None));
    assert_eq!(state.poll_transmit(), None, "the second is not answered");
    state.respond(first.id, done("1"));
    state.respond(first.id, done("2"));
    assert_eq!(state.poll_transmit(), Some(Packet::response(0, 5, done("1")).unwrap()));
    assert_eq!(state.poll_transmit(), None);
}

// Rules: W-28
#[test]
fn tags_of_the_peer_may_come_in_any_order_0_and_1_among_them() {
    let mut state = State::default();
    for tag in [300, u64::MAX, 1, 2, 0] {
        assert_eq!(requested(state.handle_packet(request(tag)).unwrap()).id.tag, tag);
    }
}

// Rules
#[test]
fn unknown_responses_are_ignored_within_a_budget_that_answers_refund() {
    let mut state = State::default();
    let elsewhere = Packet::response(9, 2, done("")).unwrap();
    for _ in 0..STRAY_BUDGET / 2 {
        assert_eq!(state.handle_packet(response(1_000)), Ok(None));
        assert_eq!(state.handle_packet(elsewhere.clone()), Ok(None));
    }
    ask(&mut state, "w");
    state.handle_packet(response(2)).unwrap().unwrap();
    assert_eq!(state.handle_packet(response(2)), Ok(None), "the second response to a tag is a stray");
    let too_many = ProtocolError::TooManyStrays { channel: 0, tag: 1_000 };
    assert_eq!(state.handle_packet(response(1_000)), Err(too_many));
}

// Rules: L-6, R-13
#[test]
fn end_of_requests_may_be_repeated_within_the_budget() {
    let mut state = State::default();
    for _ in 0..=STRAY_BUDGET {
        assert_eq!(state.handle_packet(Packet::end_of_requests()), Ok(None));
    }
    state.handle_packet(Packet::end_of_requests()).unwrap_err();
}

// Rules: R-13
#[test]
fn whatever_makes_no_sense_counts_to_one_budget() {
    let mut state = State::default();
    state.handle_packet(request(5)).unwrap();
    state.handle_packet(Packet::end_of_requests()).unwrap();
    for n in 0..STRAY_BUDGET {
        let packet = [response(9), request(5), Packet::end_of_requests()][n as usize % 3].clone();
        assert_eq!(state.handle_packet(packet), Ok(None));
    }
    state.handle_packet(request(5)).unwrap_err();
    assert_eq!(state.ignored(), u64::from(STRAY_BUDGET) + 1);
}

// Rules: W-18
#[test]
fn padded_end_markers_are_end_markers() {
    for tag in [0, 1] {
        for bytes in
            [&[4, 0x80, tag, 2, 0][..], &[0x80, 3, tag, 2, 0], &[4, tag, 3, 0, 0], &[4, tag, 2, 0x80, 0]]
        {
            let packet = Packet::parse(&mut Bytes::copy_from_slice(bytes)).unwrap();
            let marker = [Packet::end_of_stream(), Packet::end_of_requests()][usize::from(tag)].clone();
            assert_eq!(packet, marker, "{bytes:02x?}");
            let mut state = State::default();
            state.handle_packet(packet).unwrap();
            assert_eq!((state.is_peer_silent(), state.is_peer_draining()), (tag == 0, true));
        }
    }
}

// Rules: W-19
#[test]
fn wire_type_0_with_anything_else_is_an_error() {
    for bytes in [&[3, 2, 2, 0][..], &[3, 0, 6, 0], &[4, 0, 2, 0, 9], &[4, 0, 3, 1, 0]] {
        let packet = Packet::parse(&mut Bytes::from_static(bytes)).unwrap();
        let error = State::default().handle_packet(packet).unwrap_err();
        assert!(matches!(error, ProtocolError::UnknownControl { .. }), "{bytes:02x?}: {error}");
    }
}

// Rules: W-14
#[test]
fn what_the_wire_cannot_carry_is_refused_before_a_tag_is_taken() {
    let mut state = State::default();
    for (rq_type, flags) in [(u64::MAX, 0), (0, 1 << 62)] {
        let (error, waiter) = state.submit(0, rq_type, flags, Bytes::new(), "back").unwrap_err();
        assert!(matches!(error, SubmitError::Packet(_)), "{error}");
        assert_eq!(waiter, "back");
    }
    assert_eq!(ask(&mut state, "first").tag, 2);
}

// Rules: R-16
#[test]
fn an_outcome_that_the_wire_cannot_carry_becomes_a_failure() {
    let mut state = State::default();
    let owed = requested(state.handle_packet(request(5)).unwrap());
    state.respond(owed.id, Ok(Reply::from(u64::MAX)));
    assert_eq!(state.poll_transmit().unwrap().into_outcome(), Some(Err(Failure::internal())));
}

// Rules: none: counters
#[test]
fn payload_bytes_are_counted_until_the_answer() {
    let (mut a, mut b) = (State::default(), State::default());
    for length in [10, 100] {
        a.submit(0, 1, 0, vec![0; length].into(), "w").unwrap();
    }
    assert_eq!((a.in_flight_bytes(), a.queued_bytes()), (110, 110));
    let events = deliver(&mut a, &mut b);
    assert_eq!((a.in_flight_bytes(), a.queued_bytes(), b.owed_bytes()), (110, 0, 110));
    let Some(Event::Requested(first)) = events.into_iter().next() else { panic!() };
    b.respond(first.id, done(""));
    deliver(&mut b, &mut a);
    assert_eq!((a.in_flight_bytes(), b.owed_bytes()), (100, 100));
    a.abort();
    b.abort();
    assert_eq!((a.in_flight_bytes(), b.owed_bytes()), (0, 0));
}

// Rules: W-26
#[test]
fn tags_end_and_do_not_wrap() {
    let mut state = State::default();
    state.channels.get_mut(0).unwrap().next_tag = u64::MAX - 1;
    assert_eq!(ask(&mut state, "last").tag, u64::MAX - 1);
    assert_eq!(state.submit(0, 1, 0, Bytes::new(), "w"), Err((SubmitError::TagsExhausted(0), "w")));
}

// Rules: none: fairness
#[test]
fn a_response_waits_for_no_more_than_one_request() {
    let mut state = State::default();
    for _ in 0..3 {
        ask(&mut state, "w");
    }
    state.poll_transmit().unwrap();
    let owed = requested(state.handle_packet(request(5)).unwrap());
    state.respond(owed.id, done(""));
    assert_eq!(state.poll_transmit(), Some(response(5)));
}

// Rules: none: fairness
#[test]
fn responses_and_requests_take_turns() {
    let mut state = State::default();
    let owed = [5, 6, 7].map(|tag| requested(state.handle_packet(request(tag)).unwrap()).id);
    for id in owed {
        ask(&mut state, "w");
        state.respond(id, done(""));
    }
    let kinds: Vec<bool> = std::iter::from_fn(|| state.poll_transmit())
        .map(|packet| matches!(packet.kind(), Kind::Response { .. }))
        .collect();
    assert_eq!(kinds, [true, false, true, false, true, false]);
}

// Rules: R-9
#[test]
fn refusals_of_the_state_are_counted_and_known_by_their_text() {
    let (mut a, mut b) = (State::default(), State::default());
    a.open_channel(7);
    a.submit(7, 1, 0, Bytes::new(), "elsewhere").unwrap();
    deliver(&mut a, &mut b);
    let Some(Event::Answered { outcome: Err(failure), .. }) = deliver(&mut b, &mut a).pop() else { panic!() };
    assert_eq!(failure, Failure::unknown_channel(7));
    assert!(failure.is_unknown_channel());
    assert_eq!((b.refused(), a.refused()), (1, 0));
}

// Rules: R-19, W-26
#[test]
fn a_request_that_nobody_wants_is_taken_back_when_its_turn_comes() {
    let (mut a, mut b) = (State::default(), State::default());
    deliver(&mut b, &mut a);
    for waiter in ["wanted", "unwanted", "unwanted too", "wanted too"] {
        a.submit(0, 1, 0, Bytes::from_static(b"four"), waiter).unwrap();
    }
    let unwanted = |waiter: &&str| waiter.starts_with("un");
    assert_eq!(a.withdraw_next_if(unwanted), None, "the first is wanted");
    assert_eq!(a.poll_transmit().map(|packet| packet.tag()), Some(2));
    assert_eq!(a.withdraw_next_if(unwanted), Some("unwanted"));
    assert_eq!(a.withdraw_next_if(unwanted), Some("unwanted too"));
    assert_eq!(a.withdraw_next_if(unwanted), None);
    assert_eq!((a.in_flight(), a.in_flight_bytes(), a.queued_bytes()), (2, 8, 4));
    assert_eq!(a.poll_transmit().map(|packet| packet.tag()), Some(5), "tags are not used again");
    a.drain();
    assert_eq!(a.withdraw_next_if(|_| true), None, "the end of requests is no request");
}

// Rules: none: counters
#[test]
fn what_is_in_flight_and_owed_is_counted_over_all_channels() {
    let (mut us, mut peer) = (ConnectionState::default(), ConnectionState::<u64>::default());
    for channel in 0..3 {
        us.open_channel(channel);
        peer.open_channel(channel);
        for waiter in 0..2 {
            us.submit(channel, 0, 0, Bytes::from_static(b"four"), waiter).unwrap();
        }
    }
    assert_eq!((us.in_flight(), us.in_flight_bytes()), (6, 24));
    let mut asked = Vec::new();
    for _ in 0..3 {
        let Some(Event::Requested(request)) = peer.handle_packet(us.poll_transmit().unwrap()).unwrap() else {
            panic!()
        };
        asked.push(request.id);
    }
    assert_eq!((peer.owed(), peer.owed_bytes()), (3, 12));

    peer.respond(asked[2], Ok(Reply::default()));
    peer.respond(asked[2], Ok(Reply::default()));
    assert_eq!((peer.owed(), peer.owed_bytes()), (2, 8));
    us.handle_packet(peer.poll_transmit().unwrap()).unwrap();
    assert_eq!((us.in_flight(), us.in_flight_bytes()), (5, 20));

    assert_eq!(us.withdraw_next_if(|_| true), Some(1));
    assert_eq!((us.in_flight(), us.in_flight_bytes()), (4, 16));
    assert_eq!(us.withdraw(), [0, 1]);
    assert_eq!((us.in_flight(), us.in_flight_bytes()), (2, 8));
    us.abort();
    peer.abort();
    assert_eq!((us.in_flight(), us.in_flight_bytes(), peer.owed(), peer.owed_bytes()), (0, 0, 0, 0));
}
