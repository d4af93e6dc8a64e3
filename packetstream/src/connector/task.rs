//! The task that makes a link's connections.

use super::Connector;
use super::error::{LinkError, Outage};
use super::lease::Lease;
use super::state::{LinkPhase, LinkState};
use crate::transport::Stream;
use packetstream_core::{ConnectionError, NotSent, PacketConnection};
use std::future::Future;
use std::pin::pin;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// The connection that a link has, for whoever is quick.
#[derive(Debug)]
pub(super) enum Live {
    /// None: ask the task.
    None,
    /// This one.
    Open(Lease),
    /// None any more.
    Closed,
}

/// Somebody who wants a connection.
#[derive(Debug)]
pub(super) struct Want {
    /// The last connection that was of no use.
    pub(super) newer_than: u64,
    /// How many attempts may fail before that is the answer; any number if `None`.
    pub(super) attempts: Option<u32>,
    pub(super) answer: oneshot::Sender<Result<Lease, LinkError>>,
}

/// Makes connections when somebody wants one, one at a time.
pub(super) struct Task {
    connector: Connector,
    wants: mpsc::UnboundedReceiver<Want>,
    live: watch::Sender<Live>,
    state: watch::Sender<LinkState>,
    /// Who waits for a connection, and how many attempts have failed meanwhile.
    waiting: Vec<(Want, u32)>,
    /// The connection there is.
    lease: Option<Lease>,
    /// Attempts in a row that have failed, and connections that did not last.
    failures: u32,
    /// When the next attempt may be made.
    not_before: Option<Instant>,
}

/// The link is closed, or nobody has it any more.
#[derive(Debug)]
enum Over {
    Closed,
    Forgotten,
}

impl Task {
    pub(super) fn new(
        connector: Connector,
        wants: mpsc::UnboundedReceiver<Want>,
        live: watch::Sender<Live>,
        state: watch::Sender<LinkState>,
    ) -> Self {
        Self {
            connector,
            wants,
            live,
            state,
            waiting: Vec::new(),
            lease: None,
            failures: 0,
            not_before: None,
        }
    }

    /// Runs until the link is closed and its last connection has ended, or nobody has the link any more.
    pub(super) async fn run(mut self) {
        loop {
            let over = match self.turn().await {
                Ok(()) => continue,
                Err(over) => over,
            };
            // Nobody is to wait for a goodbye to learn that there is nothing more to be had.
            self.waiting.clear();
            self.wants.close();
            while self.wants.try_recv().is_ok() {}
            if let (Over::Closed, Some(Lease { connection, .. })) = (over, self.lease.take()) {
                connection.close();
                closed(&connection).await;
            }
            break;
        }
    }

    /// From one connection, or none, to the next.
    async fn turn(&mut self) -> Result<(), Over> {
        if self.waiting.is_empty() {
            self.enter(LinkPhase::Idle);
            let want = self.want().await?;
            self.queue(want);
        }
        if let Some(stream) = self.open().await? {
            let lease = self.connected(stream);
            self.hold(&lease).await?;
        }
        Ok(())
    }

    /// The next who wants a connection.
    async fn want(&mut self) -> Result<Want, Over> {
        let mut live = self.live.subscribe();
        let closed = async {
            // There is a sender for as long as there is `self`.
            let _ = live.wait_for(|live| matches!(live, Live::Closed)).await;
        };
        tokio::select! {
            biased;
            () = closed => Err(Over::Closed),
            want = self.wants.recv() => want.ok_or(Over::Forgotten),
        }
    }

    fn queue(&mut self, want: Want) {
        // Those who have given up do not make it longer, however long an attempt takes.
        if self.waiting.len() == self.waiting.capacity() {
            self.forget_gone();
        }
        self.waiting.push((want, 0));
    }

    /// Forgets those who wait no more.
    fn forget_gone(&mut self) {
        self.waiting.retain(|(want, _)| !want.answer.is_closed());
    }

    /// Waits for `event`, and lets those queue who want a connection meanwhile.
    async fn until<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Over> {
        let mut event = pin!(event);
        loop {
            tokio::select! {
                want = self.want() => {
                    let want = want?;
                    self.queue(want);
                }
                value = &mut event => return Ok(value),
            }
        }
    }

    /// Opens a stream, with as many attempts as it takes for as long as anybody waits for it.
    async fn open(&mut self) -> Result<Option<Stream>, Over> {
        loop {
            let attempt = self.failures.saturating_add(1);
            if let Some(until) = self.not_before.take().filter(|until| *until > Instant::now()) {
                self.enter(LinkPhase::Waiting { attempt, until });
                self.until(sleep_until(until)).await?;
            }
            self.forget_gone();
            if self.waiting.is_empty() {
                return Ok(None);
            }
            self.enter(LinkPhase::Connecting { attempt });
            let limit = self.connector.patience;
            let opened = timeout(limit, (self.connector.open)());
            match self.until(opened).await? {
                Ok(Ok(stream)) => return Ok(Some(stream)),
                Ok(Err(error)) => self.failed(&Outage::NotOpened(error)),
                Err(_) => self.failed(&Outage::OpenTimedOut(limit)),
            }
        }
    }

    /// An attempt has failed: those who have seen enough of that are told.
    fn failed(&mut self, outage: &Outage) {
        self.put_off();
        self.state.send_modify(|state| state.last_error = Some(outage.clone()));
        for (want, mut attempts) in std::mem::take(&mut self.waiting) {
            attempts += 1;
            if want.attempts.is_some_and(|most| attempts >= most) {
                let error = LinkError::Unreachable { attempts, source: outage.clone() };
                // Whoever has given up is told nothing.
                let _ = want.answer.send(Err(error));
            } else {
                self.waiting.push((want, attempts));
            }
        }
    }

    /// Puts the next attempt off.
    fn put_off(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now().checked_add(self.connector.backoff.wait(self.failures));
    }

    /// Makes a connection over a stream, for all who wait and all who come.
    fn connected(&mut self, stream: Stream) -> Lease {
        let connection = stream.introduce((self.connector.builder)()).spawn(stream);
        let lease = Lease::new(connection, self.state.borrow().connections + 1);
        self.lease = Some(lease.clone());
        self.show(Live::Open(lease.clone()));
        self.state.send_modify(|state| {
            state.phase = LinkPhase::Connected;
            state.connections = lease.generation;
        });
        for (want, _) in self.waiting.drain(..) {
            let _ = want.answer.send(Ok(lease.clone()));
        }
        lease
    }

    /// Has a connection until it takes no more requests, or nobody uses it.
    async fn hold(&mut self, lease: &Lease) -> Result<(), Over> {
        let since = Instant::now();
        let unused = lease.unused(self.connector.idle);
        let is_unused = self.lend(lease, unused).await?;
        self.show(Live::None);
        // Dropped and not closed: others may have it from `Link::get`.
        self.lease = None;
        if is_unused {
            self.failures = 0;
            return Ok(());
        }
        if let Some(cause) = cause(&lease.connection).await {
            self.state.send_modify(|state| state.last_error = Some(Outage::Ended(cause)));
        }
        // A peer that takes connections and does not keep them is not to be had more often for that.
        if since.elapsed() < self.connector.backoff.longest(self.failures.saturating_add(1)) {
            self.put_off();
        } else {
            self.failures = 0;
        }
        Ok(())
    }

    /// Gives a connection to all who want it, until nobody does or it takes no more requests. Says which.
    async fn lend(&mut self, lease: &Lease, unused: impl Future<Output = ()>) -> Result<bool, Over> {
        let mut unused = pin!(unused);
        let mut closed = pin!(closed(&lease.connection));
        loop {
            tokio::select! {
                want = self.want() => {
                    let want = want?;
                    if want.newer_than >= lease.generation || !lease.connection.is_open() {
                        self.queue(want);
                        return Ok(false);
                    }
                    let _ = want.answer.send(Ok(lease.clone()));
                }
                () = &mut closed => return Ok(false),
                () = &mut unused => return Ok(true),
            }
        }
    }

    /// Shows the connection there is, unless the link was closed.
    fn show(&self, now: Live) {
        self.live.send_if_modified(|live| {
            let is_open = !matches!(live, Live::Closed);
            if is_open {
                *live = now;
            }
            is_open
        });
    }

    fn enter(&self, phase: LinkPhase) {
        self.state.send_if_modified(|state| {
            let is_new = state.phase != phase;
            state.phase = phase;
            is_new
        });
    }
}

/// However the task ends, nobody waits for it in vain.
impl Drop for Task {
    fn drop(&mut self) {
        self.live.send_replace(Live::Closed);
        self.enter(LinkPhase::Closed);
    }
}

/// Waits until a connection has ended, however that went.
async fn closed(connection: &PacketConnection) {
    connection.closed().await;
}

/// What has ended a connection that takes no more requests, unless that was a goodbye.
async fn cause(connection: &PacketConnection) -> Option<ConnectionError> {
    match connection.reserve().await {
        Err(NotSent::Lost(cause)) => Some(cause),
        _ => None,
    }
}
