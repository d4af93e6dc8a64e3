//! The whole journey on one machine: a server of our own, a tree pushed to it, pulled back, compared.

use super::client;
use super::compare::{CompareError, Difference, compare};
use super::protocol::ChunkClient;
use super::pull::{PullError, pull};
use super::push::{PushError, Source, push};
use super::report::{Figures, Tally, watched};
use indicatif::HumanBytes;
use packetstream::Child;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinError;

/// What the tree is called in the store.
const NAME: &str = "demo";
/// How many differences are shown.
const SHOWN: usize = 10;

/// Why the demonstration failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No directory was named, and there is no workspace that could stand in for one.
    #[error("not inside a Cargo workspace: name a directory")]
    NoWorkspace,
    /// There is no room for the store and the copy.
    #[error("cannot use a temporary directory")]
    Temporary(#[source] io::Error),
    /// The server does not start.
    #[error("cannot start the server")]
    Start(#[source] io::Error),
    /// The tree was not pushed.
    #[error("push failed")]
    Push(#[from] PushError),
    /// The tree was not pulled.
    #[error("pull failed")]
    Pull(#[from] PullError),
    /// The trees cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// The copy is another tree.
    #[error("the trees differ in {0} places")]
    Different(usize),
    /// The server has not ended as it should.
    #[error("the server ended with {0}")]
    Exit(ExitStatus),
    /// Somebody has pressed Ctrl-C; what was made in the temporary directory is removed.
    #[error("interrupted")]
    Interrupted,
    /// A part of the program has panicked.
    #[error("comparing was not finished")]
    Lost(#[from] JoinError),
}

/// Pushes a tree to a server started for it, pulls it again, compares both, and prints what it took.
///
/// Without a `directory` the tree is that of the Cargo workspace around the current directory, without its
/// `target`.
///
/// # Errors
///
/// See [`DemoError`]; a difference between the trees is one.
pub async fn demo(directory: Option<PathBuf>) -> Result<(), DemoError> {
    let source = match directory {
        Some(root) => Source { root, leave_out: Vec::new() },
        None => Source { root: workspace()?, leave_out: vec!["target".into()] },
    };
    source.check()?;
    let place = TempDir::with_prefix("chunkstore-").map_err(DemoError::Temporary)?;
    tokio::select! {
        result = travel(source, place.path()) => result,
        _ = tokio::signal::ctrl_c() => Err(DemoError::Interrupted),
    }
}

/// Does it all in the directory `place`.
async fn travel(source: Source, place: &Path) -> Result<(), DemoError> {
    let copy = place.join("copy");
    let (server, client) = start(place).map_err(DemoError::Start)?;
    println!("tree     {}", source.root.display());

    let pushed = Arc::new(Tally::default());
    let (result, time) = watched("push", &pushed, push(&client, source.clone(), NAME, &pushed)).await;
    result?;
    println!("         {pushed}");
    println!("push     {}", Figures { tally: &pushed, time });
    print_sent(&pushed);

    let pulled = Arc::new(Tally::default());
    let (result, time) = watched("pull", &pulled, pull(&client, NAME, &copy, &pulled)).await;
    result?;
    println!("pull     {}", Figures { tally: &pulled, time });

    if let Some(peak) = peak_memory_of_child() {
        println!("server   {} of memory at most", HumanBytes(peak));
    }
    client::leave(&client).await;
    let status = server.wait().await.map_err(DemoError::Start)?;
    if !status.success() {
        return Err(DemoError::Exit(status));
    }
    let Source { root, leave_out } = source;
    let differences = tokio::task::spawn_blocking(move || compare(&root, &copy, &leave_out)).await??;
    print_differences(&differences)
}

fn print_sent(Tally { chunk_bytes, sent, sent_bytes, .. }: &Tally) {
    println!(
        "         {} sent, {} of {}; {:.1} % were known already",
        sent.of("chunk", "chunks"),
        HumanBytes(sent_bytes.get()),
        HumanBytes(chunk_bytes.get()),
        100.0 - percent(sent_bytes.get(), chunk_bytes.get()),
    );
}

#[allow(clippy::cast_precision_loss, reason = "four digits are shown")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

fn print_differences(differences: &[Difference]) -> Result<(), DemoError> {
    if differences.is_empty() {
        println!("compare  the trees are identical");
        return Ok(());
    }
    for difference in differences.iter().take(SHOWN) {
        println!("compare  {difference}");
    }
    Err(DemoError::Different(differences.len()))
}

/// Starts this very program as the server of an empty store, and connects to it.
fn start(place: &Path) -> io::Result<(Child, ChunkClient)> {
    let store = place.join("store");
    fs::create_dir(&store)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--listen", "stdio:", "--store"]).arg(store);
    let (stream, child) = Child::spawn(command)?;
    Ok((child, client::over(stream)))
}

/// The root of the workspace around the current directory.
fn workspace() -> Result<PathBuf, DemoError> {
    let current = std::env::current_dir().map_err(|_| DemoError::NoWorkspace)?;
    let is_root = |path: &&Path| {
        fs::read_to_string(path.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]"))
    };
    current.ancestors().find(is_root).map(Path::to_owned).ok_or(DemoError::NoWorkspace)
}

/// The most memory that our only child has ever used; nothing where the system does not tell.
fn peak_memory_of_child() -> Option<u64> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let children = threads.flatten().flat_map(|thread| fs::read_to_string(thread.path().join("children")));
    let child = children.collect::<String>();
    let status = fs::read_to_string(format!("/proc/{}/status", child.trim())).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes << 10)
}
