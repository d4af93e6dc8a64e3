//! A program of ours at the other end.

use super::stream::Stream;
use std::future::pending;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::oneshot;

/// How long a child may take to end once its stream is gone; then it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A child process whose standard input and output are a [`Stream`].
///
/// The child is always waited for. When the stream is dropped it sees the end of its input, and is
/// killed if it has not ended 5 s later.
#[derive(Debug)]
pub struct Child {
    exit: oneshot::Receiver<io::Result<ExitStatus>>,
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
        let (stream_lives, stream_gone) = oneshot::channel::<()>();
        let (ended, exit) = oneshot::channel();
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
            // Nobody may want to know.
            let _ = ended.send(status);
        });
        Ok((Stream::new(tokio::io::join(output, input)).with_guard(stream_lives), Self { exit }))
    }

    /// Waits until the child has ended.
    ///
    /// # Errors
    ///
    /// When its status cannot be had.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the status; the child is waited for all the same.
    pub async fn wait(self) -> io::Result<ExitStatus> {
        match self.exit.await {
            Ok(status) => status,
            // The runtime is shutting down, and this task with it.
            Err(_) => pending().await,
        }
    }
}
