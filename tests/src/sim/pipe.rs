//! One direction of a transport, in memory, with all that can be wrong with one.

use super::random::Random;
use super::scenario::{Link, ReaderSees, Shutdown, WriterSees};
use super::world::World;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Reads and writes of one link before something must be going round in circles.
const MOST: u64 = 20_000_000;

/// Both ends of a transport, and what looks at the links between them.
pub(super) fn connect(links: &[Link; 2], seed: u64, world: &World) -> ([Port; 2], [Pipe; 2]) {
    let pipe = |from: usize| Pipe(Arc::new(Mutex::new(Contents::new(links[from], seed ^ from as u64))));
    let pipes = [pipe(0), pipe(1)];
    let port = |end: usize| Port {
        end,
        outgoing: pipes[end].clone(),
        incoming: pipes[1 - end].clone(),
        alarms: [None, None],
        world: world.clone(),
    };
    ([port(0), port(1)], pipes)
}

/// One direction, as whoever watches it has it.
#[derive(Clone, Debug)]
pub(super) struct Pipe(Arc<Mutex<Contents>>);

/// What has gone through a link while one connection wrote to it.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    /// What the writer gave.
    pub(super) written: Vec<u8>,
    /// For how long at most it waited for the link to take some.
    pub(super) blocked: Duration,
}

/// What a link has brought to one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery {
    /// Bytes.
    pub(super) bytes: u64,
    /// When the last of them came.
    pub(super) last: Option<Instant>,
}

#[derive(Debug)]
struct Contents {
    link: Link,
    random: Random,
    operations: u64,
    /// What was passed on and not read, and when it can be.
    pieces: VecDeque<(Instant, VecDeque<u8>)>,
    /// What was not flushed.
    held: VecDeque<u8>,
    /// In both.
    between: usize,
    written: u64,
    read: u64,
    stalled_until: Option<Instant>,
    has_stalled: bool,
    is_shut: bool,
    is_deaf: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Since when it takes nothing.
    blocked_since: Option<Instant>,
    tap: Tap,
    delivery: Delivery,
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written since the last time.
    pub(super) fn tap(&self) -> Tap {
        let mut pipe = self.lock();
        pipe.moves();
        std::mem::replace(&mut pipe.tap, Tap { written: Vec::new(), blocked: Duration::ZERO })
    }

    /// What was read since the last time.
    pub(super) fn delivery(&self) -> Delivery {
        std::mem::replace(&mut self.lock().delivery, Delivery { bytes: 0, last: None })
    }
}

impl Contents {
    fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            random: Random::new(seed),
            operations: 0,
            pieces: VecDeque::new(),
            held: VecDeque::new(),
            between: 0,
            written: 0,
            read: 0,
            stalled_until: None,
            has_stalled: false,
            is_shut: false,
            is_deaf: false,
            reader: None,
            writer: None,
            blocked_since: None,
            tap: Tap { written: Vec::new(), blocked: Duration::ZERO },
            delivery: Delivery { bytes: 0, last: None },
        }
    }

    /// What whoever writes sees of the end, if that is reached.
    fn cut(&self) -> Option<WriterSees> {
        self.link.cut.filter(|cut| self.written >= cut.at).map(|cut| cut.writer)
    }

    /// Whether what was begun has to be done again. May also wake the task for nothing.
    fn again(&mut self, cx: &Context<'_>) -> io::Result<bool> {
        self.operations += 1;
        if self.operations > MOST {
            return Err(io::Error::other("this goes round in circles"));
        }
        let again = self.random.one_in(self.link.again);
        if again || self.random.one_in(self.link.wakes) {
            cx.waker().wake_by_ref();
        }
        Ok(again)
    }

    /// The same of what may be interrupted.
    fn interrupted_or_again(&mut self, cx: &Context<'_>) -> io::Result<bool> {
        let again = self.again(cx)?;
        if again && self.random.one_in(2) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(again) }
    }

    fn block(&mut self, cx: &Context<'_>) {
        self.writer = Some(cx.waker().clone());
        self.blocked_since.get_or_insert_with(Instant::now);
    }

    /// It has taken something.
    fn moves(&mut self) {
        if let Some(since) = self.blocked_since.take() {
            self.tap.blocked = self.tap.blocked.max(since.elapsed());
        }
    }

    /// Passes on what was held.
    fn release(&mut self, world: &World) {
        if self.held.is_empty() {
            return;
        }
        let delay = Duration::from_millis(self.random.below(self.link.delay + 1));
        world.log().impose(delay);
        let before = self.pieces.back().map(|(ready, _)| *ready);
        let ready = before.into_iter().chain([Instant::now() + delay]).max();
        let piece = std::mem::take(&mut self.held);
        self.pieces.extend(ready.map(|ready| (ready, piece)));
        wake(&mut self.reader);
    }

    /// How many of so many bytes it takes now.
    fn room(&mut self, wanted: usize) -> usize {
        let before_cut = self.link.cut.map_or(u64::MAX, |cut| cut.at - self.written);
        let stall = self.link.stall.filter(|_| !self.has_stalled);
        let before_stall = stall.map_or(u64::MAX, |stall| stall.at.saturating_sub(self.written));
        let most = usize::try_from(before_cut.min(before_stall)).unwrap_or(usize::MAX);
        let most = most.min(wanted).min(self.link.write).min(self.link.capacity.saturating_sub(self.between));
        if most > 1 && self.random.one_in(4) { self.random.within(1, most) } else { most }
    }

    /// Whether it takes nothing for a while, until this time.
    fn stall(&mut self, world: &World) -> Option<Instant> {
        if let Some(stall) = self.link.stall
            && !self.has_stalled
            && self.written >= stall.at
        {
            let stall = Duration::from_millis(stall.ms);
            world.log().impose(stall);
            (self.has_stalled, self.stalled_until) = (true, Some(Instant::now() + stall));
        }
        self.stalled_until.filter(|until| *until > Instant::now())
    }

    fn take(&mut self, bytes: &[u8], end: usize, world: &World) {
        let before = self.held.len();
        self.held.extend(bytes);
        if let Some(flip) = self.link.flip
            && let Some(offset) = flip.at.checked_sub(self.written)
            && let Some(byte) =
                usize::try_from(offset).ok().and_then(|at| self.held.range_mut(before..).nth(at))
        {
            *byte ^= 1 << (flip.bit & 7);
        }
        self.between += bytes.len();
        self.gave(bytes, end, world);
        if !self.link.holds {
            self.release(world);
        }
    }

    fn gave(&mut self, bytes: &[u8], end: usize, world: &World) {
        self.written += bytes.len() as u64;
        self.tap.written.extend_from_slice(bytes);
        self.moves();
        world.log().trace.bytes("wrote", end, bytes);
    }

    /// Fills `buf` with what has arrived, and says when the next bytes will, if there are any.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> Option<Instant> {
        let now = Instant::now();
        let mut most = self.link.read.min(buf.remaining());
        while let Some((ready, piece)) = self.pieces.front_mut() {
            if *ready > now {
                return Some(*ready);
            }
            let count = piece.len().min(most);
            let (first, second) = piece.as_slices();
            buf.put_slice(&first[..count.min(first.len())]);
            buf.put_slice(&second[..count.saturating_sub(first.len())]);
            piece.drain(..count);
            most -= count;
            self.between -= count;
            self.read += count as u64;
            self.delivery.bytes += count as u64;
            if !piece.is_empty() {
                break;
            }
            self.pieces.pop_front();
        }
        None
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// One end of a transport.
#[derive(Debug)]
pub(super) struct Port {
    end: usize,
    outgoing: Pipe,
    incoming: Pipe,
    /// For bytes that arrive later, and for a stall to pass.
    alarms: [Option<Pin<Box<Sleep>>>; 2],
    world: World,
}

impl Port {
    /// Its connection has ended; for how long the transport takes nothing from now on is nobody's business.
    pub(super) fn rest(&self) {
        self.outgoing.lock().moves();
    }

    fn wake_at(&mut self, alarm: usize, at: Instant, cx: &mut Context<'_>) {
        let sleep = self.alarms[alarm].get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        if sleep.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

impl AsyncRead for Port {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let incoming = self.incoming.clone();
        let mut pipe = incoming.lock();
        if pipe.interrupted_or_again(cx)? {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let next = pipe.give(buf);
        if buf.filled().len() > before {
            pipe.delivery.last = Some(Instant::now());
            self.world.log().trace.bytes("read", self.end, &buf.filled()[before..]);
            wake(&mut pipe.writer);
            return Poll::Ready(Ok(()));
        }
        pipe.reader = Some(cx.waker().clone());
        if let Some(at) = next {
            self.wake_at(0, at, cx);
            return Poll::Pending;
        }
        if let Some(cut) = pipe.link.cut.filter(|cut| pipe.written >= cut.at) {
            return match cut.reader {
                ReaderSees::StreamEnd => Poll::Ready(Ok(())),
                ReaderSees::ReadError => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                ReaderSees::NothingMore => Poll::Pending,
            };
        }
        if pipe.is_shut { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl AsyncWrite for Port {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outgoing = self.outgoing.clone();
        let mut pipe = outgoing.lock();
        if pipe.interrupted_or_again(cx)? {
            return Poll::Pending;
        }
        match pipe.cut() {
            None if pipe.is_deaf => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            None => {}
            Some(WriterSees::WriteError) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(WriterSees::Zero) => return Poll::Ready(Ok(0)),
            Some(WriterSees::Lie) => return Poll::Ready(Ok(bytes.len() + 1)),
            Some(WriterSees::Success) => {
                pipe.gave(bytes, self.end, &self.world);
                return Poll::Ready(Ok(bytes.len()));
            }
            Some(WriterSees::Blocked) => {
                pipe.block(cx);
                return Poll::Pending;
            }
        }
        if let Some(until) = pipe.stall(&self.world) {
            pipe.block(cx);
            self.wake_at(1, until, cx);
            return Poll::Pending;
        }
        let count = pipe.room(bytes.len());
        if count == 0 {
            // Whoever holds bytes back passes them on when there are too many.
            pipe.release(&self.world);
            pipe.block(cx);
            return Poll::Pending;
        }
        pipe.take(&bytes[..count], self.end, &self.world);
        if pipe.cut().is_some() {
            wake(&mut pipe.reader);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().map(|slice| &**slice).collect::<Vec<&[u8]>>().concat();
        self.poll_write(cx, &bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.outgoing.lock().link.vectored
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.outgoing.lock();
        if pipe.interrupted_or_again(cx)? {
            return Poll::Pending;
        }
        match pipe.cut() {
            Some(WriterSees::WriteError) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(WriterSees::Blocked) => {
                pipe.block(cx);
                return Poll::Pending;
            }
            _ => {}
        }
        pipe.release(&self.world);
        pipe.moves();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.outgoing.lock();
        if pipe.again(cx)? {
            return Poll::Pending;
        }
        // What is not written by now never is.
        pipe.moves();
        match pipe.link.shutdown {
            Shutdown::Fine => {
                pipe.release(&self.world);
                pipe.is_shut = true;
                wake(&mut pipe.reader);
                Poll::Ready(Ok(()))
            }
            Shutdown::Fails => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            Shutdown::Hangs => Poll::Pending,
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let mut outgoing = self.outgoing.lock();
        outgoing.moves();
        outgoing.is_shut = true;
        wake(&mut outgoing.reader);
        drop(outgoing);
        let mut incoming = self.incoming.lock();
        incoming.is_deaf = true;
        wake(&mut incoming.writer);
    }
}
