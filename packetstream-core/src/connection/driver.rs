//! The task that owns a session and a transport.
//!
//! One turn takes, in this order, a bounded amount of: commands of handles, outcomes of handlers,
//! requests of the peer that wait for a handler, packets from the peer, and then writes what has come of it all
//! with one write. It never waits for one of them while another could go on:
//!
//! * Reading does not wait for writing, for a handler or for a caller. It pauses when the peer has asked
//!   for more than [`Limits`] allow, and then no longer than 2 s while answers to requests of ours may be behind it.
//! * Packets are queued whole, and only this task writes: whoever gives up waiting leaves nothing torn.
//! * Responses have a queue of their own; callers' back-pressure does not touch it.
//! * Every wait has a deadline, looked at when there is nothing else to do, and before the task yields.

use super::builder::Carriage;
use super::error::ConnectionError;
use super::handler::{Incoming, Tasks, Ticket};
use super::limits::SHUT_DOWN;
use super::report::CloseReport;
use super::session::{Overdue, Phase, Session, Transit};
use super::writer::Writer;
use super::{Builder, PacketConnection};
use crate::codec::Decoder;
use bytes::{BufMut, Bytes};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, Sleep, sleep_until};

/// Turns before the task yields to others. One would cost each small call another poll, and more let a flood keep the
/// thread (`benches/counted`, `tests/fairness.rs`).
const TURNS: usize = 2;
/// Packets that one turn takes from the peer.
const PER_TURN: usize = 256;
/// Bytes that do not wait for others to share their flush.
pub(super) const GATHERED: usize = 64 << 10;

/// Drives a connection: reads, writes, performs. Nothing happens unless it runs.
///
/// Dropping it drops the transport and the handlers that still run; calls then fail with
/// [`ConnectionError::Dropped`].
#[must_use = "a connection does nothing unless its driver runs"]
pub struct Driver<S> {
    transport: S,
    decoder: Decoder,
    writer: Writer,
    session: Session,
    tasks: Tasks,
    read: u64,
    grace: Grace,
    alarm: Alarm,
}

/// A connection that has ended, with the transport handed back.
#[derive(Debug)]
pub struct Ended<S> {
    /// How it ended.
    pub report: CloseReport,
    /// The transport, neither shut down nor closed: it can carry another connection.
    pub transport: S,
    /// What was read behind the peer's last packet: the first bytes of whatever comes next.
    pub unread: Bytes,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Ended<S> {
    /// Makes another connection over the same transport, which misses no byte that the peer has sent for it.
    pub fn reuse(self, builder: Builder) -> (PacketConnection, Driver<S>) {
        builder.unread(self.unread).build(self.transport)
    }
}

impl<S> Driver<S> {
    pub(super) fn new(transport: S, session: Session, carriage: Carriage) -> Self {
        let Carriage { max_packet, packet_grace: grace, unread } = carriage;
        let mut decoder = Decoder::new(max_packet);
        decoder.room().put_slice(&unread);
        Self {
            transport,
            decoder,
            writer: Writer::default(),
            session,
            tasks: Tasks::new(),
            read: unread.len() as u64,
            grace: Grace { grace, over: None },
            alarm: Alarm::default(),
        }
    }

    fn transit(&self) -> Transit {
        Transit {
            read: self.read,
            is_mid_packet: self.decoder.is_mid_packet(),
            written: self.writer.written(),
            unsent: self.writer.unsent(),
            responses: self.writer.responses(),
            is_flushed: self.writer.is_idle(),
            is_gathering: self.grace.is_running(),
            flushes: self.writer.flushes(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Runs until the connection has ended, and hands the transport back.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connection and the transport.
    pub async fn run(mut self) -> Ended<S> {
        poll_fn(|cx| self.poll(cx)).await;
        let unread = mem::take(&mut self.decoder).into_unread();
        // They count where they are taken.
        self.read = self.read.saturating_sub(unread.len() as u64);
        let report = self.end();
        self.session.tell(Ok(()));
        Ended { report, transport: self.transport, unread }
    }

    /// Runs, then shuts the transport down, for 5 s at most, and only then says that the connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connection and the transport.
    #[allow(clippy::manual_async_fn, reason = "an async function has two places for `self`, and it is large")]
    pub fn run_and_shut_down(mut self) -> impl Future<Output = CloseReport> {
        async move {
            poll_fn(|cx| self.poll(cx)).await;
            let report = self.end();
            let shut_down = tokio::time::timeout(SHUT_DOWN, self.transport.shutdown()).await;
            let late = |_| {
                let text = format!("not shut down within {SHUT_DOWN:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            };
            let shut_down = shut_down.unwrap_or_else(late);
            self.session.tell(shut_down).unwrap_or(report)
        }
    }

    fn end(&mut self) -> CloseReport {
        // Not only when it is dropped: shutting the transport down may take a while.
        self.tasks.abort_all();
        let transit = self.transit();
        self.session.end(&transit)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..TURNS {
            let mut busy = self.session.obey(cx.waker());
            busy |= self.poll_tasks(cx);
            busy |= self.start_requests(cx);
            busy |= self.poll_read(cx);
            busy |= self.poll_write(cx);
            let transit = self.transit();
            if self.session.is_over(&transit) {
                return Poll::Ready(());
            }
            if !busy && !self.poll_deadlines(&transit, cx) {
                self.session.publish(&transit);
                return Poll::Pending;
            }
        }
        // A peer that keeps us busy does not stop the clock.
        let transit = self.transit();
        self.poll_deadlines(&transit, cx);
        self.session.publish(&transit);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_tasks(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while let Poll::Ready(Some(joined)) = pin!(self.tasks.join_next()).poll(cx) {
            busy = true;
            // Panics are caught; the only error is that the task was aborted, by us.
            if let Ok((ticket, performed)) = joined {
                self.session.finished(ticket, performed);
            }
        }
        busy
    }

    /// Begins as many of the peer's requests as there may be, and says whether that was any.
    fn start_requests(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while let Some((ticket, request)) = self.session.next_request() {
            busy = true;
            self.start(ticket, request, cx);
        }
        busy
    }

    fn start(&mut self, ticket: Ticket, request: Incoming, cx: &mut Context<'_>) {
        let rq_type = request.rq_type;
        let handler = self.session.handlers().of(ticket.id.channel);
        match handler.start(ticket, request, cx, &mut self.tasks) {
            Some(performed) => {
                self.session.finished(ticket, performed);
                self.session.transmit_responses(&mut self.writer);
            }
            None => self.session.goes_on(ticket, rq_type),
        }
    }

    /// Takes what has arrived, with at most one read.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> bool {
        seeded!(ReaderWaitsForWriter => if self.writer.unsent() > 0 { return false });
        let (any, drained) = self.take_packets(cx);
        if !drained || !self.session.may_read() {
            return any;
        }
        let read = pin!(self.transport.read_buf(self.decoder.room())).poll(cx);
        match read {
            Poll::Pending => {
                self.decoder.rest();
                return any;
            }
            Poll::Ready(Ok(0)) => self.session.handle_end(self.decoder.finish()),
            Poll::Ready(Ok(count)) => {
                self.read += count as u64;
                self.take_packets(cx);
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => self.session.fail(ConnectionError::Read(Arc::new(error))),
        }
        true
    }

    /// Takes packets that have been read, and says whether it took any, and whether none is left.
    fn take_packets(&mut self, cx: &mut Context<'_>) -> (bool, bool) {
        for taken in 0..PER_TURN {
            if !self.session.may_read() {
                return (taken > 0, false);
            }
            match self.decoder.next_packet() {
                Ok(Some(packet)) => {
                    if let Some((ticket, request)) = self.session.handle(packet) {
                        self.start(ticket, request, cx);
                    } else if self.session.has_waiting() {
                        self.start_requests(cx);
                    }
                }
                Ok(None) => return (taken > 0, true),
                Err(error) => {
                    self.session.fail(error.into());
                    return (true, false);
                }
            }
        }
        (true, false)
    }

    /// Writes what there is, with one write.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> bool {
        let busy = self.session.transmit(&mut self.writer, 0);
        if self.session.phase() == Phase::Mute || self.gathers(cx) {
            return busy;
        }
        match self.writer.poll(&mut self.transport, cx) {
            Poll::Pending => return busy,
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => {
                let lost = self.writer.discard();
                self.session.fail_writing(error, lost);
            }
        }
        true
    }

    /// Whether what there is to write still waits for more.
    fn gathers(&mut self, cx: &mut Context<'_>) -> bool {
        if self.grace.grace.is_zero() {
            return false;
        }
        let unsent = self.writer.unsent();
        let is_worth_it = 0 < unsent && unsent < GATHERED && !self.session.is_closing();
        self.grace.poll(is_worth_it && self.session.phase() == Phase::Live, cx)
    }

    /// Looks at what should move and has not, and says whether that changed anything.
    fn poll_deadlines(&mut self, transit: &Transit, cx: &mut Context<'_>) -> bool {
        loop {
            match self.session.look(transit, Instant::now()) {
                Overdue::Nothing(None) => return false,
                Overdue::Nothing(Some(deadline)) => {
                    if self.alarm.ring_at(deadline, cx).is_pending() {
                        return false;
                    }
                }
                Overdue::Handled => return true,
                Overdue::GaveUp => {
                    let lost = self.writer.discard();
                    self.session.lose_responses(lost);
                    return true;
                }
            }
        }
    }
}

/// Lets packets gather before they are flushed.
#[derive(Debug)]
struct Grace {
    grace: Duration,
    /// Set while packets wait.
    over: Option<Pin<Box<Sleep>>>,
}

impl Grace {
    fn is_running(&self) -> bool {
        self.over.as_ref().is_some_and(|over| !over.is_elapsed())
    }

    /// Whether the packets that wait still do; `any` says whether there are some.
    fn poll(&mut self, any: bool, cx: &mut Context<'_>) -> bool {
        if !any {
            self.over = None;
            return false;
        }
        let grace = self.grace;
        let over = self.over.get_or_insert_with(|| Box::pin(tokio::time::sleep(grace)));
        over.as_mut().poll(cx).is_pending()
    }
}

/// Wakes the driver for its deadlines. Made when first needed: most connections end without one.
#[derive(Debug, Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Sets the alarm. It may go off early, for a deadline that was dropped since.
    fn ring_at(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let alarm = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        seeded!(AlarmNotMoved => if !alarm.is_elapsed() { return alarm.as_mut().poll(cx) });
        if alarm.is_elapsed() || deadline < alarm.deadline() {
            alarm.as_mut().reset(deadline);
        }
        alarm.as_mut().poll(cx)
    }
}

impl<S> fmt::Debug for Driver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("phase", &self.session.phase()).finish_non_exhaustive()
    }
}
