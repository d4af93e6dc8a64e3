//! Calls and handlers as services of `tower`, so that its layers can be put around them: balance, retry, time-outs,
//! limits, load shed. With the feature `tower`.
//!
//! # Asking
//!
//! | | is a service of | ready when |
//! |---|---|---|
//! | [`Client<P>`](crate::Client) | each request that `P` carries | it has a place among the calls in flight |
//! | [`Client<P>`](crate::Client) | [`Outgoing`](crate::Outgoing) | the same |
//! | [`Link<P>`](crate::Link) | [`Outgoing`](crate::Outgoing) | it is connected, and there is such a place |
//!
//! There are as many places as [`Limits::max_calls`](crate::Limits::max_calls); who is ready has one that is nobody
//! else's, a clone has none yet. A closed connection fails before it is called, and so does a closed link.
//!
//! A stack of layers over [`Outgoing`](crate::Outgoing) serves all requests of a protocol; [`Layered`] makes a typed
//! client of it again. A link is not ready while it has no connection, and connects meanwhile; so a balancer leaves a
//! dead peer alone, and finds it when it is back. It does not ask again by itself here, since another peer may be
//! better: that is for a retry layer, whose policy has
//! [`Outgoing::may_be_asked_again`](crate::Outgoing::may_be_asked_again). What such a layer yields in the end tells of
//! the last try only. A link that is ready uses its connection, so that [`Connector::idle`](crate::Connector::idle)
//! does not let go of it.
//!
//! Peers that come and go are a stream of `tower::discover::Change`s. A link is made at once and without fail, so it
//! takes no service to make one: `Change::Insert(address, Connector::to(address).link())`, with its load around it.
//!
//! ```
//! # use packetstream::{Context, Failure, Fulfil, Listener, PacketConnection, Protocol, Request, serve};
//! use packetstream::tower::Layered;
//! use packetstream::{Address, Connector, Link, Outgoing, Reply};
//! use std::{convert::Infallible, future, pin::Pin, time::Duration};
//! use tower::balance::p2c::Balance;
//! use tower::load::{CompleteOnResponse, PendingRequests};
//! use tower::{BoxError, ServiceBuilder, discover::ServiceList, retry::Policy};
//! # #[derive(Request)]
//! # #[request(reply = u64, idempotent)]
//! # struct Double(u64);
//! # #[derive(Protocol)]
//! # enum Calc { #[request(0)] Double(Double) }
//! # struct Server;
//! # impl Fulfil<Double> for Server {
//! #     async fn fulfil(&self, Double(n): Double, _: Context) -> Result<u64, Failure> { Ok(2 * n) }
//! # }
//!
//! /// Asks up to two more times, where that does no harm.
//! #[derive(Clone)]
//! struct Again(u32);
//!
//! impl Policy<Outgoing, Reply, BoxError> for Again {
//!     type Future = future::Ready<()>;
//!
//!     fn retry(&mut self, asked: &mut Outgoing, result: &mut Result<Reply, BoxError>) -> Option<Self::Future> {
//!         let error = result.as_ref().err()?;
//!         self.0 = self.0.checked_sub(1)?;
//!         asked.may_be_asked_again(&**error).then(|| future::ready(()))
//!     }
//!
//!     fn clone_request(&mut self, asked: &Outgoing) -> Option<Outgoing> {
//!         Some(asked.clone())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! # let mut addresses = Vec::new();
//! # for _ in 0..3 {
//! #     let listener = Listener::bind(&"tcp://127.0.0.1:0".parse()?).await?;
//! #     addresses.push(listener.local_address());
//! #     tokio::spawn(listener.serve(|| PacketConnection::builder().handler(serve::<Calc, _>(Server))));
//! # }
//! let member = |address: Address| -> PendingRequests<Link<Calc>> {
//!     PendingRequests::new(Connector::to(address).link(), CompleteOnResponse::default())
//! };
//! let members = ServiceList::new(addresses.into_iter().map(member));
//! let pool = ServiceBuilder::new()
//!     .load_shed()
//!     .concurrency_limit(256)
//!     .timeout(Duration::from_secs(10))
//!     .retry(Again(2))
//!     .buffer(256)
//!     .service(Balance::new(members));
//! let calc = Layered::<Calc, _>::new(pool);
//! assert_eq!(calc.call(Double(21)).await?, 42);
//! # Ok(())
//! # }
//! ```
//!
//! # Answering
//!
//! [`HandlerService`] makes a service of any [`Handler`](crate::Handler), and [`ServiceHandler`] a handler of any
//! service; layers go between. Made for each connection, they hold for each connection; a clone of one stack for each
//! shares its limits among them:
//!
//! ```
//! # use packetstream::{Context, Failure, Fulfil, Listener, PacketConnection, Protocol, Request, serve};
//! use packetstream::tower::{HandlerService, ServiceHandler};
//! use tower::ServiceBuilder;
//! # #[derive(Request)]
//! # #[request(reply = u64)]
//! # struct Double(u64);
//! # #[derive(Protocol)]
//! # enum Calc { #[request(0)] Double(Double) }
//! # struct Server;
//! # impl Fulfil<Double> for Server {
//! #     async fn fulfil(&self, Double(n): Double, _: Context) -> Result<u64, Failure> { Ok(2 * n) }
//! # }
//!
//! let service = ServiceBuilder::new()
//!     .load_shed() // what exceeds the limit is answered `busy`
//!     .concurrency_limit(100)
//!     .service(HandlerService::new(serve::<Calc, _>(Server)));
//! let for_each_connection = move || PacketConnection::builder().handler(ServiceHandler::new(service.clone()));
//! # let _ = for_each_connection();
//! ```

mod client;
mod handler;
mod layered;
mod link;
mod turn;

use std::error::Error;

pub use handler::HandlerService;
pub use handler::ServiceHandler;
pub use layered::Layered;
pub use layered::LayeredError;
pub use link::LinkAnswer;
pub(crate) use link::Ready;
pub(crate) use turn::Turn;

/// An error of whatever layer.
type BoxError = Box<dyn Error + Send + Sync>;
