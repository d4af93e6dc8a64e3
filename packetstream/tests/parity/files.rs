//! `ReadableFile` and `SendableFile`.

use super::*;
use std::io;
use std::pin::Pin;
use std::task::{self, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A file of the application's own, which counts what is asked of it.
#[derive(Default)]
struct File {
    incoming: Bytes,
    outgoing: Arc<Mutex<(Vec<u8>, usize)>>,
}

impl AsyncRead for File {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = buf.remaining().min(self.incoming.len());
        buf.put_slice(&self.incoming.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for File {
    fn poll_write(self: Pin<&mut Self>, _: &mut task::Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.outgoing.lock().unwrap().0.extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.lock().unwrap().1 += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn readable_file_read() {
    let incoming = [request(1, "x").transcribe(), Packet::end_of_stream().transcribe()].concat().into();
    let file = File { incoming, ..File::default() };
    let connection = PacketConnection::builder().handler(echo).spawn(file);
    let report = in_time(connection.closed()).await;
    assert_eq!((report.stats.requests, report.stats.packets_received), (1, 2));
}

#[tokio::test]
async fn sendable_file_write_and_flush() {
    let file = File { incoming: Packet::end_of_stream().transcribe(), ..File::default() };
    let outgoing = Arc::clone(&file.outgoing);
    let connection = PacketConnection::builder().spawn(file);
    in_time(connection.closed()).await;
    let (written, flushes) = &*outgoing.lock().unwrap();
    assert_eq!(written[..], [3, 1, 2, 0, 3, 0, 2, 0]);
    assert!(*flushes > 0);
}
