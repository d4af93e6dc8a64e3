//! A content-addressed chunk store: its server, and a client that keeps trees of files in it.

use clap::{Parser, Subcommand};
use packetstream::{Address, ConnectError};
use packetstream_examples::chunkstore::client;
use packetstream_examples::chunkstore::demo::{self, DemoError};
use packetstream_examples::chunkstore::hash::HashClass;
use packetstream_examples::chunkstore::pull::{self, PullError};
use packetstream_examples::chunkstore::push::{self, PushError, Source};
use packetstream_examples::chunkstore::report::{Figures, Tally, watched};
use packetstream_examples::chunkstore::server::{self, RunError};
use packetstream_examples::error_line::one_line;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Keeps trees of files in a content-addressed store of chunks.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a store
    Serve {
        /// Directory of the store, which must exist; an empty one becomes a new store
        #[arg(long, value_name = "DIR")]
        store: PathBuf,
        /// What the store names its chunks by
        #[arg(long, value_name = "CLASS", default_value_t = HashClass::Blake3)]
        hash: HashClass,
        /// Where to wait for peers: `tcp://host:port`, `unix:/path` or `stdio:`
        #[arg(long, value_name = "ADDRESS")]
        listen: Address,
    },
    /// Put a tree of files into a store
    Push {
        /// Root of the tree
        directory: PathBuf,
        /// What to call the tree in the store
        #[arg(long)]
        name: String,
        /// The store: `tcp://host:port`, `unix:/path` or `exec:command`
        #[arg(long, value_name = "ADDRESS")]
        to: Address,
    },
    /// Get a tree of files out of a store
    Pull {
        /// What the tree is called in the store
        name: String,
        /// Where to put it: an empty directory, or one to be made
        destination: PathBuf,
        /// The store: `tcp://host:port`, `unix:/path` or `exec:command`
        #[arg(long, value_name = "ADDRESS")]
        from: Address,
    },
    /// Push a tree to a server of its own, pull it again, compare, and print what it took
    Demo {
        /// Root of the tree [default: the Cargo workspace here, without its `target`]
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum Error {
    Run(#[from] RunError),
    Connect(#[from] ConnectError),
    Push(#[from] PushError),
    Pull(#[from] PullError),
    Demo(#[from] DemoError),
}

#[tokio::main]
async fn main() -> ExitCode {
    match perform(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chunkstore: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

async fn perform(command: Command) -> Result<(), Error> {
    match command {
        Command::Serve { store, hash, listen } => server::run(store, hash, listen).await?,
        Command::Push { directory, name, to } => push(directory, &name, &to).await?,
        Command::Pull { name, destination, from } => pull(&name, &destination, &from).await?,
        Command::Demo { directory } => demo::demo(directory).await?,
    }
    Ok(())
}

async fn push(root: PathBuf, name: &str, to: &Address) -> Result<(), Error> {
    let source = Source { root, leave_out: Vec::new() };
    source.check()?;
    let client = client::connect(to).await?;
    let tally = Arc::new(Tally::default());
    let (result, time) = watched("push", &tally, push::push(&client, source, name, &tally)).await;
    result?;
    client::leave(&client).await;
    println!("{tally}");
    println!("{}", Figures { tally: &tally, time });
    Ok(())
}

async fn pull(name: &str, destination: &Path, from: &Address) -> Result<(), Error> {
    pull::check_destination(destination)?;
    let client = client::connect(from).await?;
    let tally = Arc::new(Tally::default());
    let (result, time) = watched("pull", &tally, pull::pull(&client, name, destination, &tally)).await;
    result?;
    client::leave(&client).await;
    println!("{tally}");
    println!("{}", Figures { tally: &tally, time });
    Ok(())
}
