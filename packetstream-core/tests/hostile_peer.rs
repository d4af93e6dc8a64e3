//! Peers that break the rules: a typed error or a clean end at once, callers woken with the cause, and
//! nothing worse.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{Script, answer, in_time, reverse};
use packetstream_core::{
    CallError, ConnectionError, DecodeError, Packet, PacketConnection, ProtocolError, varint,
};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

/// What the peer says, and then whether it hangs up.
enum After {
    Stays,
    HangsUp,
}

/// Lets a caller wait while the peer says `bytes`, and returns what the caller, then the connection, came to.
/// The peer must have been told that this is the end.
async fn end_by(bytes: &[u8], after: After) -> (CallError, Result<(), ConnectionError>) {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    let call = connection.submit(1, 0, "waits");
    let soon = tokio::time::timeout(Duration::from_secs(1), async {
        peer.hears().await.unwrap();
        peer.says(bytes).await;
        if let After::HangsUp = after {
            peer.stream.shutdown().await.unwrap();
        }
        let error = call.await.unwrap_err();
        loop {
            if peer.hears().await.expect("told of the end") == Packet::end_of_stream() {
                break;
            }
        }
        (error, connection.closed().await.result)
    });
    soon.await.expect("ends within a second")
}

fn cause(error: CallError) -> ConnectionError {
    match error {
        CallError::Lost(cause) => cause,
        other => panic!("the call was not lost: {other:?}"),
    }
}

/// That the peer's `bytes` end the connection with an error whose whole text is `text`, which the caller
/// gets as well.
async fn fails(bytes: &[u8], after: After, text: &str) {
    let (error, ended) = end_by(bytes, after).await;
    for error in [cause(error), ended.unwrap_err()] {
        let source = std::error::Error::source(&error).map(|source| {
            let deeper = source.source().map(|source| format!(": {source}"));
            format!(": {source}{}", deeper.unwrap_or_default())
        });
        assert_eq!(format!("{error}{}", source.unwrap_or_default()), text, "after {bytes:02x?}");
    }
}

fn prefixed(length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint::put(&mut bytes, length);
    bytes
}

// Rules: W-4, W-5, W-22, L-12
#[tokio::test]
async fn malformed_packets_end_the_connection_with_an_error_that_names_the_field() {
    let malformed = |what: &str, why: &str| format!("malformed packet stream: bad {what}: {why}");
    for (bytes, text) in [
        (&[0][..], malformed("tag in a packet", "number cut short")),
        (&[1, 0x85], malformed("tag in a packet", "number cut short")),
        (&[1, 5], malformed("flags in a packet", "number cut short")),
        (&[2, 5, 1], malformed("channel in a packet", "number cut short")),
        (&[2, 5, 2], malformed("request type in a packet", "number cut short")),
        (&[3, 5, 2, 0x80], malformed("request type in a packet", "number cut short")),
        (&[0x80; 11], malformed("length prefix of a packet", "number longer than 10 bytes")),
        (&[0xff; 11], malformed("length prefix of a packet", "number exceeds 64 bits")),
        (
            &[11, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 4],
            malformed("tag in a packet", "number exceeds 64 bits"),
        ),
    ] {
        fails(bytes, After::Stays, &text).await;
    }
}

// Rules: W-21, L-12
#[tokio::test]
async fn nothing_behind_something_malformed_counts() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    let call = connection.submit(1, 0, Bytes::new());
    in_time(async {
        peer.hears().await.unwrap();
        let malformed = Bytes::from_static(&[0]);
        let behind = [answer(2, b"too late"), Packet::request(0, 2, 1, 0, Bytes::new()).unwrap()];
        let bytes: Vec<Bytes> =
            [malformed].into_iter().chain(behind.iter().map(Packet::transcribe)).collect();
        peer.says(&bytes.concat()).await;
        assert!(matches!(cause(call.await.unwrap_err()), ConnectionError::Decode(_)));
        peer.expects(Packet::end_of_stream()).await;
        assert_eq!(peer.hears().await, None);
        let report = connection.closed().await;
        assert_eq!((report.stats.packets_received, report.stats.requests), (0, 0), "{report}");
    })
    .await;
}

// Rules: W-24
#[tokio::test]
async fn an_announced_length_over_the_limit_ends_the_connection() {
    let text = "malformed packet stream: packet of 4611686018427387904 bytes exceeds the limit of 16777216";
    fails(&prefixed(1 << 62), After::Stays, text).await;
    let text = "malformed packet stream: packet of 16777217 bytes exceeds the limit of 16777216";
    fails(&prefixed((16 << 20) + 1), After::Stays, text).await;
}

// Rules: W-19
#[tokio::test]
async fn an_unknown_control_packet_ends_the_connection() {
    let text = "the peer broke the protocol: unknown control packet on channel 0 with tag 9";
    fails(&[3, 9, 2, 0], After::Stays, text).await;
}

// Rules: L-13
#[tokio::test]
async fn a_stream_that_ends_without_a_goodbye_is_an_error() {
    fails(&[], After::HangsUp, "the stream ended without the peer's goodbye").await;
}

// Rules: W-23
#[tokio::test]
async fn a_stream_that_ends_inside_a_packet_is_an_error() {
    let text =
        |received| format!("malformed packet stream: stream ended inside a packet, {received} bytes into it");
    let packet = answer(2, b"never complete").transcribe();
    for cut in 1..packet.len() {
        fails(&packet[..cut], After::HangsUp, &text(cut)).await;
    }
}

// Rules: L-7
#[tokio::test]
async fn a_goodbye_in_good_order_is_no_error_but_ends_the_calls() {
    let (error, ended) = end_by(&[3, 0, 2, 0], After::Stays).await;
    assert!(matches!(cause(error), ConnectionError::ClosedByPeer));
    ended.unwrap();
}

// Rules: L-13
#[tokio::test]
async fn half_a_hangup_still_carries_the_answers_out() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().handler(reverse).spawn(stream);
    in_time(async {
        peer.asks(2, b"abc").await;
        peer.stream.shutdown().await.unwrap();
        peer.expects(answer(2, b"cba")).await;
        peer.expects_goodbye().await;
        let error = connection.closed().await.result.unwrap_err();
        assert!(matches!(error, ConnectionError::NoGoodbye), "{error:?}");
    })
    .await;
}

// Rules
#[tokio::test]
async fn a_few_responses_to_unknown_tags_are_ignored_and_many_end_the_connection() {
    let (mut peer, stream) = Script::new();
    let connection = PacketConnection::builder().spawn(stream);
    in_time(async {
        let call = connection.submit(0, 0, Bytes::new());
        for _ in 0..100 {
            peer.sends(answer(999, b"")).await;
        }
        peer.sends(answer(2, b"fine")).await;
        assert_eq!(call.await.unwrap().payload, "fine");
        for _ in 0..30 {
            peer.sends(answer(999, b"")).await;
        }
        let error = connection.closed().await.result.unwrap_err();
        let expected = ProtocolError::TooManyStrays { channel: 0, tag: 999 };
        assert!(matches!(error, ConnectionError::Protocol(error) if error == expected), "{error:?}");
    })
    .await;
}

// Rules
#[tokio::test]
async fn a_tag_in_flight_is_not_answered_twice() {
    let (mut peer, stream) = Script::new();
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let opened = std::sync::Arc::clone(&gate);
    let handler = move |_| {
        let gate = std::sync::Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok("once".to_owned().into())
        }
    };
    let _connection = PacketConnection::builder().handler(handler).spawn(stream);
    in_time(async {
        peer.asks(5, b"").await;
        peer.asks(5, b"").await;
        peer.sends(Packet::request(9, 6, 1, 0, Bytes::new()).unwrap()).await;
        let refused = peer.hears().await.unwrap();
        assert_eq!(refused.channel(), 9, "both have been read by now");
        opened.notify_one();
        peer.expects(answer(5, b"once")).await;
        peer.says(&[3, 0, 2, 0]).await;
        peer.expects_goodbye().await;
    })
    .await;
}

/// Takes everything, and then fails to read.
#[derive(Default)]
struct Reset {
    was_written: bool,
}

impl AsyncRead for Reset {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.was_written { Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())) } else { Poll::Pending }
    }
}

impl AsyncWrite for Reset {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.was_written = true;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

// Rules: L-12
#[tokio::test]
async fn a_reset_reaches_callers_and_the_connection_with_its_cause() {
    let connection = PacketConnection::builder().spawn(Reset::default());
    let call = connection.submit(0, 0, Bytes::new());
    in_time(async {
        for error in [cause(call.await.unwrap_err()), connection.closed().await.result.unwrap_err()] {
            let ConnectionError::Read(source) = error else { panic!("{error:?}") };
            assert_eq!(source.kind(), io::ErrorKind::ConnectionReset);
        }
    })
    .await;
}

// Rules: none: transports
#[tokio::test]
async fn a_transport_that_claims_too_much_is_an_error_and_no_panic() {
    struct Boastful;
    impl AsyncRead for Boastful {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }
    impl AsyncWrite for Boastful {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len() + 1))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
    let connection = PacketConnection::builder().spawn(Boastful);
    let call = connection.submit(0, 0, Bytes::new());
    let error = in_time(call).await.unwrap_err();
    assert!(matches!(cause(error), ConnectionError::Write(_)));
}

// Rules: none: transports
#[tokio::test]
async fn a_transport_that_was_interrupted_is_asked_again() {
    /// Interrupts every third operation.
    struct Busy(DuplexStream, usize);
    impl Busy {
        fn begin(&mut self) -> io::Result<Pin<&mut DuplexStream>> {
            self.1 += 1;
            if self.1 % 3 == 1 { Err(io::ErrorKind::Interrupted.into()) } else { Ok(Pin::new(&mut self.0)) }
        }
    }
    impl AsyncRead for Busy {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.begin()?.poll_read(cx, buf)
        }
    }
    impl AsyncWrite for Busy {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            self.begin()?.poll_write(cx, buf)
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.begin()?.poll_flush(cx)
        }
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }
    let (here, there) = duplex(16);
    let [a, b] =
        [here, there].map(|stream| PacketConnection::builder().handler(reverse).spawn(Busy(stream, 0)));
    in_time(async {
        for connection in [&a, &b] {
            let calls = [(); 5].map(|()| connection.submit(0, 0, "far longer than what goes at a time"));
            for call in calls {
                call.await.unwrap();
            }
        }
        a.close();
        for connection in [a, b] {
            assert!(connection.closed().await.result.is_ok());
        }
    })
    .await;
}

// Rules: none: never a panic
#[tokio::test]
async fn all_truncations_and_bit_flips_of_a_conversation_end_without_a_panic() {
    let mut whole = Packet::request(0, 2, 1, 0x55, "question".into()).unwrap().transcribe().to_vec();
    whole.extend(answer(2, b"answer").transcribe());
    whole.extend(Packet::end_of_requests().transcribe());
    whole.extend(Packet::end_of_stream().transcribe());
    let mut scripts: Vec<Vec<u8>> = (0..whole.len()).map(|cut| whole[..cut].to_vec()).collect();
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        scripts.push(flipped);
    }
    for script in scripts {
        let (mut peer, stream) = Script::new();
        let (connection, driver) = PacketConnection::builder().handler(reverse).build(stream);
        let driver = tokio::spawn(driver.run());
        let call = connection.submit(0, 0, Bytes::new());
        in_time(async {
            peer.says(&script).await;
            peer.stream.shutdown().await.unwrap();
            let _ = call.await;
            connection.close();
            let ended = driver.await.expect("no panic");
            if let Err(ConnectionError::Decode(DecodeError::TooLong { limit, .. })) = ended.report.result {
                assert_eq!(limit, 16 << 20);
            }
        })
        .await;
    }
}
