//! The Python side, `tests/python/party.py` or another program, and what connects us.

use packetstream::{Address, Child, Listener, Stderr, Stream};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;

/// Who asks.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Side {
    Rust,
    Python,
}

/// What lies between.
#[derive(Clone, Copy)]
pub(crate) enum Medium {
    Tcp,
    Unix,
    Stdio,
}

/// A Python process, and the stream to it.
pub(crate) struct Party {
    pub(crate) stream: Stream,
    process: Process,
}

/// The process, once the stream is in use.
pub(crate) enum Process {
    /// Its end is the stream's: a status that is not 0 is an error of the connection.
    Child,
    /// It is waited for.
    Other(Box<tokio::process::Child>, Option<TempDir>),
}

/// Whether `tests/python/setup` has come to its end.
pub(crate) fn is_installed() -> bool {
    workspace().join("target/python/.requirements.stamp").is_file()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Party {
    /// Starts a program of `tests/python` with these words and, in place of `{}`, the address where it finds us.
    pub(crate) async fn start(program: &str, words: &[&str], medium: Medium) -> Self {
        assert!(is_installed(), "target/python is not installed; tests/python/setup does it");
        let mut directory = None;
        let address = match medium {
            Medium::Tcp => "tcp://127.0.0.1:0".parse().unwrap(),
            Medium::Unix => {
                let made = directory.insert(TempDir::new().unwrap());
                Address::Unix(made.path().join("socket"))
            }
            Medium::Stdio => {
                let command = command(program, words, &Address::Stdio);
                let (stream, _) = Child::spawn_with(command, Stderr::Keep(4096)).unwrap();
                return Self { stream, process: Process::Child };
            }
        };
        let mut listener = Listener::bind(&address).await.unwrap();
        let mut command = command(program, words, &listener.local_address());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().unwrap();
        let stream = listener.accept().await.unwrap().unwrap();
        Self { stream, process: Process::Other(Box::new(child), directory) }
    }

    pub(crate) fn into_parts(self) -> (Stream, Process) {
        (self.stream, self.process)
    }
}

fn command(program: &str, words: &[&str], address: &Address) -> Command {
    let mut command = Command::new(workspace().join("target/python/bin/python"));
    command.arg(workspace().join("tests/python").join(program));
    let address = address.to_string();
    command.args(words.iter().map(|word| if *word == "{}" { &address[..] } else { word }));
    command
}

impl Process {
    /// That the process ends, and is content.
    pub(crate) async fn ends_well(self) {
        if let Self::Other(child, _directory) = self {
            let output = child.wait_with_output().await.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "rust",
            Self::Python => "python",
        })
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Unix => "a unix socket",
            Self::Stdio => "pipes",
        })
    }
}
