//! Who is at the other end of a stream.

use std::net::SocketAddr;
use tokio::net::unix::UCred;

/// Who is at the other end of a stream, as far as the system tells.
///
/// [`connect`](super::connect) and [`Listener::serve`](super::Listener::serve) put it into the connection, where
/// handlers find it:
///
/// ```
/// use packetstream::{Context, Peer};
///
/// fn may_write(cx: &Context) -> bool {
///     matches!(cx.extensions().get::<Peer>().as_deref(), Some(Peer::Unix(Some(peer))) if peer.uid == 0)
/// }
/// ```
///
/// Elsewhere it takes `.extension(stream.peer())` when the connection is built.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Peer {
    /// A TCP connection from or to this address.
    Tcp(SocketAddr),
    /// A process of this machine, by a Unix socket. Nothing if the system does not tell whose.
    Unix(Option<Credentials>),
    /// A child of this process.
    Child {
        /// Its process.
        pid: u32,
    },
    /// Whoever holds the other ends of this program's standard input and output.
    Stdio,
    /// This process: the other end of [`Stream::pair`](super::Stream::pair).
    Memory,
    /// Whatever was given to [`Stream::new`](super::Stream::new) or a sister of it, unless it was a socket.
    Other,
}

/// Whose process it is that has opened a Unix socket, at the time when it did.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Credentials {
    /// The process, where the system tells. It may have ended since, and its number have been used again.
    pub pid: Option<u32>,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

impl From<UCred> for Credentials {
    fn from(found: UCred) -> Self {
        let pid = found.pid().and_then(|pid| u32::try_from(pid).ok());
        Self { pid, uid: found.uid(), gid: found.gid() }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl From<rustix::net::UCred> for Credentials {
    fn from(found: rustix::net::UCred) -> Self {
        let pid = u32::try_from(found.pid.as_raw_nonzero().get()).ok();
        Self { pid, uid: found.uid.as_raw(), gid: found.gid.as_raw() }
    }
}
