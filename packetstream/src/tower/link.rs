//! A link as a service.

use crate::client::Outgoing;
use crate::connector::{Lease, Link, SharedLink, Use};
use packetstream_core::{Call, CallError, NotSent, Place, Reply};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A place for a request on a connection that there is.
#[derive(Debug)]
pub(crate) struct Ready {
    place: Place,
    /// The connection stays while it has none of the link's other uses.
    lease: Lease,
    used: Use,
}

impl Ready {
    /// Connects as often as it takes, until there is a place.
    async fn wait(link: Arc<SharedLink>) -> Result<Self, NotSent> {
        let mut newer_than = 0;
        loop {
            let lease = link.lease_at_last(newer_than).await?;
            // A connection that gives no place any more is followed by another.
            match lease.connection.reserve().await {
                Ok(place) => return Ok(Self { place, used: lease.begin(), lease }),
                Err(_) => newer_than = lease.generation,
            }
        }
    }
}

/// Ready when it is connected and there is a place for the request among those in flight, however long that takes;
/// fails when it is closed. It asks once.
impl<P> Service<Outgoing> for Link<P> {
    type Response = Reply;
    type Error = CallError;
    type Future = LinkAnswer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        let Self { shared, turn, .. } = self;
        turn.poll(cx, |ready| ready.place.is_open(), || Ready::wait(Arc::clone(shared)))
            .map_err(CallError::NotSent)
    }

    fn call(&mut self, Outgoing { rq_type, flags, payload, .. }: Outgoing) -> LinkAnswer {
        let Some(Ready { place, lease, used }) = self.turn.take() else {
            let ready = Ready::wait(Arc::clone(&self.shared));
            return LinkAnswer(Answer::Late(Box::pin(async move {
                let Ready { place, lease: _lease, used: _used } = ready.await?;
                place.submit(rq_type, flags, payload).await
            })));
        };
        LinkAnswer(Answer::Asked { call: place.submit(rq_type, flags, payload), _lease: lease, _used: used })
    }
}

/// What a [`Link`] as a service answers with: the reply, or a [`CallError`].
#[must_use = "the answer is in the future"]
pub struct LinkAnswer(Answer);

enum Answer {
    Asked {
        call: Call,
        /// Whoever asks may drop the link before the answer, whose connection would then say goodbye.
        _lease: Lease,
        _used: Use,
    },
    /// Nobody has waited for the service to be ready.
    Late(Pin<Box<dyn Future<Output = Result<Reply, CallError>> + Send>>),
}

impl Future for LinkAnswer {
    type Output = Result<Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Answer::Asked { call, .. } => Pin::new(call).poll(cx),
            Answer::Late(late) => late.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for LinkAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Answer::Asked { .. } => "LinkAnswer(asked)",
            Answer::Late(_) => "LinkAnswer(late)",
        })
    }
}
