//! Whether a tree in a store is all there, without getting its files.
//!
//! Directories are got and checked as when the tree is [pulled](super::pull): what a server sends can be neither
//! another tree nor a path that leads out of it. Whether the chunks of files are there, the server says, and
//! has to be believed. What an entry held before is not asked for.
//!
//! Little is kept in memory whatever the server sends; but as directories may be referred to more than once,
//! it can send a tree that takes for ever to walk.

use super::hash::HashCode;
use super::protocol::{ChunkClient, Contains, ContainsIndirect};
use super::pull::{Directory, FetchError, Fetcher, Found, Node, ReadError, Unreadable};
use super::report::Tally;
use super::tree::blockref::{BlockRef, Body};
use super::tree::blocks::needed;
use super::tree::dirent::Dirent;
use crate::error_line::printable;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{FuturesOrdered, StreamExt};
use packetstream::{HasPacketConnection, RequestError};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Files that the server is asked about at once.
const AHEAD: usize = 64;

/// A chunk that a tree needs and the store does not have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// Its name. If it is that of block references, it may be there, and some chunk missing that it leads to.
    pub code: HashCode,
    /// The file or directory that needs it, from the root on, which is `.`.
    pub path: PathBuf,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.code, printable(&self.path.to_string_lossy()))
    }
}

/// Why it cannot be said whether a tree is all there.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The tree cannot be read on.
    #[error("cannot read {}", path.display())]
    Read {
        /// Where in the tree.
        path: PathBuf,
        /// Why not.
        source: ReadError,
    },
    /// The server cannot be asked whether a file is there.
    #[error("cannot ask for chunk {code} of {}", path.display())]
    Ask {
        /// The name of the chunk that was asked for.
        code: HashCode,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: RequestError,
    },
}

impl From<Unreadable> for CheckError {
    fn from(Unreadable { path, source }: Unreadable) -> Self {
        Self::Read { path, source }
    }
}

/// A tree being checked.
#[derive(Debug)]
pub struct Check {
    client: ChunkClient,
    tally: Arc<Tally>,
    /// The directories that are being read, each in the one before.
    open: Vec<Directory>,
    /// What is not known yet, in the order of the tree.
    asked: FuturesOrdered<BoxFuture<'static, Verdict>>,
}

type Verdict = Result<Option<Missing>, CheckError>;

impl Check {
    /// Begins with the root of a tree.
    ///
    /// # Errors
    ///
    /// See [`CheckError::Read`].
    pub fn new(client: &ChunkClient, root: Dirent) -> Result<Self, CheckError> {
        let tally = Arc::new(Tally::default());
        let fetcher = Fetcher::new(client.clone(), Arc::clone(&tally));
        let root = Found::root(&fetcher, ".".into(), root)?;
        let mut check =
            Self { client: client.clone(), tally, open: Vec::new(), asked: FuturesOrdered::new() };
        check.ask(root);
        Ok(check)
    }

    /// What was looked at so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The next thing that is missing; nothing when all of the tree was looked at.
    ///
    /// # Errors
    ///
    /// See [`CheckError`]. What comes after it in the tree can be asked for on.
    pub async fn next_missing(&mut self) -> Verdict {
        loop {
            while self.asked.len() < AHEAD && !self.open.is_empty() {
                self.read().await;
            }
            match self.asked.next().await {
                Some(Ok(None)) => {}
                Some(verdict) => return verdict,
                None => return Ok(None),
            }
        }
    }

    /// Reads on, and asks for what is found.
    async fn read(&mut self) {
        let Some(directory) = self.open.last_mut() else { return };
        match directory.next_found().await {
            Ok(Some(found)) => self.ask(found),
            Ok(None) => drop(self.open.pop()),
            // What else is in the directory cannot be known; what comes after it can.
            Err(Unreadable { path, source }) => {
                self.open.pop();
                self.know(match source {
                    ReadError::Fetch(FetchError::Missing(code)) => Ok(Some(Missing { code, path })),
                    source => Err(CheckError::Read { path, source }),
                });
            }
        }
    }

    /// Puts what is known in its place behind what was asked before.
    fn know(&mut self, verdict: Verdict) {
        self.asked.push_back(ready(verdict).boxed());
    }

    fn ask(&mut self, Found { path, node, .. }: Found) {
        match node {
            Node::Directory(directory) => {
                self.tally.directories.add(1);
                self.open.push(*directory);
            }
            Node::Link => self.tally.links.add(1),
            Node::File(block) => {
                self.tally.files.add(1);
                if let Some(block) = block {
                    self.tally.bytes.add(block.span);
                    self.ask_for(&needed(block), path);
                }
            }
        }
    }

    fn ask_for(&mut self, block: &BlockRef, path: PathBuf) {
        let (code, answer) = match block.body {
            Body::Chunk(code) if block.indirect => {
                (code, self.client.conn_submit(ContainsIndirect(code)).boxed())
            }
            Body::Chunk(code) => (code, self.client.conn_submit(Contains(code)).boxed()),
            _ if block.indirect => {
                let source = FetchError::Kind.into();
                return self.know(Err(CheckError::Read { path, source }));
            }
            // The bytes are in the directory.
            _ => return,
        };
        self.tally.calls.add(1);
        let verdict = answer.map(move |answer| match answer {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(Missing { code, path })),
            Err(source) => Err(CheckError::Ask { code, path, source }),
        });
        self.asked.push_back(verdict.boxed());
    }
}
