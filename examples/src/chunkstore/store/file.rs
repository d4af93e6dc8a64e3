//! The file that the database reads and writes.

use redb::StorageBackend;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A file that takes note when it fails: from then on the database refuses everything, even reading, until it
/// is opened anew.
///
/// It has no lock of its own; the store has.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    file: File,
    failed: Arc<AtomicBool>,
}

impl DatabaseFile {
    pub(super) fn new(file: File, failed: Arc<AtomicBool>) -> Self {
        Self { file, failed }
    }

    fn noting<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        result
    }
}

impl StorageBackend for DatabaseFile {
    fn len(&self) -> io::Result<u64> {
        self.noting(self.file.metadata().map(|metadata| metadata.len()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.noting(self.file.read_exact_at(out, offset))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.noting(self.file.set_len(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.noting(self.file.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.noting(self.file.write_all_at(data, offset))
    }
}
