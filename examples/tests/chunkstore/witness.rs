//! Somebody between a client and a server, who takes note of what the server acknowledges.

use crate::support::within;
use packetstream::Carries;
use packetstream::{
    CallError, Failure, HasPacketConnection, Incoming, Outcome, PacketConnection, Payload, Stream,
};
use packetstream_examples::chunkstore::client;
use packetstream_examples::chunkstore::hash::HashCode;
use packetstream_examples::chunkstore::protocol::{
    Add, ArchiveList, ArchiveUpdate, ChunkClient, ChunkStore, Contains, Get,
};
use packetstream_examples::chunkstore::push::{PushError, Source, push};
use packetstream_examples::chunkstore::report::Tally;
use packetstream_examples::chunkstore::tree::dirent::RawEntry;
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What a store has promised so far: chunks that it took or said it has, and entries of an archive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promises(Arc<Mutex<Promised>>);

#[derive(Debug, Default)]
struct Promised {
    chunks: HashSet<HashCode>,
    entries: Vec<RawEntry>,
}

/// What passes by the witness.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Passing {
    /// A request to write something, on its way.
    Asked,
    /// The answer to one, which the client does not have yet.
    Acknowledged,
}

impl Promises {
    /// Pushes a tree to the server at `address`, and notes what is acknowledged. `passing` is told of it.
    pub(crate) async fn push(
        &self,
        root: &Path,
        archive: &str,
        address: &str,
        passing: impl Fn(Passing) + Send + Sync + 'static,
    ) -> Result<(), PushError> {
        let server = connect(address).await.connection().clone();
        let (promises, passing) = (self.clone(), Arc::new(passing));
        let (here, there) = Stream::pair(64 << 10);
        let witness = move |request: Incoming| {
            let (server, promises, passing) = (server.clone(), promises.clone(), Arc::clone(&passing));
            async move { promises.pass(&server, request, &*passing).await }
        };
        let _witness = PacketConnection::builder().handler(witness).spawn(there);
        let source = Source { root: root.to_owned(), leave_out: Vec::new() };
        within(push(&client::over(here), source, archive, &Arc::new(Tally::default()))).await
    }

    async fn pass(
        &self,
        server: &PacketConnection,
        request: Incoming,
        passing: &impl Fn(Passing),
    ) -> Outcome {
        let Incoming { rq_type, flags, payload, .. } = request;
        let writes = [
            <ChunkStore as Carries<Add>>::REQUEST_TYPE,
            <ChunkStore as Carries<ArchiveUpdate>>::REQUEST_TYPE,
        ];
        let call = server.submit(rq_type, flags, payload.clone());
        if writes.contains(&rq_type) {
            passing(Passing::Asked);
        }
        let reply = call.await.map_err(|error| match error {
            CallError::Failed(failure) => failure,
            _ => Failure::new("the server is gone"),
        })?;
        self.note(rq_type, payload, &reply);
        if writes.contains(&rq_type) {
            passing(Passing::Acknowledged);
        }
        Ok(reply)
    }

    fn note(&self, rq_type: u64, payload: packetstream::Bytes, reply: &packetstream::Reply) {
        let mut promised = self.0.lock().unwrap();
        if rq_type == <ChunkStore as Carries<Add>>::REQUEST_TYPE {
            promised.chunks.insert(HashCode::from_bytes(reply.payload.clone()).unwrap());
        } else if rq_type == <ChunkStore as Carries<Contains>>::REQUEST_TYPE && reply.flags == 1 {
            promised.chunks.insert(HashCode::from_bytes(payload).unwrap());
        } else if rq_type == <ChunkStore as Carries<ArchiveUpdate>>::REQUEST_TYPE {
            promised.entries.push(ArchiveUpdate::from_bytes(payload).unwrap().entry);
        }
    }

    /// How many chunks were promised.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().chunks.len()
    }

    /// Demands all of it from the server at `address`.
    pub(crate) async fn demand(&self, archive: &str, address: &str) {
        let client = connect(address).await;
        let (chunks, promised) = {
            let promised = self.0.lock().unwrap();
            (promised.chunks.clone(), promised.entries.clone())
        };
        for code in chunks {
            let chunk = within(client.get(Get(code))).await.unwrap();
            let chunk = chunk.unwrap_or_else(|| panic!("{code} is lost"));
            assert!(code.names(&chunk), "{code} is another");
        }
        let entries = within(client.archive_list(ArchiveList { archive: archive.into() })).await.unwrap();
        for entry in promised {
            assert!(entries.contains(&entry), "an entry is lost");
        }
    }
}

pub(crate) async fn connect(address: &str) -> ChunkClient {
    within(client::connect(&address.parse().unwrap())).await.unwrap()
}
