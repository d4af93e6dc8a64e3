//! A service at work.

use super::context::Context;
use super::contract::{Held, Turn, Turns};
use super::{Dispatch, Fulfil};
use crate::protocol::{Carries, ParseRequestError, Protocol};
use crate::trace;
use packetstream_core::blocking::{self, InsideRuntime};
use packetstream_core::description::Request as Described;
use packetstream_core::{
    BaseRequest, Contract, ErrorResponse, Failure, Handler, Incoming, Outcome, Response, clock,
};
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

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
    // An async function would have two places for the request.
    fn handle(&self, incoming: Incoming) -> impl Future<Output = Outcome> + Send {
        let rq_type = incoming.rq_type;
        let mut incoming = Some(incoming);
        async move { P::dispatch(Arrival { served: self, rq_type, incoming: &mut incoming }).await }
    }

    fn arrived(&self, incoming: &mut Incoming) {
        let is_ordered =
            |request: &Described| request.rq_type == incoming.rq_type && request.contract.ordered;
        if P::REQUESTS.iter().any(is_ordered) {
            incoming.attach(self.turns.ask().queued());
        }
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
        // It is there: nothing else takes it, and this only once.
        let Some(incoming) = self.incoming.take() else { return Err(Failure::internal()) };
        const { R::CONTRACT.check() };
        trace::fulfils::<R>();
        // Whether it may be asked twice is the business of whoever asks.
        if const { matches!(Contract { idempotent: false, ..R::CONTRACT }, Contract::NONE) } {
            let mut cx = Context::new(incoming);
            match decode::<R>(&mut cx) {
                Ok(request) => outcome::<R>(self.served.service.fulfil(request, cx).await),
                Err(failure) => Err(failure),
            }
        } else {
            // Boxed and without the request's type, since the code and the future of every request would else have
            // room for all this.
            let perform: Performer<S> = |service, mut cx| {
                Box::pin(async move {
                    match decode::<R>(&mut cx) {
                        Ok(request) => outcome::<R>(service.fulfil(request, cx).await),
                        Err(failure) => Err(failure),
                    }
                })
            };
            Box::pin(self.served.fulfil_contract(R::CONTRACT, incoming, perform)).await
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

/// Decodes and performs one request of some type.
type Performer<S> = fn(Arc<S>, Context) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl<P: Protocol, S: Send + Sync + 'static> Served<P, S> {
    async fn fulfil_contract(
        &self,
        contract: Contract,
        mut incoming: Incoming,
        perform: Performer<S>,
    ) -> Outcome {
        let Contract { max_payload, concurrency, timeout, .. } = contract;
        let turn = contract.ordered.then(|| incoming.detach().unwrap_or_else(|| self.turns.ask()));
        let length = incoming.payload.len();
        if let Some(limit) = max_payload
            && length > limit
        {
            return Err(Failure::new(format!("payload of {length} bytes exceeds the limit of {limit}")));
        }
        let held = match concurrency {
            None => Held::default(),
            Some(limit) => {
                let Some(held) = self.turns.place(incoming.rq_type, limit) else {
                    let name = name_of::<P>(incoming.rq_type);
                    return Err(Failure::busy(&format!("at most {limit} of `{name}` at once")));
                };
                held
            }
        };
        let work = self.perform_in_turn(contract, incoming, held, turn, perform);
        match timeout {
            None => work.await,
            Some(limit) => match clock::timeout(limit, work).await {
                Some(outcome) => outcome,
                None => Err(Failure::new(format!("not done within {limit:?}"))),
            },
        }
    }

    async fn perform_in_turn(
        &self,
        contract: Contract,
        incoming: Incoming,
        mut held: Held,
        turn: Option<Turn>,
        perform: Performer<S>,
    ) -> Outcome {
        if let Some(turn) = turn {
            held = turn.hold(held).await;
        }
        let (cx, awaited) = Context::awaited(incoming);
        let service = Arc::clone(&self.service);
        // Without a runtime this thread may block, but then sees nothing of a time that is over.
        let may_block_here = contract.timeout.is_none() && Handle::try_current().is_err();
        let outcome = if contract.blocking && !may_block_here {
            perform_blocking(service, cx, held, perform).await
        } else {
            let outcome = perform(service, cx).await;
            drop(held);
            outcome
        };
        awaited.answered();
        outcome
    }
}

/// Reads a request of type `R`, or says why it is none.
fn decode<R: BaseRequest>(cx: &mut Context) -> Result<R, Failure> {
    R::from_request_payload(cx.flags(), cx.take_payload()).map_err(|error| refusal(&error.into()))
}

/// What a handler's result is to the peer.
fn outcome<R: BaseRequest>(result: Result<R::Reply, R::Error>) -> Outcome {
    match result {
        Ok(reply) => Ok(reply.into_reply()),
        Err(error) => Err(error.into_failure()),
    }
}

/// Performs one request on another thread, one that may block. Nothing but its own end ends it.
async fn perform_blocking<S: Send + Sync + 'static>(
    service: Arc<S>,
    cx: Context,
    held: Held,
    perform: Performer<S>,
) -> Outcome {
    let runtime = Handle::try_current().ok();
    let own = runtime.clone();
    let work = move || {
        let _held = held;
        // Given up before there was a thread for it.
        if cx.is_cancelled() {
            return Err(Failure::internal());
        }
        let work = perform(service, cx);
        match own {
            Some(runtime) => runtime.block_on(work),
            None => blocking::block_on(work).unwrap_or_else(|InsideRuntime| Err(Failure::internal())),
        }
    };
    let work = trace::carried(work);
    let performed = if let Some(runtime) = runtime {
        runtime.spawn_blocking(work).await.map_err(|error| error.try_into_panic().ok())
    } else {
        let (done, performed) = oneshot::channel();
        let work = move || drop(done.send(catch_unwind(AssertUnwindSafe(work))));
        if thread::Builder::new().name("packetstream blocking".into()).spawn(work).is_err() {
            return Err(Failure::busy("no thread"));
        }
        performed.await.map_err(|_| None).and_then(|performed| performed.map_err(Some))
    };
    match performed {
        Ok(outcome) => outcome,
        // The connection deals with panics.
        Err(Some(panic)) => resume_unwind(panic),
        Err(None) => Err(Failure::internal()),
    }
}

/// What a peer is told of a request that cannot be read.
fn refusal(error: &ParseRequestError) -> Failure {
    Failure::new(error.to_string())
}

/// What protocol `P` calls its request of this number.
fn name_of<P: Protocol>(rq_type: u64) -> &'static str {
    P::REQUESTS.iter().find(|request| request.rq_type == rq_type).map_or("request", |request| request.name)
}
