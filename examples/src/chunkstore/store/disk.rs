//! The database's place on the disk: one process at a time has it, it is made in one step, and it is opened
//! anew after it has failed.

use super::StoreError;
use super::caught::caught;
use super::file::DatabaseFile;
use crate::chunkstore::hash::HashClass;
use redb::{Database, ReadableDatabase, TableDefinition};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

pub(super) const CODES: TableDefinition<'_, &[u8], u64> = TableDefinition::new("codes");
pub(super) const CHUNKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("chunks");
pub(super) const ARCHIVES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("archives");
const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
const HASH: &str = "hash";

/// The database.
pub(super) const FILE: &str = "chunks.redb";
/// What it is called until it is whole.
const UNFINISHED: &str = "chunks.redb.new";
/// Locked by whoever has the store open; the database's own lock is given up when it is opened anew.
const LOCK: &str = "chunks.lock";
/// What the database may cache; it takes some 30 MiB with it. Its own default, 1 GiB, is more than a store
/// should cost.
const CACHE: usize = 8 << 20;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such directory.
    #[error("no store directory {}", path.display())]
    Directory {
        /// Where it should be.
        path: PathBuf,
        /// Why it cannot be seen.
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is not a directory", .0.display())]
    NotDirectory(PathBuf),
    /// Another process has it open, or this one has.
    #[error("the store {} is in use", .0.display())]
    InUse(PathBuf),
    /// It cannot be made out whether it is in use.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The file to be locked.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no store yet, and none can be made.
    #[error("cannot make a store in {}", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: redb::Error,
    },
    /// The store was made with another hash class.
    #[error("the store's hash class is {recorded}, not {wanted}")]
    OtherClass {
        /// That of the store.
        recorded: String,
        /// The one asked for.
        wanted: HashClass,
    },
    /// The database cannot be opened.
    #[error("cannot open {}", path.display())]
    Database {
        /// The database's file.
        path: PathBuf,
        /// Why not.
        source: redb::Error,
    },
}

/// A store's directory, and the database in it.
#[derive(Debug)]
pub(super) struct Disk {
    directory: PathBuf,
    class: HashClass,
    /// Nothing while it cannot be opened.
    opened: RwLock<Option<Opened>>,
    /// Held for as long as the store is open. It goes last.
    _lock: File,
}

#[derive(Debug)]
struct Opened {
    database: Database,
    failed: Arc<AtomicBool>,
}

impl Disk {
    /// Opens the store in `directory`; one without becomes a store of `class`.
    pub(super) fn open(directory: &Path, class: HashClass) -> Result<Self, OpenError> {
        match directory.metadata() {
            Err(source) => return Err(OpenError::Directory { path: directory.to_owned(), source }),
            Ok(metadata) if !metadata.is_dir() => return Err(OpenError::NotDirectory(directory.to_owned())),
            Ok(_) => {}
        }
        let lock = lock(directory)?;
        if let Err(error) = fs::symlink_metadata(directory.join(FILE))
            && error.kind() == io::ErrorKind::NotFound
        {
            make(directory, class)
                .map_err(|source| OpenError::Make { path: directory.to_owned(), source })?;
        }
        let opened = RwLock::new(Some(Opened::open(directory, class)?));
        Ok(Self { directory: directory.to_owned(), class, opened, _lock: lock })
    }

    /// Works on the database. If that has failed before, it is opened anew: what was committed is in it.
    ///
    /// Blocks.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Database) -> T) -> Result<T, StoreError> {
        loop {
            let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
            match &*opened {
                Some(Opened { database, failed }) if !failed.load(Ordering::Acquire) => {
                    let worked = caught(|| work(database));
                    if worked.is_err() {
                        // Nobody knows what was left undone.
                        failed.store(true, Ordering::Release);
                    }
                    return Ok(worked?);
                }
                _ => {
                    drop(opened);
                    self.open_anew()?;
                }
            }
        }
    }

    /// Opens the database anew unless somebody else did meanwhile.
    fn open_anew(&self) -> Result<(), StoreError> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if opened.as_ref().is_none_or(|opened| opened.failed.load(Ordering::Acquire)) {
            close(&mut opened);
            let anew = Opened::open(&self.directory, self.class);
            *opened = Some(anew.map_err(|error| StoreError::Open(Arc::new(error)))?);
        }
        Ok(())
    }

    /// How many more bytes the disk has room for, as far as can be known.
    pub(super) fn room(&self) -> u64 {
        // Whoever cannot be told tries, and sees.
        rustix::fs::statvfs(&self.directory)
            .map_or(u64::MAX, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

#[cfg(test)]
impl Disk {
    pub(super) fn has_failed(&self) -> bool {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().is_none_or(|opened| opened.failed.load(Ordering::Acquire))
    }

    /// Has the database taken for one that has failed.
    pub(super) fn fail(&self) {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.iter().for_each(|opened| opened.failed.store(true, Ordering::Release));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        close(self.opened.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Closes the database, on which nobody works now. If that fails, it is as if the process had been killed.
fn close(opened: &mut Option<Opened>) {
    let opened = opened.take();
    let _ = caught(|| drop(opened));
}

fn lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    match file.map(|file| (file.try_lock(), file)) {
        Ok((Ok(()), file)) => Ok(file),
        Ok((Err(TryLockError::WouldBlock), _)) => Err(OpenError::InUse(directory.to_owned())),
        Ok((Err(TryLockError::Error(source)), _)) | Err(source) => Err(OpenError::Lock { path, source }),
    }
}

/// Makes an empty store. If this process or the power dies meanwhile, there is none, or a whole one.
fn make(directory: &Path, class: HashClass) -> Result<(), redb::Error> {
    let unfinished = directory.join(UNFINISHED);
    // Truncated, since the rest of an earlier attempt is no database.
    let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&unfinished)?;
    let database = builder().create_with_backend(DatabaseFile::new(file, Arc::default()))?;
    make_tables(&database, class)?;
    drop(database);
    fs::rename(unfinished, directory.join(FILE))?;
    // A file whose name is lost is lost with all that is acknowledged later.
    File::open(directory)?.sync_all()?;
    Ok(())
}

pub(super) fn make_tables(database: &Database, class: HashClass) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(CODES)?;
    transaction.open_table(CHUNKS)?;
    transaction.open_table(ARCHIVES)?;
    transaction.open_table(ABOUT)?.insert(HASH, class.name())?;
    Ok(transaction.commit()?)
}

impl Opened {
    fn open(directory: &Path, class: HashClass) -> Result<Self, OpenError> {
        let path = directory.join(FILE);
        let failed = Arc::new(AtomicBool::new(false));
        let opening = caught(|| open_database(&path, Arc::clone(&failed)));
        let (database, recorded) = match opening.and_then(|opened| opened) {
            Ok(opened) => opened,
            Err(source) => return Err(OpenError::Database { path, source }),
        };
        if recorded != class.name() {
            return Err(OpenError::OtherClass { recorded, wanted: class });
        }
        Ok(Self { database, failed })
    }
}

/// Opens the database, and tells its hash class.
fn open_database(path: &Path, failed: Arc<AtomicBool>) -> Result<(Database, String), redb::Error> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.metadata()?.len() == 0 {
        // It would be made a new one, and whoever lost a store so would not learn of it.
        return Err(redb::Error::Io(io::Error::new(io::ErrorKind::InvalidData, "the file is empty")));
    }
    let database = builder().create_with_backend(DatabaseFile::new(file, failed))?;
    let about = database.begin_read()?.open_table(ABOUT)?;
    let recorded = about.get(HASH)?.map(|name| name.value().to_owned());
    Ok((database, recorded.unwrap_or_default()))
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder
}
