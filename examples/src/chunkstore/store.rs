//! Chunks and archives on disk, in an embedded database.
//!
//! | table | key | value |
//! |---|---|---|
//! | `codes` | digest | number of the chunk |
//! | `chunks` | number | the chunk |
//! | `archives` | name, number | the digest of an archive entry, and the entry, verbatim |
//! | `about` | `hash` | name of the store's hash class |
//!
//! Chunks stand under numbers, in the order of their arrival: whether a chunk is there can be told without
//! reading any chunk, and adding one touches the end of the big table only.
//!
//! # What is promised
//!
//! * What was acknowledged is on the disk, and stays there whatever becomes of the process, of the operating
//!   system or of the power: it was written and synced before, and so was the directory. This goes as far as
//!   the disk does what it is told to.
//! * What was not acknowledged may be there or not, but never in part: a group of writes is a transaction.
//! * A store opens at once after any such end, however large it is. Nothing has to be repaired by hand.
//! * A chunk that is given out is what its name says. One that no longer is, is refused and its name forgotten,
//!   so that whoever pushes it again stores it again. Its bytes stay where they are. An entry of an archive that
//!   is no longer what was appended is refused as well; what is appended later is the archive's last all the same.
//! * When the disk is full, writes are refused before they begin, as far as that can be foreseen, and all else
//!   goes on; when there is room again, so do writes. After any other failure of the disk the database is opened
//!   anew by whoever wants it next.
//! * One process has a store open. Files of others in its directory are left alone.
//!
//! A group costs two syncs, and some bytes for the list of the file's free pages, 0.4 MB for each 4 GiB of it:
//! that is what opening at once costs. Without it, opening after a crash reads the whole store.

mod caught;
mod complete;
mod disk;
mod file;
mod lists;
mod sealed;
mod writer;

use super::hash::{HashClass, HashCode};
use super::tree::dirent::RawEntry;
use bytes::Bytes;
use disk::{ARCHIVES, CHUNKS, CODES, Disk};
use redb::{ReadTransaction, ReadableDatabase, ReadableTableMetadata};
use sealed::{seal, unseal};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;
use writer::{Write, Writer};

pub use caught::hush_database;
pub use complete::HasAllError;
pub use disk::OpenError;
pub use lists::{CodeRange, CodesError, EntriesError, HashOfCodesError, MAX_CODES, MAX_LIST, OtherClass};

/// Threads that read or hash at once. More would cost memory, and the disk could not use them.
const THREADS: usize = 8;
/// Those of them that walk through the store at once, for as long as it takes. The others stay free for
/// chunks.
const WALKS: usize = 4;
/// A chunk from this length on is hashed by such a thread: a shorter one takes less time than handing it
/// over does.
const LONG: usize = 16 << 10;

/// A store of chunks and archives. Clones are handles to the same store, which is closed with the last.
#[derive(Clone, Debug)]
pub struct Store {
    class: HashClass,
    disk: Arc<Disk>,
    writer: Arc<Writer>,
    threads: Arc<Semaphore>,
    walks: Arc<Semaphore>,
}

/// Why a store does not do what it is asked to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room for what is to be written, and nothing of it was.
    #[error("the disk is full")]
    Full(#[source] Arc<io::Error>),
    /// A chunk is no longer what its name says. The name is forgotten, so the chunk can be added again.
    #[error("chunk {0} is damaged")]
    Damaged(HashCode),
    /// An entry of this archive is no longer what was appended.
    #[error("an entry of `{0}` is damaged")]
    DamagedEntry(String),
    /// The database failed. What was asked for may or may not have been done.
    #[error("the store failed")]
    Database(#[source] Arc<redb::Error>),
    /// The database failed before, and cannot be opened anew.
    #[error("the store cannot be opened again")]
    Open(#[source] Arc<OpenError>),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::Io(error) if is_full(&error) => Self::Full(Arc::new(error)),
            error => Self::Database(Arc::new(error)),
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

impl Store {
    /// Opens the store in the directory `path`, which must exist; one without a store becomes a store of `class`.
    ///
    /// Blocks.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(path: &Path, class: HashClass) -> Result<Self, OpenError> {
        let disk = Arc::new(Disk::open(path, class)?);
        let writer = Arc::new(Writer::spawn(Arc::clone(&disk)));
        let [threads, walks] = [THREADS, WALKS].map(|permits| Arc::new(Semaphore::new(permits)));
        Ok(Self { class, disk, writer, threads, walks })
    }

    /// What the store names its chunks by.
    #[must_use]
    pub const fn class(&self) -> HashClass {
        self.class
    }

    /// Adds a chunk, and says its name; it is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// When the disk is full, or the database fails.
    pub async fn add(&self, chunk: Bytes) -> Result<HashCode, StoreError> {
        let code = self.hash(chunk.clone()).await?;
        self.writer.write(Write::Chunk { code, chunk }).await?;
        Ok(code)
    }

    async fn hash(&self, chunk: Bytes) -> Result<HashCode, StoreError> {
        let class = self.class;
        if chunk.len() < LONG {
            Ok(class.hash(&chunk))
        } else {
            self.in_thread(move || class.hash(&chunk)).await
        }
    }

    /// Appends an entry to an archive; it is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// When the disk is full, or the database fails.
    pub async fn append(&self, archive: String, entry: RawEntry) -> Result<(), StoreError> {
        self.writer.write(Write::Entry { archive, entry: seal(self.class, &entry) }).await
    }

    /// Waits until all that was handed over before is on the disk, or has failed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.writer.write(Write::Nothing).await
    }

    /// The chunk of this name.
    ///
    /// # Errors
    ///
    /// When the chunk is damaged, or the database fails.
    pub async fn get(&self, code: HashCode) -> Result<Option<Bytes>, StoreError> {
        if code.class() != self.class {
            return Ok(None);
        }
        let chunk = self.read(move |snapshot| {
            let Some(number) = snapshot.open_table(CODES)?.get(code.digest())? else { return Ok(None) };
            let chunk = snapshot.open_table(CHUNKS)?.get(number.value())?;
            let chunk = chunk.map(|chunk| Bytes::copy_from_slice(chunk.value()));
            chunk.filter(|chunk| code.names(chunk)).ok_or(StoreError::Damaged(code)).map(Some)
        });
        match chunk.await {
            Err(StoreError::Damaged(code)) => Err(self.damaged(code).await),
            chunk => chunk,
        }
    }

    /// Has the name of a chunk forgotten that was found to be damaged.
    async fn damaged(&self, code: HashCode) -> StoreError {
        // If that fails, the chunk is found to be damaged again.
        let _ = self.writer.write(Write::Forget { code }).await;
        StoreError::Damaged(code)
    }

    /// Whether there is a chunk of this name.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn contains(&self, code: HashCode) -> Result<bool, StoreError> {
        if code.class() != self.class {
            return Ok(false);
        }
        self.read(move |snapshot| Ok(snapshot.open_table(CODES)?.get(code.digest())?.is_some())).await
    }

    /// How many chunks there are.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn count(&self) -> Result<u64, StoreError> {
        self.read(|snapshot| Ok(snapshot.open_table(CODES)?.len()?)).await
    }

    /// The entry that was appended to an archive last.
    ///
    /// # Errors
    ///
    /// When the entry is damaged, or the database fails.
    pub async fn last(&self, archive: String) -> Result<Option<RawEntry>, StoreError> {
        let class = self.class;
        self.read(move |snapshot| {
            let entries = snapshot.open_table(ARCHIVES)?;
            let mut entries = entries.range((archive.as_str(), 0)..=(archive.as_str(), u64::MAX))?;
            let last = entries.next_back().transpose()?;
            last.map(|(_, entry)| unseal(class, &archive, entry.value())).transpose()
        })
        .await
    }

    /// Reads in a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let disk = Arc::clone(&self.disk);
        self.in_thread(move || disk.with(|database| read(&database.begin_read()?))?).await?
    }

    /// Walks through what is stored, in a thread that may block. `walk` can ask whether anybody still waits
    /// for it; when nobody does, it should return, no matter what.
    async fn walk<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        walk: impl FnOnce(&ReadTransaction, &dyn Fn() -> bool) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        // Nothing closes the semaphore.
        let turn = Arc::clone(&self.walks).acquire_owned().await;
        let waiting = Arc::new(());
        let wanted = Arc::downgrade(&waiting);
        let disk = Arc::clone(&self.disk);
        let work = move || {
            let _turn = turn;
            disk.with(|database| {
                walk(&database.begin_read().map_err(StoreError::from)?, &|| wanted.strong_count() > 0)
            })?
        };
        let walked = self.in_thread(work).await;
        drop(waiting);
        walked?
    }

    /// Works in a thread that may block.
    async fn in_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        // Nothing closes the semaphore. The turn is the thread's: callers that come and go make no more of them.
        let turn = Arc::clone(&self.threads).acquire_owned().await;
        let work = move || {
            let _turn = turn;
            work()
        };
        // Such a thread is lost only to a panic.
        Ok(tokio::task::spawn_blocking(work).await.map_err(|lost| redb::Error::Io(io::Error::other(lost)))?)
    }
}

#[cfg(test)]
mod tests;
