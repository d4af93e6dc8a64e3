//! Getting a tree out of a store, without trusting it.
//!
//! One task walks the tree depth first, with the open directories on a stack of its own; files are fetched
//! and written several at once, each by a task that asks for its chunks ahead and has threads write what comes.
//! What the server sends is checked before it is used:
//!
//! * every chunk against its name and its length, so the tree is the one that the archive entry names;
//! * names of entries: not empty, not `.` or `..`, without `/` and NUL;
//! * nothing is written through or over something that exists, so a name that comes twice is an error, and so
//!   is a directory where a link was before;
//! * directories and blocks may lie in one another only so deep.
//!
//! A server can still send a tree larger than the disk. After an error the destination holds what was
//! restored until then.

mod directory;
mod entries;
mod fetch;
mod restore;
mod tree;

use super::archive::{self, ArchiveError};
use super::protocol::ChunkClient;
use super::report::Tally;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinError;
use tree::Pull;

pub use directory::ReadError;
pub use fetch::FetchError;
pub use restore::RestoreError;

pub(crate) use directory::{Directory, Found, Node, Unreadable};
pub(crate) use fetch::Fetcher;

/// Why a tree was not pulled.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The destination is there, and not an empty directory.
    #[error("{} is not an empty directory", .0.display())]
    NotEmpty(PathBuf),
    /// The destination cannot be looked at.
    #[error("cannot look at {}", path.display())]
    Destination {
        /// The destination.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no entry to tell what the tree is.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The archive's entry is something else.
    #[error("`{0}` is not a directory")]
    NotDirectory(String),
    /// A file, directory or link cannot be restored.
    #[error("cannot restore {}", path.display())]
    Restore {
        /// Where to.
        path: PathBuf,
        /// Why not.
        source: NodeError,
    },
    /// A part of the program has panicked.
    #[error("the tree was not restored to its end")]
    Lost(#[from] JoinError),
}

/// Why one file, directory or link cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// What is in it cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It cannot be written.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The thread that writes it has panicked.
    #[error("it was not written to its end")]
    Lost(#[from] JoinError),
}

impl From<FetchError> for NodeError {
    fn from(error: FetchError) -> Self {
        Self::Read(error.into())
    }
}

impl From<Unreadable> for PullError {
    fn from(Unreadable { path, source }: Unreadable) -> Self {
        Self::Restore { path, source: source.into() }
    }
}

/// Pulls the last entry of `archive` into `destination`, which does not exist or is an empty directory.
///
/// # Errors
///
/// See [`PullError`].
pub async fn pull(
    client: &ChunkClient,
    archive: &str,
    destination: &Path,
    tally: &Arc<Tally>,
) -> Result<(), PullError> {
    check_destination(destination)?;
    let root = archive::last(client, archive).await?.root;
    // A link to an empty directory stands for the directory; what does not exist yet is what it is called.
    let destination = destination.canonicalize().unwrap_or_else(|_| destination.to_owned());
    let fetcher = Fetcher::new(client.clone(), Arc::clone(tally));
    let Found { path, meta, node: Node::Directory(root) } = Found::root(&fetcher, destination, root)? else {
        return Err(PullError::NotDirectory(archive.into()));
    };
    Pull::new(fetcher, Arc::clone(tally)).tree(path, meta, *root).await
}

/// Checks that the destination does not exist or is an empty directory.
///
/// # Errors
///
/// [`PullError::NotEmpty`], or that it cannot be looked at.
pub fn check_destination(destination: &Path) -> Result<(), PullError> {
    let failed = |source| PullError::Destination { path: destination.to_owned(), source };
    match destination.read_dir() {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(PullError::NotEmpty(destination.to_owned())),
        },
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            io::ErrorKind::NotADirectory => Err(PullError::NotEmpty(destination.to_owned())),
            _ => Err(failed(error)),
        },
    }
}
