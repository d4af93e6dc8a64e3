//! A program of ours at the other end.

use super::peer::Peer;
use super::stream::Stream;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};

/// How long a child may take to end once its stream is gone; then it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A child process whose standard input and output are a [`Stream`].
///
/// The child is waited for as long as the runtime runs. When the stream is dropped the child sees the end of its input, and
/// is killed if it has not ended 5 s later, or when the runtime shuts down before. Shutting the stream
/// down, as a connection does at its end, waits until the child has ended.
#[derive(Debug)]
pub struct Child {
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Child {
    /// Starts a program. Its standard error stays what the command says, which is ours by default.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn(mut command: Command) -> io::Result<(Stream, Self)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child has no pipes"));
        };
        let peer = child.id().map_or(Peer::Other, |pid| Peer::Child { pid });
        let (stream_lives, stream_gone) = oneshot::channel::<()>();
        let (ended, exit) = watch::channel(None);
        tokio::spawn(async move {
            let gone = async {
                let _ = stream_gone.await;
                tokio::time::sleep(GRACE).await;
            };
            let status = tokio::select! {
                status = child.wait() => status,
                () = gone => {
                    // It may have ended just now.
                    let _ = child.start_kill();
                    child.wait().await
                }
            };
            ended.send_replace(status.ok());
        });
        let wait = Self { exit: exit.clone() }.wait();
        let pipes = Pipes {
            input: Some(input),
            output,
            exited: Some(Box::pin(async { drop(wait.await) })),
            _alive: stream_lives,
        };
        Ok((Stream::to(peer, pipes), Self { exit }))
    }

    /// Waits until the child has ended.
    ///
    /// # Errors
    ///
    /// When its status cannot be had, as when the runtime shuts down.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the status; the child is waited for all the same.
    pub async fn wait(mut self) -> io::Result<ExitStatus> {
        match self.exit.wait_for(Option::is_some).await.map(|status| *status) {
            Ok(Some(status)) => Ok(status),
            _ => Err(io::Error::other("the status of the child is not known")),
        }
    }
}

/// The child's standard input and output.
struct Pipes {
    /// Taken when the stream is shut down: the child sees the end of its input.
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// Nothing once it was noticed.
    exited: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Tells the child's keeper, by its end, that the stream is gone.
    _alive: oneshot::Sender<()>,
}

impl AsyncRead for Pipes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, buf)
    }
}

impl Pipes {
    fn with_input<T>(
        &mut self,
        act: impl FnOnce(Pin<&mut ChildStdin>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut self.input {
            Some(input) => act(Pin::new(input)),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl AsyncWrite for Pipes {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.with_input(|input| input.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with_input(|input| input.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input = None;
        if let Some(exited) = &mut self.exited {
            ready!(exited.as_mut().poll(cx));
            self.exited = None;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with_input(|input| input.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.input.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}
