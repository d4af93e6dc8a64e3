//! A program of ours at the other end.

mod ended;
mod pipes;
mod stderr;

pub use ended::ChildEnded;
pub use stderr::Stderr;

use super::peer::Peer;
use super::stream::Stream;
use ended::Exit;
use pipes::Pipes;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::Duration;
use tokio::process::{self, Command};
use tokio::sync::{oneshot, watch};

/// How long a child may take to end once its stream is gone; then it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How long the thread that drops a runtime waits for a child that was just killed, in steps of 1 ms.
const REAPING_STEPS: u32 = 100;

/// A child process whose standard input and output are a [`Stream`].
///
/// The child is waited for as long as the runtime runs. When the stream is dropped the child sees the end of its input, and
/// is killed if it has not ended 5 s later, or when the runtime shuts down before. Either way it is waited for, so
/// that no zombie stays.
///
/// When the child's output ends, or it takes no more input, its status is waited for, for 1 s at most: if a signal has
/// ended it or its status is not 0, reading and writing fail with [`ChildEnded`], and so does the connection. Shutting
/// the stream down, as a connection does at its end, waits until the child has ended, and fails in the same way.
#[derive(Debug)]
pub struct Child {
    pid: u32,
    exit: watch::Receiver<Option<Exit>>,
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
    pub fn spawn(command: Command) -> io::Result<(Stream, Self)> {
        Self::spawn_with(command, Stderr::Inherit)
    }

    /// Starts a program and says what becomes of its standard error.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    pub fn spawn_with(mut command: Command, stderr: Stderr) -> io::Result<(Stream, Self)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        if stderr != Stderr::Inherit {
            command.stderr(Stdio::piped());
        }
        let mut child = command.spawn()?;
        let (Some(pid), Some(input), Some(output)) = (child.id(), child.stdin.take(), child.stdout.take())
        else {
            return Err(io::Error::other("the child has no pipes"));
        };
        let heard = child.stderr.take().map(|said| stderr.hear(pid, said));
        let (stream_lives, stream_gone) = oneshot::channel();
        let (ended, exit) = watch::channel(None);
        let mut kept = Kept(child);
        tokio::spawn(async move {
            let status = kept.wait(stream_gone).await;
            let said = match heard {
                Some(heard) => heard.last_words().await,
                None => String::new(),
            };
            ended.send_replace(Some(Exit { status: status.ok(), said }));
        });
        let pipes = Pipes::new(pid, input, output, &exit, stream_lives);
        Ok((Stream::to(Peer::Child { pid }, pipes), Self { pid, exit }))
    }

    /// Its process. Another one may have the number once it has ended.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.pid
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
        let exit = self.exit.wait_for(Option::is_some).await;
        let status = exit.ok().and_then(|exit| exit.as_ref()?.status);
        status.ok_or_else(|| io::Error::other("the status of the child is not known"))
    }
}

/// A child that does not outlive whoever keeps it, not even as a zombie.
struct Kept(process::Child);

impl Kept {
    /// Waits for its end, and kills it when it outlives its stream for too long.
    async fn wait(&mut self, stream_gone: oneshot::Receiver<()>) -> io::Result<ExitStatus> {
        let gone = async {
            let _ = stream_gone.await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            status = self.0.wait() => status,
            () = gone => {
                // It may have ended just now.
                let _ = self.0.start_kill();
                self.0.wait().await
            }
        }
    }
}

impl Drop for Kept {
    /// Where there is no runtime any more nobody else would wait for it.
    fn drop(&mut self) {
        for _ in 0..REAPING_STEPS {
            match self.0.try_wait() {
                Ok(None) => {
                    let _ = self.0.start_kill();
                    thread::sleep(Duration::from_millis(1));
                }
                // It has ended and is no zombie, or is none of ours.
                Ok(Some(_)) | Err(_) => break,
            }
        }
    }
}
