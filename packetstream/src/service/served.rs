//! A service at work.

use super::context::Context;
use super::contract::{Held, Turns};
use super::{Dispatch, Fulfil};
use crate::protocol::{Carries, ParseRequestError, Protocol};
use packetstream_core::{
    BaseRequest, Contract, ErrorResponse, Failure, Handler, Incoming, Outcome, Response,
};
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::runtime::Handle;

/// The [`Handler`] that has `service` perform the requests of protocol `P` on one connection.
///
/// A request that cannot be read is answered not-ok with the reason; the connection lives on.
pub fn serve<P, S>(service: S) -> Served<P, S>
where
    P: Dispatch<S> + Send + 'static,
    S: Send + Sync + 'static,
{
    Served { service: Arc::new(service), turns: Turns::default(), protocol: PhantomData }
}

/// A service that performs the requests of a protocol on one connection; see [`serve`].
///
/// It keeps the [`Contract`]s of the requests, each before the payload is decoded:
///
/// | limit | otherwise |
/// |---|---|
/// | `max_payload` | not-ok `payload of 17 bytes exceeds the limit of 16` |
/// | `concurrency` | not-ok ``busy: at most 2 of `Put` at once``; one that waits for its turn counts |
/// | `timeout` | not-ok `not done within 5s`; the handler's future is dropped |
///
/// An `ordered` request waits for its turn. A `blocking` one cannot be stopped: when it is given up it learns so
/// from its [`Context`], and has its place and its turn until it really ends.
#[derive(Debug)]
pub struct Served<P, S> {
    service: Arc<S>,
    turns: Turns,
    protocol: PhantomData<fn() -> P>,
}

impl<P, S> Handler for Served<P, S>
where
    P: Dispatch<S> + Send + 'static,
    S: Send + Sync + 'static,
{
    async fn handle(&self, incoming: Incoming) -> Outcome {
        let rq_type = incoming.rq_type;
        let mut incoming = Some(incoming);
        P::dispatch(Arrival { served: self, rq_type, incoming: &mut incoming }).await
    }
}

/// A request that has arrived at a service.
#[derive(Debug)]
pub struct Arrival<'a, P, S> {
    served: &'a Served<P, S>,
    rq_type: u64,
    /// Lent, since whoever passes it on would each keep a place for it.
    incoming: &'a mut Option<Incoming>,
}

impl<P, S> Arrival<'_, P, S> {
    /// The number of the request.
    #[must_use]
    pub const fn rq_type(&self) -> u64 {
        self.rq_type
    }

    /// Has it performed as a request of type `R`: what an arm of [`Dispatch::dispatch`] does.
    pub async fn fulfil<R>(self) -> Outcome
    where
        P: Protocol + Carries<R>,
        S: Fulfil<R>,
        R: BaseRequest + Send + 'static,
    {
        let Some(incoming) = self.incoming.take() else { return Err(Failure::internal()) };
        const {
            let performs_some = !matches!(R::CONTRACT.concurrency, Some(0));
            assert!(performs_some, "a request with a `concurrency` of 0 would never be performed");
        }
        if const { matches!(R::CONTRACT, Contract::NONE) } {
            let mut cx = Context::new(incoming);
            let request = match R::from_request_payload(cx.flags(), cx.take_payload()) {
                Ok(request) => request,
                Err(error) => return Err(refusal(&error.into())),
            };
            match self.served.service.fulfil(request, cx).await {
                Ok(reply) => Ok(reply.into_reply()),
                Err(error) => Err(error.into_failure()),
            }
        } else {
            // Boxed, since the future of a request without a contract would else have room for all this.
            Box::pin(self.served.fulfil_contract(incoming)).await
        }
    }

    /// Refuses it: the protocol carries no request of this number.
    ///
    /// # Errors
    ///
    /// Always; `unknown request type 7`.
    pub fn unknown(self) -> Outcome {
        Err(refusal(&ParseRequestError::UnknownType(self.rq_type)))
    }
}

impl<P, S> Served<P, S> {
    async fn fulfil_contract<R>(&self, incoming: Incoming) -> Outcome
    where
        P: Protocol + Carries<R>,
        S: Fulfil<R>,
        R: BaseRequest + Send + 'static,
    {
        let Contract { max_payload, concurrency, timeout, .. } = R::CONTRACT;
        let length = incoming.payload.len();
        if let Some(limit) = max_payload
            && length > limit
        {
            return Err(Failure::new(format!("payload of {length} bytes exceeds the limit of {limit}")));
        }
        let held = match concurrency {
            None => Held::default(),
            Some(limit) => match self.turns.place(P::REQUEST_TYPE, limit) {
                Some(held) => held,
                None => {
                    return Err(Failure::busy(&format!(
                        "at most {limit} of `{}` at once",
                        name_of::<P, R>()
                    )));
                }
            },
        };
        let work = self.perform_in_turn(incoming, held);
        match timeout {
            None => work.await,
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Failure::new(format!("not done within {limit:?}"))),
            },
        }
    }

    async fn perform_in_turn<R>(&self, incoming: Incoming, mut held: Held) -> Outcome
    where
        S: Fulfil<R>,
        R: BaseRequest + Send + 'static,
    {
        if R::CONTRACT.ordered {
            held = self.turns.turn(held).await;
        }
        let (cx, awaited) = Context::awaited(incoming);
        let outcome = if R::CONTRACT.blocking {
            perform_blocking(Arc::clone(&self.service), cx, held).await
        } else {
            let outcome = perform(&*self.service, cx).await;
            drop(held);
            outcome
        };
        awaited.answered();
        outcome
    }
}

/// Decodes and performs one request.
async fn perform<R, S>(service: &S, mut cx: Context) -> Outcome
where
    S: Fulfil<R>,
    R: BaseRequest,
{
    let request = match R::from_request_payload(cx.flags(), cx.take_payload()) {
        Ok(request) => request,
        Err(error) => return Err(refusal(&error.into())),
    };
    match service.fulfil(request, cx).await {
        Ok(reply) => Ok(reply.into_reply()),
        Err(error) => Err(error.into_failure()),
    }
}

/// Performs one request on a thread that may block. Nothing but its own end ends it.
async fn perform_blocking<R, S>(service: Arc<S>, cx: Context, held: Held) -> Outcome
where
    S: Fulfil<R>,
    R: BaseRequest + 'static,
{
    let runtime = Handle::current();
    let work = move || {
        let _held = held;
        // Given up before there was a thread for it.
        if cx.is_cancelled() {
            return Err(Failure::internal());
        }
        runtime.block_on(perform(&*service, cx))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        // It has panicked.
        Err(_) => Err(Failure::internal()),
    }
}

/// What a peer is told of a request that cannot be read.
fn refusal(error: &ParseRequestError) -> Failure {
    Failure::new(error.to_string())
}

/// What protocol `P` calls request `R`.
fn name_of<P: Protocol + Carries<R>, R>() -> &'static str {
    let described = P::REQUESTS.iter().find(|described| described.rq_type == P::REQUEST_TYPE);
    described.map_or("request", |described| described.name)
}
