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
use bytes::{BufMut, Bytes, BytesMut};
use packetstream::{Payload, PayloadError, PayloadProblem, PayloadReader, Reply, Response};

const HAS_META: u64 = 0x01;
const HAS_NAME: u64 = 0x02;
const NO_BLOCK: u64 = 0x04;
const HAS_UUID: u64 = 0x08;
const HAS_PREVIOUS: u64 = 0x10;
const HAS_EXTENDED: u64 = 0x20;
const ALL_FLAGS: u64 = HAS_META | HAS_NAME | NO_BLOCK | HAS_UUID | HAS_PREVIOUS | HAS_EXTENDED;

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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

impl Kind {
    const fn number(self) -> u64 {
        match self {
            Self::File => 0,
            Self::Directory => 1,
            Self::Link => 2,
            Self::Indirect => 3,
        }
    }
}

impl Payload for Kind {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let unknown = reader.error(PayloadProblem::Invalid("unknown type of directory entry"));
        let number = reader.uint()?;
        [Self::File, Self::Directory, Self::Link, Self::Indirect]
            .into_iter()
            .find(|kind| kind.number() == number)
            .ok_or(unknown)
    }

    fn transcribe(&self, out: &mut BytesMut) {
        self.number().transcribe(out);
    }
}

/// One entry of a directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dirent {
    /// What it is.
    pub kind: Kind,
    /// Its name, unless the place where the entry is found names it.
    pub name: Option<String>,
    /// Permissions, times and the like; see [`Meta`](super::meta::Meta).
    pub meta: Option<String>,
    /// What identifies it across names.
    pub uuid: Option<[u8; 16]>,
    /// What it holds; without one, nothing.
    pub block: Option<BlockRef>,
    /// What it held before.
    pub previous: Option<BlockRef>,
    /// Whatever else a writer wanted to say.
    pub extended: Option<Bytes>,
}

impl Dirent {
    /// An entry of this kind that says nothing more.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self { kind, name: None, meta: None, uuid: None, block: None, previous: None, extended: None }
    }

    fn flags(&self) -> u64 {
        let flag = |bit, set| if set { bit } else { 0 };
        flag(HAS_META, self.meta.is_some())
            | flag(HAS_NAME, self.name.is_some())
            | flag(NO_BLOCK, self.block.is_none())
            | flag(HAS_UUID, self.uuid.is_some())
            | flag(HAS_PREVIOUS, self.previous.is_some())
            | flag(HAS_EXTENDED, self.extended.is_some())
    }
}

impl Payload for Dirent {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let kind = Kind::parse(reader)?;
        let unknown = reader.error(PayloadProblem::Invalid("unknown flags of a directory entry"));
        let flags = reader.uint()?;
        if flags & !ALL_FLAGS != 0 {
            return Err(unknown);
        }
        Ok(Self {
            kind,
            name: present(reader, flags & HAS_NAME != 0, "Dirent.name")?,
            meta: present(reader, flags & HAS_META != 0, "Dirent.meta")?,
            uuid: present(reader, flags & HAS_UUID != 0, "Dirent.uuid")?,
            block: present(reader, flags & NO_BLOCK == 0, "Dirent.block")?,
            previous: present(reader, flags & HAS_PREVIOUS != 0, "Dirent.previous")?,
            extended: present(reader, flags & HAS_EXTENDED != 0, "Dirent.extended")?,
        })
    }

    fn transcribe(&self, out: &mut BytesMut) {
        self.kind.transcribe(out);
        self.flags().transcribe(out);
        put(self.name.as_ref(), out);
        put(self.meta.as_ref(), out);
        put(self.uuid.as_ref(), out);
        put(self.block.as_ref(), out);
        put(self.previous.as_ref(), out);
        put(self.extended.as_ref(), out);
    }
}

/// Reads a field whose presence a flag told.
fn present<T: Payload>(
    reader: &mut PayloadReader,
    present: bool,
    name: &'static str,
) -> Result<Option<T>, PayloadError> {
    if present { reader.field(name).map(Some) } else { Ok(None) }
}

/// Appends a field whose presence a flag tells.
fn put<T: Payload>(field: Option<&T>, out: &mut BytesMut) {
    if let Some(value) = field {
        value.transcribe(out);
    }
}

/// One entry of an archive: what a tree was at some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, in seconds since 1970.
    pub time: f64,
    /// The root of the tree.
    pub root: Dirent,
}

impl Payload for Entry {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(Self { time: reader.field("Entry.time")?, root: reader.field("Entry.root")? })
    }

    fn transcribe(&self, out: &mut BytesMut) {
        self.time.transcribe(out);
        self.root.transcribe(out);
    }
}

/// The bytes of an archive entry as its writer wrote them: what a store keeps and hands out.
///
/// As the last field of a payload it takes all that is left, which must be one entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RawEntry(Bytes);

impl RawEntry {
    /// An entry from where its bytes were checked before.
    pub(crate) const fn trusted(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// What the bytes say.
    ///
    /// # Errors
    ///
    /// What is wrong with bytes that a store handed out without checking them.
    pub fn entry(&self) -> Result<Entry, PayloadError> {
        Entry::from_bytes(self.0.clone())
    }
}

impl From<&Entry> for RawEntry {
    fn from(entry: &Entry) -> Self {
        Self(entry.to_bytes())
    }
}

impl Payload for RawEntry {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let start = reader.offset();
        let raw = Self(reader.rest());
        match raw.entry() {
            Ok(_) => Ok(raw),
            Err(error) => Err(PayloadError { offset: start + error.offset, ..error }),
        }
    }

    fn transcribe(&self, out: &mut BytesMut) {
        out.put_slice(&self.0);
    }
}

impl Response for RawEntry {
    fn into_reply(self) -> Reply {
        Reply::from(self.0)
    }

    fn from_reply(reply: Reply) -> Result<Self, PayloadError> {
        Self::from_bytes(reply.without_flags()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunkstore::hash::HashClass;
    use crate::chunkstore::tree::blockref::Body;

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
        let block = |octet| BlockRef { span: 1, indirect: false, type_flags: 0, body: Body::Repeated(octet) };
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
        assert_eq!(
            problem::<Dirent>(b"\x04\x04"),
            PayloadProblem::Invalid("unknown type of directory entry")
        );
        let flags = PayloadProblem::Invalid("unknown flags of a directory entry");
        assert_eq!(problem::<Dirent>(b"\x00\x44"), flags);
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
