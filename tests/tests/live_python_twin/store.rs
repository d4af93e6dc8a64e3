//! The chunk store: Python's client and our store, our client and a store in Python, and what was recorded of the
//! original.

use crate::everything::Content;
use crate::worker::{Worker, content, line};
use packetstream::{
    Bytes, CallError, Failure, HasPacketConnection, PacketConnection, Reply, Stream, Variants,
};
use packetstream_examples::chunkstore::client::over;
use packetstream_examples::chunkstore::compare::compare;
use packetstream_examples::chunkstore::hash::HashClass;
use packetstream_examples::chunkstore::pull::pull;
use packetstream_examples::chunkstore::push::{Source, push};
use packetstream_examples::chunkstore::report::Tally;
use packetstream_examples::chunkstore::server::Server;
use packetstream_examples::chunkstore::store::Store;
use serde_json::Value;
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;

const MODULE: &str = "examples/python/chunkstore.py";
const VECTORS: &str = include_str!("../../data/chunk-store-vectors.json");

/// A request of the original's client, and what its server answered.
struct Exchange {
    label: String,
    rq_type: u64,
    request: Content,
    ok: bool,
    reply: Content,
}

impl Exchange {
    fn read(value: &Value) -> Self {
        let bytes = |key: &str| -> Bytes {
            let text = value[key].as_str().unwrap();
            let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(digits).collect()
        };
        Self {
            label: value["label"].as_str().unwrap().to_owned(),
            rq_type: value["rq_type"].as_u64().unwrap(),
            request: (value["rq_flags"].as_u64().unwrap(), bytes("rq_payload")),
            ok: value["ok"].as_bool().unwrap(),
            reply: (value["flags"].as_u64().unwrap(), bytes("payload")),
        }
    }

    /// Whether the original refused what is in order, for a fault of its file format.
    fn is_refused_by_mistake(&self) -> bool {
        self.label.contains("upstream file format bug")
    }

    /// That this is the answer; nothing is a refusal.
    fn is_answered(&self, answer: Option<Content>) {
        match answer {
            Some((flags, payload)) if self.is_refused_by_mistake() => {
                assert_eq!((flags, &payload[..13]), (1, &b"\x0c1700000003.0"[..]));
            }
            Some(answer) => assert_eq!((answer, true), (self.reply.clone(), self.ok), "{}", self.label),
            None => assert!(!self.ok, "{}", self.label),
        }
    }
}

/// What was recorded of a store of each class.
fn stores() -> Vec<(HashClass, Vec<Exchange>)> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let store = |store: &Value| {
        let class = HashClass::from_name(store["hashname"].as_str().unwrap()).unwrap();
        assert_eq!(class.id(), store["hashenum"].as_u64().unwrap());
        (class, store["exchanges"].as_array().unwrap().iter().map(Exchange::read).collect())
    };
    vectors["stores"].as_object().unwrap().values().map(store).collect()
}

pub(crate) async fn python_asks() {
    for (class, exchanges) in stores() {
        // Python has no class for a number that the protocol does not have.
        let exchanges: Vec<_> = exchanges.into_iter().filter(|exchange| exchange.rq_type <= 10).collect();
        is_written_again(&exchanges).await;

        let directory = TempDir::new().unwrap();
        let (worker, stream) = Worker::connected("twin.py", &["ask", MODULE]).await;
        let served = Server::new(Store::open(directory.path(), class).unwrap()).serve(stream);
        let ask = |exchange: &Exchange| {
            let mut line = line("ask", exchange.rq_type, &exchange.request);
            line["how"] = "conn_do_remote".into();
            line
        };
        let said = worker.told(&exchanges.iter().map(ask).collect::<Vec<_>>()).await;
        for (exchange, said) in exchanges.iter().zip(said) {
            let is_reply = said["what"] == "reply";
            assert!(is_reply || said["what"] == "error", "{said}");
            exchange.is_answered(is_reply.then(|| content(&said)));
        }
        served.closed().await.result.unwrap();
    }
}

/// That Python writes the requests as the original's client did.
async fn is_written_again(exchanges: &[Exchange]) {
    let lines: Vec<_> =
        exchanges.iter().map(|exchange| line("request", exchange.rq_type, &exchange.request)).collect();
    let said = Worker::start("twin.py", &["recode", MODULE]).told(&lines).await;
    let mut refused = 0;
    for (exchange, said) in exchanges.iter().zip(said) {
        let (flags, payload) = exchange.request.clone();
        // A request without flags of its own ignores others.
        let flags = if exchange.label == "add with request flags 5" { 0 } else { flags };
        if said["refused"].is_string() {
            refused += 1;
            assert!(!exchange.ok, "{}: {said}", exchange.label);
        } else {
            assert_eq!(content(&said), (flags, payload), "{}", exchange.label);
        }
    }
    // An unknown enum, an unknown flag, a short digest, and three with a trailing byte.
    assert_eq!(refused, 6);
}

/// A store in Python, with nothing in it, and the stream to it.
async fn python_store(class: HashClass) -> (Worker, Stream) {
    Worker::connected("memory_store.py", &[MODULE, class.name()]).await
}

pub(crate) async fn python_answers() {
    let mut classes = 0;
    // Python itself has no BLAKE3.
    for (class, exchanges) in stores().into_iter().filter(|(class, _)| *class != HashClass::Blake3) {
        let (worker, stream) = python_store(class).await;
        let connection = PacketConnection::builder().spawn(stream);
        for exchange in exchanges {
            let (flags, payload) = exchange.request.clone();
            let answer = match connection.submit(exchange.rq_type, flags, payload).await {
                Ok(Reply { flags, payload }) => Some((flags, payload)),
                Err(CallError::Failed(Failure { flags: 0, .. })) => None,
                Err(error) => panic!("{}: {error}", exchange.label),
            };
            exchange.is_answered(answer);
        }
        connection.close();
        connection.closed().await.result.unwrap();
        worker.told(&[]).await;
        classes += 1;
    }
    assert_eq!(classes, 2);
}

pub(crate) async fn keeps_a_tree() {
    let (tree, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::create_dir(tree.path().join("directory")).unwrap();
    fs::write(tree.path().join("small"), "a few bytes").unwrap();
    fs::write(tree.path().join("directory/large"), vec![b'x'; 300_000]).unwrap();
    let numbers: Vec<u8> = (0_u32..300_000).flat_map(u32::to_be_bytes).collect();
    fs::write(tree.path().join("directory/numbers"), numbers).unwrap();

    let (worker, stream) = python_store(HashClass::Sha256).await;
    let client = over(stream);
    let source = Source { root: tree.path().to_owned(), leave_out: Vec::new() };
    push(&client, source, "trees", &Arc::default()).await.unwrap();
    let destination = copy.path().join("copy");
    pull(&client, "trees", &destination, &Arc::<Tally>::default()).await.unwrap();
    let differences = compare(tree.path(), &destination, &[]).unwrap();
    assert!(differences.is_empty(), "{differences:?}");
    client.connection().close();
    client.connection().closed().await.result.unwrap();
    worker.told(&[]).await;
}
