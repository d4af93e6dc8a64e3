//! Putting a tree into a store.
//!
//! A thread walks the tree and cuts it into chunks; a task asks the server which of them it misses, and
//! sends those. What was pushed becomes an archive entry only when all its chunks are on the disk.

mod upload;
mod walk;

use super::hash::HashClass;
use super::protocol::{ArchiveUpdate, ChunkClient, Flush, HashCodes, HashOfHashCodes};
use super::report::Tally;
use super::tree::dirent::{Entry, RawEntry};
use packetstream::RequestError;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use walk::Walk;

pub use upload::UploadError;
pub use walk::WalkError;

/// Chunks that may wait to be uploaded while the tree is walked on.
const QUEUE: usize = 16;

/// A tree to push.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its root, a directory.
    pub root: PathBuf,
    /// Entries of the root that are not part of it.
    pub leave_out: Vec<OsString>,
}

impl Source {
    /// Checks that there is a tree, so that nobody is connected to for nothing.
    ///
    /// # Errors
    ///
    /// When the root cannot be seen, or is not a directory.
    pub fn check(&self) -> Result<(), PushError> {
        Ok(walk::look_at_root(&self.root).map(drop)?)
    }
}

/// Why a tree was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The tree cannot be read.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// A chunk cannot be stored.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The server cannot be asked for its hash class.
    #[error("cannot find out the server's hash class")]
    AskClass(#[source] RequestError),
    /// All chunks are stored, but not the entry that makes a tree of them.
    #[error("cannot record the tree as `{archive}`")]
    Record {
        /// The archive's name.
        archive: String,
        /// Why not.
        source: RequestError,
    },
    /// The thread that reads the tree has panicked.
    #[error("the tree was not read to its end")]
    Lost(#[source] tokio::task::JoinError),
}

/// Pushes a tree and records it as the last entry of `archive`.
///
/// A file that is being written meanwhile is pushed as it is when its turn comes.
///
/// # Errors
///
/// See [`PushError`].
pub async fn push(
    client: &ChunkClient,
    source: Source,
    archive: &str,
    tally: &Arc<Tally>,
) -> Result<(), PushError> {
    let class = ask_class(client).await?;
    let (sender, chunks) = mpsc::channel(QUEUE);
    let walk = Walk::new(class, sender, Arc::clone(tally));
    let walking = tokio::task::spawn_blocking(move || walk.tree(&source));
    let uploaded = upload::upload(client, chunks, tally).await;
    let walked = walking.await.map_err(PushError::Lost)?;
    // When uploading fails the walk is stopped, and fails too: the first cause is what counts.
    uploaded?;
    let entry = Entry { time: now(), root: walked? };
    record(client, archive, &entry)
        .await
        .map_err(|source| PushError::Record { archive: archive.into(), source })
}

async fn record(client: &ChunkClient, archive: &str, entry: &Entry) -> Result<(), RequestError> {
    client.flush(Flush).await?;
    let update = ArchiveUpdate { archive: archive.into(), entry: RawEntry::from(entry) };
    client.archive_update(update).await
}

/// Finds out the server's hash class: that of the hash over its names, whatever class the request names.
async fn ask_class(client: &ChunkClient) -> Result<HashClass, PushError> {
    let first = HashCodes { count: 1, ..HashCodes::all(HashClass::Blake3) };
    let reply = client.hash_of_hash_codes(HashOfHashCodes(first)).await;
    reply.map(|reply| reply.sum.class()).map_err(PushError::AskClass)
}

/// The time, in seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
