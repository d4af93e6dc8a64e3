//! Connections on demand: made when something is asked, shared by all who ask, made anew when they are lost.

mod backoff;
mod call;
mod error;
mod lease;
mod limit;
mod link;
mod state;
mod task;

use crate::transport::{Address, Stream};
use packetstream_core::{Builder, PacketConnection};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use backoff::Backoff;
pub use call::LinkCall;
pub use error::LinkError;
pub use error::Outage;
#[cfg(feature = "tower")]
pub(crate) use lease::{Lease, Use};
pub use link::Link;
#[cfg(feature = "tower")]
pub(crate) use link::Shared as SharedLink;
pub use state::LinkPhase;
pub use state::LinkState;

/// How to get connections to a peer, and how often and how long to try. [`link`](Self::link) makes of it what asks.
///
/// ```
/// use packetstream::{
///     Connector, Context, Failure, Fulfil, Link, Listener, PacketConnection, Protocol, Request, serve,
/// };
///
/// #[derive(Request)]
/// #[request(reply = u64, idempotent)]
/// struct Double(u64);
///
/// #[derive(Protocol)]
/// enum Calc {
///     #[request(0)]
///     Double(Double),
/// }
/// # struct Server;
/// # impl Fulfil<Double> for Server {
/// #     async fn fulfil(&self, Double(n): Double, _: Context) -> Result<u64, Failure> { Ok(2 * n) }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = Listener::bind(&"tcp://127.0.0.1:0".parse()?).await?;
/// let address = listener.local_address();
/// let server = || PacketConnection::builder().handler(serve::<Calc, _>(Server));
/// let first = tokio::spawn(listener.serve(server));
///
/// let calc: Link<Calc> = Connector::to(address.clone()).link();
/// assert_eq!(calc.call(Double(21)).await?, 42); // connects
///
/// first.abort(); // The server is gone, and comes back.
/// # let _ = first.await;
/// tokio::spawn(Listener::bind(&address).await?.serve(server));
/// assert_eq!(calc.call(Double(4)).await?, 8); // connects anew
/// # Ok(())
/// # }
/// ```
#[must_use = "a connector does nothing until it is made a link"]
pub struct Connector {
    open: Open,
    builder: Box<dyn Fn() -> Builder + Send + Sync>,
    backoff: Backoff,
    attempts: u32,
    patience: Duration,
    tries: u32,
    idle: Option<Duration>,
}

/// Opens a stream.
type Open = Box<dyn Fn() -> Opening + Send + Sync>;

type Opening = Pin<Box<dyn Future<Output = Result<Stream, Arc<dyn Error + Send + Sync>>> + Send>>;

impl Connector {
    /// Opens streams by `open`; each connection begins with a call of it. What is no [`Stream`] yet becomes one by
    /// [`Stream::new`].
    ///
    /// ```
    /// use packetstream::{Connector, Link, Stream};
    /// use tokio::net::TcpStream;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let connector = Connector::new(async || TcpStream::connect("localhost:4000").await.map(Stream::new));
    /// # let _: Link<()> = connector.link();
    /// # }
    /// ```
    pub fn new<F, E>(open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Stream, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let open = move || -> Opening {
            let opened = open();
            Box::pin(async move { opened.await.map_err(|error| error.into().into()) })
        };
        Self {
            open: Box::new(open),
            builder: Box::new(PacketConnection::builder),
            backoff: Backoff::default(),
            attempts: 5,
            patience: Duration::from_secs(30),
            tries: 3,
            idle: None,
        }
    }

    /// Opens streams to an address.
    pub fn to(address: Address) -> Self {
        let address = Arc::new(address);
        Self::new(move || {
            let address = Arc::clone(&address);
            async move { Stream::connect(&address).await }
        })
    }

    /// Makes each connection with a builder of its own: for limits, and for a side that also answers,
    /// `.builder(|| PacketConnection::builder().handler(..))`. The [`Peer`](crate::Peer) is put into its extensions.
    pub fn builder(self, builder: impl Fn() -> Builder + Send + Sync + 'static) -> Self {
        Self { builder: Box::new(builder), ..self }
    }

    /// How long to wait after a failed attempt, and after a `busy` refusal. A connection that lasts no longer than
    /// the wait that would come next counts as a failed attempt.
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// How many attempts may fail before that is the answer to whoever has waited for all of them. 0 is taken for 1.
    /// Default: 5.
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// How long anybody waits for a connection, and how long an attempt may take. Default: 30 s.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How often a call is tried, the first time included. 0 is taken for 1. Default: 3.
    pub fn tries(self, tries: u32) -> Self {
        Self { tries, ..self }
    }

    /// Lets go of a connection over which the link has asked nothing for this long; it is noticed before twice this
    /// time. The connection says goodbye unless somebody has it from [`Link::get`]. Without it a connection is kept
    /// until it ends.
    pub fn idle(self, idle: Duration) -> Self {
        Self { idle: Some(idle), ..self }
    }

    /// Makes a link to a peer that serves protocol `P`, with a task that opens its streams. Nothing is opened before
    /// something is asked.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn link<P>(self) -> Link<P> {
        Link::new(self)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backoff, attempts, patience, tries, idle, .. } = self;
        f.debug_struct("Connector")
            .field("backoff", backoff)
            .field("attempts", attempts)
            .field("patience", patience)
            .field("tries", tries)
            .field("idle", idle)
            .finish_non_exhaustive()
    }
}
