//! What a chunk store can be asked. The page below is made from the declarations.
#![doc = include_str!("../../docs/chunkstore.md")]

use super::hash::{HashClass, HashCode};
use super::tree::dirent::RawEntry;
use packetstream::{Bytes, Payload, Protocol, Request};

/// The requests of a chunk store, as numbered by the Python original.
#[derive(Clone, Debug, Eq, PartialEq, Protocol)]
#[packetstream(client = ChunkClient)]
pub enum ChunkStore {
    /// Stores a chunk and yields its name. The chunk is on the disk by then.
    #[request(0)]
    Add(Add),
    /// Yields the chunk of a name, if it is there.
    #[request(1)]
    Get(Get),
    /// Tells whether there is a chunk of a name.
    #[request(2)]
    Contains(Contains),
    /// Waits until what was added before is on the disk. What is not answered yet may come after.
    #[request(3)]
    Flush(Flush),
    /// Yields the names of chunks in ascending order.
    #[request(4)]
    HashCodes(HashCodes),
    /// Yields one hash over the names of chunks, to compare two stores by.
    #[request(5)]
    HashOfHashCodes(HashOfHashCodes),
    /// Yields the entry that was appended to an archive last, if there is one.
    #[request(6)]
    ArchiveLast(ArchiveLast),
    /// Appends an entry to an archive.
    #[request(7)]
    ArchiveUpdate(ArchiveUpdate),
    /// Yields all entries of an archive, the oldest first.
    #[request(8)]
    ArchiveList(ArchiveList),
    /// Counts the chunks.
    #[request(9)]
    Length(Length),
    /// Tells whether everything is there that a chunk of block references refers to.
    #[request(10)]
    ContainsIndirect(ContainsIndirect),
}

/// Stores a chunk. Refused when the store names its chunks by another hash class.
#[derive(Clone, Debug, Eq, PartialEq, Request)]
#[request(reply = HashCode)]
pub struct Add {
    /// The hash class to name it by.
    pub class: HashClass,
    /// Its bytes.
    pub chunk: Bytes,
}

/// Asks for the chunk of this name. A name of another hash class than the store's is that of no chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Request)]
#[request(reply = Option<Bytes>)]
pub struct Get(pub HashCode);

/// Asks whether there is a chunk of this name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Request)]
#[request(reply = bool)]
pub struct Contains(pub HashCode);

/// Asks to be told when everything is on the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Request)]
pub struct Flush;

/// Asks for the names of chunks in ascending order, those from `start` on if it is given. It need not be that
/// of a chunk, but must be of the store's hash class.
#[derive(Clone, Debug, Eq, PartialEq, Request)]
#[request(reply = Vec<HashCode>, assert(!after || start.is_some(), "`after` needs a start"))]
pub struct HashCodes {
    /// Leave the start itself out.
    #[request(flag = 0)]
    pub after: bool,
    /// The name of the hash class.
    pub hash_name: String,
    /// Where to begin.
    #[request(flag = 1)]
    pub start: Option<HashCode>,
    /// How many at most; 0 for all.
    pub count: u64,
    /// What follows has no meaning, but is allowed.
    #[request(rest)]
    pub ignored: Bytes,
}

impl HashCodes {
    /// All names of a store of this class.
    #[must_use]
    pub fn all(class: HashClass) -> Self {
        Self { after: false, hash_name: class.name().into(), start: None, count: 0, ignored: Bytes::new() }
    }
}

/// Asks for the hash over the names that [`HashCodes`] would yield. Refused for a count of 0, as by the
/// original.
#[derive(Clone, Debug, Eq, PartialEq, Request)]
#[request(reply = Sum, concurrency = 4)]
pub struct HashOfHashCodes(pub HashCodes);

/// The hash over the names of chunks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Payload)]
pub struct Sum {
    /// The hash of the hash of the digests, one behind the other.
    pub sum: HashCode,
    /// The last of the names, if there is any.
    #[payload(rest)]
    pub last: Option<HashCode>,
}

/// Asks for the last entry of an archive.
#[derive(Clone, Debug, Eq, PartialEq, Request)]
#[request(reply = Option<RawEntry>)]
pub struct ArchiveLast {
    /// The archive's name.
    pub archive: String,
}

/// Appends an entry to an archive, which comes into being with its first entry. Entries stand in the order in
/// which they arrive.
#[derive(Clone, Debug, Eq, PartialEq, Request)]
#[request(ordered)]
pub struct ArchiveUpdate {
    /// The archive's name.
    pub archive: String,
    /// The entry.
    pub entry: RawEntry,
}

/// Asks for all entries of an archive.
#[derive(Clone, Debug, Eq, PartialEq, Request)]
#[request(reply = Vec<RawEntry>)]
pub struct ArchiveList {
    /// The archive's name.
    pub archive: String,
}

/// Asks for the number of chunks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Request)]
#[request(reply = Count)]
pub struct Length;

/// The number of chunks, in the payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Payload)]
pub struct Count(pub u64);

/// Asks whether the chunk of this name, which holds block references, is there, and everything it refers to.
/// Refused when it holds something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Request)]
#[request(reply = bool, concurrency = 4)]
pub struct ContainsIndirect(pub HashCode);
