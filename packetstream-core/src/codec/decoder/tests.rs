use super::*;
use bytes::BufMut;

fn request(payload: &[u8]) -> Packet {
    Packet::request(0, 2, 1, 0x55, Bytes::copy_from_slice(payload)).unwrap()
}

/// Feeds `bytes` in pieces of `piece` bytes and returns what came of it.
fn decode(bytes: &[u8], piece: usize) -> Result<Vec<Packet>, DecodeError> {
    let mut decoder = Decoder::new(1 << 20);
    let mut packets = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.room().put_slice(piece);
        while let Some(packet) = decoder.next_packet()? {
            packets.push(packet);
        }
    }
    decoder.finish().map(|()| packets)
}

// Rules: W-6, W-20
#[test]
fn fragmentation_changes_nothing() {
    let packets: Vec<Packet> = [0, 1, 16, 127, 128, 300, 1_000, 1_100, 4_000, 5_000, 70_000]
        .map(|len| request(&vec![7; len]))
        .to_vec();
    let bytes: Vec<u8> = packets.iter().flat_map(Packet::transcribe).collect();
    for piece in [1, 2, 3, 16, 4096, 65_536, bytes.len()] {
        assert_eq!(decode(&bytes, piece).unwrap(), packets, "in pieces of {piece}");
    }
}

// Rules: W-23
#[test]
fn a_stream_cut_inside_a_packet_says_how_far_it_came() {
    let bytes = request(b"hello").transcribe();
    for cut in 1..bytes.len() {
        assert_eq!(decode(&bytes[..cut], 1), Err(DecodeError::Cut { received: cut }));
    }
}

// Rules: W-24
#[test]
fn a_packet_over_the_limit_is_refused_from_its_length_alone() {
    let mut decoder = Decoder::new(100);
    decoder.room().put_slice(&[101]);
    assert_eq!(decoder.next_packet(), Err(DecodeError::TooLong { announced: 101, limit: 100 }));

    let mut decoder = Decoder::new(16 << 20);
    varint::put(decoder.room(), 1 << 62);
    assert_eq!(decoder.next_packet(), Err(DecodeError::TooLong { announced: 1 << 62, limit: 16 << 20 }));
}

// Rules: W-24
#[test]
fn an_announced_length_claims_memory_only_as_bytes_arrive() {
    let mut decoder = Decoder::new(16 << 20);
    varint::put(decoder.room(), 16 << 20);
    assert_eq!(decoder.next_packet(), Ok(None));
    assert!(decoder.room().capacity() <= 128 << 10, "{}", decoder.room().capacity());
    for _ in 0..100 {
        decoder.room().put_slice(&[0; 10_000]);
        assert_eq!(decoder.next_packet(), Ok(None));
    }
    let received = 1_000_000;
    assert!(decoder.room().capacity() <= 3 * received, "{}", decoder.room().capacity());
}

// Rules: none: how much is read
#[test]
fn the_rest_of_a_packet_has_room_for_one_read() {
    let mut decoder = Decoder::new(1 << 20);
    varint::put(decoder.room(), 50_000);
    assert_eq!(decoder.next_packet(), Ok(None));
    let room = decoder.room();
    assert!(room.capacity() - room.len() > 50_000, "{}", room.capacity());
}

// Rules: none: memory
#[test]
fn reads_grow_with_the_traffic_and_an_idle_decoder_gives_a_large_buffer_back() {
    for length in [12, 100, 5_000] {
        let packet = request(&vec![7; length]).transcribe();
        let mut stream = packet.iter().copied().cycle();
        let mut decoder = Decoder::new(1 << 20);
        let mut largest = 0;
        for _ in 0..50 {
            let buffer = decoder.room();
            let room = buffer.capacity() - buffer.len();
            buffer.extend(stream.by_ref().take(room));
            largest = largest.max(room);
            while decoder.next_packet().unwrap().is_some() {}
        }
        assert!(largest > 60_000, "{largest} for packets of {length}");
    }
    let mut decoder = Decoder::new(16 << 20);
    decoder.room().put_slice(&request(&vec![7; 15 << 20]).transcribe());
    decoder.next_packet().unwrap().unwrap();
    assert!(decoder.room().capacity() <= 128 << 10, "{}", decoder.room().capacity());
}

// Rules: none: memory
#[test]
fn a_decoder_that_rests_keeps_what_it_has_of_a_packet_and_no_room() {
    let bytes = request(b"hello").transcribe();
    let mut decoder = Decoder::default();
    for _ in 0..10 {
        decoder.room().put_slice(&bytes);
        assert_eq!(decoder.next_packet(), Ok(Some(request(b"hello"))));
        decoder.room();
        decoder.rest();
        assert_eq!((decoder.buffer.capacity(), decoder.read_size), (0, FIRST_READ));
    }
    decoder.room().put_slice(&bytes[..4]);
    assert_eq!(decoder.next_packet(), Ok(None));
    decoder.rest();
    decoder.room().put_slice(&bytes[4..]);
    assert_eq!(decoder.next_packet(), Ok(Some(request(b"hello"))));
}

// Rules: none: memory
#[test]
fn a_small_payload_that_is_kept_does_not_pin_the_read_buffer() {
    // A header of 4 bytes makes the largest of them a body of 4,095.
    for (length, behind) in [(100, 0), (600, 0), (4_091, 0), (5_000, 60_000)] {
        let mut decoder = Decoder::new(1 << 20);
        decoder.room().put_slice(&request(&vec![1; length]).transcribe());
        decoder.room().put_slice(&vec![0; behind]);
        let buffer = decoder.room().as_ptr_range();
        let payload = decoder.next_packet().unwrap().unwrap().into_payload();
        assert!(!buffer.contains(&payload.as_ptr()), "{length} of {behind}");
    }
}

// Rules: none: memory
#[test]
fn small_payloads_that_came_together_share_an_allocation_and_larger_ones_do_not() {
    for (length, is_shared) in [(100, true), (251, true), (301, false)] {
        let packet = request(&vec![1; length]).transcribe();
        let mut decoder = Decoder::new(1 << 20);
        decoder.room().put_slice(&packet.repeat(2));
        let [first, second] = [(); 2].map(|()| decoder.next_packet().unwrap().unwrap().into_payload());
        // No two allocations are so far from each other: the distance is odd.
        assert_eq!(packet.len() % 2, 1);
        let distance = second.as_ptr().addr().wrapping_sub(first.as_ptr().addr());
        assert_eq!(distance == packet.len(), is_shared, "{length}");
    }
}

// Rules: none: what is waited for
#[test]
fn a_decoder_is_within_a_packet_from_its_first_byte_to_its_last() {
    let bytes = request(b"hello").transcribe();
    let mut decoder = Decoder::default();
    for _ in 0..2 {
        assert!(!decoder.is_mid_packet());
        for byte in &bytes[..bytes.len() - 1] {
            decoder.room().put_u8(*byte);
            assert_eq!(decoder.next_packet(), Ok(None));
            assert!(decoder.is_mid_packet());
        }
        decoder.room().put_u8(bytes[bytes.len() - 1]);
        assert_eq!(decoder.next_packet(), Ok(Some(request(b"hello"))));
    }
    assert!(!decoder.is_mid_packet());
}

// Rules: none: copies
#[test]
fn a_large_payload_is_not_copied() {
    for length in [4_092, 100_000] {
        let mut decoder = Decoder::new(1 << 20);
        decoder.room().put_slice(&request(&vec![1; length]).transcribe());
        let buffer = decoder.room().as_ptr_range();
        let payload = decoder.next_packet().unwrap().unwrap().into_payload();
        assert!(buffer.contains(&payload.as_ptr()), "{length}");
    }
}

// Rules: W-21, W-22
#[test]
fn a_malformed_packet_of_any_length_stays_malformed_and_unread() {
    for length in [11, 100, 100_000] {
        let mut decoder = Decoder::new(1 << 20);
        varint::put(decoder.room(), length);
        let bytes = decoder.room();
        bytes.resize(bytes.len() + usize::try_from(length).unwrap(), 0xff);
        bytes.put_slice(&Packet::end_of_stream().transcribe());
        let unread = bytes.clone();
        let error = ParseError { field: "tag", source: VarintError::TooLarge };
        for _ in 0..2 {
            assert_eq!(decoder.next_packet(), Err(DecodeError::Packet(error)), "{length}");
        }
        assert_eq!(decoder.into_unread(), unread, "{length}");
    }
}

// Rules: L-16
#[test]
fn what_follows_the_last_packet_taken_is_handed_back() {
    let mut decoder = Decoder::new(1 << 20);
    decoder.room().put_slice(&Packet::end_of_stream().transcribe());
    decoder.room().put_slice(b"next");
    assert_eq!(decoder.next_packet(), Ok(Some(Packet::end_of_stream())));
    assert_eq!(decoder.into_unread(), "next");
}
