//! What waits for what, and for how long at most: large packets, greedy callers, peers that never stop. In counts and
//! on a paused clock, so that the figures are the same everywhere; `--nocapture` shows them.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

mod common;

use bytes::Bytes;
use common::{in_time, reverse};
use packetstream_core::{Incoming, Limits, Outcome, Packet, PacketConnection, Reply};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

const MS: Duration = Duration::from_millis(1);
/// As much as goes over a line of 100 MB/s in 1 ms.
const PER_MS: usize = 100_000;
/// The longest payload.
const LARGE: usize = (16 << 20) - 40;
/// Small calls whose time is taken.
const SMALL: usize = 12;

/// One end of a line that takes 100 MB/s.
struct Line {
    inner: DuplexStream,
    /// Until when it takes nothing, and what it has taken since.
    until: Pin<Box<Sleep>>,
    taken: usize,
}

impl Line {
    fn pair() -> [Self; 2] {
        let (here, there) = duplex(PER_MS);
        [here, there].map(|inner| Self { inner, until: Box::pin(sleep(Duration::ZERO)), taken: 0 })
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.taken >= PER_MS {
            std::task::ready!(self.until.as_mut().poll(cx));
            self.taken = 0;
        }
        let most = bytes.len().min(PER_MS - self.taken);
        let count = std::task::ready!(Pin::new(&mut self.inner).poll_write(cx, &bytes[..most]))?;
        if self.taken == 0 {
            self.until = Box::pin(sleep_until(Instant::now() + MS));
        }
        self.taken += count;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Answers with as many bytes as the flags say.
async fn as_long(request: Incoming) -> Outcome {
    Ok(Reply::from(Bytes::from(vec![0; usize::try_from(request.flags).unwrap()])))
}

/// Has large calls flow from `from`, so many at a time, each of which sends `out` bytes and brings `back`, and says how
/// long small calls of `asks` take meanwhile: all of them, in order.
async fn small_among_large(
    from: &PacketConnection,
    asks: &PacketConnection,
    at_once: usize,
    (out, back): (usize, usize),
) -> Vec<Duration> {
    let mut flow = JoinSet::new();
    for _ in 0..at_once {
        let from = from.clone();
        let payload = Bytes::from(vec![0; out]);
        flow.spawn(async move {
            loop {
                from.submit(0, back as u64, payload.clone()).await.unwrap();
            }
        });
    }
    sleep(Duration::from_secs(1)).await;
    let mut took = Vec::new();
    for number in 0..SMALL {
        // At another place of a large packet each time.
        sleep(MS * u32::try_from(number * 13 % 29).unwrap()).await;
        let begun = Instant::now();
        asks.submit(0, 1, "small").await.unwrap();
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    took
}

/// That small calls take no longer than `packets` large packets do on their way, and 2 ms.
async fn waits_for(
    packets: u32,
    what: &str,
    [from, asks]: [usize; 2],
    at_once: usize,
    bytes: (usize, usize),
) {
    // As many at once as there are.
    let limits = Limits { max_call_bytes: 1 << 30, max_request_bytes: 1 << 30, ..Limits::default() };
    let sides =
        Line::pair().map(|line| PacketConnection::builder().limits(limits).handler(as_long).spawn(line));
    let took = in_time(small_among_large(&sides[from], &sides[asks], at_once, bytes)).await;
    let (median, most) = (took[SMALL / 2], took[SMALL - 1]);
    eprintln!("{what}, {at_once} at once: small calls take {median:?}, {most:?} at most");
    let packet = MS * u32::try_from(LARGE.div_ceil(PER_MS)).unwrap();
    assert!(most <= packet * packets + 2 * MS, "{what}: {took:?}");
    assert!(median >= packet * packets * 8 / 10, "{what}: nothing was in their way, {took:?}");
}

// Rules: none: fairness
#[tokio::test(start_paused = true)]
async fn a_small_packet_waits_for_one_large_one_of_the_other_kind_however_many_there_are() {
    waits_for(1, "answers behind requests of 16 MiB", [0, 1], 4, (LARGE, 1)).await;
    waits_for(1, "requests behind answers of 16 MiB", [0, 1], 4, (1, LARGE)).await;
}

// Rules: none: fairness
#[tokio::test(start_paused = true)]
async fn a_small_packet_waits_for_all_large_ones_of_its_kind_that_were_asked_for_before() {
    for at_once in [1, 2] {
        let packets = u32::try_from(at_once).unwrap();
        waits_for(packets, "answers behind answers of 16 MiB", [0, 0], at_once, (1, LARGE)).await;
        waits_for(packets, "requests behind requests of 16 MiB", [0, 0], at_once, (LARGE, 1)).await;
    }
}

// Rules: none: fairness
#[tokio::test(start_paused = true)]
async fn a_polite_caller_has_its_share_beside_ten_thousand_calls_of_a_greedy_one() {
    const GREEDY: u64 = 10_000;
    const POLITE: usize = 20;
    let (here, there) = duplex(1 << 16);
    let handler = async |_: Incoming| {
        sleep(MS).await;
        Ok(Reply::default())
    };
    let _peer = PacketConnection::builder().handler(handler).spawn(there);
    let connection = PacketConnection::builder().spawn(here);
    let answered = Arc::new(AtomicU64::new(0));
    let mut greedy = JoinSet::new();
    for _ in 0..GREEDY {
        let (connection, answered) = (connection.clone(), Arc::clone(&answered));
        greedy.spawn(async move {
            loop {
                connection.submit(0, 0, "").await.unwrap();
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    in_time(async {
        sleep(100 * MS).await;
        let mut passed = Vec::new();
        for _ in 0..POLITE {
            let before = answered.load(Ordering::Relaxed);
            connection.submit(0, 0, "").await.unwrap();
            passed.push(answered.load(Ordering::Relaxed) - before);
        }
        passed.sort_unstable();
        let most = passed[POLITE - 1];
        eprintln!(
            "beside {GREEDY} calls of another, {most} of those are answered at most before a polite one"
        );
        // Who has one call of so many has one answer of so many.
        assert!(most <= 3 * GREEDY, "{passed:?}");
        assert!(most >= GREEDY / 2, "nobody was greedy: {passed:?}");
    })
    .await;
}

/// A peer that asks without end and takes all answers, both at once and as much as it is let.
struct Endless {
    says: Bytes,
    said: usize,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while buf.remaining() > 0 {
            let piece = &self.says[self.said % self.says.len()..];
            let count = piece.len().min(buf.remaining());
            buf.put_slice(&piece[..count]);
            self.said += count;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Has others go first, and comes at once when they have had their turn.
async fn next_turn() {
    let mut is_over = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

// Rules: none: fairness
#[tokio::test]
async fn whoever_shares_a_thread_with_a_flood_has_a_turn_every_thousand_packets_or_so() {
    const TURNS: [usize; 2] = [100, 5];
    /// Two turns of two times 256 packets are a poll of the connection.
    const POLL: u64 = 1_024;
    /// Tokio looks at its timers, and at who has yielded to them, once in so many polls of tasks.
    const POLLS: u64 = 61;
    let says = (2..10_002).flat_map(|tag| Packet::request(0, tag, 1, 0, Bytes::new()).unwrap().transcribe());
    let flood = Endless { says: says.collect(), said: 0 };
    let connection = PacketConnection::builder().handler(reverse).spawn(flood);
    // A task: what `block_on` polls itself waits as long as timers do.
    let ticks = tokio::spawn(async move {
        let mut before = 0;
        let mut packets = || {
            let now = connection.stats().packets_received;
            now - std::mem::replace(&mut before, now)
        };
        let (mut task, mut timer) = (0, 0);
        for _ in 0..TURNS[0] {
            next_turn().await;
            task = packets().max(task);
        }
        for _ in 0..TURNS[1] {
            tokio::task::yield_now().await;
            timer = packets().max(timer);
        }
        [task, timer]
    });
    let [task, timer] = in_time(ticks).await.unwrap();
    eprintln!("beside a flood a task has its turn after {task} packets at most, a timer after {timer}");
    // Tokio may poll it twice, where it looks at its timers in between.
    assert!(task <= 2 * POLL, "{task} packets");
    assert!(timer <= POLL * POLLS, "{timer} packets");
    assert!(task > POLL / 8, "no flood: {task} packets");
}
