//! Writing in groups: what many callers wait for becomes one transaction, so that the disk is waited for
//! once for all of them.

use super::StoreError;
use super::disk::{ARCHIVES, CHUNKS, CODES, Disk};
use crate::chunkstore::hash::HashCode;
use bytes::Bytes;
use redb::{Database, ReadableTable, Table, WriteTransaction};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// The most that is written in one transaction.
const GROUP: usize = 1024;
/// The most bytes that are written in one transaction; the last write may exceed it.
const GROUP_BYTES: usize = 8 << 20;
/// What a write may take on the disk besides its bytes twice: pages of the tables and of the free list.
const ROOM_EACH: u64 = 16 << 10;
/// What a group may take besides.
const ROOM: u64 = 1 << 20;

/// What can be written.
#[derive(Debug)]
pub(super) enum Write {
    Chunk {
        code: HashCode,
        chunk: Bytes,
    },
    Entry {
        archive: String,
        /// As it is stored.
        entry: Bytes,
    },
    /// Makes the name that of no chunk, if its chunk is another.
    Forget {
        code: HashCode,
    },
    /// Done when what was handed over before is.
    Nothing,
}

impl Write {
    fn bytes(&self) -> usize {
        match self {
            Self::Chunk { chunk, .. } => chunk.len(),
            Self::Entry { entry, .. } => entry.len(),
            Self::Forget { .. } | Self::Nothing => 0,
        }
    }
}

pub(super) struct Job {
    pub(super) write: Write,
    pub(super) done: oneshot::Sender<Result<(), StoreError>>,
}

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Writer {
    /// Nothing only while dropping.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn spawn(disk: Arc<Disk>) -> Self {
        let (jobs, inbox) = mpsc::channel(GROUP);
        let thread = thread::spawn(move || run(&disk, inbox));
        Self { jobs: Some(jobs), thread: Some(thread) }
    }

    /// Writes; it is on the disk when this returns.
    pub(super) async fn write(&self, write: Write) -> Result<(), StoreError> {
        let (done, outcome) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // When the thread has panicked, so does `outcome` tell.
            let _ = jobs.send(Job { write, done }).await;
        }
        outcome.await.unwrap_or_else(|_| Err(redb::Error::Io(io::Error::other("the writer is gone")).into()))
    }
}

impl Drop for Writer {
    /// Waits for the last transaction: the database may only be closed after it.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic was reported where it happened, and to every caller that waited.
            let _ = thread.join();
        }
    }
}

fn run(disk: &Disk, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let group = gather(first, &mut jobs);
        let outcome = write(disk, &group);
        for Job { done, .. } in group {
            // Whoever gave up waiting need not know.
            let _ = done.send(outcome.clone());
        }
    }
}

/// Takes what is waiting already, within the limits of a transaction.
fn gather(first: Job, jobs: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.write.bytes();
    let mut group = vec![first];
    while group.len() < GROUP
        && bytes < GROUP_BYTES
        && let Ok(job) = jobs.try_recv()
    {
        bytes += job.write.bytes();
        group.push(job);
    }
    group
}

/// Writes all of the group, or none of it.
fn write(disk: &Disk, group: &[Job]) -> Result<(), StoreError> {
    check_room(disk.room(), group)?;
    disk.with(|database| commit(database, group))?
}

/// Refuses what might fill the disk: a database whose write fails has to be opened anew, and refuses even to
/// read until then.
fn check_room(free: u64, group: &[Job]) -> Result<(), StoreError> {
    let each = |job: &Job| match job.write {
        // What is deleted makes room in the end, and nothing takes none.
        Write::Forget { .. } | Write::Nothing => 0,
        _ => 2 * job.write.bytes() as u64 + ROOM_EACH,
    };
    match group.iter().map(each).sum() {
        needed @ 1.. if free < needed + ROOM => {
            let text = format!("{free} bytes are free, of {} that may be needed", needed + ROOM);
            Err(StoreError::Full(Arc::new(io::Error::new(io::ErrorKind::StorageFull, text))))
        }
        _ => Ok(()),
    }
}

pub(super) fn commit(database: &Database, group: &[Job]) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    // It has the list of free pages written with each commit, and what the commit refers to synced before it is
    // the one that counts. So there is nothing to repair, nor do bytes that a peer has chosen decide, by the
    // checksum of what was half written, which commit counts.
    transaction.set_quick_repair(true);
    if write_all(&transaction, group)? {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(())
}

/// Says whether there was anything new to write.
fn write_all(transaction: &WriteTransaction, group: &[Job]) -> Result<bool, redb::Error> {
    let mut codes = transaction.open_table(CODES)?;
    let mut chunks = transaction.open_table(CHUNKS)?;
    let mut archives = transaction.open_table(ARCHIVES)?;
    let mut written = false;
    for Job { write, .. } in group {
        written |= match write {
            Write::Chunk { code, chunk } => add(&mut codes, &mut chunks, code, chunk)?,
            Write::Entry { archive, entry } => append(&mut archives, archive, entry)?,
            Write::Forget { code } => forget(&mut codes, &chunks, code)?,
            Write::Nothing => false,
        };
    }
    Ok(written)
}

/// Says whether the chunk was new, or took the place of a damaged one.
fn add(
    codes: &mut Table<'_, &[u8], u64>,
    chunks: &mut Table<'_, u64, &[u8]>,
    code: &HashCode,
    chunk: &[u8],
) -> Result<bool, redb::Error> {
    let stored = codes.get(code.digest())?.map(|number| number.value());
    let number = match stored {
        // What is acknowledged has to be there, whoever wrote it.
        Some(number) if chunks.get(number)?.is_some_and(|stored| stored.value() == chunk) => {
            return Ok(false);
        }
        Some(number) => number,
        None => chunks.last()?.map_or(0, |(last, _)| last.value() + 1),
    };
    codes.insert(code.digest(), number)?;
    chunks.insert(number, chunk)?;
    Ok(true)
}

/// Says whether the chunk was damaged, and its name forgotten.
fn forget(
    codes: &mut Table<'_, &[u8], u64>,
    chunks: &Table<'_, u64, &[u8]>,
    code: &HashCode,
) -> Result<bool, redb::Error> {
    let Some(number) = codes.get(code.digest())?.map(|number| number.value()) else { return Ok(false) };
    // It may have been added again since, or been read badly once.
    if chunks.get(number)?.is_some_and(|chunk| code.names(chunk.value())) {
        return Ok(false);
    }
    codes.remove(code.digest())?;
    Ok(true)
}

fn append(
    archives: &mut Table<'_, (&str, u64), &[u8]>,
    archive: &str,
    entry: &[u8],
) -> Result<bool, redb::Error> {
    let last = archives.range((archive, 0)..=(archive, u64::MAX))?.next_back().transpose()?;
    let number = last.map_or(0, |(key, _)| key.value().1 + 1);
    archives.insert((archive, number), entry)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunkstore::hash::HashClass;

    /// The sizes of the groups that waiting writes of `bytes` each become.
    fn groups(waiting: usize, bytes: usize) -> Vec<usize> {
        let (sender, mut jobs) = mpsc::channel(waiting);
        let chunk = Bytes::from(vec![0; bytes]);
        for _ in 0..waiting {
            let write = Write::Chunk { code: HashClass::Sha1.hash(b""), chunk: chunk.clone() };
            sender.try_send(Job { write, done: oneshot::channel().0 }).unwrap();
        }
        let mut groups = Vec::new();
        while let Ok(first) = jobs.try_recv() {
            groups.push(gather(first, &mut jobs).len());
        }
        groups
    }

    #[test]
    fn all_that_waits_is_one_group() {
        assert_eq!(groups(1, 100), [1]);
        assert_eq!(groups(1000, 100), [1000]);
    }

    #[test]
    fn a_group_that_might_fill_the_disk_is_refused() {
        let group = |writes: Vec<Write>| -> Vec<_> {
            writes.into_iter().map(|write| Job { write, done: oneshot::channel().0 }).collect()
        };
        let code = HashClass::Sha1.hash(b"");
        let chunk = Bytes::from(vec![0; 100_000]);
        let chunks = group((0..10).map(|_| Write::Chunk { code, chunk: chunk.clone() }).collect());
        let needed = 2 * 10 * 100_000 + 10 * ROOM_EACH + ROOM;
        assert!(check_room(needed, &chunks).is_ok());
        let error = check_room(needed - 1, &chunks).unwrap_err();
        assert!(matches!(error, StoreError::Full(_)), "{error}");
        // What takes no room needs none.
        assert!(check_room(0, &group(vec![Write::Nothing, Write::Forget { code }])).is_ok());
    }

    #[test]
    fn groups_have_limits() {
        assert_eq!(groups(2 * GROUP + 1, 100), [GROUP, GROUP, 1]);
        assert_eq!(groups(10, GROUP_BYTES / 4), [4, 4, 2]);
        assert_eq!(groups(3, 2 * GROUP_BYTES), [1, 1, 1]);
    }
}
