//! Walking a tree while it is restored.

use super::entries::Entries;
use super::fetch::Fetcher;
use super::restore::{self, NewFile, RestoreError};
use super::{NodeError, PullError};
use crate::chunkstore::protocol::ChunkClient;
use crate::chunkstore::report::Tally;
use crate::chunkstore::tree::MAX_DEPTH;
use crate::chunkstore::tree::dirent::{Dirent, Kind};
use crate::chunkstore::tree::meta::Meta;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

/// Files that are restored at once.
const FILES: usize = 64;
/// Chunks of one file that are asked for ahead.
const AHEAD: usize = 32;

/// One tree being pulled.
pub(super) struct Pull {
    fetcher: Fetcher,
    files: Arc<Semaphore>,
    tally: Arc<Tally>,
}

/// A directory whose entries are being read.
struct Open {
    path: PathBuf,
    /// How many directories it lies in.
    depth: usize,
    meta: Meta,
    entries: Entries,
    /// Its files, and the directories in it that are read already.
    children: JoinSet<Result<(), PullError>>,
}

impl Pull {
    pub(super) fn new(client: ChunkClient, tally: Arc<Tally>) -> Self {
        let fetcher = Fetcher::new(client, Arc::clone(&tally));
        Self { fetcher, files: Arc::new(Semaphore::new(FILES)), tally }
    }

    /// Restores the tree under `root` at `destination`.
    pub(super) async fn tree(&self, root: Dirent, destination: PathBuf) -> Result<(), PullError> {
        let meta = meta_of(&root).map_err(|source| cannot_restore(&destination, source))?;
        let mut stack = vec![self.open(destination, meta, root, restore::make_root).await?];
        while let Some(directory) = stack.last_mut() {
            while let Some(done) = directory.children.try_join_next() {
                done??;
            }
            let path = &directory.path;
            let entry =
                directory.entries.next_entry().await.map_err(|source| cannot_restore(path, source))?;
            match entry {
                Some(entry) => {
                    let directory = self.entry(directory, entry).await?;
                    stack.extend(directory);
                }
                None => self.leave(&mut stack).await?,
            }
        }
        Ok(())
    }

    /// Restores an entry; one that is a directory is to be read next.
    async fn entry(&self, parent: &mut Open, entry: Dirent) -> Result<Option<Open>, PullError> {
        let named = meta_of(&entry).and_then(|meta| Ok((name_of(&entry, &meta)?, meta)));
        let (name, meta) = named.map_err(|source| cannot_restore(&parent.path, source))?;
        let path = parent.path.join(&name);
        let refuse = |source| Err(cannot_restore(&path, source));
        match entry.kind {
            Kind::Directory if parent.depth == MAX_DEPTH => refuse(NodeError::TooDeep),
            Kind::Directory => {
                let directory = self.open(path, meta, entry, restore::make_directory).await?;
                Ok(Some(Open { depth: parent.depth + 1, ..directory }))
            }
            Kind::File => {
                let (fetcher, tally) = (self.fetcher.clone(), Arc::clone(&self.tally));
                let turn = self.turn().await;
                parent.children.spawn(file(fetcher, path, meta, entry, turn, tally));
                Ok(None)
            }
            Kind::Link => {
                let turn = self.turn().await;
                parent.children.spawn_blocking(move || {
                    let _turn = turn;
                    restore::link(&path, &meta).map_err(|error| cannot_restore(&path, error.into()))
                });
                self.tally.links.add(1);
                Ok(None)
            }
            Kind::Indirect => refuse(NodeError::Kind(name)),
        }
    }

    /// Waits until one more file may be restored. Nothing closes the semaphore.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.files).acquire_owned().await.ok()
    }

    async fn open(
        &self,
        path: PathBuf,
        meta: Meta,
        entry: Dirent,
        make: fn(&Path) -> Result<(), RestoreError>,
    ) -> Result<Open, PullError> {
        let new = path.clone();
        let making = tokio::task::spawn_blocking(move || make(&new));
        making.await?.map_err(|error| cannot_restore(&path, error.into()))?;
        self.tally.directories.add(1);
        let entries = Entries::new(self.fetcher.clone(), entry.block);
        Ok(Open { path, depth: 0, meta, entries, children: JoinSet::new() })
    }

    /// Leaves the directory on top of the stack: it is finished, later, among the children of the one
    /// below, while that is read on.
    async fn leave(&self, stack: &mut Vec<Open>) -> Result<(), PullError> {
        let Some(directory) = stack.pop() else { return Ok(()) };
        match stack.last_mut() {
            None => finish(directory).await,
            Some(parent) => {
                parent.children.spawn(finish(directory));
                Ok(())
            }
        }
    }
}

/// Waits for all that is in a directory; then nothing changes its attributes any more.
async fn finish(directory: Open) -> Result<(), PullError> {
    let Open { path, meta, mut children, .. } = directory;
    while let Some(done) = children.join_next().await {
        done??;
    }
    let finishing = tokio::task::spawn_blocking(move || {
        restore::finish_directory(&path, &meta).map_err(|error| cannot_restore(&path, error.into()))
    });
    finishing.await?
}

/// Restores a file: asks for its content, and writes what comes.
async fn file(
    fetcher: Fetcher,
    path: PathBuf,
    meta: Meta,
    entry: Dirent,
    turn: Option<OwnedSemaphorePermit>,
    tally: Arc<Tally>,
) -> Result<(), PullError> {
    let span = entry.block.as_ref().map_or(0, |block| block.span);
    let (sender, pieces) = mpsc::channel(AHEAD);
    let file = NewFile::new(path.clone(), meta, span);
    let (asked, written) =
        tokio::join!(fetcher.ask_all(entry.block, sender), file.write_all(pieces, &tally.bytes));
    // When asking fails the file is cut short: the first cause is what counts.
    asked.map_err(NodeError::from).and(written).map_err(|source| cannot_restore(&path, source))?;
    tally.files.add(1);
    drop(turn);
    Ok(())
}

fn cannot_restore(path: &Path, source: NodeError) -> PullError {
    PullError::Restore { path: path.to_owned(), source }
}

fn meta_of(entry: &Dirent) -> Result<Meta, NodeError> {
    let Some(text) = &entry.meta else { return Ok(Meta::default()) };
    Meta::from_text(text)
        .map_err(|source| NodeError::Meta(entry.name.clone().unwrap_or_default().into(), source))
}

/// The entry's name, which can be trusted to name something in its directory.
fn name_of(entry: &Dirent, meta: &Meta) -> Result<OsString, NodeError> {
    let given = entry.name.as_ref().map(OsString::from);
    let name = meta.name.clone().or(given).unwrap_or_default();
    let bad = matches!(name.as_bytes(), b"" | b"." | b"..")
        || name.as_bytes().iter().any(|byte| b"/\0".contains(byte));
    if bad { Err(NodeError::Name(name)) } else { Ok(name) }
}
