//! The standard input and output of a child, and what their end means.

use super::ended::{ChildEnded, Exit};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{oneshot, watch};

/// How long the status of a child is waited for whose pipes have ended. One that closes them and goes on is no failure.
const PATIENCE: Duration = Duration::from_secs(1);

/// The child's standard input and output.
pub(super) struct Pipes {
    /// Taken when the stream is shut down: the child sees the end of its input.
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// Each has its own, since each may be polled by another task.
    reading: Verdict,
    writing: Verdict,
    shutting_down: Verdict,
    /// Tells the child's keeper, by its end, that the stream is gone.
    _alive: oneshot::Sender<()>,
}

/// How the child has ended, asked for when there is reason to think that it has.
enum Verdict {
    /// There is none yet.
    Unasked(Question),
    Waiting(Pin<Box<dyn Future<Output = Option<ChildEnded>> + Send>>),
    /// Nothing if it has ended well, or not in time.
    Known(Option<ChildEnded>),
}

#[derive(Clone)]
struct Question {
    pid: u32,
    exit: watch::Receiver<Option<Exit>>,
    /// No bound if there is none.
    patience: Option<Duration>,
}

impl Question {
    async fn answer(mut self) -> Option<ChildEnded> {
        let ended = self.exit.wait_for(Option::is_some);
        let exit = match self.patience {
            Some(patience) => tokio::time::timeout(patience, ended).await.ok()?,
            None => ended.await,
        };
        ChildEnded::unless_well(self.pid, exit.ok()?.as_ref()?)
    }
}

impl Verdict {
    fn is_asked(&self) -> bool {
        !matches!(self, Self::Unasked(_))
    }

    /// Asks, if that was not done before.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Self::Unasked(question) = self {
            *self = Self::Waiting(Box::pin(question.clone().answer()));
        }
        if let Self::Waiting(answer) = self {
            *self = Self::Known(ready!(answer.as_mut().poll(cx)));
        }
        Poll::Ready(match self {
            Self::Known(Some(ended)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, ended.clone())),
            _ => Ok(()),
        })
    }
}

impl Pipes {
    pub(super) fn new(
        pid: u32,
        input: ChildStdin,
        output: ChildStdout,
        exit: &watch::Receiver<Option<Exit>>,
        alive: oneshot::Sender<()>,
    ) -> Self {
        let verdict = |patience| Verdict::Unasked(Question { pid, exit: exit.clone(), patience });
        Self {
            input: Some(input),
            output,
            reading: verdict(Some(PATIENCE)),
            writing: verdict(Some(PATIENCE)),
            shutting_down: verdict(None),
            _alive: alive,
        }
    }

    fn poll_input<T>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut ChildStdin>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Some(input) = &mut self.input
            && !self.writing.is_asked()
        {
            match ready!(act(Pin::new(input), cx)) {
                // It takes no more, probably since it has ended.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                done => return Poll::Ready(done),
            }
        }
        if self.input.is_some() {
            ready!(self.writing.poll(cx))?;
        }
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl AsyncRead for Pipes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.reading.is_asked() {
            let before = buf.remaining();
            ready!(Pin::new(&mut self.output).poll_read(cx, buf))?;
            if before == 0 || buf.remaining() < before {
                return Poll::Ready(Ok(()));
            }
        }
        self.reading.poll(cx)
    }
}

impl AsyncWrite for Pipes {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_input(cx, |input, cx| input.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_input(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input = None;
        self.shutting_down.poll(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_input(cx, |input, cx| input.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.input.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}
