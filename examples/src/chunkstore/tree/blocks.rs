//! Block references of block references, so that one names any number of chunks.

use super::blockref::{BlockRef, Body};
use crate::chunkstore::hash::HashCode;
use bytes::{Bytes, BytesMut};
use packetstream::{Payload, PayloadError, PayloadReader};

/// The longest chunk of block references that is made: some 1,500 of them.
const MAX_INDIRECT: usize = 64 << 10;

/// Grows the block reference of a file, chunk by chunk.
///
/// References are gathered into chunks, the references to those into further chunks, and so on, as often as
/// it takes. Whoever calls stores the chunks: `store` gets each, the file's too, and says its name.
#[derive(Debug)]
pub struct BlockTree {
    /// What is not in a chunk yet: references to the file's chunks, to chunks of those, and so on.
    levels: Vec<Level>,
    /// The longest chunk of references.
    longest: usize,
}

impl Default for BlockTree {
    fn default() -> Self {
        Self { levels: Vec::new(), longest: MAX_INDIRECT }
    }
}

#[derive(Debug, Default)]
struct Level {
    references: BytesMut,
    span: u64,
    /// The reference, as long as there is no second.
    only: Option<BlockRef>,
}

impl Level {
    fn push(&mut self, block: BlockRef, bytes: &[u8]) {
        self.span += block.span;
        self.only = self.references.is_empty().then_some(block);
        self.references.extend_from_slice(bytes);
    }
}

impl BlockTree {
    /// Appends a chunk of the file.
    ///
    /// # Errors
    ///
    /// Those of `store`.
    pub fn push<E>(
        &mut self,
        chunk: Bytes,
        store: &mut impl FnMut(Bytes) -> Result<HashCode, E>,
    ) -> Result<(), E> {
        let span = chunk.len() as u64;
        let block = BlockRef::direct(store(chunk)?, span);
        self.push_at(0, block, store)
    }

    /// The reference to all of the file; nothing for an empty one.
    ///
    /// # Errors
    ///
    /// Those of `store`.
    pub fn finish<E>(
        mut self,
        store: &mut impl FnMut(Bytes) -> Result<HashCode, E>,
    ) -> Result<Option<BlockRef>, E> {
        let mut height = 0;
        while let Some(level) = self.levels.get_mut(height) {
            let level = std::mem::take(level);
            height += 1;
            if height == self.levels.len() && level.only.is_some() {
                return Ok(level.only);
            }
            self.push_at(height, gather(level, store)?, store)?;
        }
        Ok(None)
    }

    fn push_at<E>(
        &mut self,
        mut height: usize,
        mut block: BlockRef,
        store: &mut impl FnMut(Bytes) -> Result<HashCode, E>,
    ) -> Result<(), E> {
        loop {
            if height == self.levels.len() {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[height];
            let bytes = block.to_bytes();
            if level.references.len() + bytes.len() <= self.longest {
                level.push(block, &bytes);
                return Ok(());
            }
            let full = std::mem::take(level);
            level.push(block, &bytes);
            block = gather(full, store)?;
            height += 1;
        }
    }
}

fn gather<E>(level: Level, store: &mut impl FnMut(Bytes) -> Result<HashCode, E>) -> Result<BlockRef, E> {
    store(level.references.freeze()).map(|code| BlockRef::indirect(code, level.span))
}

/// Reads the block references in the chunk of an indirect block, one by one.
#[derive(Debug)]
pub struct Children {
    reader: PayloadReader,
    /// How much of the block's span the references did not cover yet.
    left: u64,
}

/// Why a chunk does not hold the block references of an indirect block.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChildrenError {
    /// The bytes are not block references.
    #[error("bad block reference")]
    Reference(#[from] PayloadError),
    /// The spans of the references do not add up to that of the block.
    #[error("the parts of a block do not add up to it")]
    Span,
}

impl Children {
    /// Reads `chunk`, that of an indirect block of `span` bytes.
    #[must_use]
    pub fn new(chunk: Bytes, span: u64) -> Self {
        Self { reader: PayloadReader::new(chunk), left: span }
    }

    /// The next reference. Each covers at least a byte of the block, so there is an end.
    ///
    /// # Errors
    ///
    /// See [`ChildrenError`].
    pub fn next_child(&mut self) -> Result<Option<BlockRef>, ChildrenError> {
        if self.reader.remaining() == 0 {
            return if self.left == 0 { Ok(None) } else { Err(ChildrenError::Span) };
        }
        let block = BlockRef::parse(&mut self.reader)?;
        if block.span == 0 {
            return Err(ChildrenError::Span);
        }
        self.left = self.left.checked_sub(block.span).ok_or(ChildrenError::Span)?;
        Ok(Some(block))
    }
}

/// The block whose chunks are needed for this one, which may be a part of it.
pub(crate) fn needed(mut block: BlockRef) -> BlockRef {
    loop {
        match block.body {
            Body::Part { whole, .. } if !block.indirect => block = *whole,
            _ => return block,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunkstore::hash::HashClass;
    use std::collections::HashMap;
    use std::convert::Infallible;

    #[derive(Default)]
    struct Chunks(HashMap<HashCode, Bytes>);

    impl Chunks {
        fn store(&mut self, chunk: Bytes) -> HashCode {
            let code = HashClass::Blake3.hash(&chunk);
            self.0.insert(code, chunk);
            code
        }

        fn leaves(&self, block: BlockRef) -> Vec<BlockRef> {
            let Body::Chunk(code) = block.body else { panic!("{block:?}") };
            if !block.indirect {
                return vec![block];
            }
            let mut children = Children::new(self.0[&code].clone(), block.span);
            let children = std::iter::from_fn(|| children.next_child().unwrap());
            children.flat_map(|child| self.leaves(child)).collect()
        }
    }

    fn chunk(number: u64) -> Bytes {
        Bytes::copy_from_slice(&number.to_be_bytes())
    }

    fn leaf(number: u64) -> BlockRef {
        BlockRef::direct(HashClass::Blake3.hash(&chunk(number)), 8)
    }

    /// The blocks of `count` chunks, with at most three references in a chunk.
    fn grown(count: u64) -> (Chunks, Option<BlockRef>) {
        let longest = 3 * leaf(count).to_bytes().len() + 3;
        let (mut chunks, mut tree) = (Chunks::default(), BlockTree { levels: Vec::new(), longest });
        let mut store = |chunk| Ok::<_, Infallible>(chunks.store(chunk));
        for number in 0..count {
            tree.push(chunk(number), &mut store).unwrap();
        }
        let root = tree.finish(&mut store).unwrap();
        assert!(chunks.0.values().all(|chunk| chunk.len() <= longest));
        (chunks, root)
    }

    #[test]
    fn no_chunk_is_no_block_and_one_is_itself() {
        assert_eq!(grown(0).1, None);
        assert_eq!(grown(1).1, Some(leaf(0)));
    }

    #[test]
    fn any_number_of_chunks_comes_back_in_order() {
        for count in 2..100 {
            let (chunks, root) = grown(count);
            let root = root.unwrap();
            assert!(root.indirect);
            assert_eq!(root.span, count * 8);
            assert!(chunks.leaves(root).into_iter().eq((0..count).map(leaf)), "{count}");
        }
    }

    #[test]
    fn spans_must_add_up() {
        let chunk = [leaf(4).to_bytes(), leaf(6).to_bytes()].concat();
        let read = |span| {
            let mut children = Children::new(chunk.clone().into(), span);
            while children.next_child()?.is_some() {}
            Ok(())
        };
        assert_eq!(read(16), Ok(()));
        assert_eq!(read(15), Err(ChildrenError::Span));
        assert_eq!(read(17), Err(ChildrenError::Span));
        assert_eq!(read(0), Err(ChildrenError::Span));
        let empty = BlockRef { span: 0, ..leaf(0) }.to_bytes();
        assert_eq!(Children::new(empty, 0).next_child(), Err(ChildrenError::Span));
    }
}
