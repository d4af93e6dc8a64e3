//! What a TCP stream is asked of the system.

use rustix::net::sockopt;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::time::Duration;

/// How a TCP stream behaves. Streams by address have the default;
/// [`Stream::tcp`](super::Stream::tcp) and [`Listener::tcp_options`](super::Listener::tcp_options) take others.
///
/// ```
/// use packetstream::{KeepAlive, TcpOptions};
/// use std::time::Duration;
///
/// let impatient = KeepAlive { idle: Duration::from_secs(5), interval: Duration::from_secs(1), probes: 5 };
/// let options = TcpOptions { keep_alive: Some(impatient), ..TcpOptions::default() };
/// assert_eq!(impatient.patience(), Duration::from_secs(10));
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpOptions {
    /// Whether small packets leave at once, and not only when those before them have been acknowledged.
    /// Default: true.
    pub nodelay: bool,
    /// How a peer is noticed that has vanished: its machine has lost power, or a router between has forgotten
    /// the connection. With nothing, a connection on which nothing is written waits for such a peer for ever.
    /// Default: [`KeepAlive::default`].
    pub keep_alive: Option<KeepAlive>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self { nodelay: true, keep_alive: Some(KeepAlive::default()) }
    }
}

/// When the system asks a silent peer for a sign of life, and when it gives up.
///
/// The peer's system answers, not its program: one that is busy, or that is stopped in a debugger, counts as
/// alive. Times are rounded up to whole seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeepAlive {
    /// How long nothing may come before the peer is asked, 1 to 32,767 s. Default: 60 s.
    pub idle: Duration,
    /// How long it may take to answer before it is asked again, 1 to 32,767 s. Default: 10 s.
    pub interval: Duration,
    /// How many times it is asked, 1 to 127. Default: 6.
    pub probes: u32,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self { idle: Duration::from_mins(1), interval: Duration::from_secs(10), probes: 6 }
    }
}

/// What Linux takes for a time; others take more.
const SECONDS: RangeInclusive<u64> = 1..=32_767;
/// What Linux takes for a number of probes.
const PROBES: RangeInclusive<u32> = 1..=127;

impl KeepAlive {
    /// After how long without a sign of life the connection fails, with "connection timed out": `idle`, and
    /// `interval` for each of the `probes`. Default: 2 min.
    ///
    /// On Linux it is also how long bytes that were written may stay unacknowledged, which would otherwise be up
    /// to 15 min: what is on its way is not asked after but sent again.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let Self { idle, interval, probes } = self.sane();
        idle + interval * probes
    }

    /// The nearest that the system takes.
    fn sane(self) -> Self {
        let seconds = |time: Duration| {
            let whole = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
            Duration::from_secs(whole.clamp(*SECONDS.start(), *SECONDS.end()))
        };
        let probes = self.probes.clamp(*PROBES.start(), *PROBES.end());
        Self { idle: seconds(self.idle), interval: seconds(self.interval), probes }
    }
}

impl TcpOptions {
    /// Asks the system for all of it.
    pub(crate) fn set(self, stream: impl AsFd + Copy) -> io::Result<()> {
        sockopt::set_tcp_nodelay(stream, self.nodelay)?;
        sockopt::set_socket_keepalive(stream, self.keep_alive.is_some())?;
        match self.keep_alive {
            Some(keep_alive) => keep_alive.sane().set(stream),
            None => set_user_timeout(stream, Duration::ZERO),
        }
    }
}

impl KeepAlive {
    fn set(self, stream: impl AsFd + Copy) -> io::Result<()> {
        sockopt::set_tcp_keepidle(stream, self.idle)?;
        sockopt::set_tcp_keepintvl(stream, self.interval)?;
        sockopt::set_tcp_keepcnt(stream, self.probes)?;
        set_user_timeout(stream, self.patience())
    }
}

/// Limits how long written bytes may stay unacknowledged; zero is the system's default.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_user_timeout(stream: impl AsFd, limit: Duration) -> io::Result<()> {
    // To the system the number has a sign.
    let milliseconds = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX).min(i32::MAX.unsigned_abs());
    Ok(sockopt::set_tcp_user_timeout(stream, milliseconds)?)
}

/// Other systems have their own limit.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_user_timeout(_: impl AsFd, _: Duration) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Address, Listener, Peer, Stream};
    use super::*;
    use rustix::net::getpeername;
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    use std::net::SocketAddr;
    use std::os::fd::{AsFd, OwnedFd};
    use tokio::net::TcpStream;

    /// What the system says of a socket.
    fn read_back(socket: &impl AsFd) -> (TcpOptions, u32) {
        let keep_alive = sockopt::socket_keepalive(socket).unwrap().then(|| KeepAlive {
            idle: sockopt::tcp_keepidle(socket).unwrap(),
            interval: sockopt::tcp_keepintvl(socket).unwrap(),
            probes: sockopt::tcp_keepcnt(socket).unwrap(),
        });
        let options = TcpOptions { nodelay: sockopt::tcp_nodelay(socket).unwrap(), keep_alive };
        (options, sockopt::tcp_user_timeout(socket).unwrap())
    }

    /// The socket of this process that a stream hides: the one with the stream's peer.
    fn socket_of(stream: &Stream) -> OwnedFd {
        let Peer::Tcp(peer) = stream.peer() else { panic!("{stream:?}") };
        let this = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
        let numbers = descriptors.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        let mut duplicates = numbers.filter_map(|fd| pidfd_getfd(&this, fd, PidfdGetfdFlags::empty()).ok());
        let leads_there = |fd: &OwnedFd| {
            let found = getpeername(fd).ok().flatten();
            found.and_then(|address| SocketAddr::try_from(address).ok()) == Some(peer)
        };
        duplicates.find(leads_there).unwrap()
    }

    async fn in_time<T>(test: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_mins(1), test).await.expect("the test hangs")
    }

    /// A stream opened over loopback, with its listener.
    async fn connected() -> (tokio::net::TcpListener, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = in_time(TcpStream::connect(listener.local_addr().unwrap())).await.unwrap();
        (listener, stream)
    }

    #[tokio::test]
    async fn the_system_takes_what_it_is_asked() {
        let (_listener, stream) = connected().await;
        let hasty = KeepAlive { idle: Duration::from_secs(7), interval: Duration::from_secs(3), probes: 4 };
        for (options, user_timeout) in [
            (TcpOptions::default(), 120_000),
            (TcpOptions { nodelay: false, keep_alive: Some(hasty) }, 19_000),
            (TcpOptions { nodelay: true, keep_alive: None }, 0),
        ] {
            options.set(&stream).unwrap();
            assert_eq!(read_back(&stream), (options, user_timeout));
        }
    }

    #[tokio::test]
    async fn what_the_system_would_refuse_is_brought_near() {
        let (_listener, stream) = connected().await;
        let least = KeepAlive { idle: Duration::ZERO, interval: Duration::from_millis(1), probes: 0 };
        let most = KeepAlive { idle: Duration::MAX, interval: Duration::MAX, probes: u32::MAX };
        for (asked, idle, interval, probes) in [(least, 1, 1, 1), (most, 32_767, 32_767, 127)] {
            TcpOptions { keep_alive: Some(asked), ..TcpOptions::default() }.set(&stream).unwrap();
            let (idle, interval) = (Duration::from_secs(idle), Duration::from_secs(interval));
            let got = KeepAlive { idle, interval, probes };
            assert_eq!(read_back(&stream).0.keep_alive, Some(got));
            assert_eq!(asked.patience(), idle + interval * probes);
        }
    }

    #[tokio::test]
    async fn streams_that_are_opened_and_accepted_have_the_defaults_unless_told_otherwise() {
        let off = TcpOptions { keep_alive: None, ..TcpOptions::default() };
        for (listener_options, expected) in [(None, TcpOptions::default()), (Some(off), off)] {
            let mut listener = Listener::bind(&Address::Tcp("127.0.0.1:0".into())).await.unwrap();
            if let Some(options) = listener_options {
                listener = listener.tcp_options(options);
            }
            let opened = in_time(Stream::connect(&listener.local_address())).await.unwrap();
            let accepted = in_time(listener.accept()).await.unwrap().unwrap();
            assert_eq!(read_back(&socket_of(&opened)).0, TcpOptions::default());
            assert_eq!(read_back(&socket_of(&accepted)).0, expected);
        }
    }
}
