//! Reading the entries of a directory, whatever its size, in little memory.

use super::directory::ReadError;
use super::fetch::{Fetcher, Leaves};
use crate::chunkstore::tree::blockref::BlockRef;
use crate::chunkstore::tree::dirent::Dirent;
use packetstream::{Bytes, Payload, PayloadReader};

/// No entry is longer: a name and a link's target are a few kilobytes at most.
const MAX_ENTRY: usize = 64 << 10;

/// The entries of a directory, in order.
#[derive(Debug)]
pub(super) struct Entries {
    fetcher: Fetcher,
    leaves: Leaves,
    /// What was fetched and not read.
    fetched: PayloadReader,
    /// Whether `fetched` is all there will be.
    ended: bool,
}

impl Entries {
    pub(super) fn new(fetcher: Fetcher, block: Option<BlockRef>) -> Self {
        Self { fetcher, leaves: Leaves::new(block), fetched: PayloadReader::new(Bytes::new()), ended: false }
    }

    pub(super) const fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// The next entry. Chunks are fetched one by one: other directories' files are fetched meanwhile.
    pub(super) async fn next_entry(&mut self) -> Result<Option<Dirent>, ReadError> {
        // An entry may end in the next chunk, so all it can have must be here.
        while self.fetched.remaining() < MAX_ENTRY && !self.ended {
            self.fetch().await?;
        }
        if self.fetched.remaining() == 0 {
            return Ok(None);
        }
        Dirent::parse(&mut self.fetched).map(Some).map_err(ReadError::Entry)
    }

    async fn fetch(&mut self) -> Result<(), ReadError> {
        let Some(leaf) = self.leaves.next_leaf(&self.fetcher).await? else {
            self.ended = true;
            return Ok(());
        };
        let arrived = self.fetcher.ask(leaf).await?.arrived().await?;
        let chunk = arrived.checked()?;
        let rest = self.fetched.rest();
        let fetched = if rest.is_empty() { chunk.clone() } else { [&rest[..], chunk].concat().into() };
        self.fetched = PayloadReader::new(fetched);
        Ok(())
    }
}
