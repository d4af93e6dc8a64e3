//! What a handler knows besides the request.

use bytes::Bytes;
use packetstream_core::{Extensions, Incoming, PacketConnection, RequestId};
use tokio::sync::watch;

/// What a handler knows of the request besides its content.
#[derive(Debug)]
pub struct Context {
    incoming: Incoming,
    /// Whether the request was given up, where its contract lets that happen before the connection ends.
    given_up: Option<watch::Sender<bool>>,
}

impl Context {
    pub(super) fn new(incoming: Incoming) -> Self {
        Self { incoming, given_up: None }
    }

    /// The context of a request that is given up when the other half is dropped before its answer.
    pub(super) fn awaited(incoming: Incoming) -> (Self, Awaited) {
        let given_up = watch::Sender::new(false);
        (Self { incoming, given_up: Some(given_up.clone()) }, Awaited { given_up, is_answered: false })
    }

    /// The request's payload, once.
    pub(super) fn take_payload(&mut self) -> Bytes {
        std::mem::take(&mut self.incoming.payload)
    }

    /// The connection that the request came over, to ask the peer in turn:
    /// `cx.peer::<Client<Theirs>>().call(..)`, or a generated client.
    #[must_use]
    pub fn peer<C: From<PacketConnection>>(&self) -> C {
        self.incoming.peer().into()
    }

    /// Which of the peer's requests this is: its tag, and the channel it came on.
    #[must_use]
    pub const fn id(&self) -> RequestId {
        self.incoming.id
    }

    /// The flags that the request travelled with.
    #[must_use]
    pub const fn flags(&self) -> u64 {
        self.incoming.flags
    }

    /// What the application keeps with the connection.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        self.incoming.extensions()
    }

    /// Whether nobody waits for an answer any more: the connection has failed or ended, or the time that the
    /// request's contract gives is over.
    ///
    /// A handler's future is dropped then. This is for what does not end with it: a
    /// [`blocking`](packetstream_core::Contract::blocking) handler, and tasks that were spawned.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.incoming.is_cancelled() || self.given_up.as_ref().is_some_and(|given_up| *given_up.borrow())
    }

    /// Waits until [`is_cancelled`](Self::is_cancelled).
    ///
    /// # Cancel safety
    ///
    /// Safe; it only looks.
    pub async fn cancelled(&self) {
        let given_up = async {
            match &self.given_up {
                // There is a sender for as long as there is `self`.
                Some(given_up) => drop(given_up.subscribe().wait_for(|given_up| *given_up).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.incoming.cancelled() => {}
            () = given_up => {}
        }
    }
}

/// Held by whoever waits for a handler; dropped early, it tells the [`Context`] that nobody does.
pub(super) struct Awaited {
    given_up: watch::Sender<bool>,
    is_answered: bool,
}

impl Awaited {
    /// The handler has come to its end: what it has spawned may go on.
    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if !self.is_answered {
            self.given_up.send_replace(true);
        }
    }
}
