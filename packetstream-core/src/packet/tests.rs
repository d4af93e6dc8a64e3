use super::*;
use proptest::prelude::*;

fn bytes(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn parsed(hex: &str) -> Packet {
    let mut bytes = bytes(hex);
    let packet = Packet::parse(&mut bytes).unwrap();
    assert!(bytes.is_empty(), "{} bytes left over", bytes.len());
    packet
}

/// That the packet has these bytes, and these bytes are the packet.
fn travels(packet: &Packet, hex: &str) {
    assert_eq!(packet.transcribe(), bytes(hex), "{packet}");
    assert_eq!(packet.encoded_len(), bytes(hex).len(), "{packet}");
    assert_eq!(parsed(hex), *packet);
    let mut written = Vec::new();
    packet.write(&mut written, true).unwrap();
    assert_eq!(written, bytes(hex), "{packet}");
}

// Rules: W-6, W-7, W-9, W-10, W-11, W-12, W-13, W-16, W-17
#[test]
fn packets_have_the_bytes_of_the_specification() {
    let request = |rq_type, flags, payload| Packet::request(0, 2, rq_type, flags, bytes(payload)).unwrap();
    travels(&request(1, 0x55, "02 03"), "06 02 82 56 02 02 03");
    travels(&request(0, 0, "00 05 68 65 6c 6c 6f"), "0a 02 02 01 00 05 68 65 6c 6c 6f");
    let reply = Reply::from((0x11, bytes("03 02")));
    travels(&Packet::response(0, 2, Ok(reply)).unwrap(), "05 02 81 0c 03 02");
    let hash = "00 aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
    let reply = Reply::from(bytes(hash));
    travels(&Packet::response(0, 2, Ok(reply)).unwrap(), &format!("17 02 04 {hash}"));
    travels(&Packet::end_of_stream(), "03 00 02 00");
    travels(&Packet::end_of_requests(), "03 01 02 00");
}

// Rules: W-12, R-4
#[test]
fn a_not_ok_response_carries_flags_and_payload() {
    let failure = Failure { flags: 3, payload: bytes("6e6f") };
    travels(&Packet::response(0, 5, Err(failure)).unwrap(), "04 05 18 6e 6f");
}

// Rules: W-8
#[test]
fn the_channel_is_present_only_when_it_is_not_0() {
    travels(&Packet::request(7, 0, 1, 0, Bytes::new()).unwrap(), "04 00 03 07 02");
    travels(&Packet::response(7, 0, Ok(Reply::default())).unwrap(), "03 00 05 07");
    assert_eq!(parsed("04 00 03 00 02"), Packet::request(0, 0, 1, 0, Bytes::new()).unwrap());
}

// Rules: W-3, W-15
#[test]
fn numbers_may_be_padded() {
    let request = Packet::request(0, 2, 1, 0, Bytes::new()).unwrap();
    for hex in ["80 03 02 02 02", "04 80 02 02 02", "04 02 80 02 02", "04 02 02 80 02"] {
        assert_eq!(parsed(hex), request, "{hex}");
    }
}

// Rules: W-10, W-14
#[test]
fn the_largest_numbers_travel_and_larger_ones_are_refused() {
    let largest = Packet::request(u64::MAX, u64::MAX, MAX_REQUEST_TYPE, MAX_REQUEST_FLAGS, Bytes::new());
    let packet = largest.unwrap();
    assert_eq!(Packet::parse(&mut packet.transcribe()), Ok(packet));
    let largest = Packet::response(u64::MAX, u64::MAX, Ok(Reply::from(MAX_REPLY_FLAGS))).unwrap();
    assert_eq!(Packet::parse(&mut largest.transcribe()), Ok(largest));

    assert_eq!(Packet::request(0, 2, u64::MAX, 0, Bytes::new()), Err(PacketError::RequestType(u64::MAX)));
    let flags = MAX_REQUEST_FLAGS + 1;
    assert_eq!(Packet::request(0, 2, 0, flags, Bytes::new()), Err(PacketError::RequestFlags(flags)));
    let flags = MAX_REPLY_FLAGS + 1;
    assert_eq!(Packet::response(0, 2, Ok(Reply::from(flags))), Err(PacketError::ReplyFlags(flags)));
}

// Rules: W-9, W-15
#[test]
fn a_response_has_no_request_type_that_could_differ() {
    assert_eq!(parsed("02 05 04"), Packet::response(0, 5, Ok(Reply::default())).unwrap());
    assert_ne!(parsed("03 05 02 01"), parsed("03 05 02 02"));
}

// Rules: none: how it is shown
#[test]
fn display_shows_no_more_than_16_bytes_of_payload_and_debug_none() {
    let packet = |length| Packet::request(0, 2, 1, 0x55, vec![0xab; length].into()).unwrap();
    let short = "request type 1, tag 2, flags 0x55, 2 bytes: abab";
    assert_eq!(packet(2).to_string(), short);
    let whole = format!("request type 1, tag 2, flags 0x55, 16 bytes: {}", "ab".repeat(16));
    assert_eq!(packet(16).to_string(), whole);
    let long = format!("request type 1, tag 2, flags 0x55, 17 bytes: {}...", "ab".repeat(16));
    assert_eq!(packet(17).to_string(), long);
    assert_eq!(format!("{:?}", packet(17)), "Packet(request type 1, tag 2, flags 0x55, 17 bytes)");
    assert_eq!(Packet::end_of_stream().to_string(), "end of stream, tag 0, flags 0x0, 0 bytes");
}

// Rules: none: how it is shown
#[test]
fn display_says_what_a_packet_is_for() {
    for (hex, text) in [
        ("02 05 04", "response ok, tag 5, flags 0x0, 0 bytes"),
        ("02 05 18", "response not ok, tag 5, flags 0x3, 0 bytes"),
        ("04 00 03 07 02", "request type 1, channel 7, tag 0, flags 0x0, 0 bytes"),
        ("03 01 02 00", "end of requests, tag 1, flags 0x0, 0 bytes"),
        ("03 02 02 00", "unknown control, tag 2, flags 0x0, 0 bytes"),
    ] {
        assert_eq!(parsed(hex).to_string(), text);
    }
}

// Rules: R-4
#[test]
fn only_a_response_has_an_outcome() {
    assert_eq!(parsed("02 05 0c").into_outcome(), Some(Ok(Reply::from(1))));
    assert_eq!(parsed("02 05 08").into_outcome(), Some(Err(Failure { flags: 1, payload: Bytes::new() })));
    assert_eq!(parsed("04 00 03 07 02").into_outcome(), None);
    assert_eq!(Packet::end_of_stream().into_outcome(), None);
}

/// Counts the flushes.
struct Flushes(usize);

impl io::Write for Flushes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 > 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }
}

// Rules: none: how it is written
#[test]
fn a_packet_is_flushed_where_that_is_asked() {
    let (packet, mut out) = (Packet::end_of_stream(), Flushes(0));
    packet.write(&mut out, false).unwrap();
    assert_eq!(out.0, 0);
    packet.write(&mut out, true).unwrap();
    assert_eq!(out.0, 1);
    assert_eq!(packet.write(&mut out, true).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(out.0, 1);
}

// Rules: W-22
#[test]
fn a_packet_that_is_cut_names_the_field_and_takes_nothing() {
    for (hex, field) in [
        ("", "length"),
        ("81", "length"),
        ("05 02 82", "length"),
        ("00", "tag"),
        ("01 82", "tag"),
        ("02 82 2c", "flags"),
        ("03 05 81 01", "channel"),
        ("03 05 02 82", "request type"),
    ] {
        let mut cut = bytes(hex);
        let length = cut.len();
        let error = Packet::parse(&mut cut).unwrap_err();
        assert_eq!((error.field, error.source), (field, VarintError::Truncated), "{hex}");
        assert_eq!(cut.len(), length);
    }
}

prop_compose! {
    fn any_packet()(
        numbers in any::<[u64; 4]>(),
        scale in any::<[u8; 4]>(),
        kind in 0..3,
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) -> Packet {
        // Numbers of every length, not only huge ones.
        let scaled = |index: usize| numbers[index] >> (scale[index] % 64);
        let (channel, tag, rq_type, flags) = (scaled(0), scaled(1), scaled(2), scaled(3) >> 3);
        let payload = Bytes::from(payload);
        match kind {
            0 => Packet::request(channel, tag, rq_type.min(MAX_REQUEST_TYPE), flags, payload).unwrap(),
            1 => Packet::response(channel, tag, Ok(Reply { flags, payload })).unwrap(),
            _ => Packet::response(channel, tag, Err(Failure { flags, payload })).unwrap(),
        }
    }
}

proptest! {
    // Rules: W-7, W-8, W-9, W-13
    #[test]
    fn every_packet_reads_back(packet in any_packet()) {
        let mut bytes = packet.transcribe();
        prop_assert_eq!(bytes.len(), packet.encoded_len());
        prop_assert_eq!(Packet::parse(&mut bytes), Ok(packet));
        prop_assert!(bytes.is_empty());
    }

    // Rules: none: never a panic
    #[test]
    fn no_bytes_make_parsing_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = Packet::parse(&mut Bytes::from(bytes));
    }
}
