//! A stream and nothing else: one message there, one back. What a call costs when nothing is made of it.

use super::Small;
use crate::stage::Socket;
use crate::work::BETWEEN_LOOKS;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Sends back what comes, message by message.
pub(crate) async fn serve(mut stream: Socket) {
    let mut buffer = Small::default();
    while stream.read_exact(&mut buffer).await.is_ok() {
        stream.write_all(&buffer).await.expect("the stream takes what it is given");
    }
}

/// Has messages sent back until then, one at a time, and says how many.
pub(crate) async fn ask(mut stream: Socket, until: Instant) -> u64 {
    let mut calls = 0_u64;
    while calls == 0 || !calls.is_multiple_of(BETWEEN_LOOKS) || Instant::now() < until {
        let sent = u128::from(calls).to_le_bytes();
        stream.write_all(&sent).await.expect("the stream takes what it is given");
        let mut answer = Small::default();
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(answer, sent, "what was sent comes back");
        calls += 1;
    }
    calls
}

/// The same without a runtime: threads that block.
pub(crate) fn serve_blocking(mut stream: UnixStream) {
    let mut buffer = Small::default();
    while stream.read_exact(&mut buffer).is_ok() {
        stream.write_all(&buffer).expect("the stream takes what it is given");
    }
}

/// See [`ask`].
pub(crate) fn ask_blocking(mut stream: UnixStream, until: Instant) -> u64 {
    let mut calls = 0_u64;
    while calls == 0 || !calls.is_multiple_of(BETWEEN_LOOKS) || Instant::now() < until {
        let sent = u128::from(calls).to_le_bytes();
        stream.write_all(&sent).expect("the stream takes what it is given");
        let mut answer = Small::default();
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer, sent, "what was sent comes back");
        calls += 1;
    }
    calls
}
