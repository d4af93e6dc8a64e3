//! Writing in groups: what many callers wait for becomes one transaction, so that the disk is waited for
//! once for all of them.

use super::{ARCHIVES, CHUNKS, CODES, StoreError};
use crate::chunkstore::hash::HashCode;
use crate::chunkstore::tree::dirent::RawEntry;
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

/// What can be written.
#[derive(Debug)]
pub(super) enum Write {
    Chunk {
        code: HashCode,
        chunk: Bytes,
    },
    Entry {
        archive: String,
        entry: RawEntry,
    },
    /// Done when what was handed over before is.
    Nothing,
}

impl Write {
    fn bytes(&self) -> usize {
        match self {
            Self::Chunk { chunk, .. } => chunk.len(),
            Self::Entry { entry, .. } => entry.bytes().len(),
            Self::Nothing => 0,
        }
    }
}

struct Job {
    write: Write,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Writer {
    /// Nothing only while dropping.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn spawn(database: Arc<Database>) -> Self {
        let (jobs, inbox) = mpsc::channel(GROUP);
        let thread = thread::spawn(move || run(&database, inbox));
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

fn run(database: &Database, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let group = gather(first, &mut jobs);
        let outcome = commit(database, &group);
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
fn commit(database: &Database, group: &[Job]) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
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
            Write::Nothing => false,
        };
    }
    Ok(written)
}

/// Says whether the chunk was new.
fn add(
    codes: &mut Table<'_, &[u8], u64>,
    chunks: &mut Table<'_, u64, &[u8]>,
    code: &HashCode,
    chunk: &[u8],
) -> Result<bool, redb::Error> {
    if codes.get(code.digest())?.is_some() {
        return Ok(false);
    }
    let number = chunks.last()?.map_or(0, |(last, _)| last.value() + 1);
    codes.insert(code.digest(), number)?;
    chunks.insert(number, chunk)?;
    Ok(true)
}

fn append(
    archives: &mut Table<'_, (&str, u64), &[u8]>,
    archive: &str,
    entry: &RawEntry,
) -> Result<bool, redb::Error> {
    let last = archives.range((archive, 0)..=(archive, u64::MAX))?.next_back().transpose()?;
    let number = last.map_or(0, |(key, _)| key.value().1 + 1);
    archives.insert((archive, number), &entry.bytes()[..])?;
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
    fn groups_have_limits() {
        assert_eq!(groups(2 * GROUP + 1, 100), [GROUP, GROUP, 1]);
        assert_eq!(groups(10, GROUP_BYTES / 4), [4, 4, 2]);
        assert_eq!(groups(3, 2 * GROUP_BYTES), [1, 1, 1]);
    }
}
