//! `reverse` and `counting` in conversation with `cs.packetstream`, the Python that this protocol comes from.
//!
//! Without the environment that `tests/python/setup` makes the tests are ignored, unless
//! `PACKETSTREAM_PYTHON=required` makes them fail.

mod process;

use libtest_mimic::{Arguments, Failed, Trial};
use process::{Ended, Program, reverse};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::process::Command;

/// Requests of one conversation.
const COUNT: &str = "1000";
/// After how many seconds the Python end gives itself up.
const PYTHON_TIMEOUT: &str = "50";

/// Who asks whom over what, and who closes.
#[derive(Clone, Copy)]
struct Conversation {
    asker: Side,
    closes_first: Side,
    medium: Medium,
    in_flight: u16,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Side {
    Rust,
    Python,
}

#[derive(Clone, Copy)]
enum Medium {
    Tcp,
    Unix,
    Stdio,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os("PACKETSTREAM_PYTHON").is_some_and(|value| value == "required");
    let ignored = !required && !is_installed();
    if ignored {
        eprintln!("live_python: not run, target/python is not installed; tests/python/setup does it");
    }
    let trials = Conversation::all().map(|conversation| {
        Trial::test(conversation.to_string(), move || conversation.goes_well()).with_ignored_flag(ignored)
    });
    let counting = [Side::Rust, Side::Python].map(|asker| {
        let name = format!("{asker} has its child, {}, count words", asker.other());
        Trial::test(name, move || words_are_counted(asker)).with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.chain(counting).collect()).exit_code()
}

/// Whether `tests/python/setup` has come to its end.
fn is_installed() -> bool {
    workspace().join("target/python/.requirements.stamp").is_file()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Python end.
fn peer<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(workspace().join("target/python/bin/python"));
    command.arg(workspace().join("tests/python/peer.py")).args(arguments).args(["--timeout", PYTHON_TIMEOUT]);
    command
}

fn check_installed() -> Result<(), Failed> {
    if is_installed() {
        return Ok(());
    }
    Err("target/python is not installed; tests/python/setup does it".into())
}

/// That the two halves of the example understand each other, over the standard input and output of a child.
fn words_are_counted(asker: Side) -> Result<(), Failed> {
    check_installed()?;
    let quoted = |path: &Path| format!("'{}'", path.display());
    let (rust, python) =
        (Path::new(env!("CARGO_BIN_EXE_counting")), workspace().join("target/python/bin/python"));
    let script = workspace().join("examples/python/counting.py");
    let words = ["to be or not to be", "to", "be", "not", "tea"];
    let command = match asker {
        Side::Rust => {
            let server = format!("exec:{} {} serve", quoted(&python), quoted(&script));
            let mut command = Command::new(rust);
            command.args(["--connect", &server, "--text"]).args(words);
            command
        }
        Side::Python => {
            let mut command = Command::new(python);
            command.arg(script).args(["ask", &format!("{} --listen stdio:", quoted(rust))]).args(words);
            command
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async { Program::start(command).ended().await });
    let said = "asked: count `to`?\nto: 2\nasked: count `be`?\nbe: 2\nasked: count `not`?\nnot: not counted\n\
                asked: count `tea`?\ntea: 0\n";
    if ended.code == Some(0) && ended.stdout == said { Ok(()) } else { Err(ended.to_string().into()) }
}

impl Conversation {
    fn all() -> impl Iterator<Item = Self> {
        // `reverse` as a server never closes first.
        let roles = [(Side::Rust, Side::Rust), (Side::Rust, Side::Python), (Side::Python, Side::Python)];
        let media = [Medium::Tcp, Medium::Unix, Medium::Stdio];
        let made = move |(asker, closes_first)| {
            media.into_iter().flat_map(move |medium| {
                [1, 16, 256].map(|in_flight| Self { asker, closes_first, medium, in_flight })
            })
        };
        roles.into_iter().flat_map(made)
    }

    /// That both ends come to theirs, and are content.
    fn goes_well(self) -> Result<(), Failed> {
        check_installed()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (asker, server) = runtime.block_on(self.take_place())?;
        if (asker.code, server.code) == (Some(0), Some(0)) {
            return Ok(());
        }
        let asker_side = self.asker;
        let server_side = asker_side.other();
        Err(format!("{asker_side}, the asker: {asker}\n{server_side}, the server: {server}").into())
    }

    /// Has the two programs talk, and returns what has become of the asker and of the server.
    async fn take_place(self) -> io::Result<(Ended, Ended)> {
        let directory = tempfile::tempdir()?;
        let listen_at = match self.medium {
            Medium::Tcp => "tcp://127.0.0.1:0",
            Medium::Unix => &format!("unix:{}", directory.path().join("socket").display()),
            Medium::Stdio => return self.take_place_over_pipes().await,
        };
        let mut server = Program::start(self.server(listen_at));
        let address = server.address().await;
        let asker = Program::start(self.asker(&address)).ended().await;
        if self.asker == Side::Python {
            // It would wait for the next.
            server.interrupt();
        }
        Ok((asker, server.ended().await))
    }

    async fn take_place_over_pipes(self) -> io::Result<(Ended, Ended)> {
        let (heard_by_server, said_by_asker) = io::pipe()?;
        let (heard_by_asker, said_by_server) = io::pipe()?;
        let server = Program::start_over(self.server("stdio:"), heard_by_server, said_by_server);
        let asker = Program::start_over(self.asker("stdio:"), heard_by_asker, said_by_asker);
        Ok((asker.ended().await, server.ended().await))
    }

    fn asker(self, address: &str) -> Command {
        let in_flight = self.in_flight.to_string();
        let options = ["--count", COUNT, "--in-flight", &in_flight];
        match self.asker {
            Side::Rust => reverse([&["--connect", address][..], &options].concat()),
            Side::Python => peer([&["ask", address][..], &options].concat()),
        }
    }

    fn server(self, address: &str) -> Command {
        match (self.asker.other(), self.closes_first) {
            (Side::Rust, _) => reverse(["--listen", address]),
            (Side::Python, Side::Rust) => peer(["serve", address, "--once"]),
            (Side::Python, Side::Python) => peer(["serve", address, "--once", "--close-first", COUNT]),
        }
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Rust => Self::Python,
            Self::Python => Self::Rust,
        }
    }
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asker, closes_first, medium, in_flight } = self;
        let server = asker.other();
        write!(f, "{asker} asks {server} over {medium}, {in_flight} in flight, {closes_first} closes first")
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
            Self::Unix => "unix",
            Self::Stdio => "stdio",
        })
    }
}
