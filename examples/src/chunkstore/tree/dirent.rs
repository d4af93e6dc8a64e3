//! Directory entries and archive entries.
//!
//! ```text
//! entry  := float(unix time) dirent
//! dirent := uint(type) uint(flags) [string(name)] [string(meta)] [uuid:16]
//!           [blockref] [blockref previous] [data extended]
//! ```
//!
//! Bits of `flags`: 0x01 meta, 0x02 name, 0x04 **no** blockref, 0x08 uuid, 0x10 previous, 0x20 extended.
//! The data of a directory is its entries back to back.

use super::blockref::BlockRef;
use bytes::Bytes;
use packetstream::{Payload, PayloadError, Verbatim};

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Payload)]
pub enum Kind {
    /// A file; its block holds the content.
    File,
    /// A directory; its block holds its entries.
    Directory,
    /// A symbolic link; its meta holds the target.
    Link,
    /// An entry that stands for another one elsewhere.
    Indirect,
}

/// One entry of a directory.
#[derive(Clone, Debug, Eq, PartialEq, Payload)]
pub struct Dirent {
    /// What it is.
    pub kind: Kind,
    /// Its name, unless the place where the entry is found names it.
    #[payload(flag = 1)]
    pub name: Option<String>,
    /// Permissions, times and the like; see [`Meta`](super::meta::Meta).
    #[payload(flag = 0)]
    pub meta: Option<String>,
    /// What identifies it across names.
    #[payload(flag = 3)]
    pub uuid: Option<[u8; 16]>,
    /// What it holds; without one, nothing.
    #[payload(flag = !2)]
    pub block: Option<BlockRef>,
    /// What it held before.
    #[payload(flag = 4)]
    pub previous: Option<BlockRef>,
    /// Whatever else a writer wanted to say.
    #[payload(flag = 5)]
    pub extended: Option<Bytes>,
}

impl Dirent {
    /// An entry of this kind that says nothing more.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self { kind, name: None, meta: None, uuid: None, block: None, previous: None, extended: None }
    }
}

/// One entry of an archive: what a tree was at some time.
#[derive(Clone, Debug, PartialEq, Payload)]
pub struct Entry {
    /// When, in seconds since 1970.
    pub time: f64,
    /// The root of the tree.
    pub root: Dirent,
}

/// The bytes of an archive entry as its writer wrote them: what a store keeps and hands out.
#[derive(Clone, Debug, Eq, PartialEq, Payload)]
pub struct RawEntry(Verbatim<Entry>);

impl RawEntry {
    /// An entry from where its bytes were checked before.
    pub(crate) const fn trusted(bytes: Bytes) -> Self {
        Self(Verbatim::trusted(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        self.0.bytes()
    }

    /// What the bytes say.
    ///
    /// # Errors
    ///
    /// What is wrong with bytes that were trusted and should not have been.
    pub fn entry(&self) -> Result<Entry, PayloadError> {
        self.0.value()
    }
}

impl From<&Entry> for RawEntry {
    fn from(entry: &Entry) -> Self {
        Self(Verbatim::from(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunkstore::hash::HashClass;
    use crate::chunkstore::tree::blockref::Body;
    use packetstream::PayloadProblem;

    fn problem<T: Payload + std::fmt::Debug>(bytes: &[u8]) -> PayloadProblem {
        T::from_bytes(Bytes::copy_from_slice(bytes)).unwrap_err().problem
    }

    #[test]
    fn an_archive_entry_has_the_bytes_that_upstream_sends() {
        let block = BlockRef::direct(HashClass::Sha1.hash(b"hello"), 5);
        let entry = Entry {
            time: 1_700_000_001.25,
            root: Dirent {
                name: Some("one".into()),
                meta: Some("a:o:rw-x;m:1700000000.500000".into()),
                block: Some(block.clone()),
                ..Dirent::new(Kind::File)
            },
        };
        let bytes =
            [b"\x0d1700000001.25\x00\x03\x03one\x1ca:o:rw-x;m:1700000000.500000", &block.to_bytes()[..]]
                .concat();
        assert_eq!(entry.to_bytes(), bytes);
        assert_eq!(Entry::from_bytes(bytes.into()), Ok(entry));
    }

    #[test]
    fn all_fields_stand_in_their_order_and_none_leaves_a_trace() {
        let block = |octet| BlockRef::new(1, Body::Repeated(octet));
        let full = Dirent {
            kind: Kind::Directory,
            name: Some("n".into()),
            meta: Some("m".into()),
            uuid: Some([9; 16]),
            block: Some(block(b'b')),
            previous: Some(block(b'p')),
            extended: Some(Bytes::from_static(b"x")),
        };
        let bytes =
            [b"\x01\x3b\x01n\x01m", &[9; 16][..], b"\x04\x02\x01\x01b\x04\x02\x01\x01p\x01x"].concat();
        assert_eq!(full.to_bytes(), bytes);
        assert_eq!(Dirent::from_bytes(bytes.into()), Ok(full));

        for (kind, bytes) in [(Kind::Link, b"\x02\x04"), (Kind::Indirect, b"\x03\x04")] {
            assert_eq!(Dirent::new(kind).to_bytes(), bytes[..]);
            assert_eq!(Dirent::from_bytes(Bytes::from_static(bytes)), Ok(Dirent::new(kind)));
        }
    }

    #[test]
    fn unknown_kinds_and_flags_are_refused() {
        assert_eq!(problem::<Dirent>(b"\x04\x04"), PayloadProblem::UnknownVariant(4));
        assert_eq!(problem::<Dirent>(b"\x00\x44"), PayloadProblem::UnexpectedFlags(0x40));
    }

    #[test]
    fn a_raw_entry_keeps_its_spelling_but_must_be_an_entry() {
        let padded = Bytes::from_static(b"\x031e9\x80\x00\x04");
        let raw = RawEntry::from_bytes(padded.clone()).unwrap();
        assert_eq!(raw.to_bytes(), padded);
        assert_eq!(raw.entry().unwrap(), Entry { time: 1e9, root: Dirent::new(Kind::File) });

        assert!(matches!(problem::<RawEntry>(b""), PayloadProblem::Number(_)));
        assert_eq!(problem::<RawEntry>(b"\x031e9\x00\x04!"), PayloadProblem::LeftOver(1));
        let nested = <(u64, RawEntry)>::from_bytes(Bytes::from_static(b"\x07\x03one\x00\x04")).unwrap_err();
        assert_eq!((nested.offset, nested.problem), (1, PayloadProblem::NotFloat));
    }
}
