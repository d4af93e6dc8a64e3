//! A stream that ends at a byte.

use super::memory::Memory;
use super::peers::runtime;
use packetstream::{CallError, Failure, Incoming, NotSent, Outcome, PacketConnection, Reply};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
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

/// Answers, by the flags at once or later, ok or not.
async fn perform(request: Incoming) -> Outcome {
    for _ in 0..request.flags % 3 {
        tokio::task::yield_now().await;
    }
    if request.flags % 10 == 9 { Err(Failure::new("as asked")) } else { Ok(Reply::from(request.payload)) }
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
///
/// Each `seed` has another; in that of 0 each packet is as short as the next.
async fn converse(seed: u64, one: Stream, other: Stream, is_cut: bool) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let sides = [one, other].map(|stream| {
        let (connection, driver) =
            PacketConnection::builder().handler(perform).channel(1, perform).build(stream);
        // A transport that is dropped is one that the peer finds ended.
        (connection, tokio::spawn(async { driver.run().await.transport.written }))
    });
    let begun = Instant::now();
    let mut calls = Vec::new();
    for number in 0..CALLS {
        for (connection, _) in &sides {
            let (channel, flags, payload) = match seed {
                0 => (0, 0, number.to_string()),
                _ => (
                    random.random_range(0..2),
                    random.random_range(0..100),
                    "x".repeat(random.random_range(0..10)),
                ),
            };
            calls.push(connection.channel(channel).submit(number, flags, payload));
        }
        // Not all in one write.
        if seed == 0 || random.random() {
            tokio::task::yield_now().await;
        }
    }
    for call in calls {
        match call.await {
            Ok(_) | Err(CallError::Failed(_)) => {}
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
        let mut left = usize::try_from(times).expect("it fits");
        for seed in 0.. {
            let (here, there) = pair();
            let bytes = converse(seed, here, there, false).await;
            memory.is_warm();
            let all = 2 * CUTS.len() * (bytes + 1);
            let cases = (0..all).step_by(all.div_ceil(left));
            let tried = cases.len();
            for case in cases {
                let (mut here, mut there) = pair();
                let (place, way) = (case / (2 * CUTS.len()), case % (2 * CUTS.len()));
                let side = if way.is_multiple_of(2) { &mut here } else { &mut there };
                side.cut(place, CUTS[way / 2]);
                converse(seed, here, there, true).await;
            }
            println!("conversation {seed}: {tried} of {all} ways to cut its {bytes} bytes in each direction");
            left = left.saturating_sub(tried);
            if left == 0 {
                break;
            }
        }
    });
}
