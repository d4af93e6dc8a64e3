//! What the tests of connections share.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

use bytes::Bytes;
use packetstream_core::{CallError, Decoder, Incoming, Outcome, Packet, PacketConnection, Reply};
use std::future::Future;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// The bound on every test. The first holds where tasks wait for each other, and is virtual where the
/// clock is paused; the second holds where a task spins.
pub async fn in_time<T>(test: impl Future<Output = T>) -> T {
    let (_done, running) = mpsc::channel::<()>();
    thread::spawn(move || {
        if running.recv_timeout(Duration::from_mins(3)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the test spins");
            std::process::exit(101);
        }
    });
    tokio::time::timeout(Duration::from_mins(2), test).await.expect("the test hangs")
}

/// Answers with the payload reversed and the flags of the request.
pub async fn reverse(request: Incoming) -> Outcome {
    let reversed: Bytes = request.payload.iter().rev().copied().collect();
    Ok(Reply::from((request.flags, reversed)))
}

/// Never answers.
pub async fn never(_: Incoming) -> Outcome {
    std::future::pending().await
}

/// Two connections over a stream of `buffer` bytes, both of which reverse.
pub fn pair(buffer: usize) -> (PacketConnection, PacketConnection) {
    let (here, there) = duplex(buffer);
    let connection = |stream| PacketConnection::builder().handler(reverse).spawn(stream);
    (connection(here), connection(there))
}

/// The reason that a not-ok answer gives, in words alone.
pub fn refusal(result: Result<Reply, CallError>) -> String {
    match result {
        Err(CallError::Failed(failure)) if failure.flags == 0 => failure.reason().into_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

/// A peer that is a script: it says bytes and expects packets.
pub struct Script {
    pub stream: DuplexStream,
    decoder: Decoder,
}

impl Script {
    /// The script, and the stream for the connection under test.
    pub fn new() -> (Self, DuplexStream) {
        let (stream, theirs) = duplex(1 << 20);
        (Self { stream, decoder: Decoder::new(1 << 26) }, theirs)
    }

    pub async fn says(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub async fn sends(&mut self, packet: Packet) {
        self.says(&packet.transcribe()).await;
    }

    pub async fn asks(&mut self, tag: u64, payload: &'static [u8]) {
        self.sends(Packet::request(0, tag, 1, 0, Bytes::from_static(payload)).unwrap()).await;
    }

    /// The next packet; nothing at the end of the stream.
    pub async fn hears(&mut self) -> Option<Packet> {
        hear(&mut self.stream, &mut self.decoder).await
    }

    pub async fn expects(&mut self, packet: Packet) {
        assert_eq!(self.hears().await, Some(packet));
    }

    pub async fn expects_goodbye(&mut self) {
        self.expects(Packet::end_of_requests()).await;
        self.expects(Packet::end_of_stream()).await;
    }
}

/// Reads packets from one end of a stream.
pub struct Reader<'a> {
    stream: &'a mut DuplexStream,
    decoder: Decoder,
}

impl<'a> Reader<'a> {
    pub fn new(stream: &'a mut DuplexStream) -> Self {
        Self { stream, decoder: Decoder::new(1 << 26) }
    }

    /// The next packet; nothing at the end of the stream.
    pub async fn hears(&mut self) -> Option<Packet> {
        hear(self.stream, &mut self.decoder).await
    }
}

async fn hear(stream: &mut DuplexStream, decoder: &mut Decoder) -> Option<Packet> {
    loop {
        if let Some(packet) = decoder.next_packet().unwrap() {
            return Some(packet);
        }
        if stream.read_buf(decoder.room()).await.unwrap() == 0 {
            decoder.finish().unwrap();
            return None;
        }
    }
}

/// An ok response with no flags.
pub fn answer(tag: u64, payload: &'static [u8]) -> Packet {
    Packet::response(0, tag, Ok(Reply::from(Bytes::from_static(payload)))).unwrap()
}
