//! A content-addressed chunk store: its server, and a client that keeps trees of files in it.

use clap::{Parser, Subcommand};
use packetstream::{Address, ConnectError};
use packetstream_examples::chunkstore::archive::{self, ArchiveError, Line};
use packetstream_examples::chunkstore::check::{Check, CheckError};
use packetstream_examples::chunkstore::client;
use packetstream_examples::chunkstore::demo::{self, DemoError};
use packetstream_examples::chunkstore::hash::HashClass;
use packetstream_examples::chunkstore::list::{ListError, Names};
use packetstream_examples::chunkstore::pull::{self, PullError};
use packetstream_examples::chunkstore::push::{self, PushError, Source};
use packetstream_examples::chunkstore::report::{Figures, Tally, watched};
use packetstream_examples::chunkstore::server::{self, RunError};
use packetstream_examples::chunkstore::stat::{self, StatError};
use packetstream_examples::chunkstore::store;
use packetstream_examples::error_line::one_line;
use std::fmt;
use std::io::{self, Write};
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
    /// Print the names of all chunks, one a line
    List {
        /// The store: `tcp://host:port`, `unix:/path` or `exec:command`
        #[arg(long, value_name = "ADDRESS")]
        from: Address,
    },
    /// Print the hash class, the number of chunks and a sum over their names, to compare two stores by
    Stat {
        /// The store: `tcp://host:port`, `unix:/path` or `exec:command`
        #[arg(long, value_name = "ADDRESS")]
        from: Address,
    },
    /// Print what was pushed under a name, the oldest first: when, in seconds since 1970, what, its size
    Log {
        /// What the trees are called in the store
        name: String,
        /// The store: `tcp://host:port`, `unix:/path` or `exec:command`
        #[arg(long, value_name = "ADDRESS")]
        from: Address,
    },
    /// Tell what is missing of the tree that was pushed last under a name, without getting its files
    Check {
        /// What the tree is called in the store
        name: String,
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
    List(#[from] ListError),
    Stat(#[from] StatError),
    Archive(#[from] ArchiveError),
    Check(#[from] CheckError),
    Incomplete(#[from] IncompleteError),
    Print(#[from] PrintError),
    Demo(#[from] DemoError),
}

/// A tree is not all there.
#[derive(Debug, thiserror::Error)]
#[error("missing in {missing} places of `{archive}`")]
struct IncompleteError {
    archive: String,
    missing: u64,
}

/// What was asked for cannot be printed.
#[derive(Debug, thiserror::Error)]
#[error("cannot print the result")]
struct PrintError(#[source] io::Error);

#[tokio::main]
async fn main() -> ExitCode {
    store::hush_database();
    match perform(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough, as `head` has: nothing to tell.
        Err(Error::Print(PrintError(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::FAILURE
        }
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
        Command::List { from } => list(&from).await?,
        Command::Stat { from } => stat(&from).await?,
        Command::Log { name, from } => log(&name, &from).await?,
        Command::Check { name, from } => check(name, &from).await?,
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

async fn list(from: &Address) -> Result<(), Error> {
    let client = client::connect(from).await?;
    let mut names = Names::new(&client);
    loop {
        let page = names.next_page().await?;
        if page.is_empty() {
            break;
        }
        for name in page {
            print(name)?;
        }
    }
    client::leave(&client).await;
    Ok(())
}

async fn stat(from: &Address) -> Result<(), Error> {
    let client = client::connect(from).await?;
    let stat = stat::stat(&client).await?;
    client::leave(&client).await;
    Ok(print(stat)?)
}

async fn log(name: &str, from: &Address) -> Result<(), Error> {
    let client = client::connect_for_lists(from).await?;
    let entries = archive::log(&client, name).await?;
    client::leave(&client).await;
    for entry in entries {
        print(Line(entry?))?;
    }
    Ok(())
}

async fn check(archive: String, from: &Address) -> Result<(), Error> {
    let client = client::connect(from).await?;
    let tree = archive::last(&client, &archive).await?;
    let mut check = Check::new(&client, tree.root)?;
    let mut missing = 0;
    while let Some(found) = check.next_missing().await? {
        print(found)?;
        missing += 1;
    }
    client::leave(&client).await;
    print(check.tally())?;
    if missing == 0 { Ok(()) } else { Err(IncompleteError { archive, missing }.into()) }
}

/// Prints a line of the result. `println!` would panic when nobody reads it any more.
fn print(line: impl fmt::Display) -> Result<(), PrintError> {
    writeln!(io::stdout(), "{line}").map_err(PrintError)
}
