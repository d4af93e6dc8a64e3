//! Chunks and archives on disk, in an embedded database.
//!
//! | table | key | value |
//! |---|---|---|
//! | `codes` | digest | number of the chunk |
//! | `chunks` | number | the chunk |
//! | `archives` | name, number | an archive entry, verbatim |
//! | `about` | `hash` | name of the store's hash class |
//!
//! Chunks stand under numbers, in the order of their arrival: whether a chunk is there can be told without
//! reading any chunk, and adding one touches the end of the big table only.

mod complete;
mod lists;
mod writer;

use super::hash::{HashClass, HashCode};
use super::tree::dirent::RawEntry;
use bytes::Bytes;
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
    WriteTransaction,
};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;
use writer::{Write, Writer};

pub use complete::HasAllError;
pub use lists::{CodeRange, CodesError, EntriesError, HashOfCodesError, MAX_CODES, MAX_LIST, OtherClass};

const CODES: TableDefinition<'_, &[u8], u64> = TableDefinition::new("codes");
const CHUNKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("chunks");
const ARCHIVES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("archives");
const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
const HASH: &str = "hash";

const FILE: &str = "chunks.redb";
/// What the database may cache; it takes some 30 MiB with it. Its own default, 1 GiB, is more than a store
/// should cost.
const CACHE: usize = 8 << 20;
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
    database: Arc<Database>,
    writer: Arc<Writer>,
    threads: Arc<Semaphore>,
    walks: Arc<Semaphore>,
}

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

/// The database failed. What was asked for may or may not have been done.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store failed")]
pub struct StoreError(#[source] Arc<redb::Error>);

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self(Arc::new(error.into()))
    }
}

impl Store {
    /// Opens the store in the directory `path`, which must exist; an empty one becomes a store of `class`.
    ///
    /// Blocks.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(path: &Path, class: HashClass) -> Result<Self, OpenError> {
        match path.metadata() {
            Err(source) => return Err(OpenError::Directory { path: path.to_owned(), source }),
            Ok(metadata) if !metadata.is_dir() => return Err(OpenError::NotDirectory(path.to_owned())),
            Ok(_) => {}
        }
        let path = path.join(FILE);
        let (database, recorded) = match open_database(&path, class) {
            Ok(opened) => opened,
            Err(source) => return Err(OpenError::Database { path, source }),
        };
        if recorded != class.name() {
            return Err(OpenError::OtherClass { recorded, wanted: class });
        }
        let database = Arc::new(database);
        let writer = Arc::new(Writer::spawn(Arc::clone(&database)));
        let [threads, walks] = [THREADS, WALKS].map(|permits| Arc::new(Semaphore::new(permits)));
        Ok(Self { class, database, writer, threads, walks })
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
    /// When the database fails.
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
    /// When the database fails.
    pub async fn append(&self, archive: String, entry: RawEntry) -> Result<(), StoreError> {
        self.writer.write(Write::Entry { archive, entry }).await
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
    /// When the database fails.
    pub async fn get(&self, code: HashCode) -> Result<Option<Bytes>, StoreError> {
        if code.class() != self.class {
            return Ok(None);
        }
        self.read(move |snapshot| {
            let Some(number) = snapshot.open_table(CODES)?.get(code.digest())? else { return Ok(None) };
            let chunk = snapshot.open_table(CHUNKS)?.get(number.value())?;
            Ok(chunk.map(|chunk| Bytes::copy_from_slice(chunk.value())))
        })
        .await
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
    /// When the database fails.
    pub async fn last(&self, archive: String) -> Result<Option<RawEntry>, StoreError> {
        self.read(move |snapshot| {
            let entries = snapshot.open_table(ARCHIVES)?;
            let mut entries = entries.range((archive.as_str(), 0)..=(archive.as_str(), u64::MAX))?;
            let last = entries.next_back().transpose()?;
            Ok(last.map(|(_, entry)| RawEntry::trusted(Bytes::copy_from_slice(entry.value()))))
        })
        .await
    }

    /// Reads in a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        self.in_thread(move || Ok(read(&database.begin_read()?)?)).await?
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
        let database = Arc::clone(&self.database);
        let work = move || {
            let _turn = turn;
            walk(&database.begin_read().map_err(StoreError::from)?, &|| wanted.strong_count() > 0)
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

/// Opens or makes the database; the result tells its hash class, `class` for a new one.
fn open_database(path: &Path, class: HashClass) -> Result<(Database, String), redb::Error> {
    let database = Database::builder().set_cache_size(CACHE).create(path)?;
    let transaction = database.begin_write()?;
    let recorded = record_class(&transaction, class)?;
    transaction.open_table(CODES)?;
    transaction.open_table(CHUNKS)?;
    transaction.open_table(ARCHIVES)?;
    transaction.commit()?;
    Ok((database, recorded))
}

/// Records the hash class unless there is one, and tells which there is.
fn record_class(transaction: &WriteTransaction, class: HashClass) -> Result<String, redb::Error> {
    let mut about = transaction.open_table(ABOUT)?;
    let recorded = about.get(HASH)?.map(|name| name.value().to_owned());
    if let Some(recorded) = recorded {
        return Ok(recorded);
    }
    about.insert(HASH, class.name())?;
    Ok(class.name().to_owned())
}

#[cfg(test)]
mod tests;
