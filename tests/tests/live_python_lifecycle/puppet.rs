//! The Python side: `tests/python/puppet.py`, which does what it is told and says what happens.

use crate::stage::{Answer, PATIENCE, soon};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long something is given to happen that must not.
const NEVER: Duration = Duration::from_millis(300);

/// A Python process with one descriptor and, over that, connections. It is killed when this is dropped.
pub(crate) struct Puppet {
    child: Child,
    strings: ChildStdin,
    voice: Lines<BufReader<ChildStdout>>,
    /// What it has said and nobody has wanted to hear yet.
    said: Vec<Value>,
}

/// Whether `tests/python/setup` has come to its end.
pub(crate) fn is_installed() -> bool {
    workspace().join("target/python/.requirements.stamp").is_file()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The interpreter.
pub(crate) fn python() -> PathBuf {
    assert!(is_installed(), "target/python is not installed; tests/python/setup does it");
    workspace().join("target/python/bin/python")
}

/// A program of the workspace.
pub(crate) fn script(path: &str) -> PathBuf {
    workspace().join(path)
}

impl Puppet {
    /// Starts the process, which connects to `address`.
    pub(crate) fn start(address: &str) -> Self {
        let mut command = Command::new(python());
        command.arg(script("tests/python/puppet.py")).arg(address);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let strings = child.stdin.take().unwrap();
        let voice = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, strings, voice, said: Vec::new() }
    }

    /// Starts the process, connected to the socket. The directory is that socket's.
    pub(crate) async fn start_over_unix() -> (TempDir, UnixStream, Self) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let python = Self::start(&format!("unix:{}", path.display()));
        let (stream, _) = soon(listener.accept()).await.unwrap();
        (directory, stream, python)
    }

    /// Has it do something, and waits until it has.
    pub(crate) async fn does(&mut self, what: &str) {
        self.obeys(json!({ "do": what })).await;
    }

    /// The same, with arguments.
    pub(crate) async fn obeys(&mut self, command: Value) {
        let what = command["do"].as_str().unwrap().to_owned();
        self.hears(&command).await;
        self.says(&what).await;
    }

    /// Has it do something that must raise `exception`.
    pub(crate) async fn fails(&mut self, command: Value, exception: &str) {
        self.hears(&command).await;
        assert_eq!(self.says("raised").await["exception"], exception);
    }

    async fn hears(&mut self, command: &Value) {
        self.strings.write_all(format!("{command}\n").as_bytes()).await.unwrap();
    }

    /// Waits until it says `event`, and returns that.
    pub(crate) async fn says(&mut self, event: &str) -> Value {
        let heard = tokio::time::timeout(PATIENCE, self.next(|said| said["event"] == event)).await;
        heard.unwrap_or_else(|_| panic!("no `{event}`; it said {:?}", self.said))
    }

    /// That it does not say `event` for a while.
    pub(crate) async fn never_says(&mut self, event: &str) {
        if let Ok(said) = tokio::time::timeout(NEVER, self.next(|said| said["event"] == event)).await {
            panic!("it says {said}");
        }
    }

    /// What came of the request that was submitted as `name`.
    pub(crate) async fn answer(&mut self, name: &str) -> Answer {
        let is_it = |said: &Value| said["as"] == name;
        let said = tokio::time::timeout(PATIENCE, self.next(is_it)).await;
        let said = said.unwrap_or_else(|_| panic!("no answer to {name}; it said {:?}", self.said));
        if said["event"] == "lost" {
            return Answer::Lost(said["exception"].as_str().unwrap().to_owned());
        }
        // A character is a byte.
        let payload = said["payload"].as_str().unwrap().chars().map(|c| c.try_into().unwrap()).collect();
        if said["ok"] == true {
            Answer::Ok(said["flags"].as_u64().unwrap(), payload)
        } else {
            Answer::NotOk(String::from_utf8(payload).unwrap())
        }
    }

    /// That its `close` returns, and raises nothing; and that it has lost no thread.
    pub(crate) async fn closes_well(&mut self) {
        assert_eq!(self.says("closed").await["raised"], Value::Null);
        assert!(self.said.iter().all(|said| said["event"] != "died"), "{:?}", self.said);
    }

    /// Kills the process, as `kill -9` does.
    pub(crate) async fn is_killed(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// The first that it says, or has said, which is wanted.
    async fn next(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(place) = self.said.iter().position(&is_wanted) {
                return self.said.remove(place);
            }
            let line = self.voice.next_line().await.unwrap();
            let line = line.unwrap_or_else(|| panic!("python is gone; it said {:?}", self.said));
            self.said.push(serde_json::from_str(&line).unwrap());
        }
    }
}
