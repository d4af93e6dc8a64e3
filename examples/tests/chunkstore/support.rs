//! What the tests have in common.

use packetstream::{PacketConnection, Stream};
use packetstream_examples::chunkstore::client;
use packetstream_examples::chunkstore::hash::HashClass;
use packetstream_examples::chunkstore::protocol::ChunkClient;
use packetstream_examples::chunkstore::pull::{PullError, pull};
use packetstream_examples::chunkstore::push::{PushError, Source, push};
use packetstream_examples::chunkstore::report::Tally;
use packetstream_examples::chunkstore::server::Server;
use packetstream_examples::chunkstore::store::Store;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// No test takes longer.
const LIMIT: Duration = Duration::from_mins(2);

/// What the tests call their trees.
pub(crate) const NAME: &str = "tree";

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
