//! The chunk store speaks as the Python original was recorded to: `data/chunk-store-vectors.json` has 57
//! exchanges for each hash class, in the order in which one server answered them.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use bytes::Bytes;
use packetstream::{
    BaseRequest, CallError, Failure, PacketConnection, Protocol, Reply, Response, Stream, Variants,
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
            let class = HashClass::from_name(store["hashname"].as_str().unwrap()).unwrap();
            assert_eq!(class.id(), store["hashenum"].as_u64().unwrap());
            (class, store["exchanges"].as_array().unwrap().iter().map(Exchange::read).collect())
        })
        .collect();
    assert_eq!(stores.len(), 3);
    stores
}

fn exchanges() -> impl Iterator<Item = Exchange> {
    stores().into_iter().flat_map(|(_, exchanges)| exchanges)
}

/// Does something with the request of any kind.
macro_rules! with_request {
    ($protocol:expr, $request:ident => $result:expr) => {
        match $protocol {
            ChunkStore::Add($request) => $result,
            ChunkStore::Get($request) => $result,
            ChunkStore::Contains($request) => $result,
            ChunkStore::Flush($request) => $result,
            ChunkStore::HashCodes($request) => $result,
            ChunkStore::HashOfHashCodes($request) => $result,
            ChunkStore::ArchiveLast($request) => $result,
            ChunkStore::ArchiveUpdate($request) => $result,
            ChunkStore::ArchiveList($request) => $result,
            ChunkStore::Length($request) => $result,
            ChunkStore::ContainsIndirect($request) => $result,
        }
    };
}

/// What the request travels with, from its type.
fn transcribed(request: &ChunkStore) -> (u64, Bytes) {
    with_request!(request, request => request.transcribe_request())
}

/// The reply as the request's type reads it, and writes it again.
fn through_its_type(request: &ChunkStore, reply: Reply) -> Reply {
    fn read_and_write<R: BaseRequest>(request: &R, reply: Reply) -> Reply {
        request.decode_response(reply).unwrap().into_reply()
    }
    with_request!(request, request => read_and_write(request, reply))
}

// Rules: none: the record is whole
#[test]
fn there_are_171_recorded_exchanges() {
    assert_eq!(exchanges().count(), 171);
}

// Rules: W-10, W-11, W-13, P-2, P-7, R-17
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
        let (mut flags, payload) = transcribed(&request);
        if exchange.label == "add with request flags 5" {
            // Flags that mean nothing are ignored, as by the original, and so not written again.
            assert_eq!((flags, packet.flags()), (0, 5));
            flags = 5;
        }
        let again = Packet::request(0, packet.tag(), exchange.rq_type, flags, payload).unwrap();
        assert_eq!(again.transcribe(), exchange.rq_packet, "{}", exchange.label);
        read += 1;
    }
    // All but those with an unknown enum, type or flag, `after` without a start, a short digest or a trailing byte.
    assert_eq!(read, 3 * 49);
}

// Rules: W-12, W-13, P-25
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

// Rules
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
