//! A handle to connections that are made on demand.

use super::call::LinkCall;
use super::error::LinkError;
use super::lease::Lease;
use super::limit::Limit;
use super::state::LinkState;
use super::task::{Live, Task, Want};
use super::{Backoff, Connector};
use crate::client::Outgoing;
use crate::protocol::Carries;
use packetstream_core::{BaseRequest, PacketConnection};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Asks the requests of protocol `P` over a connection that is made on demand, and made anew when it is lost.
/// [`Connector::link`] makes it.
///
/// Clones share one connection; when the last of them and of their calls is gone, the link lets go of it. All who
/// ask while a stream is being opened wait for the same attempt. What went wrong before is nobody's error: whoever
/// asks anew waits for the next attempt, which [`Backoff`] may put off.
///
/// | what became of a call | it is asked again |
/// |---|---|
/// | it was not sent, since the connection ended | over the next connection |
/// | the peer answered `busy` | after a while as [`Backoff`] says |
/// | it was lost with the connection | over the next one, if it is [`idempotent`](crate::Contract::idempotent) |
/// | anything else | never |
///
/// At most as often as [`Connector::tries`] says.
pub struct Link<P> {
    pub(crate) shared: Arc<Shared>,
    #[cfg(feature = "tower")]
    pub(crate) turn: crate::tower::Turn<crate::tower::Ready>,
    protocol: PhantomData<fn() -> P>,
}

/// What the handles of a link have in common.
pub(crate) struct Shared {
    wants: mpsc::UnboundedSender<Want>,
    live: watch::Sender<Live>,
    state: watch::Receiver<LinkState>,
    attempts: u32,
    pub(super) patience: Duration,
    pub(super) tries: u32,
    pub(super) backoff: Backoff,
}

impl<P> Link<P> {
    pub(super) fn new(connector: Connector) -> Self {
        let (wants, wanted) = mpsc::unbounded_channel();
        let (doing, state) = watch::channel(LinkState::NEW);
        let live = watch::Sender::new(Live::None);
        let Connector { attempts, patience, tries, backoff, .. } = connector;
        tokio::spawn(Task::new(connector, wanted, live.clone(), doing).run());
        Self::of(Arc::new(Shared { wants, live, state, attempts, patience, tries, backoff }))
    }

    fn of(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            #[cfg(feature = "tower")]
            turn: crate::tower::Turn::default(),
            protocol: PhantomData,
        }
    }

    /// Asks; the future yields the reply. Nothing is done before it is polled.
    ///
    /// # Errors
    ///
    /// That of the last try; [`NotSent::NoConnection`](crate::NotSent::NoConnection) with a [`LinkError`] if there
    /// was no connection for it. But if one try was lost, [`RequestError::Lost`](crate::RequestError::Lost) in place of
    /// any that would say that nothing was performed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the answer; the peer may still perform the request.
    pub fn call<R>(&self, request: R) -> LinkCall<R>
    where
        P: Carries<R>,
        R: BaseRequest,
    {
        LinkCall::new(Arc::clone(&self.shared), Outgoing::of::<P, R>(&request), request)
    }

    /// A client over the connection there is, or else the next one: a generated client, a
    /// [`Client`](crate::Client), or the [`PacketConnection`] itself.
    ///
    /// It is of that connection and ends with it; and the connection stays, for it, when the link lets go of one
    /// that it does not use.
    ///
    /// # Errors
    ///
    /// See [`LinkError`].
    ///
    /// # Cancel safety
    ///
    /// Safe; attempts go on while others wait for them.
    pub async fn get<C: From<PacketConnection>>(&self) -> Result<C, LinkError> {
        let lease = self.shared.lease(0, Limit::from_now(self.shared.patience)).await?;
        Ok(lease.connection.into())
    }

    /// What the link is doing: to look at, and to wait for changes.
    ///
    /// Who waits may miss what is over soon; [`LinkState::connections`] tells how often.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.shared.state.clone()
    }

    /// Closes the link for good, for all its clones. Whoever asks from now on, or waits for a connection, gets
    /// [`LinkError::Closed`]; what is on its way is still answered, as after [`PacketConnection::close`]. Returns at
    /// once; see [`closed`](Self::closed).
    pub fn close(&self) {
        self.shared.live.send_replace(Live::Closed);
    }

    /// Waits until the link is closed, and its last connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Safe; it only looks.
    pub async fn closed(&self) {
        // The task that holds the other half ends with that.
        let mut state = self.state();
        while state.changed().await.is_ok() {}
    }
}

impl Shared {
    /// A connection newer than that of some number, as soon as there is one.
    pub(super) async fn lease(&self, newer_than: u64, limit: Limit) -> Result<Lease, LinkError> {
        if let Some(lease) = self.live(newer_than)? {
            return Ok(lease);
        }
        let lease = self.wait(newer_than, Some(self.attempts));
        limit.bound(lease).await.unwrap_or_else(|_| {
            let source = self.state.borrow().last_error.clone();
            Err(LinkError::TimedOut { limit: limit.time, source })
        })
    }

    /// As [`lease`](Self::lease), however long it takes and however often it fails.
    #[cfg(feature = "tower")]
    pub(crate) async fn lease_at_last(&self, newer_than: u64) -> Result<Lease, LinkError> {
        match self.live(newer_than)? {
            Some(lease) => Ok(lease),
            None => self.wait(newer_than, None).await,
        }
    }

    /// The connection there is.
    fn live(&self, newer_than: u64) -> Result<Option<Lease>, LinkError> {
        match &*self.live.borrow() {
            Live::Open(lease) if lease.generation > newer_than && lease.connection.is_open() => {
                Ok(Some(lease.clone()))
            }
            Live::Open(_) | Live::None => Ok(None),
            Live::Closed => Err(LinkError::Closed),
        }
    }

    async fn wait(&self, newer_than: u64, attempts: Option<u32>) -> Result<Lease, LinkError> {
        let (answer, lease) = oneshot::channel();
        // Without the task there is no link.
        self.wants.send(Want { newer_than, attempts, answer }).map_err(|_| LinkError::Closed)?;
        lease.await.unwrap_or(Err(LinkError::Closed))
    }
}

impl<P> Clone for Link<P> {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.shared))
    }
}

impl<P> fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("phase", &self.shared.state.borrow().phase).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}
