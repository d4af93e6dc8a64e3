//! The names of chunks: hash codes, each of one hash class.
//!
//! ```text
//! hashcode := uint(class) digest        no length; the class implies it
//! ```

use clap::ValueEnum;
use packetstream::Payload;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt;

/// A hash function that chunks are named by. A store has one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Payload, ValueEnum)]
pub enum HashClass {
    /// SHA-1: 20 bytes.
    Sha1 = 0,
    /// SHA-256: 32 bytes.
    Sha256 = 1,
    /// BLAKE3: 32 bytes.
    Blake3 = 2,
}

impl HashClass {
    /// All classes, the most likely to be met first.
    pub const ALL: [Self; 3] = [Self::Blake3, Self::Sha256, Self::Sha1];

    /// The class's name, on the wire and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// The name of `chunk` in this class.
    #[must_use]
    pub fn hash(self, chunk: &[u8]) -> HashCode {
        match self {
            Self::Sha1 => HashCode::Sha1(Sha1::digest(chunk).into()),
            Self::Sha256 => HashCode::Sha256(Sha256::digest(chunk).into()),
            Self::Blake3 => HashCode::Blake3(blake3::hash(chunk).into()),
        }
    }

    /// The name that has this digest; nothing if the class's digests are of another length.
    #[must_use]
    pub fn name_with(self, digest: &[u8]) -> Option<HashCode> {
        match self {
            Self::Sha1 => digest.try_into().map(HashCode::Sha1),
            Self::Sha256 => digest.try_into().map(HashCode::Sha256),
            Self::Blake3 => digest.try_into().map(HashCode::Blake3),
        }
        .ok()
    }
}

impl fmt::Display for HashClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of a chunk: the class of a hash function and what it makes of the chunk. The variants have the
/// numbers of [`HashClass`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Payload)]
pub enum HashCode {
    /// Of [`HashClass::Sha1`].
    Sha1([u8; 20]),
    /// Of [`HashClass::Sha256`].
    Sha256([u8; 32]),
    /// Of [`HashClass::Blake3`].
    Blake3([u8; 32]),
}

impl HashCode {
    /// The hash function.
    #[must_use]
    pub const fn class(&self) -> HashClass {
        match self {
            Self::Sha1(_) => HashClass::Sha1,
            Self::Sha256(_) => HashClass::Sha256,
            Self::Blake3(_) => HashClass::Blake3,
        }
    }

    /// What the hash function made of the chunk.
    #[must_use]
    pub const fn digest(&self) -> &[u8] {
        match self {
            Self::Sha1(digest) => digest,
            Self::Sha256(digest) | Self::Blake3(digest) => digest,
        }
    }

    /// Whether this is the name of `chunk`.
    #[must_use]
    pub fn names(&self, chunk: &[u8]) -> bool {
        self.class().hash(chunk) == *self
    }
}

impl fmt::Display for HashCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.class())?;
        self.digest().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Hashes bytes that come piece by piece.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// With [`HashClass::Sha1`].
    Sha1(Sha1),
    /// With [`HashClass::Sha256`].
    Sha256(Sha256),
    /// With [`HashClass::Blake3`].
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    /// A hasher of this class that was given nothing yet.
    #[must_use]
    pub fn new(class: HashClass) -> Self {
        match class {
            HashClass::Sha1 => Self::Sha1(Sha1::new()),
            HashClass::Sha256 => Self::Sha256(Sha256::new()),
            HashClass::Blake3 => Self::Blake3(Box::default()),
        }
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    /// The name of a chunk of all the bytes.
    #[must_use]
    pub fn finish(self) -> HashCode {
        match self {
            Self::Sha1(hasher) => HashCode::Sha1(hasher.finalize().into()),
            Self::Sha256(hasher) => HashCode::Sha256(hasher.finalize().into()),
            Self::Blake3(hasher) => HashCode::Blake3(hasher.finalize().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use packetstream::{PayloadProblem, Variants};

    #[test]
    fn a_hash_code_is_its_class_number_and_the_bare_digest() {
        let hello = HashClass::Sha1.hash(b"hello");
        let bytes = b"\x00\xaa\xf4\xc6\x1d\xdc\xc5\xe8\xa2\xda\xbe\xde\x0f\x3b\x48\x2c\xd9\xae\xa9\x43\x4d";
        assert_eq!(hello.to_bytes(), bytes[..]);
        assert_eq!(HashCode::from_bytes(Bytes::from_static(bytes)), Ok(hello));
        assert_eq!(hello.to_string(), "sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
    }

    #[test]
    fn every_class_has_its_number_and_length() {
        for (class, number, length) in
            [(HashClass::Sha1, 0, 20), (HashClass::Sha256, 1, 32), (HashClass::Blake3, 2, 32)]
        {
            let code = class.hash(b"chunk");
            assert_eq!(code.digest().len(), length);
            let bytes = code.to_bytes();
            assert_eq!((bytes[0], bytes.len()), (number, 1 + length));
            assert_eq!(class.id(), code.id());
            assert_eq!(HashCode::from_bytes(bytes), Ok(code));
            assert!(code.names(b"chunk"));
            assert!(!code.names(b"hunk"));
        }
    }

    #[test]
    fn bytes_in_pieces_have_the_name_of_the_whole() {
        for class in HashClass::ALL {
            let mut hasher = Hasher::new(class);
            assert_eq!(hasher.clone().finish(), class.hash(b""));
            hasher.push(b"ch");
            hasher.push(b"unk");
            assert_eq!(hasher.finish(), class.hash(b"chunk"));
        }
    }

    #[test]
    fn a_digest_of_the_right_length_is_that_of_a_name() {
        for class in HashClass::ALL {
            let code = class.hash(b"chunk");
            assert_eq!(class.name_with(code.digest()), Some(code));
            assert_eq!(class.name_with(&code.digest()[1..]), None);
        }
    }

    #[test]
    fn a_short_digest_and_an_unknown_class_are_no_hash_codes() {
        let problem = |bytes| HashCode::from_bytes(Bytes::from_static(bytes)).unwrap_err().problem;
        assert_eq!(problem(b"\x00123"), PayloadProblem::Short { needed: 20, left: 3 });
        assert_eq!(problem(&[77; 33]), PayloadProblem::UnknownVariant(77));
        assert_eq!(problem(&[0; 22]), PayloadProblem::LeftOver(1));
    }
}
