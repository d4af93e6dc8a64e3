//! Lists of what is stored, each short enough for one answer, and a sum over names that is short always.

use super::disk::{ARCHIVES, CODES};
use super::sealed::unseal;
use super::{Store, StoreError};
use crate::chunkstore::hash::{HashClass, HashCode, Hasher};
use crate::chunkstore::tree::dirent::RawEntry;
use redb::ReadTransaction;
use std::ops::Bound;

/// The longest list that is made, in bytes: what a packet of the default limit, 16 MiB, holds beside a header.
pub const MAX_LIST: usize = (16 << 20) - 64;
/// The most names in a list. One takes 33 bytes at most.
pub const MAX_CODES: usize = MAX_LIST / 33;

/// Some of the stored names, which stand in the order of their digests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CodeRange {
    /// Where they begin. This need not be a stored name, but must be of the store's class.
    pub from: Bound<HashCode>,
    /// How many they are at most; 0 for no such limit.
    pub count: u64,
}

/// A range begins at a name of another class than the store's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the store's hash class is {store}, not {start}")]
pub struct OtherClass {
    /// The store's class.
    pub store: HashClass,
    /// That of the name.
    pub start: HashClass,
}

/// Why names are not listed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CodesError {
    /// The range begins in another class.
    #[error(transparent)]
    OtherClass(#[from] OtherClass),
    /// The range has more names than a list may have.
    #[error("more names than the {limit} of the longest list: ask with a count of at most {limit}")]
    TooMany {
        /// [`MAX_CODES`].
        limit: usize,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why names are not summed up.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HashOfCodesError {
    /// The range begins in another class.
    #[error(transparent)]
    OtherClass(#[from] OtherClass),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an archive's entries are not listed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EntriesError {
    /// They do not fit a list.
    #[error("the archive's entries take more than the {limit} bytes of the longest list")]
    TooLong {
        /// [`MAX_LIST`].
        limit: usize,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CodeRange {
    /// All names.
    pub const ALL: Self = Self { from: Bound::Unbounded, count: 0 };

    fn check(&self, store: HashClass) -> Result<(), OtherClass> {
        match self.from {
            Bound::Included(code) | Bound::Excluded(code) if code.class() != store => {
                Err(OtherClass { store, start: code.class() })
            }
            _ => Ok(()),
        }
    }

    /// The stored names in the range.
    fn names(
        &self,
        snapshot: &ReadTransaction,
        class: HashClass,
    ) -> Result<impl Iterator<Item = Result<HashCode, redb::Error>> + use<>, redb::Error> {
        let from = self.from.as_ref().map(HashCode::digest);
        let rows = snapshot.open_table(CODES)?.range::<&[u8]>((from, Bound::Unbounded))?;
        let count = if self.count == 0 { u64::MAX } else { self.count };
        let rows = rows.take(usize::try_from(count).unwrap_or(usize::MAX));
        Ok(rows.map(move |row| {
            let digest = row?.0;
            let foreign = || redb::Error::Corrupted(format!("a digest that is not of {class}"));
            class.name_with(digest.value()).ok_or_else(foreign)
        }))
    }
}

impl Store {
    /// The names of a range, in order.
    ///
    /// # Errors
    ///
    /// See [`CodesError`]. A list is whole or refused, never cut.
    pub async fn codes(&self, range: CodeRange) -> Result<Vec<HashCode>, CodesError> {
        self.codes_up_to(MAX_CODES, range).await
    }

    pub(super) async fn codes_up_to(
        &self,
        limit: usize,
        range: CodeRange,
    ) -> Result<Vec<HashCode>, CodesError> {
        let class = self.class;
        range.check(class)?;
        let names = self.read(move |snapshot| {
            let names = range.names(snapshot, class)?.take(limit + 1);
            Ok(names.collect::<Result<Vec<_>, _>>()?)
        });
        let names = names.await?;
        if names.len() > limit { Err(CodesError::TooMany { limit }) } else { Ok(names) }
    }

    /// A sum over the names of a range, and the last of them. Stores whose sums are the same have the same
    /// chunks there.
    ///
    /// The sum is the hash of the hash of the digests back to back, all in the store's class. There may be
    /// any number of them.
    ///
    /// # Errors
    ///
    /// See [`HashOfCodesError`].
    pub async fn hash_of_codes(
        &self,
        range: CodeRange,
    ) -> Result<(HashCode, Option<HashCode>), HashOfCodesError> {
        let class = self.class;
        range.check(class)?;
        Ok(self.walk(move |snapshot, wanted| sum(snapshot, class, range, wanted)).await?)
    }

    /// The entries of an archive, the oldest first; none if there is no such archive.
    ///
    /// # Errors
    ///
    /// See [`EntriesError`]. A list is whole or refused, never cut.
    pub async fn entries(&self, archive: String) -> Result<Vec<RawEntry>, EntriesError> {
        self.entries_up_to(MAX_LIST, archive).await
    }

    pub(super) async fn entries_up_to(
        &self,
        limit: usize,
        archive: String,
    ) -> Result<Vec<RawEntry>, EntriesError> {
        let class = self.class;
        let entries = self.read(move |snapshot| entries(snapshot, class, &archive, limit)).await?;
        entries.ok_or(EntriesError::TooLong { limit })
    }
}

fn sum(
    snapshot: &ReadTransaction,
    class: HashClass,
    range: CodeRange,
    wanted: &dyn Fn() -> bool,
) -> Result<(HashCode, Option<HashCode>), StoreError> {
    let mut hasher = Hasher::new(class);
    let mut last = None;
    for code in range.names(snapshot, class)?.take_while(|_| wanted()) {
        let code = code?;
        hasher.push(code.digest());
        last = Some(code);
    }
    Ok((class.hash(hasher.finish().digest()), last))
}

/// Nothing if the entries take more than `limit` bytes.
fn entries(
    snapshot: &ReadTransaction,
    class: HashClass,
    archive: &str,
    limit: usize,
) -> Result<Option<Vec<RawEntry>>, StoreError> {
    let (mut entries, mut taken) = (Vec::new(), 0);
    for row in snapshot.open_table(ARCHIVES)?.range((archive, 0)..=(archive, u64::MAX))? {
        let entry = unseal(class, archive, row?.1.value())?;
        // Millions of entries of a few bytes, which only a hostile peer writes, take the memory of longer ones.
        taken += entry.bytes().len().max(size_of::<RawEntry>());
        if taken > limit {
            return Ok(None);
        }
        entries.push(entry);
    }
    Ok(Some(entries))
}
