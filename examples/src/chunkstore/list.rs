//! The names of all chunks of a store, without holding more than a page of them.

use super::hash::{HashClass, HashCode};
use super::protocol::{ChunkClient, HashCodes};
use packetstream::RequestError;

/// How many names are asked for at once; the original does the same.
const PAGE: u64 = 64;

/// Why names are not listed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The server failed, or the connection did.
    #[error("cannot list the names of chunks")]
    Ask(#[source] RequestError),
    /// The names are not in order: they would come again and again.
    #[error("the server listed chunk {code} after {previous}, out of order")]
    Order {
        /// The name before.
        previous: HashCode,
        /// The name that cannot follow it.
        code: HashCode,
    },
    /// The names are not all of one class, as those of a store are.
    #[error("the server listed chunk {code}, which is not of {class}")]
    OtherClass {
        /// That of the names before.
        class: HashClass,
        /// The name.
        code: HashCode,
    },
}

/// The names of all chunks, in order.
///
/// A server can invent names for as long as it is asked, but not one twice.
#[derive(Debug)]
pub struct Names<'a> {
    client: &'a ChunkClient,
    last: Option<HashCode>,
}

impl<'a> Names<'a> {
    /// All names of the store that `client` asks.
    #[must_use]
    pub const fn new(client: &'a ChunkClient) -> Self {
        Self { client, last: None }
    }

    /// The next page of names. An empty one is the last; after it, more may have been added.
    ///
    /// # Errors
    ///
    /// See [`ListError`].
    pub async fn next_page(&mut self) -> Result<Vec<HashCode>, ListError> {
        let start = self.last;
        // Without a start the class makes no difference: a server lists what it has.
        let class = start.map_or(HashClass::Blake3, |start| start.class());
        let request = HashCodes { after: start.is_some(), start, count: PAGE, ..HashCodes::all(class) };
        let page = self.client.hash_codes(request).await.map_err(ListError::Ask)?;
        for &code in &page {
            self.pass(code)?;
        }
        Ok(page)
    }

    /// Goes on to `code`, if that can come next.
    fn pass(&mut self, code: HashCode) -> Result<(), ListError> {
        match self.last.replace(code) {
            Some(previous) if previous.class() != code.class() => {
                Err(ListError::OtherClass { class: previous.class(), code })
            }
            Some(previous) if previous.digest() >= code.digest() => Err(ListError::Order { previous, code }),
            _ => Ok(()),
        }
    }
}
