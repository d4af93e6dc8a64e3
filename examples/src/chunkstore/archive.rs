//! The entries of an archive: the trees that were pushed under a name.

use super::protocol::{ArchiveLast, ArchiveList, ChunkClient};
use super::tree::blockref::Body;
use super::tree::dirent::{Entry, Kind, RawEntry};
use indicatif::HumanBytes;
use packetstream::{PayloadError, RequestError};
use std::fmt;

/// Why entries of an archive cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The server cannot be asked.
    #[error("cannot look up `{archive}`")]
    Ask {
        /// The archive's name.
        archive: String,
        /// Why not.
        source: RequestError,
    },
    /// The archive has no entry.
    #[error("nothing was ever pushed as `{0}`")]
    NeverPushed(String),
    /// The archive's entry is not one.
    #[error("bad entry of `{archive}`")]
    Entry {
        /// The archive's name.
        archive: String,
        /// What is wrong.
        source: PayloadError,
    },
}

/// The last entry of an archive.
///
/// # Errors
///
/// See [`ArchiveError`].
pub async fn last(client: &ChunkClient, archive: &str) -> Result<Entry, ArchiveError> {
    let last = client.archive_last(ArchiveLast { archive: archive.into() }).await;
    let last = last.map_err(|source| ArchiveError::Ask { archive: archive.into(), source })?;
    let last = last.ok_or_else(|| ArchiveError::NeverPushed(archive.into()))?;
    read(&last, archive)
}

/// All entries of an archive, the oldest first. The client has to be one
/// [for lists](super::client::connect_for_lists), unless the archive is short.
///
/// # Errors
///
/// See [`ArchiveError`].
pub async fn log<'a>(
    client: &ChunkClient,
    archive: &'a str,
) -> Result<impl Iterator<Item = Result<Entry, ArchiveError>> + use<'a>, ArchiveError> {
    let entries = client.archive_list(ArchiveList { archive: archive.into() }).await;
    let entries = entries.map_err(|source| ArchiveError::Ask { archive: archive.into(), source })?;
    if entries.is_empty() {
        return Err(ArchiveError::NeverPushed(archive.into()));
    }
    // An entry that was read in full takes several times its bytes, so one at a time is.
    Ok(entries.into_iter().map(|raw| read(&raw, archive)))
}

fn read(raw: &RawEntry, archive: &str) -> Result<Entry, ArchiveError> {
    raw.entry().map_err(|source| ArchiveError::Entry { archive: archive.into(), source })
}

/// An entry as a line: when, what, how much its block spans, and the name of the block's chunk, by which two
/// trees can be told apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line(pub Entry);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Entry { time, root }) = self;
        let kind = match root.kind {
            Kind::File => "file",
            Kind::Directory => "directory",
            Kind::Link => "link",
            Kind::Indirect => "indirect",
        };
        let span = root.block.as_ref().map_or(0, |block| block.span);
        write!(f, "{time:<18?}  {kind:<9}  {:>10}", HumanBytes(span).to_string())?;
        match root.block.as_ref().map(|block| &block.body) {
            Some(Body::Chunk(code)) => write!(f, "  {code}"),
            _ => Ok(()),
        }
    }
}
