//! Reading a tree, depth first and in the order of the names' bytes: the same tree always becomes the same
//! chunks.

use super::Source;
use super::upload::Chunk;
use crate::chunkstore::hash::{HashClass, HashCode};
use crate::chunkstore::report::Tally;
use crate::chunkstore::tree::MAX_DEPTH;
use crate::chunkstore::tree::blockref::BlockRef;
use crate::chunkstore::tree::blocks::BlockTree;
use crate::chunkstore::tree::chunks::Chunker;
use crate::chunkstore::tree::dirent::{Dirent, Kind};
use crate::chunkstore::tree::meta::{FileTime, Meta};
use packetstream::{Bytes, Payload};
use rustix::fs::{Mode, OFlags};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many chunks are remembered as seen, lest a huge tree fill the memory. Forgetting costs a question.
const REMEMBERED: usize = 1 << 20;

/// Why a tree cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A part of it cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which part.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The root is none.
    #[error("{} is not a directory", .0.display())]
    NotDirectory(PathBuf),
    /// A directory lies too deep.
    #[error("{} lies deeper than {MAX_DEPTH} directories", .0.display())]
    TooDeep(PathBuf),
    /// Nobody takes the chunks any more.
    #[error("reading the tree was stopped")]
    Stopped,
}

/// A walk through a tree.
#[derive(Debug)]
pub(super) struct Walk {
    class: HashClass,
    chunks: mpsc::Sender<Chunk>,
    tally: Arc<Tally>,
    seen: HashSet<HashCode>,
    /// For one file after the other.
    chunker: Chunker,
}

impl Walk {
    pub(super) fn new(class: HashClass, chunks: mpsc::Sender<Chunk>, tally: Arc<Tally>) -> Self {
        Self { class, chunks, tally, seen: HashSet::new(), chunker: Chunker::default() }
    }

    /// Reads a tree; the result stands for all of it.
    ///
    /// Blocks.
    pub(super) fn tree(mut self, source: &Source) -> Result<Dirent, WalkError> {
        let root = &source.root;
        let metadata = look_at_root(root)?;
        let block = self.directory(root, &source.leave_out, 0)?;
        // A path like `..` has no name; nor need the root of a tree.
        let name = root.file_name().unwrap_or_default();
        Ok(Dirent { block, ..dirent(Kind::Directory, name, &metadata, None) })
    }

    fn directory(
        &mut self,
        path: &Path,
        leave_out: &[OsString],
        depth: usize,
    ) -> Result<Option<BlockRef>, WalkError> {
        if depth > MAX_DEPTH {
            return Err(WalkError::TooDeep(path.to_owned()));
        }
        let (mut chunker, mut blocks) = (Chunker::default(), BlockTree::default());
        for name in names(path).map_err(cannot_read(path))? {
            if leave_out.contains(&name) {
                continue;
            }
            if let Some(entry) = self.entry(&path.join(&name), &name, depth)? {
                chunker.push(&entry.to_bytes());
                self.store_chunks(&mut chunker, &mut blocks, false)?;
            }
        }
        self.store_chunks(&mut chunker, &mut blocks, true)?;
        self.tally.directories.add(1);
        blocks.finish(&mut |chunk| self.store(chunk))
    }

    /// The entry of one file; nothing for one that is neither file nor directory nor link.
    fn entry(&mut self, path: &Path, name: &OsStr, depth: usize) -> Result<Option<Dirent>, WalkError> {
        let metadata = path.symlink_metadata().map_err(cannot_read(path))?;
        if metadata.is_dir() {
            let block = self.directory(path, &[], depth + 1)?;
            Ok(Some(Dirent { block, ..dirent(Kind::Directory, name, &metadata, None) }))
        } else if metadata.is_symlink() {
            let target = fs::read_link(path).map_err(cannot_read(path))?;
            self.tally.links.add(1);
            Ok(Some(dirent(Kind::Link, name, &metadata, Some(target.into()))))
        } else if metadata.is_file() {
            self.file(path, name).map(Some)
        } else {
            self.tally.special.add(1);
            Ok(None)
        }
    }

    fn file(&mut self, path: &Path, name: &OsStr) -> Result<Dirent, WalkError> {
        let file = open(path).map_err(cannot_read(path))?;
        let metadata = file.metadata().map_err(cannot_read(path))?;
        // Not what is appended meanwhile: what is appended may be a consequence of the push, and have no end.
        let mut content = file.take(metadata.len());
        let mut blocks = BlockTree::default();
        let mut chunker = std::mem::take(&mut self.chunker);
        loop {
            let read = chunker.fill(&mut content).map_err(cannot_read(path))?;
            self.store_chunks(&mut chunker, &mut blocks, read == 0)?;
            if read == 0 {
                break;
            }
            self.tally.bytes.add(read as u64);
        }
        self.chunker = chunker;
        let block = blocks.finish(&mut |chunk| self.store(chunk))?;
        self.tally.files.add(1);
        Ok(Dirent { block, ..dirent(Kind::File, name, &metadata, None) })
    }

    fn store_chunks(
        &mut self,
        chunker: &mut Chunker,
        blocks: &mut BlockTree,
        is_last: bool,
    ) -> Result<(), WalkError> {
        while let Some(chunk) = chunker.next_chunk(is_last) {
            blocks.push(chunk, &mut |chunk| self.store(chunk))?;
        }
        Ok(())
    }

    /// Hands a chunk over, unless it was before.
    fn store(&mut self, bytes: Bytes) -> Result<HashCode, WalkError> {
        let code = self.class.hash(&bytes);
        self.tally.chunks.add(1);
        self.tally.chunk_bytes.add(bytes.len() as u64);
        if self.seen.len() == REMEMBERED {
            self.seen.clear();
        }
        if self.seen.insert(code) {
            self.chunks.blocking_send(Chunk { code, bytes }).map_err(|_| WalkError::Stopped)?;
        }
        Ok(code)
    }
}

/// The root's metadata; it may be named by a link.
pub(super) fn look_at_root(path: &Path) -> Result<Metadata, WalkError> {
    let metadata = path.metadata().map_err(cannot_read(path))?;
    if metadata.is_dir() { Ok(metadata) } else { Err(WalkError::NotDirectory(path.to_owned())) }
}

fn cannot_read(path: &Path) -> impl FnOnce(io::Error) -> WalkError {
    move |source| WalkError::Read { path: path.to_owned(), source }
}

/// The names in a directory, in the order of their bytes.
fn names(path: &Path) -> io::Result<Vec<OsString>> {
    let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// Opens a file, and neither follows a link nor waits for the other end of a pipe that has taken its place.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// An entry without a block.
fn dirent(kind: Kind, name: &OsStr, metadata: &Metadata, target: Option<OsString>) -> Dirent {
    let nanoseconds = u32::try_from(metadata.mtime_nsec()).unwrap_or_default();
    let meta = Meta {
        mode: (kind != Kind::Link).then(|| metadata.mode() & 0o7777),
        modified: Some(FileTime { seconds: metadata.mtime(), nanoseconds }),
        target,
        name: name.to_str().is_none().then(|| name.to_owned()),
    };
    let name = Some(name.to_string_lossy().into_owned());
    Dirent { name, meta: Some(meta.to_text()), ..Dirent::new(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_their_bytes() {
        let directory = tempfile::TempDir::new().unwrap();
        let mut expected: Vec<OsString> = (0..100).map(|number| number.to_string().into()).collect();
        expected.extend(["Z", "a", "~", "é"].map(OsString::from));
        for name in &expected {
            File::create(directory.path().join(name)).unwrap();
        }
        expected.sort_by(|one, other| one.as_encoded_bytes().cmp(other.as_encoded_bytes()));
        assert_eq!(names(directory.path()).unwrap(), expected);
    }
}
