//! What a chunk store can be asked.

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
    /// Yields the entry that was appended to an archive last, if there is one.
    #[request(6)]
    ArchiveLast(ArchiveLast),
    /// Appends an entry to an archive.
    #[request(7)]
    ArchiveUpdate(ArchiveUpdate),
    /// Counts the chunks.
    #[request(9)]
    Length(Length),
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
#[request(reply = ())]
pub struct Flush;

/// Asks for the last entry of an archive.
#[derive(Clone, Debug, Eq, PartialEq, Request)]
#[request(reply = Option<RawEntry>)]
pub struct ArchiveLast {
    /// The archive's name.
    pub archive: String,
}

/// Appends an entry to an archive, which comes into being with its first entry.
#[derive(Clone, Debug, Eq, PartialEq, Request)]
#[request(reply = ())]
pub struct ArchiveUpdate {
    /// The archive's name.
    pub archive: String,
    /// The entry.
    pub entry: RawEntry,
}

/// Asks for the number of chunks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Request)]
#[request(reply = Count)]
pub struct Length;

/// The number of chunks, in the payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Payload)]
pub struct Count(pub u64);
