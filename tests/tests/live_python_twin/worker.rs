//! Python programs over generated modules, and what they are told and say: a line of JSON for each packet.

use crate::everything::Content;
use packetstream::Stream;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::process::{Child, ChildStdin, Command};

/// Whether `tests/python/setup` has come to its end.
pub(crate) fn is_installed() -> bool {
    workspace().join("target/python/.requirements.stamp").is_file()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A Python program that runs. It is killed when this is dropped.
pub(crate) struct Worker {
    child: Child,
    stdin: ChildStdin,
}

impl Worker {
    /// Starts a program of `tests/python`; paths among its arguments are those of the workspace.
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        assert!(is_installed(), "target/python is not installed; tests/python/setup does it");
        let mut command = Command::new(workspace().join("target/python/bin/python"));
        command.arg("-B").arg(workspace().join("tests/python").join(program)).args(arguments);
        command.current_dir(workspace()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Else a wait for its end would close it.
        let stdin = child.stdin.take().unwrap();
        Self { child, stdin }
    }

    /// Starts a program that has one connection, and its stream. The address is behind the other arguments.
    pub(crate) async fn connected(program: &str, arguments: &[&str]) -> (Self, Stream) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let mut worker = Self::start(program, &[arguments, &[path.to_str().unwrap()]].concat());
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            _ = worker.child.wait() => {
                let Output { stderr, .. } = worker.child.wait_with_output().await.unwrap();
                panic!("it does not connect: {}", String::from_utf8_lossy(&stderr));
            }
        };
        (worker, Stream::from_fd(std::os::fd::OwnedFd::from(stream.into_std().unwrap())).unwrap())
    }

    /// Tells it all of this, and returns what it says to each line by the time it has ended well.
    pub(crate) async fn told(self, lines: &[Value]) -> Vec<Value> {
        let Self { child, mut stdin } = self;
        let text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let tell = async move {
            // If it has ended, that says why.
            let _ = stdin.write_all(text.as_bytes()).await;
        };
        let ((), output) = tokio::join!(tell, child.wait_with_output());
        let Output { status, stdout, stderr } = output.unwrap();
        assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
        let said: Vec<_> = String::from_utf8(stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(said.len(), lines.len());
        said
    }
}

/// A line about a packet.
pub(crate) fn line(what: &str, number: u64, (flags, payload): &Content) -> Value {
    let payload: Vec<_> = payload.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "what": what, "rq_type": number, "flags": flags, "payload": payload.concat() })
}

/// What a line says that a packet carries.
pub(crate) fn content(line: &Value) -> Content {
    let payload = line["payload"].as_str().unwrap_or_else(|| panic!("{line}"));
    let digits = |at| u8::from_str_radix(&payload[at..at + 2], 16).unwrap();
    (line["flags"].as_u64().unwrap(), (0..payload.len()).step_by(2).map(digits).collect())
}
