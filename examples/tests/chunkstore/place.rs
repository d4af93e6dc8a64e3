//! A place to run the program in, and what it says.

use crate::support::within;
use packetstream_examples::chunkstore::compare::compare;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_chunkstore");

/// What every server can bind to.
pub(crate) const ANY_PORT: &str = "tcp://127.0.0.1:0";

pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub(crate) async fn run(args: &[impl AsRef<OsStr>]) -> Output {
    within(program().args(args).output()).await.unwrap()
}

pub(crate) async fn succeed(args: &[impl AsRef<OsStr>]) -> String {
    let Output { status, stdout, stderr } = run(args).await;
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The one line that the program fails with.
pub(crate) fn complaint(Output { status, stdout, stderr }: Output) -> String {
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert_eq!(stdout, b"");
    let line = stderr.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{line}");
    line.strip_prefix("chunkstore: ").unwrap().to_owned()
}

pub(crate) async fn fail(args: &[impl AsRef<OsStr>]) -> String {
    complaint(run(args).await)
}

/// Whether a server says that a peer has left while it was being answered, as one does that has failed.
pub(crate) fn is_of_a_connection(line: &str) -> bool {
    line.starts_with("chunkstore: a connection failed: ")
}

/// A place with an empty store and a small tree in it.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::create_dir_all(place.path("tree/directory")).unwrap();
        fs::create_dir(place.path("store")).unwrap();
        fs::write(place.path("tree/directory/file"), "content").unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The address of a server that a client starts for itself.
    pub(crate) fn exec(&self) -> String {
        format!("exec:{PROGRAM} serve --listen stdio: --store {}", self.text("store"))
    }

    pub(crate) async fn push(&self, to: &str) -> String {
        succeed(&["push", &self.text("tree"), "--name", "tree", "--to", to]).await
    }

    pub(crate) async fn pull_and_compare(&self, from: &str) {
        succeed(&["pull", "tree", &self.text("copy"), "--from", from]).await;
        assert_eq!(compare(&self.path("tree"), &self.path("copy"), &[]).unwrap(), []);
    }
}

impl Place {
    /// The program for somebody who may not read what others keep for themselves.
    pub(crate) async fn program_of_nobody(&self) -> Command {
        if !rustix::process::geteuid().is_root() {
            return program();
        }
        // We are root, who may read everything: be nobody instead, in a place that nobody can enter.
        fs::set_permissions(self.0.path(), Permissions::from_mode(0o755)).unwrap();
        let copy = self.path("program");
        // By another process: what this one has open for writing, a child that another test has just forked may
        // have too, and a program that is being written cannot be run.
        assert!(within(Command::new("cp").arg(PROGRAM).arg(&copy).status()).await.unwrap().success());
        let mut command = Command::new(copy);
        command.stdin(Stdio::null()).kill_on_drop(true).uid(65534);
        command
    }
}

/// A server at a port of its own.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) stderr: Lines<BufReader<ChildStderr>>,
}

impl Server {
    pub(crate) async fn start(store: &Path) -> Self {
        let mut command = program();
        command.args(["serve", "--listen", ANY_PORT, "--store"]).arg(store).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = within(stderr.next_line()).await.unwrap().unwrap();
        let address = line.strip_prefix("listening on ").unwrap().to_owned();
        assert!(address.starts_with("tcp://127.0.0.1:"), "{address}");
        Self { child, address, stderr }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address.strip_prefix("tcp://").unwrap()).await.unwrap()
    }

    pub(crate) async fn signal(&mut self, name: &str) -> ExitStatus {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().await.unwrap().success());
        within(self.child.wait()).await.unwrap()
    }
}
