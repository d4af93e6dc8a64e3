//! Streams as no stream in memory is: one that always has more to read, one that is never shut down.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{in_time, reverse};
use packetstream_core::{ConnectionError, Limits, Packet, PacketConnection};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

/// Takes all that is written, and has one request after the other to read.
struct Endless(Bytes);

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while buf.remaining() >= self.0.len() {
            buf.put_slice(&self.0);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// One that is never shut down.
struct Unending(DuplexStream);

impl AsyncRead for Unending {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Unending {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

// Rules: L-15
#[tokio::test]
async fn a_stream_that_always_has_more_does_not_stop_the_clock() {
    let request = Packet::request(0, 2, 1, 0, Bytes::new()).unwrap().transcribe();
    let limits = Limits { close_timeout: Duration::from_millis(50), ..Limits::default() };
    let connection = PacketConnection::builder().limits(limits).handler(reverse).spawn(Endless(request));
    in_time(async {
        // On the one thread there is, this task runs only when the connection's has yielded.
        while connection.stats().requests < 100_000 {
            tokio::task::yield_now().await;
        }
        connection.close();
        let error = connection.closed().await.result.unwrap_err();
        assert!(matches!(error, ConnectionError::GoodbyeTimedOut(_)), "{error:?}");
    })
    .await;
}

// Rules: none: transports
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_never_shut_down_is_given_up_and_the_report_says_so() {
    let (here, there) = duplex(1 << 10);
    let (connection, driver) = PacketConnection::builder().build(Unending(here));
    let peer = PacketConnection::builder().handler(reverse).spawn(there);
    let driver = tokio::spawn(driver.run_and_shut_down());
    in_time(async {
        connection.close();
        let report = driver.await.unwrap();
        report.result.unwrap();
        let late = report.shut_down.unwrap();
        assert_eq!(
            (late.kind(), late.to_string()),
            (io::ErrorKind::TimedOut, "not shut down within 5s".into())
        );
        peer.closed().await.result.unwrap();
    })
    .await;
}
