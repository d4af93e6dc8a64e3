//! Holds a program to a case.

use super::bytes::{Hex, Pattern, whole};
use super::parse::{Case, Role, Step};
use packetstream::{Address, Listener, Stderr, Stream};
use std::fmt::{self, Write};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::process::{Child, Command};

/// How long a program that was started may take to connect: interpreters on a busy machine take their time.
const START: Duration = Duration::from_mins(1);
/// Pieces in which bytes are sent; what remains of a large payload comes at once.
const MOST_PIECES: usize = 4096;
/// Bytes that are kept of what a server says on standard error.
const LAST_WORDS: usize = 512;

/// The program under test, and how it is treated.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it serves `reverse`.
    pub server: Option<Address>,
    /// The command that asks, with `{address}` and `{count}` in it.
    pub asker: Option<String>,
    /// How long each step may take.
    pub patience: Duration,
    /// How many bytes are sent at a time, where the case does not say.
    pub piece: Option<usize>,
}

/// How a program fails a case.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It cannot be reached or started.
    #[error("cannot be reached: {0}")]
    Connect(String),
    /// It does something else.
    #[error("line {line}: sent {sent}; expected {expected}; {came}")]
    Step {
        /// The line of the case's file.
        line: usize,
        /// What was sent to it last, all of a line of the case.
        sent: String,
        /// What should have come.
        expected: String,
        /// What came instead.
        came: String,
    },
}

/// Holds the program to a case; nothing if it does not have the role.
///
/// # Errors
///
/// How it fails.
pub async fn run(case: &Case, target: &Target) -> Option<Result<(), Failure>> {
    match case.role {
        Role::Server => Some(serve(case, target, target.server.as_ref()?).await),
        Role::Asker(count) => Some(ask(case, target, target.asker.as_deref()?, count).await),
    }
}

async fn serve(case: &Case, target: &Target, address: &Address) -> Result<(), Failure> {
    let stream = match address {
        Address::Exec(words) => spawn(words)?,
        _ => within(START, Stream::connect(address)).await.map_err(Failure::Connect)?,
    };
    Conversation::new(stream, target, None).follow(case).await
}

/// Starts a server, without its words about all that is wrong with the suite.
fn spawn(words: &[String]) -> Result<Stream, Failure> {
    let (program, arguments) =
        words.split_first().ok_or_else(|| Failure::Connect("an empty command".into()))?;
    let mut command = Command::new(program);
    command.args(arguments);
    match packetstream::Child::spawn_with(command, Stderr::Keep(LAST_WORDS)) {
        Ok((stream, _)) => Ok(stream),
        Err(error) => Err(Failure::Connect(format!("`{program}`: {error}"))),
    }
}

async fn ask(case: &Case, target: &Target, command: &str, count: u32) -> Result<(), Failure> {
    let fail = |error: io::Error| Failure::Connect(error.to_string());
    let directory = tempfile::tempdir().map_err(fail)?;
    let address = Address::Unix(directory.path().join("suite"));
    let mut listener = Listener::bind(&address).await.map_err(fail)?;
    let command = command.replace("{address}", &address.to_string()).replace("{count}", &count.to_string());
    let mut child = start(&command)?;
    let stream = within(START, connected(&mut listener, &mut child)).await.map_err(Failure::Connect)?;
    Conversation::new(stream, target, Some(child)).follow(case).await
}

/// The stream of a program that was started, unless it ends without one.
async fn connected(listener: &mut Listener, child: &mut Child) -> Result<Stream, String> {
    let ended = tokio::select! {
        biased;
        accepted = listener.accept() => return one_of(accepted),
        ended = child.wait() => ended,
    };
    // It may have connected and ended meanwhile.
    match tokio::time::timeout(Duration::from_millis(10), listener.accept()).await {
        Ok(accepted) => one_of(accepted),
        Err(_) => {
            Err(ended.map_or_else(|error| error.to_string(), |status| format!("it ended first: {status}")))
        }
    }
}

fn one_of(accepted: io::Result<Option<Stream>>) -> Result<Stream, String> {
    accepted.map_err(|error| error.to_string())?.ok_or_else(|| "it does not connect".into())
}

fn start(command: &str) -> Result<Child, Failure> {
    let words =
        shlex::split(command).ok_or_else(|| Failure::Connect(format!("`{command}` is no command")))?;
    let [program, arguments @ ..] = &words[..] else {
        return Err(Failure::Connect("an empty command".into()));
    };
    let mut child = Command::new(program);
    child.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    child.spawn().map_err(|error| Failure::Connect(format!("`{program}`: {error}")))
}

/// What comes in time.
async fn within<T, E: fmt::Display>(
    patience: Duration,
    wait: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match tokio::time::timeout(patience, wait).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("nothing for {patience:?}")),
    }
}

/// Why nothing more comes, if that is so.
fn ended(read: &io::Result<usize>) -> Option<String> {
    match read {
        Ok(0) => Some("the stream ended".into()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// What a program has said of its end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Goodbye {
    Nothing,
    Erq,
    Eof,
}

impl Goodbye {
    /// Which of the end markers a packet is.
    fn of(packet: &[u8]) -> Self {
        match packet {
            [3, 1, 2, 0] => Self::Erq,
            [3, 0, 2, 0] => Self::Eof,
            _ => Self::Nothing,
        }
    }
}

/// The suite's end of a stream.
struct Conversation<'a> {
    stream: Stream,
    target: &'a Target,
    asker: Option<Child>,
    /// What was sent last, for people.
    sent: String,
    /// What has come and was not looked at.
    heard: Vec<u8>,
    /// How far the program has come in saying goodbye.
    goodbye: Goodbye,
    /// Why nothing more comes.
    over: Option<String>,
}

impl<'a> Conversation<'a> {
    fn new(stream: Stream, target: &'a Target, asker: Option<Child>) -> Self {
        let (sent, heard) = (Hex(&[]).to_string(), Vec::new());
        Self { stream, target, asker, sent, heard, goodbye: Goodbye::Nothing, over: None }
    }

    /// Takes all steps. Behind the last one comes the end, whatever the case: a program that says what it should and then
    /// more is none that passes.
    async fn follow(mut self, case: &Case) -> Result<(), Failure> {
        let last = case.steps.last().map_or(case.place.1, |(line, _)| *line);
        for (line, step) in case.steps.iter().chain([&(last, Step::End)]) {
            let done = match step {
                Step::Send(bytes, piece) => self.send(bytes, piece.or(self.target.piece)).await,
                Step::Expect(patterns) => self.expect(patterns).await,
                Step::Shut => {
                    // A program that has gone needs no end.
                    self.hear_while(async |writer| writer.shutdown().await).await;
                    Ok(())
                }
                Step::End => self.expect_end().await,
                Step::Exit(is_ok) => self.expect_exit(*is_ok).await,
            };
            if let Err((expected, came)) = done {
                return Err(Failure::Step { line: *line, sent: self.sent, expected, came });
            }
        }
        Ok(())
    }

    /// Sends bytes. That they are not taken is no failure by itself: it shows in what comes.
    async fn send(&mut self, bytes: &[u8], piece: Option<usize>) -> Result<(), (String, String)> {
        self.sent = Hex(bytes).to_string();
        let piece = piece.unwrap_or(bytes.len()).max(1);
        let (in_pieces, at_once) = bytes.split_at(bytes.len().min(piece.saturating_mul(MOST_PIECES)));
        for bytes in in_pieces.chunks(piece).chain((!at_once.is_empty()).then_some(at_once)) {
            let sent = self.hear_while(async |writer| {
                writer.write_all(bytes).await?;
                writer.flush().await
            });
            match sent.await {
                Some(Ok(())) => {}
                Some(Err(_)) => return Ok(()),
                None => return Err(("it to read".into(), "it read nothing".into())),
            }
        }
        Ok(())
    }

    /// Does something with the direction to the program, and reads meanwhile, as both may be full; nothing if it takes too
    /// long.
    async fn hear_while<T>(
        &mut self,
        write: impl AsyncFnOnce(&mut WriteHalf<&mut Stream>) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        let Self { stream, heard, over, target, .. } = self;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut writing = pin!(write(&mut writer));
        let doing = async {
            loop {
                tokio::select! {
                    biased;
                    written = &mut writing => return written,
                    read = reader.read_buf(heard), if over.is_none() => *over = ended(&read),
                }
            }
        };
        tokio::time::timeout(target.patience, doing).await.ok()
    }

    /// The next packet, or why there is none.
    async fn packet(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(length) = whole(&self.heard) {
                let packet: Vec<u8> = self.heard.drain(..length).collect();
                self.goodbye = self.goodbye.max(Goodbye::of(&packet));
                return Ok(packet);
            }
            if let Some(over) = &self.over {
                return Err(if self.heard.is_empty() {
                    over.clone()
                } else {
                    format!("{over} within a packet, behind {}", Hex(&self.heard))
                });
            }
            let patience = self.target.patience;
            match tokio::time::timeout(patience, self.stream.read_buf(&mut self.heard)).await {
                Ok(read) => self.over = ended(&read),
                Err(_) if self.heard.is_empty() => return Err(format!("nothing for {patience:?}")),
                Err(_) => return Err(format!("nothing for {patience:?} behind {}", Hex(&self.heard))),
            }
        }
    }

    async fn expect(&mut self, patterns: &[Pattern]) -> Result<(), (String, String)> {
        let mut missing: Vec<&Pattern> = patterns.iter().collect();
        while !missing.is_empty() {
            let came = match self.packet().await {
                Ok(packet) => match missing.iter().position(|pattern| pattern.matches(&packet)) {
                    Some(found) => {
                        missing.remove(found);
                        continue;
                    }
                    None => format!("came {}", Hex(&packet)),
                },
                Err(why) => why,
            };
            return Err((either(&missing), came));
        }
        Ok(())
    }

    /// An end in good order or without a word, or a reset: what is left of a goodbye, each of it once, and nothing else.
    async fn expect_end(&mut self) -> Result<(), (String, String)> {
        let fail = |came: String| Err(("the end".to_owned(), came));
        loop {
            let said = self.goodbye;
            match self.packet().await {
                Ok(packet) if Goodbye::of(&packet) > said => {}
                Ok(packet) => return fail(format!("came {}", Hex(&packet))),
                Err(_) if self.over.is_some() && self.heard.is_empty() => return Ok(()),
                Err(why) => return fail(why),
            }
        }
    }

    async fn expect_exit(&mut self, is_ok: bool) -> Result<(), (String, String)> {
        let expected = if is_ok { "status 0" } else { "a status that is not 0" };
        let Some(child) = &mut self.asker else {
            return Err((expected.into(), "there is no program".into()));
        };
        let came = match within(self.target.patience, child.wait()).await {
            Ok(status) if ExitStatus::success(&status) == is_ok => return Ok(()),
            Ok(status) => status.to_string(),
            Err(why) => format!("it does not end: {why}"),
        };
        Err((expected.into(), came))
    }
}

fn either(patterns: &[&Pattern]) -> String {
    let mut text = String::new();
    for (index, pattern) in patterns.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{pattern}", if index == 0 { "" } else { " or " });
    }
    text
}

#[cfg(test)]
mod tests;
