//! Writing what was pulled. Nothing here follows a link or touches what exists.

use super::NodeError;
use super::fetch::{Arrived, Piece};
use crate::chunkstore::report::Count;
use crate::chunkstore::tree::meta::{FileTime, Meta};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Bytes of a file that are written at once, or a piece more.
const BATCH: usize = 512 << 10;
/// Until a file or a directory is complete, it is nobody else's business.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;
/// For entries that do not tell.
const USUAL_FILE: u32 = 0o644;
const USUAL_DIRECTORY: u32 = 0o755;

/// Why a file, directory or link was not written.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The name came twice, or something else uses the destination.
    #[error("it exists already")]
    Exists,
    /// It cannot be made.
    #[error("cannot create it")]
    Create(#[source] io::Error),
    /// Its content cannot be written.
    #[error("cannot write it")]
    Write(#[source] io::Error),
    /// Its permissions or its time cannot be set.
    #[error("cannot set its attributes")]
    Attributes(#[source] io::Error),
    /// The entry of a link does not say where to.
    #[error("a link without a target")]
    NoTarget,
    /// Not all of the content came.
    #[error("its content was cut short")]
    CutShort,
}

fn create(error: io::Error) -> RestoreError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => RestoreError::Exists,
        _ => RestoreError::Create(error),
    }
}

/// A file that is being written.
pub(super) struct NewFile {
    path: PathBuf,
    meta: Meta,
    /// How long it will be.
    span: u64,
    written: u64,
    /// Nothing before the first bytes are written.
    file: Option<File>,
}

impl NewFile {
    pub(super) const fn new(path: PathBuf, meta: Meta, span: u64) -> Self {
        Self { path, meta, span, written: 0, file: None }
    }

    /// Writes what `pieces` yields, and counts the bytes. Threads do, with as much at a time as there is
    /// already: a small file takes one of them once.
    pub(super) async fn write_all(
        mut self,
        mut pieces: mpsc::Receiver<Piece>,
        bytes: &Count,
    ) -> Result<(), NodeError> {
        loop {
            let batch = next_batch(&mut pieces).await?;
            let is_last = batch.is_empty();
            let before = self.written;
            self = tokio::task::spawn_blocking(move || self.write(&batch)).await??;
            bytes.add(self.written - before);
            if self.written == self.span {
                return Ok(());
            }
            if is_last {
                return Err(RestoreError::CutShort.into());
            }
        }
    }

    fn write(mut self, batch: &[Arrived]) -> Result<Self, NodeError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(create_file(&self.path)?),
        };
        for piece in batch {
            file.write_all(piece.checked()?).map_err(RestoreError::Write)?;
            self.written += piece.len() as u64;
        }
        if self.written == self.span {
            file_attributes(file, &self.meta).map_err(RestoreError::Attributes)?;
        }
        Ok(self)
    }
}

/// Waits for the next piece, and takes those that are there already, too. Empty at the end.
async fn next_batch(pieces: &mut mpsc::Receiver<Piece>) -> Result<Vec<Arrived>, NodeError> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let mut next = pieces.recv().await;
    while let Some(piece) = next {
        let piece = piece.arrived().await?;
        bytes += piece.len();
        batch.push(piece);
        next = if bytes < BATCH { pieces.try_recv().ok() } else { None };
    }
    Ok(batch)
}

fn create_file(path: &Path) -> Result<File, RestoreError> {
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path).map_err(create)
}

fn file_attributes(file: &File, meta: &Meta) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(meta.mode.unwrap_or(USUAL_FILE)))?;
    if let Some(time) = meta.modified {
        rustix::fs::futimens(file, &timestamps(time))?;
    }
    Ok(())
}

/// Makes a link.
pub(super) fn link(path: &Path, meta: &Meta) -> Result<(), RestoreError> {
    let target = meta.target.as_ref().ok_or(RestoreError::NoTarget)?;
    std::os::unix::fs::symlink(target, path).map_err(create)?;
    set_time(path, meta).map_err(RestoreError::Attributes)
}

/// Makes the root of a tree; one that exists was found to be an empty directory.
pub(super) fn make_root(path: &Path) -> Result<(), RestoreError> {
    match make_directory(path) {
        Err(RestoreError::Exists) if path.is_dir() => Ok(()),
        made => made,
    }
}

/// Makes a directory.
pub(super) fn make_directory(path: &Path) -> Result<(), RestoreError> {
    DirBuilder::new().mode(PRIVATE_DIRECTORY).create(path).map_err(create)
}

/// Gives a directory, complete by now, its attributes.
pub(super) fn finish_directory(path: &Path, meta: &Meta) -> Result<(), RestoreError> {
    let permissions = Permissions::from_mode(meta.mode.unwrap_or(USUAL_DIRECTORY));
    fs::set_permissions(path, permissions)
        .and_then(|()| set_time(path, meta))
        .map_err(RestoreError::Attributes)
}

/// Sets the time of a directory, or of a link itself.
fn set_time(path: &Path, meta: &Meta) -> io::Result<()> {
    let Some(time) = meta.modified else { return Ok(()) };
    Ok(rustix::fs::utimensat(CWD, path, &timestamps(time), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// The time of the last change; that of the last access is left alone.
fn timestamps(FileTime { seconds, nanoseconds }: FileTime) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() },
    }
}
