//! Serving whoever comes, until it is time to stop.

use super::listener::Listener;
use super::peer::Peer;
use super::stream::Stream;
use packetstream_core::{Builder, CloseReport, ConnectionError};
use rustix::io::Errno;
use std::future::{Future, pending, ready};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long to wait before accepting again when this machine is out of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// Why serving has ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// No stream can be had.
    #[error("cannot accept connections")]
    Accept(#[source] io::Error),
    /// The only connection there can be has failed.
    #[error("the connection failed")]
    Connection(#[from] ConnectionError),
    /// The only stream there can be got no TLS.
    #[cfg(feature = "tls")]
    #[error("the handshake failed")]
    Handshake(#[from] super::tls::TlsError),
}

/// What hears of connections that have failed.
pub(super) type Failed = Arc<dyn Fn(Peer, &CloseReport) + Send + Sync>;

impl Listener {
    /// Serves each peer that comes with a connection that `builder` makes, for ever; at `stdio:` and `fd:`, until
    /// the only connection has ended. Handlers find the [`Peer`] in the connection's extensions.
    ///
    /// What becomes of one connection does not touch the others; [`on_failed`](Self::on_failed) hears of those that
    /// fail. The limits are those of each connection; how many there are is not limited.
    ///
    /// # Errors
    ///
    /// When no stream can be had any more; at `stdio:` and `fd:`, when the connection fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops all its connections. [`serve_until`](Self::serve_until) lets them end well.
    pub async fn serve(self, builder: impl Fn() -> Builder) -> Result<(), ServeError> {
        self.serve_until(builder, pending()).await
    }

    /// Serves as [`serve`](Self::serve) does until `stop` is ready. Then nobody is accepted any more, each connection is
    /// closed, so that what was asked is still answered, and the last to end is waited for: no longer than
    /// [`Limits::answer_timeout`](packetstream_core::Limits::answer_timeout) and
    /// [`Limits::close_timeout`](packetstream_core::Limits::close_timeout) say, and 5 s for its stream.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve). The connections there are have been closed and waited for then, too.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops all its connections.
    pub async fn serve_until(
        self,
        builder: impl Fn() -> Builder,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        self.serve_prepared(builder, |stream| ready(Ok(stream)), stop).await
    }

    /// The same with what `prepare` makes of each stream, in its connection's own task.
    pub(super) async fn serve_prepared<F>(
        mut self,
        builder: impl Fn() -> Builder,
        prepare: impl Fn(Stream) -> F,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        F: Future<Output = Result<Stream, ServeError>> + Send + 'static,
    {
        let (stopping, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        let accepting = loop {
            tokio::select! {
                // Stopping first, so that a rush of peers cannot put it off; accepting before what has ended, so that
                // the end of the only connection is not taken for one of many.
                biased;
                () = &mut stop => break Ok(()),
                accepted = self.accept() => match accepted {
                    Ok(Some(stream)) => {
                        // In a rush of peers there is no other moment for it.
                        while connections.try_join_next().is_some() {}
                        let served = Served { peer: stream.peer(), failed: self.failed.clone() };
                        connections.spawn(served.look_after(builder(), prepare(stream), stopped.clone()));
                    }
                    Ok(None) => return only(&mut connections, stop, stopping).await,
                    Err(error) if is_scarcity(&error) => tokio::time::sleep(PAUSE).await,
                    Err(error) => break Err(ServeError::Accept(error)),
                },
                // Only to let go of what has ended.
                Some(_) = connections.join_next() => {}
            }
        };
        // Nobody is kept waiting for an answer that does not come.
        drop(self);
        drop(stopping);
        while connections.join_next().await.is_some() {}
        accepting
    }
}

/// Waits for the end of the only connection.
async fn only(
    connections: &mut JoinSet<Result<(), ServeError>>,
    stop: impl Future<Output = ()>,
    stopping: watch::Sender<()>,
) -> Result<(), ServeError> {
    let ended = tokio::select! {
        ended = connections.join_next() => ended,
        () = stop => {
            drop(stopping);
            connections.join_next().await
        }
    };
    match ended {
        Some(Ok(result)) => result,
        _ => Err(ConnectionError::Dropped.into()),
    }
}

/// A connection that is served.
struct Served {
    peer: Peer,
    failed: Option<Failed>,
}

impl Served {
    /// Closes the connection when the other end of `stopped` is gone.
    ///
    /// The stream is shut down, and not only dropped: its last bytes may be carried by a thread.
    async fn look_after(
        self,
        builder: Builder,
        prepared: impl Future<Output = Result<Stream, ServeError>>,
        mut stopped: watch::Receiver<()>,
    ) -> Result<(), ServeError> {
        let stream = tokio::select! {
            prepared = prepared => prepared?,
            // Nothing was asked yet.
            _ = stopped.changed() => return Ok(()),
        };
        let (connection, driver) = stream.introduce(builder).build(stream);
        let mut running = pin!(driver.run_and_shut_down());
        let report = tokio::select! {
            report = &mut running => report,
            _ = stopped.changed() => {
                connection.close();
                running.await
            }
        };
        if report.result.is_err() {
            self.tell(&report);
        }
        Ok(report.result?)
    }

    fn tell(&self, report: &CloseReport) {
        if let Some(failed) = &self.failed {
            failed(self.peer, report);
        }
    }
}

/// Whether accepting failed for lack of descriptors or memory, which passes.
pub(crate) fn is_scarcity(error: &io::Error) -> bool {
    let scarcities = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS];
    Errno::from_io_error(error).is_some_and(|errno| scarcities.contains(&errno))
}
