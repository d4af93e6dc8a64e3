//! Reading directories of a tree, with whatever is in them.

use super::entries::Entries;
use super::fetch::{FetchError, Fetcher};
use crate::chunkstore::tree::MAX_DEPTH;
use crate::chunkstore::tree::blockref::BlockRef;
use crate::chunkstore::tree::dirent::{Dirent, Kind};
use crate::chunkstore::tree::meta::{Meta, MetaError};
use packetstream::PayloadError;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Why something in a tree cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A chunk cannot be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The bytes of a directory are not entries.
    #[error("bad directory entry")]
    Entry(#[source] PayloadError),
    /// The meta text of an entry is not one.
    #[error("bad meta of entry {0:?}")]
    Meta(OsString, #[source] MetaError),
    /// An entry has a name that could lead out of the directory, or none.
    #[error("bad name of an entry: {0:?}")]
    Name(OsString),
    /// An entry is of a kind that stands for something else.
    #[error("neither file nor directory nor link")]
    Kind,
    /// The directory lies too deep.
    #[error("deeper than {MAX_DEPTH} directories")]
    TooDeep,
}

/// Where in a tree something cannot be read, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) path: PathBuf,
    pub(crate) source: ReadError,
}

/// What was found in a tree.
#[derive(Debug)]
pub(crate) struct Found {
    /// The path of its directory and a name that can be trusted to lead to something in it.
    pub(crate) path: PathBuf,
    pub(crate) meta: Meta,
    pub(crate) node: Node,
}

/// What something in a tree is.
#[derive(Debug)]
pub(crate) enum Node {
    /// A file, of this content.
    File(Option<BlockRef>),
    /// A directory, to be read next.
    Directory(Box<Directory>),
    /// A symbolic link; the target is in its meta.
    Link,
}

/// A directory that is being read.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// How many directories it lies in.
    depth: usize,
    entries: Entries,
}

impl Found {
    /// The root of a tree, which is to be called `path`.
    pub(crate) fn root(fetcher: &Fetcher, path: PathBuf, root: Dirent) -> Result<Self, Unreadable> {
        match meta_of(&root) {
            Ok(meta) => Self::new(fetcher, path, 0, meta, root),
            Err(source) => Err(Unreadable { path, source }),
        }
    }

    fn new(
        fetcher: &Fetcher,
        path: PathBuf,
        depth: usize,
        meta: Meta,
        entry: Dirent,
    ) -> Result<Self, Unreadable> {
        let node = match entry.kind {
            Kind::File => Node::File(entry.block),
            Kind::Directory if depth > MAX_DEPTH => {
                return Err(Unreadable { path, source: ReadError::TooDeep });
            }
            Kind::Directory => {
                let entries = Entries::new(fetcher.clone(), entry.block);
                Node::Directory(Box::new(Directory { path: path.clone(), depth, entries }))
            }
            Kind::Link => Node::Link,
            Kind::Indirect => return Err(Unreadable { path, source: ReadError::Kind }),
        };
        Ok(Self { path, meta, node })
    }
}

impl Directory {
    /// What is in the directory next.
    pub(crate) async fn next_found(&mut self) -> Result<Option<Found>, Unreadable> {
        match self.next_named().await {
            Ok(Some((name, meta, entry))) => {
                let path = self.path.join(name);
                Found::new(self.entries.fetcher(), path, self.depth + 1, meta, entry).map(Some)
            }
            Ok(None) => Ok(None),
            Err(source) => Err(Unreadable { path: self.path.clone(), source }),
        }
    }

    async fn next_named(&mut self) -> Result<Option<(OsString, Meta, Dirent)>, ReadError> {
        let Some(entry) = self.entries.next_entry().await? else { return Ok(None) };
        let meta = meta_of(&entry)?;
        Ok(Some((name_of(&entry, &meta)?, meta, entry)))
    }
}

fn meta_of(entry: &Dirent) -> Result<Meta, ReadError> {
    let Some(text) = &entry.meta else { return Ok(Meta::default()) };
    Meta::from_text(text)
        .map_err(|source| ReadError::Meta(entry.name.clone().unwrap_or_default().into(), source))
}

/// The entry's name, which can be trusted to name something in its directory.
fn name_of(entry: &Dirent, meta: &Meta) -> Result<OsString, ReadError> {
    let given = entry.name.as_ref().map(OsString::from);
    let name = meta.name.clone().or(given).unwrap_or_default();
    let bad = matches!(name.as_bytes(), b"" | b"." | b"..")
        || name.as_bytes().iter().any(|byte| b"/\0".contains(byte));
    if bad { Err(ReadError::Name(name)) } else { Ok(name) }
}
