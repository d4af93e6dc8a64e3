//! Asking for chunks, ahead of those who need them, and checking what comes.

use crate::chunkstore::hash::HashCode;
use crate::chunkstore::protocol::{ChunkClient, Get};
use crate::chunkstore::report::Tally;
use crate::chunkstore::tree::blockref::{BlockRef, Body};
use crate::chunkstore::tree::blocks::{Children, ChildrenError};
use crate::chunkstore::tree::chunks::MAX_CHUNK;
use packetstream::{Bytes, HasPacketConnection, RequestError, TypedCall};
use std::ops::RangeInclusive;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes of chunks that were asked for and not used yet, all files together.
const BYTES: usize = 16 << 20;
/// How deep blocks may lie within blocks. Six levels are enough for any file.
const MAX_HEIGHT: usize = 8;

/// Why a chunk, or all the chunks of a file, cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server failed, or the connection did.
    #[error("cannot get chunk {code}")]
    Call {
        /// The chunk's name.
        code: HashCode,
        /// Why not.
        source: RequestError,
    },
    /// The server does not have it.
    #[error("the server has no chunk {0}")]
    Missing(HashCode),
    /// It is not the chunk of that name.
    #[error("the server sent something else as chunk {0}")]
    Damaged(HashCode),
    /// It is not as long as the block that refers to it.
    #[error("chunk {code} has {length} bytes, not what its block says")]
    Length {
        /// The chunk's name.
        code: HashCode,
        /// How long it is.
        length: usize,
    },
    /// It is longer than chunks are.
    #[error("a chunk of {0} bytes exceeds the limit of {MAX_CHUNK}")]
    TooLong(u64),
    /// It does not hold the block references it should.
    #[error("bad block {code}")]
    Children {
        /// The chunk's name.
        code: HashCode,
        /// What is wrong.
        source: ChildrenError,
    },
    /// Blocks lie within blocks within blocks.
    #[error("more than {MAX_HEIGHT} levels of blocks")]
    TooDeep,
    /// A block is repeated bytes, or a part of another, which is never pushed from here.
    #[error("a block of a kind that is not restored")]
    Kind,
}

/// Asks a server for chunks, within a budget of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Fetcher {
    client: ChunkClient,
    budget: Arc<Semaphore>,
    tally: Arc<Tally>,
}

/// A block of a file: here, or on its way.
pub(super) enum Piece {
    /// Its bytes.
    Here(Bytes),
    /// The chunk that holds it was asked for.
    Asked(Asked),
}

/// A chunk that was asked for.
pub(super) struct Asked {
    expected: Expected,
    call: TypedCall<Get>,
    share: Share,
}

/// What a chunk has to be.
#[derive(Debug)]
struct Expected {
    code: HashCode,
    lengths: RangeInclusive<u64>,
}

/// What of the budget a chunk takes; given back when it is dropped. Nothing closes the budget.
type Share = Option<OwnedSemaphorePermit>;

/// A block of a file, as it came.
pub(super) struct Arrived {
    bytes: Bytes,
    expected: Option<Expected>,
    _share: Share,
}

impl Fetcher {
    pub(crate) fn new(client: ChunkClient, tally: Arc<Tally>) -> Self {
        Self { client, budget: Arc::new(Semaphore::new(BYTES)), tally }
    }

    /// Asks for all of a block, in order, as far ahead as the budget and `pieces` let it. When nobody
    /// takes pieces any more it stops.
    pub(super) async fn ask_all(
        &self,
        block: Option<BlockRef>,
        pieces: mpsc::Sender<Piece>,
    ) -> Result<(), FetchError> {
        let mut leaves = Leaves::new(block);
        while let Some(leaf) = leaves.next_leaf(self).await? {
            let piece = self.ask(leaf).await?;
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Asks for a block that is not indirect.
    pub(super) async fn ask(&self, leaf: BlockRef) -> Result<Piece, FetchError> {
        match leaf.body {
            Body::Literal(bytes) => Ok(Piece::Here(bytes)),
            Body::Chunk(code) => self.ask_chunk(code, leaf.span..=leaf.span).await.map(Piece::Asked),
            Body::Repeated(_) | Body::Part { .. } => Err(FetchError::Kind),
        }
    }

    async fn ask_chunk(&self, code: HashCode, lengths: RangeInclusive<u64>) -> Result<Asked, FetchError> {
        let longest = *lengths.end();
        if longest > MAX_CHUNK as u64 {
            return Err(FetchError::TooLong(longest));
        }
        let bytes = u32::try_from(longest).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.budget).acquire_many_owned(bytes).await.ok();
        self.tally.calls.add(1);
        self.tally.chunks.add(1);
        let call = self.client.conn_submit(Get(code));
        Ok(Asked { expected: Expected { code, lengths }, call, share })
    }
}

impl Piece {
    /// Waits for it.
    pub(super) async fn arrived(self) -> Result<Arrived, FetchError> {
        match self {
            Self::Here(bytes) => Ok(Arrived { bytes, expected: None, _share: None }),
            Self::Asked(asked) => asked.arrived().await,
        }
    }
}

impl Asked {
    async fn arrived(self) -> Result<Arrived, FetchError> {
        let Self { expected, call, share } = self;
        let code = expected.code;
        let chunk = call.await.map_err(|source| FetchError::Call { code, source })?;
        let bytes = chunk.ok_or(FetchError::Missing(code))?;
        Ok(Arrived { bytes, expected: Some(expected), _share: share })
    }
}

impl Arrived {
    /// How many bytes came.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes, if they are what was asked for.
    pub(super) fn checked(&self) -> Result<&Bytes, FetchError> {
        if let Some(Expected { code, lengths }) = &self.expected {
            let length = self.bytes.len();
            if !lengths.contains(&(length as u64)) {
                return Err(FetchError::Length { code: *code, length });
            }
            if !code.names(&self.bytes) {
                return Err(FetchError::Damaged(*code));
            }
        }
        Ok(&self.bytes)
    }
}

/// The blocks of a file that are not indirect, in order.
#[derive(Debug)]
pub(super) struct Leaves {
    /// The block of all, until it is looked at.
    root: Option<BlockRef>,
    /// The indirect blocks that are being read, each within the one before.
    stack: Vec<(HashCode, Children)>,
}

impl Leaves {
    pub(super) fn new(root: Option<BlockRef>) -> Self {
        Self { root, stack: Vec::new() }
    }

    /// The next block, for which indirect ones may have to be fetched.
    pub(super) async fn next_leaf(&mut self, fetcher: &Fetcher) -> Result<Option<BlockRef>, FetchError> {
        loop {
            match self.next_block()? {
                Some(block) if block.indirect => self.descend(&block, fetcher).await?,
                leaf => return Ok(leaf),
            }
        }
    }

    fn next_block(&mut self) -> Result<Option<BlockRef>, FetchError> {
        if let Some(root) = self.root.take() {
            return Ok(Some(root));
        }
        while let Some((code, children)) = self.stack.last_mut() {
            let child = children.next_child();
            match child.map_err(|source| FetchError::Children { code: *code, source })? {
                Some(block) => return Ok(Some(block)),
                None => self.stack.pop(),
            };
        }
        Ok(None)
    }

    async fn descend(&mut self, block: &BlockRef, fetcher: &Fetcher) -> Result<(), FetchError> {
        if self.stack.len() == MAX_HEIGHT {
            return Err(FetchError::TooDeep);
        }
        let Body::Chunk(code) = block.body else { return Err(FetchError::Kind) };
        let chunk = fetcher.ask_chunk(code, 0..=MAX_CHUNK as u64).await?.arrived().await?;
        self.stack.push((code, Children::new(chunk.checked()?.clone(), block.span)));
        Ok(())
    }
}
