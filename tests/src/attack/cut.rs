//! A stream that ends at a byte.

use super::memory::Memory;
use super::peers::runtime;
use packetstream::{CallError, Incoming, NotSent, Outcome, PacketConnection, Reply};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::time::Instant;

/// Requests of each side; with their answers and the goodbyes about 200 packets.
const CALLS: u64 = 50;
/// The longest that anybody waits once the stream is cut, in virtual time.
const AT_ONCE: Duration = Duration::from_secs(2);

async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from(request.payload))
}

/// How a direction ends.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// The reader finds the end of the stream.
    End,
    /// The reader finds an error.
    Reset,
    /// The writer finds an error.
    Broken,
    /// The writer finds that nothing is taken.
    Zero,
}

const CUTS: [Cut; 4] = [Cut::End, Cut::Reset, Cut::Broken, Cut::Zero];

/// One side's stream, cut after so many bytes of one direction.
#[derive(Debug)]
struct Stream {
    inner: DuplexStream,
    /// Bytes that may still be read, or written, and how it ends then.
    read: Option<(usize, Cut)>,
    write: Option<(usize, Cut)>,
    /// Bytes that were written.
    written: usize,
}

impl Stream {
    fn new(inner: DuplexStream) -> Self {
        Self { inner, read: None, write: None, written: 0 }
    }

    fn cut(&mut self, after: usize, cut: Cut) {
        match cut {
            Cut::End | Cut::Reset => self.read = Some((after, cut)),
            Cut::Broken | Cut::Zero => self.write = Some((after, cut)),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some((left, cut)) = self.read else { return Pin::new(&mut self.inner).poll_read(cx, buf) };
        if left == 0 {
            return Poll::Ready(match cut {
                Cut::Reset => Err(io::ErrorKind::ConnectionReset.into()),
                _ => Ok(()),
            });
        }
        let mut bytes = vec![0; left.min(buf.remaining())];
        let mut part = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut part))?;
        buf.put_slice(part.filled());
        self.read = Some((left - part.filled().len(), cut));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let most = match self.write {
            Some((0, Cut::Zero)) => return Poll::Ready(Ok(0)),
            Some((0, _)) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some((left, _)) => left.min(buf.len()),
            None => buf.len(),
        };
        let count = ready!(Pin::new(&mut self.inner).poll_write(cx, &buf[..most]))?;
        self.written += count;
        if let Some((left, _)) = &mut self.write {
            *left -= count;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// A conversation from the first call to both ends, one stream of which may be cut; how many bytes it had.
async fn converse(one: Stream, other: Stream, is_cut: bool) -> usize {
    let sides = [one, other].map(|stream| {
        let (connection, driver) = PacketConnection::builder().handler(echo).build(stream);
        // A transport that is dropped is one that the peer finds ended.
        (connection, tokio::spawn(async { driver.run().await.transport.written }))
    });
    let begun = Instant::now();
    let mut calls = Vec::new();
    for number in 0..CALLS {
        calls.extend(sides.iter().map(|(connection, _)| connection.submit(number, 0, number.to_string())));
        // Not all in one write.
        tokio::task::yield_now().await;
    }
    for call in calls {
        match call.await {
            Ok(_) => {}
            Err(CallError::Lost(_) | CallError::NotSent(NotSent::Lost(_) | NotSent::Closed)) if is_cut => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    let mut bytes = 0;
    for (connection, driver) in sides {
        connection.close();
        drop(connection);
        bytes = driver.await.expect("no panic").max(bytes);
    }
    assert!(begun.elapsed() <= AT_ONCE, "{:?}", begun.elapsed());
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks, 0, "tasks are left");
    bytes
}

pub(super) fn everywhere(times: u64, memory: &mut Memory) {
    runtime().block_on(async {
        let pair = || {
            let (here, there) = duplex(64 << 10);
            (Stream::new(here), Stream::new(there))
        };
        let (here, there) = pair();
        let bytes = converse(here, there, false).await;
        memory.is_warm();
        let all = 2 * CUTS.len() * (bytes + 1);
        let step = all.div_ceil(usize::try_from(times).expect("it fits")).max(1);
        let mut tried = 0;
        for case in (0..all).step_by(step) {
            let (mut here, mut there) = pair();
            let (place, way) = (case / (2 * CUTS.len()), case % (2 * CUTS.len()));
            let side = if way.is_multiple_of(2) { &mut here } else { &mut there };
            side.cut(place, CUTS[way / 2]);
            converse(here, there, true).await;
            tried += 1;
        }
        println!("{tried} of {all} ways to cut conversations of {bytes} bytes in each direction");
    });
}
