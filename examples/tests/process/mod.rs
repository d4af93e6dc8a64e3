//! Programs that the tests run, with a bound on every wait.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fmt;
use std::future::Future;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// No wait takes longer.
const LIMIT: Duration = Duration::from_mins(1);

/// Waits for what the test waits for, but not for ever.
pub(crate) async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("waited in vain for {LIMIT:?}"))
}

/// The program `reverse`.
pub(crate) fn reverse(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reverse"));
    command.args(arguments);
    command
}

/// A program that runs. It is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    stdout: Said,
    stderr: Said,
}

/// A program that has ended.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Ended {
    /// Nothing when it was killed, as it is when it hangs.
    pub(crate) code: Option<i32>,
    /// What it said on standard output, unless that was a stream's.
    pub(crate) stdout: String,
    /// What it said on standard error.
    pub(crate) stderr: String,
}

impl Program {
    /// Starts a program without input, and listens to what it says.
    pub(crate) fn start(command: Command) -> Self {
        Self::start_over(command, Stdio::null(), Stdio::piped())
    }

    /// Starts a program whose standard input and output are given.
    pub(crate) fn start_over(
        mut command: Command,
        stdin: impl Into<Stdio>,
        stdout: impl Into<Stdio>,
    ) -> Self {
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (stdout, stderr) = (Said::by(child.stdout.take()), Said::by(child.stderr.take()));
        Self { child, stdout, stderr }
    }

    /// The address that the first line on standard error says it listens at.
    pub(crate) async fn address(&mut self) -> String {
        let line = within(self.stderr.first_line()).await;
        match line.strip_prefix("listening on ") {
            Some(address) => address.to_owned(),
            None => panic!("said `{line}` and not where it listens"),
        }
    }

    /// Sends what Ctrl-C sends.
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(id.expect("runs"), Signal::INT).expect("may be interrupted");
    }

    /// Waits for the end of the program, or ends it when that takes too long.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = tokio::time::timeout(LIMIT, self.child.wait()).await;
        // Does nothing to a program that has ended.
        let _ = self.child.start_kill();
        let code = status.ok().and_then(|status| status.expect("can be waited for").code());
        Ended { code, stdout: within(self.stdout.all()).await, stderr: within(self.stderr.all()).await }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "exit code {code}")?,
            None => writeln!(f, "killed by a signal, which is ours after {LIMIT:?}")?,
        }
        write!(f, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// What a program says on one descriptor, which a task listens to all the time.
struct Said(watch::Receiver<String>);

impl Said {
    fn by(pipe: Option<impl AsyncRead + Send + Unpin + 'static>) -> Self {
        let (heard, said) = watch::channel(String::new());
        if let Some(mut pipe) = pipe {
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = pipe.read(&mut bytes).await {
                    heard.send_modify(|text| text.push_str(&String::from_utf8_lossy(&bytes[..count])));
                }
            });
        }
        Self(said)
    }

    /// The first line, or what there is instead when nothing more is said.
    async fn first_line(&mut self) -> String {
        // An error means that nothing more is said.
        let _ = self.0.wait_for(|text| text.contains('\n')).await;
        self.0.borrow().lines().next().unwrap_or_default().to_owned()
    }

    async fn all(&mut self) -> String {
        let _ = self.0.wait_for(|_| false).await;
        self.0.borrow().clone()
    }
}
