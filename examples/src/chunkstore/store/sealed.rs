//! Entries as they are stored: a digest, which says whether the bytes after it are still what they were.

use super::StoreError;
use crate::chunkstore::hash::HashClass;
use crate::chunkstore::tree::dirent::RawEntry;
use bytes::Bytes;

/// An entry as it is stored.
pub(super) fn seal(class: HashClass, entry: &RawEntry) -> Bytes {
    let code = class.hash(entry.bytes());
    [code.digest(), entry.bytes()].concat().into()
}

/// The entry of `archive` that is stored as `sealed`.
pub(super) fn unseal(class: HashClass, archive: &str, sealed: &[u8]) -> Result<RawEntry, StoreError> {
    let intact = || {
        let (digest, entry) = sealed.split_at_checked(class.hash(b"").digest().len())?;
        class.name_with(digest)?.names(entry).then(|| RawEntry::trusted(Bytes::copy_from_slice(entry)))
    };
    intact().ok_or_else(|| StoreError::DamagedEntry(archive.to_owned()))
}
