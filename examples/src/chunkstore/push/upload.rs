//! Sending chunks: many calls at once, few bytes at once.

use crate::chunkstore::hash::HashCode;
use crate::chunkstore::protocol::{Add, ChunkClient, Contains};
use crate::chunkstore::report::Tally;
use futures_util::{StreamExt, TryStreamExt, stream};
use packetstream::{Bytes, RequestError};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

/// Chunks on their way at once; fewer than the calls that a connection allows.
const CHUNKS: usize = 192;
/// Bytes of chunks on their way at once.
const BYTES: usize = 16 << 20;

/// A chunk with its name.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) code: HashCode,
    pub(super) bytes: Bytes,
}

/// Why a chunk was not stored.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The server failed, or the connection did.
    #[error("cannot store chunk {code}")]
    Call {
        /// The chunk's name.
        code: HashCode,
        /// Why not.
        source: RequestError,
    },
    /// The server names the chunk differently, so it got or kept something else.
    #[error("the server stored chunk {code} as {answer}")]
    OtherCode {
        /// The chunk's name.
        code: HashCode,
        /// What the server says.
        answer: HashCode,
    },
}

/// Stores all `chunks` that the server does not have.
pub(super) async fn upload(
    client: &ChunkClient,
    chunks: mpsc::Receiver<Chunk>,
    tally: &Tally,
) -> Result<(), UploadError> {
    let budget = Semaphore::new(BYTES);
    let admitted = stream::unfold(chunks, async |mut chunks| {
        let chunk = chunks.recv().await?;
        let share = admit(&budget, &chunk).await;
        Some(((chunk, share), chunks))
    });
    admitted
        .map(Ok)
        .try_for_each_concurrent(CHUNKS, async |(chunk, _share)| store(client, chunk, tally).await)
        .await
}

/// Waits until the chunk's bytes may be on their way, too.
async fn admit<'a>(budget: &'a Semaphore, chunk: &Chunk) -> Option<SemaphorePermit<'a>> {
    let bytes = u32::try_from(chunk.bytes.len()).unwrap_or(u32::MAX);
    // No chunk is longer than the budget, and it is never closed.
    budget.acquire_many(bytes).await.ok()
}

async fn store(client: &ChunkClient, Chunk { code, bytes }: Chunk, tally: &Tally) -> Result<(), UploadError> {
    let failed = |source| UploadError::Call { code, source };
    tally.calls.add(1);
    if client.contains(Contains(code)).await.map_err(failed)? {
        return Ok(());
    }
    tally.calls.add(1);
    let length = bytes.len() as u64;
    let answer = client.add(Add { class: code.class(), chunk: bytes }).await.map_err(failed)?;
    if answer != code {
        return Err(UploadError::OtherCode { code, answer });
    }
    tally.sent.add(1);
    tally.sent_bytes.add(length);
    Ok(())
}
