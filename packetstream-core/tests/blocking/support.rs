//! What these tests share.

use bytes::Bytes;
use packetstream_core::blocking::{self, PacketConnection, Transport};
use packetstream_core::{
    Builder, CallError, Decoder, Incoming, Outcome, Packet, PacketConnection as Async, Reply,
};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// The bound on every test.
pub(crate) fn in_time<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    let test = thread::spawn(move || {
        let result = test();
        // Whoever waited has given up.
        let _ = done.send(result);
    });
    match result.recv_timeout(Duration::from_mins(1)) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(RecvTimeoutError::Disconnected) => std::panic::resume_unwind(test.join().unwrap_err()),
    }
}

pub(crate) fn builder() -> Builder {
    Async::builder()
}

pub(crate) fn spawn(builder: Builder, transport: impl Transport) -> PacketConnection {
    blocking::spawn(builder, transport).unwrap()
}

/// Answers with the payload reversed and the flags of the request.
pub(crate) async fn reverse(request: Incoming) -> Outcome {
    let reversed: Bytes = request.payload.iter().rev().copied().collect();
    Ok(Reply::from((request.flags, reversed)))
}

/// Never answers.
pub(crate) async fn never(_: Incoming) -> Outcome {
    std::future::pending().await
}

/// Two connections over a socket, both of which reverse.
pub(crate) fn pair() -> (PacketConnection, PacketConnection) {
    let (here, there) = UnixStream::pair().unwrap();
    (spawn(builder().handler(reverse), here), spawn(builder().handler(reverse), there))
}

/// The reason that a not-ok answer gives.
pub(crate) fn refusal(result: Result<Reply, CallError>) -> String {
    match result {
        Err(CallError::Failed(failure)) => failure.reason().into_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

/// An ok response with no flags.
pub(crate) fn answer(tag: u64, payload: &'static [u8]) -> Packet {
    Packet::response(0, tag, Ok(Reply::from(Bytes::from_static(payload)))).unwrap()
}

/// A peer that is a script: it says bytes and expects packets.
pub(crate) struct Script {
    stream: UnixStream,
    decoder: Decoder,
}

impl Script {
    /// The script, and the stream for the connection under test.
    pub(crate) fn new() -> (Self, UnixStream) {
        let (stream, theirs) = UnixStream::pair().unwrap();
        (Self { stream, decoder: Decoder::new(1 << 26) }, theirs)
    }

    pub(crate) fn says(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    #[allow(clippy::needless_pass_by_value, reason = "a script reads better so")]
    pub(crate) fn sends(&mut self, packet: Packet) {
        self.says(&packet.transcribe());
    }

    pub(crate) fn asks(&mut self, tag: u64, payload: &'static [u8]) {
        self.sends(Packet::request(0, tag, 1, 0, Bytes::from_static(payload)).unwrap());
    }

    /// The next packet; nothing at the end of the stream.
    pub(crate) fn hears(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self.decoder.next_packet().unwrap() {
                return Some(packet);
            }
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes).unwrap();
            if count == 0 {
                self.decoder.finish().unwrap();
                return None;
            }
            self.decoder.room().extend_from_slice(&bytes[..count]);
        }
    }

    pub(crate) fn expects(&mut self, packet: Packet) {
        assert_eq!(self.hears(), Some(packet));
    }

    pub(crate) fn expects_goodbye(&mut self) {
        self.expects(Packet::end_of_requests());
        self.expects(Packet::end_of_stream());
    }
}

/// Two transports that hold `width` bytes in each direction.
pub(crate) fn narrow(width: usize) -> ((Narrow, Narrow), (Narrow, Narrow)) {
    let (there, here) = (Narrow::new(width), Narrow::new(width));
    ((here.clone(), there.clone()), (there, here))
}

/// One direction of a stream in memory, as narrow as one likes.
#[derive(Clone)]
pub(crate) struct Narrow {
    width: usize,
    shared: Arc<(Mutex<VecDeque<u8>>, Condvar)>,
}

impl Narrow {
    fn new(width: usize) -> Self {
        Self { width, shared: Arc::default() }
    }
}

impl Read for Narrow {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let (bytes, moved) = &*self.shared;
        let mut bytes = moved.wait_while(bytes.lock().unwrap(), |bytes| bytes.is_empty()).unwrap();
        let count = bytes.read(buf)?;
        moved.notify_all();
        Ok(count)
    }
}

impl Write for Narrow {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let (bytes, moved) = &*self.shared;
        let full = |bytes: &mut VecDeque<u8>| bytes.len() >= self.width;
        let mut bytes = moved.wait_while(bytes.lock().unwrap(), full).unwrap();
        let count = buf.len().min(self.width - bytes.len());
        bytes.extend(&buf[..count]);
        moved.notify_all();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
