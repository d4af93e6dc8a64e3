//! What the tests have in common.

use packetstream::{Bytes, Incoming, Outcome, PacketConnection, Payload, PayloadWriter, Stream};
use packetstream_examples::chunkstore::client;
use packetstream_examples::chunkstore::hash::{HashClass, HashCode};
use packetstream_examples::chunkstore::protocol::{Add, ArchiveUpdate, ChunkClient, Sum};
use packetstream_examples::chunkstore::pull::{PullError, pull};
use packetstream_examples::chunkstore::push::{PushError, Source, push};
use packetstream_examples::chunkstore::report::Tally;
use packetstream_examples::chunkstore::server::Server;
use packetstream_examples::chunkstore::store::Store;
use packetstream_examples::chunkstore::tree::blockref::{BlockRef, Body};
use packetstream_examples::chunkstore::tree::dirent::{Dirent, Entry, Kind, RawEntry};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// No test takes longer.
const LIMIT: Duration = Duration::from_mins(2);

/// What the tests call their trees.
pub(crate) const NAME: &str = "tree";

/// The class of what the tests put together by hand.
pub(crate) const CLASS: HashClass = HashClass::Blake3;

pub(crate) async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, test).await.expect("the test hangs")
}

/// A server with an empty store, and a client of it.
pub(crate) struct Served {
    pub(crate) client: ChunkClient,
    _server: PacketConnection,
    _store: TempDir,
}

impl Served {
    pub(crate) fn new(class: HashClass) -> Self {
        let directory = TempDir::new().unwrap();
        let store = Store::open(directory.path(), class).unwrap();
        let (here, there) = Stream::pair(64 << 10);
        let server = Server::new(store).serve(there);
        Self { client: client::over(here), _server: server, _store: directory }
    }

    pub(crate) async fn push(&self, root: &Path) -> Result<Arc<Tally>, PushError> {
        let source = Source { root: root.to_owned(), leave_out: Vec::new() };
        let tally = Arc::new(Tally::default());
        push(&self.client, source, NAME, &tally).await.map(|()| tally)
    }

    pub(crate) async fn pull(&self, destination: &Path) -> Result<Arc<Tally>, PullError> {
        let tally = Arc::new(Tally::default());
        pull(&self.client, NAME, destination, &tally).await.map(|()| tally)
    }
}

pub(crate) fn entry(kind: Kind, name: &str) -> Dirent {
    Dirent { name: Some(name.into()), ..Dirent::new(kind) }
}

pub(crate) fn file(name: &str, block: BlockRef) -> Dirent {
    Dirent { block: Some(block), ..entry(Kind::File, name) }
}

pub(crate) fn block(span: u64, body: Body) -> BlockRef {
    BlockRef::new(span, body)
}

/// What an empty store answers when it is asked for the hash over its names.
pub(crate) fn of_class() -> Sum {
    Sum { sum: CLASS.hash(b""), last: None }
}

impl Served {
    /// Adds what the payloads' bytes are, back to back, as one chunk.
    pub(crate) async fn add<T: Payload>(&self, values: &[T]) -> (HashCode, u64) {
        let chunk = PayloadWriter::payload(|out| {
            for value in values {
                out.field(value);
            }
        });
        self.add_bytes(chunk).await
    }

    pub(crate) async fn add_bytes(&self, chunk: Bytes) -> (HashCode, u64) {
        let length = chunk.len() as u64;
        (self.client.add(Add { class: CLASS, chunk }).await.unwrap(), length)
    }

    pub(crate) async fn directory(&self, name: &str, entries: &[Dirent]) -> Dirent {
        let (code, span) = self.add(entries).await;
        Dirent { block: Some(BlockRef::direct(code, span)), ..entry(Kind::Directory, name) }
    }

    pub(crate) async fn indirect(&self, span: u64, blocks: &[BlockRef]) -> BlockRef {
        BlockRef::indirect(self.add(blocks).await.0, span)
    }

    pub(crate) async fn record(&self, root: Dirent) {
        let entry = RawEntry::from(&Entry { time: 0.0, root });
        self.client.archive_update(ArchiveUpdate { archive: NAME.into(), entry }).await.unwrap();
    }
}

/// Something at the other end that answers as it likes.
pub(crate) struct Liar {
    pub(crate) client: ChunkClient,
    _server: PacketConnection,
}

pub(crate) fn liar(answer: impl Fn(Incoming) -> Outcome + Send + Sync + 'static) -> Liar {
    liar_to(client::over, answer)
}

/// The same, to a client of another kind.
pub(crate) fn liar_to(
    client: fn(Stream) -> ChunkClient,
    answer: impl Fn(Incoming) -> Outcome + Send + Sync + 'static,
) -> Liar {
    let (here, there) = Stream::pair(64 << 10);
    let handler = move |request| std::future::ready(answer(request));
    Liar { client: client(here), _server: PacketConnection::builder().handler(handler).spawn(there) }
}
