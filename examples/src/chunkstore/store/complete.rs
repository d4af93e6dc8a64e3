//! Whether everything is stored that a chunk of block references leads to.

use super::disk::{CHUNKS, CODES};
use super::{Store, StoreError};
use crate::chunkstore::hash::{HashClass, HashCode};
use crate::chunkstore::tree::blockref::{BlockRef, Body};
use crate::chunkstore::tree::blocks::needed;
use bytes::Bytes;
use packetstream::{Payload, PayloadError, PayloadReader};
use redb::{ReadOnlyTable, ReadTransaction};
use std::collections::HashSet;

/// Why it cannot be said whether all is there.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HasAllError {
    /// A chunk that should hold block references holds something else.
    #[error("chunk {code} does not hold block references")]
    References {
        /// The chunk's name.
        code: HashCode,
        /// What is wrong.
        source: PayloadError,
    },
    /// The references of an indirect block are repeated bytes, literal ones or a part of another block's, as
    /// nobody writes them.
    #[error("chunk {code} refers to an indirect block that is not a chunk")]
    Kind {
        /// The name of the chunk that refers to it.
        code: HashCode,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Whether there is a chunk of this name, which holds block references back to back, and all the chunks
    /// that those lead to, directly or through further chunks of references.
    ///
    /// Spans are not checked. A name of another hash class than the store's is that of no chunk.
    ///
    /// # Errors
    ///
    /// See [`HasAllError`]. A chunk that is there and is no references is an error whatever is missing
    /// elsewhere: no chunk that came later would make it right.
    pub async fn has_all(&self, code: HashCode) -> Result<bool, HasAllError> {
        let class = self.class;
        let walked = self.walk(move |snapshot, wanted| {
            let mut walk = Walk::new(snapshot, class)?;
            walk.meet(code, true)?;
            while wanted() && walk.step()? {}
            Ok(walk.complete)
        });
        match walked.await {
            Err(HasAllError::Store(StoreError::Damaged(code))) => Err(self.damaged(code).await.into()),
            walked => walked,
        }
    }
}

/// A walk along block references. Each chunk of references is read once, whatever refers to it; the others are
/// not read at all.
struct Walk {
    class: HashClass,
    codes: ReadOnlyTable<&'static [u8], u64>,
    chunks: ReadOnlyTable<u64, &'static [u8]>,
    /// The chunks of references that were met, by number.
    met: HashSet<u64>,
    /// Those of them that were not read yet.
    ahead: Vec<(HashCode, u64)>,
    /// Whether all that was met is there.
    complete: bool,
}

impl Walk {
    fn new(snapshot: &ReadTransaction, class: HashClass) -> Result<Self, StoreError> {
        Ok(Self {
            class,
            codes: snapshot.open_table(CODES)?,
            chunks: snapshot.open_table(CHUNKS)?,
            met: HashSet::new(),
            ahead: Vec::new(),
            complete: true,
        })
    }

    /// Takes note of a chunk that is needed; whether it is one of references is said by what refers to it.
    fn meet(&mut self, code: HashCode, indirect: bool) -> Result<(), StoreError> {
        // When some chunk is missing already, another one makes no difference.
        if !indirect && !self.complete {
            return Ok(());
        }
        match self.number(&code)? {
            None => self.complete = false,
            Some(number) if indirect && self.met.insert(number) => self.ahead.push((code, number)),
            Some(_) => {}
        }
        Ok(())
    }

    fn number(&self, code: &HashCode) -> Result<Option<u64>, StoreError> {
        if code.class() != self.class {
            return Ok(None);
        }
        Ok(self.codes.get(code.digest())?.map(|number| number.value()))
    }

    /// Reads one chunk of references; says whether there was one.
    fn step(&mut self) -> Result<bool, HasAllError> {
        let Some((code, number)) = self.ahead.pop() else { return Ok(false) };
        let mut reader = PayloadReader::new(self.chunk(code, number)?);
        while reader.remaining() > 0 {
            let block = BlockRef::parse(&mut reader);
            let block = needed(block.map_err(|source| HasAllError::References { code, source })?);
            match block.body {
                Body::Chunk(chunk) => self.meet(chunk, block.indirect)?,
                _ if block.indirect => return Err(HasAllError::Kind { code }),
                _ => {}
            }
        }
        Ok(true)
    }

    fn chunk(&self, code: HashCode, number: u64) -> Result<Bytes, StoreError> {
        let chunk = self.chunks.get(number).map_err(redb::Error::from)?;
        let chunk = chunk.map(|chunk| Bytes::copy_from_slice(chunk.value()));
        chunk.filter(|chunk| code.names(chunk)).ok_or(StoreError::Damaged(code))
    }
}
