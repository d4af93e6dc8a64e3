//! What a stream can carry: a server that finds where messages end and sends all of a read back in one write, and a client
//! that does the same. There are no numbers, no tasks, no futures for a call.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Stream;
use std::time::Instant;

/// Bytes that say how long a message is.
const HEADER: usize = 4;

/// Whole messages at the front of a buffer: their bytes, and how many they are.
fn whole(buffer: &[u8]) -> (usize, usize) {
    let (mut bytes, mut messages) = (0, 0);
    while let Some(header) = buffer[bytes..].first_chunk::<HEADER>() {
        let end = bytes + HEADER + u32::from_be_bytes(*header) as usize;
        if end > buffer.len() {
            break;
        }
        (bytes, messages) = (end, messages + 1);
    }
    (bytes, messages)
}

/// Sends back whatever comes.
pub(crate) async fn serve(mut stream: impl Stream) {
    let mut buffer = BytesMut::with_capacity(256 << 10);
    while stream.read_buf(&mut buffer).await.is_ok_and(|count| count > 0) {
        let (bytes, _) = whole(&buffer);
        stream.write_all(&buffer[..bytes]).await.expect("the stream takes what it is given");
        buffer.advance(bytes);
        buffer.reserve(128 << 10);
    }
}

/// Has messages sent back until then, so many of them in flight, and says how many.
pub(crate) async fn ask(stream: impl Stream, until: Instant, in_flight: usize, payload: &Bytes) -> u64 {
    let mut message = u32::try_from(payload.len()).expect("it fits").to_be_bytes().to_vec();
    message.extend_from_slice(payload);
    let batch = message.repeat(in_flight);
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = BytesMut::with_capacity(256 << 10);
    let (mut unanswered, mut answered) = (0, 0);
    loop {
        let more = if Instant::now() < until { in_flight - unanswered } else { 0 };
        unanswered += more;
        if unanswered == 0 {
            return answered;
        }
        let writing = writer.write_all(&batch[..message.len() * more]);
        let reading = reader.read_buf(&mut buffer);
        // Reading goes on while what is large is written.
        let (written, read) = tokio::join!(writing, reading);
        written.expect("the stream takes what it is given");
        read.expect("an answer");
        let (bytes, messages) = whole(&buffer);
        for answer in buffer[..bytes].chunks_exact(message.len()) {
            assert_eq!(answer, message, "what was sent comes back");
        }
        buffer.advance(bytes);
        buffer.reserve(128 << 10);
        unanswered -= messages;
        answered += messages as u64;
    }
}
