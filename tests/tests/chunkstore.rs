//! The chunk store speaks as the Python original was recorded to: `data/chunk-store-vectors.json` has 57
//! exchanges for each hash class, in the order in which one server answered them.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use bytes::Bytes;
use packetstream::{
    BaseRequest, CallError, Failure, PacketConnection, Payload, Protocol, Reply, Response, Stream,
};
use packetstream_core::{Kind, Packet};
use packetstream_examples::chunkstore::hash::HashClass;
use packetstream_examples::chunkstore::protocol::ChunkStore;
use packetstream_examples::chunkstore::server::Server;
use packetstream_examples::chunkstore::store::Store;
use serde_json::Value;
use std::fmt::Debug;
use std::time::Duration;
use tempfile::TempDir;

const VECTORS: &str = include_str!("../data/chunk-store-vectors.json");
/// No test takes longer.
const LIMIT: Duration = Duration::from_mins(1);

/// A request of the Python client and the Python server's answer.
#[derive(Debug)]
struct Exchange {
    label: String,
    rq_type: u64,
    rq_flags: u64,
    rq_payload: Bytes,
    rq_packet: Bytes,
    ok: bool,
    flags: u64,
    payload: Bytes,
    packet: Bytes,
}

impl Exchange {
    fn read(value: &Value) -> Self {
        let number = |key| value[key].as_u64().unwrap();
        let bytes = |key| unhex(value[key].as_str().unwrap());
        Self {
            label: value["label"].as_str().unwrap().to_owned(),
            rq_type: number("rq_type"),
            rq_flags: number("rq_flags"),
            rq_payload: bytes("rq_payload"),
            rq_packet: bytes("rq_packet"),
            ok: value["ok"].as_bool().unwrap(),
            flags: number("flags"),
            payload: bytes("payload"),
            packet: bytes("packet"),
        }
    }

    /// Whether the request is one that this version knows, or that no version does.
    fn is_present(&self) -> bool {
        !matches!(self.rq_type, 4 | 5 | 8 | 10)
    }

    /// Whether the Python server refused what is in order, for a fault of its file format.
    fn is_refused_by_mistake(&self) -> bool {
        self.label.contains("upstream file format bug")
    }

    fn reply(&self) -> Reply {
        Reply { flags: self.flags, payload: self.payload.clone() }
    }
}

fn unhex(text: &str) -> Bytes {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

/// The recorded exchanges with a store of each class.
fn stores() -> Vec<(HashClass, Vec<Exchange>)> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let stores = vectors["stores"].as_object().unwrap().values();
    let stores: Vec<_> = stores
        .map(|store| {
            let class = HashClass::from_number(store["hashenum"].as_u64().unwrap()).unwrap();
            assert_eq!(class.name(), store["hashname"].as_str().unwrap());
            let exchanges = store["exchanges"].as_array().unwrap().iter().map(Exchange::read);
            (class, exchanges.filter(Exchange::is_present).collect())
        })
        .collect();
    assert_eq!(stores.len(), 3);
    stores
}

fn exchanges() -> impl Iterator<Item = Exchange> {
    stores().into_iter().flat_map(|(_, exchanges)| exchanges)
}

/// The request's bytes, from its type.
fn transcribed(request: &ChunkStore) -> Bytes {
    match request {
        ChunkStore::Add(request) => request.to_bytes(),
        ChunkStore::Get(request) => request.to_bytes(),
        ChunkStore::Contains(request) => request.to_bytes(),
        ChunkStore::Flush(request) => request.to_bytes(),
        ChunkStore::ArchiveLast(request) => request.to_bytes(),
        ChunkStore::ArchiveUpdate(request) => request.to_bytes(),
        ChunkStore::Length(request) => request.to_bytes(),
    }
}

/// The reply as the request's type reads it, and writes it again.
fn through_its_type(request: &ChunkStore, reply: Reply) -> Reply {
    fn read_and_write<R: BaseRequest>(request: &R, reply: Reply) -> Reply {
        request.decode_response(reply).unwrap().into_reply()
    }
    match request {
        ChunkStore::Add(request) => read_and_write(request, reply),
        ChunkStore::Get(request) => read_and_write(request, reply),
        ChunkStore::Contains(request) => read_and_write(request, reply),
        ChunkStore::Flush(request) => read_and_write(request, reply),
        ChunkStore::ArchiveLast(request) => read_and_write(request, reply),
        ChunkStore::ArchiveUpdate(request) => read_and_write(request, reply),
        ChunkStore::Length(request) => read_and_write(request, reply),
    }
}

#[test]
fn recorded_requests_are_read_and_written_to_the_byte() {
    let mut read = 0;
    for exchange in exchanges() {
        let mut rest = exchange.rq_packet.clone();
        let packet = Packet::parse(&mut rest).unwrap();
        assert!(rest.is_empty());
        assert_eq!(packet.kind(), Kind::Request(exchange.rq_type));
        assert_eq!((packet.flags(), packet.payload()), (exchange.rq_flags, &exchange.rq_payload));

        let request = ChunkStore::from_request(exchange.rq_type, packet.flags(), packet.payload().clone());
        let Ok(request) = request else {
            assert!(!exchange.ok, "{}: {}", exchange.label, request.unwrap_err());
            continue;
        };
        let payload = transcribed(&request);
        let again = Packet::request(0, packet.tag(), request.rq_type(), packet.flags(), payload).unwrap();
        assert_eq!(again.transcribe(), exchange.rq_packet, "{}", exchange.label);
        read += 1;
    }
    // All but those with an unknown enum, type, a short digest or a trailing byte.
    assert_eq!(read, 3 * 25);
}

#[test]
fn recorded_replies_are_read_and_written_to_the_byte() {
    for exchange in exchanges() {
        let packet = Packet::parse(&mut exchange.packet.clone()).unwrap();
        assert_eq!(packet.kind(), Kind::Response { ok: exchange.ok }, "{}", exchange.label);
        let tag = packet.tag();
        let Ok(reply) = packet.into_outcome().unwrap() else { continue };
        assert_eq!(reply, exchange.reply(), "{}", exchange.label);

        let request =
            ChunkStore::from_request(exchange.rq_type, exchange.rq_flags, exchange.rq_payload.clone());
        let reply = through_its_type(&request.unwrap(), reply);
        let again = Packet::response(0, tag, Ok(reply)).unwrap();
        assert_eq!(again.transcribe(), exchange.packet, "{}", exchange.label);
    }
}

#[tokio::test]
async fn the_server_answers_as_recorded() {
    for (class, exchanges) in stores() {
        let directory = TempDir::new().unwrap();
        let (here, there) = Stream::pair(4096);
        let _server = Server::new(Store::open(directory.path(), class).unwrap()).serve(there);
        let client = PacketConnection::builder().spawn(here);
        for exchange in exchanges {
            let call = client.submit(exchange.rq_type, exchange.rq_flags, exchange.rq_payload.clone());
            let outcome = tokio::time::timeout(LIMIT, call).await.unwrap();
            check(&exchange, outcome);
        }
    }
}

fn check(exchange: &Exchange, outcome: Result<Reply, CallError>) {
    match outcome {
        Ok(reply) if exchange.is_refused_by_mistake() => {
            assert_eq!(reply.flags, 1);
            assert!(reply.payload.starts_with(b"\x0c1700000003.0\x00\x03\x06two \xc3\xa9\x1c"));
        }
        Ok(reply) => assert_eq!((reply, true), (exchange.reply(), exchange.ok), "{}", exchange.label),
        Err(CallError::Failed(Failure { flags: 0, .. })) => assert!(!exchange.ok, "{}", exchange.label),
        Err(error) => panic!("{}: {error}", exchange.label),
    }
}
