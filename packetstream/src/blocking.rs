//! Programs without a runtime: the same connections, protocols, handlers and verbs, on plain threads.
//!
//! ```
//! use packetstream::{Context, Failure, Fulfil, PacketConnection, Protocol, Request, blocking, serve};
//! use std::os::unix::net::UnixStream;
//!
//! #[derive(Protocol)]
//! #[packetstream(client = Counter)] // what the server is asked
//! enum Counting { #[request(0)] Count(Count) }
//! #[derive(Request)]
//! #[request(reply = u64)]
//! struct Count { word: String, text: String }
//!
//! #[derive(Protocol)]
//! #[packetstream(client = Person)] // what the client is asked meanwhile
//! enum Asking { #[request(0)] Confirm(Confirm) }
//! #[derive(Request)]
//! #[request(reply = bool)]
//! struct Confirm { question: String }
//!
//! struct Server;
//! impl Fulfil<Count> for Server {
//!     async fn fulfil(&self, Count { word, text }: Count, cx: Context) -> Result<u64, Failure> {
//!         let question = format!("count `{word}`?");
//!         // It has this thread to itself, and may block it.
//!         let confirmed = cx.peer::<Person>().confirm(Confirm { question }).wait();
//!         let count = text.matches(&word).count() as u64;
//!         if confirmed.is_ok_and(|yes| yes) { Ok(count) } else { Err(Failure::new("not confirmed")) }
//!     }
//! }
//! struct User;
//! impl Fulfil<Confirm> for User {
//!     async fn fulfil(&self, Confirm { question }: Confirm, _: Context) -> Result<bool, Failure> {
//!         Ok(question == "count `to`?")
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (here, there) = UnixStream::pair()?; // or a TcpStream, a pair of pipes, files, `Stream::connect("exec:..")`
//!     let builder = PacketConnection::builder().handler(serve::<Counting, _>(Server));
//!     let server = std::thread::spawn(move || blocking::serve(builder, there));
//!
//!     let builder = PacketConnection::builder().handler(serve::<Asking, _>(User));
//!     let connection = blocking::spawn(builder, here)?;
//!     let counter = connection.client::<Counter>();
//!     assert_eq!(counter.count(Count { word: "to".into(), text: "to be or not to be".into() }).wait()?, 2);
//!
//!     connection.close();
//!     connection.closed()?.result?;
//!     assert!(server.join().unwrap()?.report.result.is_ok());
//!     Ok(())
//! }
//! ```
//!
//! | with a runtime | on threads |
//! |---|---|
//! | `builder.spawn(stream)` | [`spawn(builder, stream)`](spawn) |
//! | `builder.build(stream)`, `driver.run().await` | [`build(builder, stream)`](build), [`driver.run()`](Driver::run) |
//! | `builder.serve(stream).await` | [`serve(builder, stream)`](serve()) |
//! | `connect::<C>(address).await` | [`connect::<C>(address)`](connect) |
//! | [`PacketConnection`](crate::PacketConnection) | [`PacketConnection`]; each converts to the other |
//! | `connection.submit(..).await` | [`connection.submit(..).wait()`](crate::Call::wait), or [`call`](PacketConnection::call) |
//! | `client.call(request).await`, generated clients | [`client.call(request).wait()`](crate::TypedCall::wait), or a blocking [`Client`] |
//! | [`Stream`](crate::Stream), [`Listener`](crate::Listener), [`Child`](crate::Child) | [`Stream`], [`Listener`], [`Child`]; anything that is a [`Transport`] |
//!
//! # Handlers
//!
//! They are the same [`Handler`](crate::Handler)s and services. Each request has a thread to itself, up to
//! [`Builder::handler_threads`](crate::Builder::handler_threads) of them, and may block it. There is no tokio runtime:
//! what needs one panics, which is a failure of that request; tokio's channels, locks and semaphores work. Contracts
//! hold. A request with a `timeout` whose handler blocks needs to be declared `blocking`: a thread that blocks does not
//! see that its time is over. When the connection has ended, futures that wait are dropped; one that blocks goes on
//! until it returns, and can look at [`Context::is_cancelled`](crate::Context::is_cancelled).
//!
//! # Threads
//!
//! A connection has three: one reads, one writes, one keeps its deadlines. Those of handlers are started when there
//! is something to do, and end when there was nothing for 5 s, or with the connection. What waits in a read that
//! nothing can end is left behind: see [`Transport`].
//!
//! # Inside a runtime
//!
//! Whatever would block a thread of a tokio runtime, also one of its `spawn_blocking`, is refused with an error, before
//! anything is sent. Only a request that is on its way already when it is waited for may be performed all the same,
//! which the error says.

mod child;
mod client;
mod listener;
mod stream;

pub use child::Child;
pub use client::Client;
pub use listener::Listener;
pub use listener::ServeError;
pub use packetstream_core::blocking::{
    Driver, Ended, InsideRuntime, PacketConnection, SpawnError, Transport, block_on, build, may_block, serve,
    spawn,
};
pub use stream::ConnectError;
pub use stream::Stream;
pub use stream::StreamReader;
pub use stream::StreamWriter;
pub use stream::connect;
