//! TLS over any stream: a [`Client`] asks for it, a [`Server`] grants it, each made once by a [`Builder`] and
//! cheap to clone.
//!
//! ```
//! use packetstream::{Incoming, Listener, PacketConnection, Reply, tls};
//!
//! # async fn example(ca: &[u8], chain: &[u8], key: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! // Both sides show a certificate, and trust what `ca` has issued. All of them are PEM.
//! let server = tls::builder().trust(ca).identity(chain, key).server()?;
//! let listener = Listener::bind(&"tcp://[::]:4000".parse()?).await?;
//! let greet = async |request: Incoming| {
//!     let session = request.extensions().get::<tls::Session>();
//!     let names = session.map(|session| session.names()).unwrap_or_default();
//!     Ok(Reply::from(format!("hello, {}", names.join(" alias "))))
//! };
//! tokio::spawn(server.serve(listener, move || PacketConnection::builder().handler(greet)));
//!
//! let client = tls::builder().trust(ca).identity(chain, key).client()?;
//! let stream = client.connect_to("vault.example:4000").await?;
//! let connection = PacketConnection::builder().spawn(stream);
//! # let _ = connection;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Link`](crate::Link) over TLS takes a [`Connector`](crate::Connector) that opens such streams:
//!
//! ```
//! use packetstream::{Connector, Link, tls};
//!
//! # fn example(client: tls::Client) -> Link<()> {
//! let connector = Connector::new(move || {
//!     let client = client.clone();
//!     async move { client.connect_to("vault.example:4000").await }
//! });
//! # connector.link()
//! # }
//! ```
//!
//! # Who trusts whom
//!
//! A client that trusts nobody is refused when it is built. A server that trusts nobody asks its clients for no
//! certificate; one that trusts somebody serves nobody without. Every certificate is verified anew for each
//! stream: sessions are not resumed. What a handler may tell of its peer is in [`Session`].
//!
//! Of the versions 1.2 and 1.3 the newest is taken that both sides have. With 1.3 a client has finished its
//! handshake before the server has looked at the client's certificate: [`Client::connect`] succeeds, and that
//! the server refuses the certificate is what the first read fails with. A connection then ends with
//! [`ConnectionError::Read`](crate::ConnectionError::Read), whose cause says what [`TlsError::Refused`] says.
//!
//! # Which protocol is meant
//!
//! Both sides name the application protocols they speak (ALPN), by default [`PROTOCOL`]. If both do and have none
//! in common the server refuses the client. A peer that names none is served all the same, as is a server that
//! ignores the names; who must know looks at [`Session::alpn`].
//!
//! # Saying goodbye
//!
//! Shutting a stream down tells the peer so (`close_notify`), whereby it knows that nobody has cut the stream
//! short. A connection knows that from the peer's "end of stream" packet, after which it reads no more: whether
//! that is followed by a `close_notify` makes no difference. Without the packet, a stream that ends with a
//! `close_notify` is [`NoGoodbye`](crate::ConnectionError::NoGoodbye), and one that ends without is a read error
//! with [`TlsError::CutShort`] in it.
//!
//! # Whose cryptography
//!
//! It is rustls with `ring`, which takes a C compiler to build and nothing else. No provider is installed for
//! the process, and none that the program has installed is used. What is not to be had here, such as revocation
//! lists or keys in hardware, can be had by giving a stream of `tokio-rustls` to [`Stream::new`].

mod builder;
mod client;
mod encrypted;
mod error;
mod server;
mod session;

use super::stream::Stream;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use builder::BuildError;
pub use builder::Builder;
pub use client::Client;
pub use error::Refusal;
pub use error::TlsError;
pub use server::Server;
pub use session::Session;

/// The name by which a client and a server recognise that both speak packet streams, in ALPN.
pub const PROTOCOL: &str = "packetstream/1";

/// How long a peer that was refused is listened to.
const FAREWELL: Duration = Duration::from_secs(1);
/// How many bytes of it at most.
const FAREWELL_BYTES: usize = 64 << 10;

/// How to make a [`Client`] or a [`Server`].
pub fn builder() -> Builder {
    Builder::default()
}

/// Lets a peer that was refused read why. A socket that is closed while something of the peer's is unread is
/// reset, and the reset can overtake the reason.
async fn hear_out(mut stream: Stream) {
    let hearing = async {
        stream.shutdown().await?;
        let mut unheard = [0; 1024];
        for _ in 0..FAREWELL_BYTES / unheard.len() {
            if stream.read(&mut unheard).await? == 0 {
                break;
            }
        }
        std::io::Result::Ok(())
    };
    // The handshake has failed already: that it cannot be told makes nothing worse.
    let _ = tokio::time::timeout(FAREWELL, hearing).await;
}
