//! What a stream can carry: a server that finds where messages end and sends all of a read back in one write, and a client
//! that does the same. There are no numbers, no tasks, no futures for a call.

use crate::stage::Socket;
use bytes::{Buf, BytesMut};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes that say how long a message is.
const HEADER: usize = 4;
/// In a header, of messages that were sent back.
const RESPONSE: u32 = 1 << 31;
/// Bytes read at a time.
const ROOM: usize = 256 << 10;

/// Messages as they are sent first, so many of them, and as they come back.
struct Messages {
    length: usize,
    sent: Vec<u8>,
    back: Vec<u8>,
}

impl Messages {
    fn new(payload: &[u8], count: usize) -> Self {
        let length = u32::try_from(payload.len()).expect("it fits");
        let of = |header: u32| [&header.to_be_bytes()[..], payload].concat();
        Self { length: HEADER + payload.len(), sent: of(length).repeat(count), back: of(length | RESPONSE) }
    }
}

/// Whole messages at the front of a buffer, turned into responses: their bytes.
fn turn_back(buffer: &mut [u8]) -> usize {
    let mut bytes = 0;
    while let Some(header) = buffer[bytes..].first_chunk_mut::<HEADER>() {
        let length = u32::from_be_bytes(*header);
        let end = bytes + HEADER + (length & !RESPONSE) as usize;
        if end > buffer.len() {
            break;
        }
        let header = buffer[bytes..].first_chunk_mut().expect("it was there");
        *header = (length | RESPONSE).to_be_bytes();
        bytes = end;
    }
    bytes
}

/// Sends back whatever comes.
pub(crate) async fn serve(mut stream: Socket) {
    let mut buffer = BytesMut::with_capacity(ROOM);
    while stream.read_buf(&mut buffer).await.is_ok_and(|count| count > 0) {
        let bytes = turn_back(&mut buffer);
        stream.write_all(&buffer[..bytes]).await.expect("the stream takes what it is given");
        buffer.advance(bytes);
        buffer.reserve(ROOM / 2);
    }
}

/// Has messages sent back until then, so many of them in flight, and says how many.
pub(crate) async fn ask(stream: Socket, until: Instant, in_flight: usize, payload: &[u8]) -> u64 {
    // As many as a write takes, and one more, so that what is to be sent may begin within any message.
    let messages = Messages::new(payload, (ROOM / payload.len()).clamp(1, in_flight) + 1);
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = BytesMut::with_capacity(ROOM);
    let (mut unanswered, mut answered) = (0, 0);
    let (mut begin, mut unsent) = (0, 0);
    loop {
        if unanswered < in_flight && Instant::now() < until {
            unsent += (in_flight - unanswered) * messages.length;
            unanswered = in_flight;
        }
        if unanswered == 0 {
            return answered;
        }
        // Reading goes on while what is large is written.
        tokio::select! {
            biased;
            written = writer.write(&messages.sent[begin..messages.sent.len().min(begin + unsent)]), if unsent > 0 => {
                let written = written.expect("the stream takes what it is given");
                unsent -= written;
                begin = (begin + written) % messages.length;
            }
            read = reader.read_buf(&mut buffer) => {
                assert!(read.expect("an answer") > 0, "the server goes on");
                let whole = buffer.len() / messages.length;
                for answer in buffer[..whole * messages.length].chunks_exact(messages.length) {
                    assert!(answer == messages.back, "what was sent comes back");
                }
                buffer.advance(whole * messages.length);
                buffer.reserve(ROOM / 2);
                unanswered -= whole;
                answered += whole as u64;
            }
        }
    }
}

/// Asks until then and answers meanwhile, as the other end does; says how many messages came back.
pub(crate) async fn meet(mut stream: Socket, until: Instant, in_flight: usize, payload: &[u8]) -> u64 {
    let messages = Messages::new(payload, in_flight);
    let mut buffer = BytesMut::with_capacity(ROOM);
    let mut output = messages.sent.clone();
    let (mut unanswered, mut answered) = (in_flight, 0);
    // The first to have all its answers ends, and with it the other.
    loop {
        // There are too few bytes in flight for a write to wait for the peer.
        let written = stream.write_all(&output).await;
        output.clear();
        if unanswered == 0
            || written.is_err()
            || !stream.read_buf(&mut buffer).await.is_ok_and(|count| count > 0)
        {
            return answered;
        }
        let whole = buffer.len() / messages.length * messages.length;
        for message in buffer[..whole].chunks_exact(messages.length) {
            if message[0] & 0x80 == 0 {
                output.extend_from_slice(&messages.back);
            } else {
                assert!(message == messages.back, "what was sent comes back");
                unanswered -= 1;
                answered += 1;
            }
        }
        buffer.advance(whole);
        if Instant::now() < until {
            output.extend_from_slice(&messages.sent[..messages.length * (in_flight - unanswered)]);
            unanswered = in_flight;
        }
    }
}
