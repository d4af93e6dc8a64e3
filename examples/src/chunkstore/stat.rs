//! What two stores can be compared by.

use super::hash::{HashClass, HashCode};
use super::protocol::{ChunkClient, Count, HashCodes, HashOfHashCodes, Length};
use packetstream::RequestError;
use std::fmt;

/// Why a store is not described.
#[derive(Debug, thiserror::Error)]
pub enum StatError {
    /// The server cannot be asked how many chunks there are.
    #[error("cannot count the chunks")]
    Count(#[source] RequestError),
    /// The server cannot be asked for the sum.
    #[error("cannot sum up the names of the chunks")]
    Sum(#[source] RequestError),
}

/// What is in a store, in brief. Stores of the same chunks and hash class have the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stat {
    /// How many chunks there are.
    pub chunks: u64,
    /// The hash over all their names.
    pub sum: HashCode,
}

impl Stat {
    /// What the store names its chunks by.
    #[must_use]
    pub const fn class(&self) -> HashClass {
        self.sum.class()
    }
}

impl fmt::Display for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "class   {}", self.class())?;
        writeln!(f, "chunks  {}", self.chunks)?;
        write!(f, "sum     {}", self.sum)
    }
}

/// Asks what is in a store. If chunks are added meanwhile, the sum leaves out some.
///
/// # Errors
///
/// See [`StatError`].
pub async fn stat(client: &ChunkClient) -> Result<Stat, StatError> {
    let Count(chunks) = client.length(Length).await.map_err(StatError::Count)?;
    // The count of 0, for all, is refused. The class is the server's whatever is named without a start.
    let all = HashCodes { count: chunks.max(1), ..HashCodes::all(HashClass::Blake3) };
    let sum = client.hash_of_hash_codes(HashOfHashCodes(all)).await.map_err(StatError::Sum)?;
    Ok(Stat { chunks, sum: sum.sum })
}
