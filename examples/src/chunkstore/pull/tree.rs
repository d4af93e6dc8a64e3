//! Walking a tree while it is restored.

use super::directory::{Directory, Found, Node};
use super::fetch::Fetcher;
use super::restore::{self, NewFile, RestoreError};
use super::{NodeError, PullError};
use crate::chunkstore::report::Tally;
use crate::chunkstore::tree::blockref::BlockRef;
use crate::chunkstore::tree::meta::Meta;
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

/// A directory that is being restored.
struct Open {
    path: PathBuf,
    meta: Meta,
    directory: Directory,
    /// Its files, and the directories in it that are read already.
    children: JoinSet<Result<(), PullError>>,
}

impl Pull {
    pub(super) fn new(fetcher: Fetcher, tally: Arc<Tally>) -> Self {
        Self { fetcher, files: Arc::new(Semaphore::new(FILES)), tally }
    }

    /// Restores the tree under `root` at `path`.
    pub(super) async fn tree(&self, path: PathBuf, meta: Meta, root: Directory) -> Result<(), PullError> {
        let mut stack = vec![self.open(path, meta, root, restore::make_root).await?];
        while let Some(open) = stack.last_mut() {
            while let Some(done) = open.children.try_join_next() {
                done??;
            }
            match open.directory.next_found().await? {
                Some(found) => {
                    let open = self.restore(open, found).await?;
                    stack.extend(open);
                }
                None => self.leave(&mut stack).await?,
            }
        }
        Ok(())
    }

    /// Restores what was found in a directory; one that is a directory is to be read next.
    async fn restore(&self, parent: &mut Open, found: Found) -> Result<Option<Open>, PullError> {
        let Found { path, meta, node } = found;
        match node {
            Node::Directory(directory) => {
                self.open(path, meta, *directory, restore::make_directory).await.map(Some)
            }
            Node::File(block) => {
                let (fetcher, tally) = (self.fetcher.clone(), Arc::clone(&self.tally));
                let turn = self.turn().await;
                parent.children.spawn(file(fetcher, path, meta, block, turn, tally));
                Ok(None)
            }
            Node::Link => {
                let turn = self.turn().await;
                parent.children.spawn_blocking(move || {
                    let _turn = turn;
                    restore::link(&path, &meta).map_err(|error| cannot_restore(&path, error.into()))
                });
                self.tally.links.add(1);
                Ok(None)
            }
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
        directory: Directory,
        make: fn(&Path) -> Result<(), RestoreError>,
    ) -> Result<Open, PullError> {
        let new = path.clone();
        let making = tokio::task::spawn_blocking(move || make(&new));
        making.await?.map_err(|error| cannot_restore(&path, error.into()))?;
        self.tally.directories.add(1);
        Ok(Open { path, meta, directory, children: JoinSet::new() })
    }

    /// Leaves the directory on top of the stack: it is finished, later, among the children of the one
    /// below, while that is read on.
    async fn leave(&self, stack: &mut Vec<Open>) -> Result<(), PullError> {
        let Some(open) = stack.pop() else { return Ok(()) };
        match stack.last_mut() {
            None => finish(open).await,
            Some(parent) => {
                parent.children.spawn(finish(open));
                Ok(())
            }
        }
    }
}

/// Waits for all that is in a directory; then nothing changes its attributes any more.
async fn finish(open: Open) -> Result<(), PullError> {
    let Open { path, meta, mut children, .. } = open;
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
    block: Option<BlockRef>,
    turn: Option<OwnedSemaphorePermit>,
    tally: Arc<Tally>,
) -> Result<(), PullError> {
    let span = block.as_ref().map_or(0, |block| block.span);
    let (sender, pieces) = mpsc::channel(AHEAD);
    let file = NewFile::new(path.clone(), meta, span);
    let (asked, written) = tokio::join!(fetcher.ask_all(block, sender), file.write_all(pieces, &tally.bytes));
    // When asking fails the file is cut short: the first cause is what counts.
    asked.map_err(NodeError::from).and(written).map_err(|source| cannot_restore(&path, source))?;
    tally.files.add(1);
    drop(turn);
    Ok(())
}

fn cannot_restore(path: &Path, source: NodeError) -> PullError {
    PullError::Restore { path: path.to_owned(), source }
}
