//! One test for each row of `docs/python.md`: what the Python original's documentation has, here.
//!
//! Each is named after its row. What a row's own page or programs test more closely is elsewhere; here it is that the
//! feature is there, spelled as the row says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod base_request;
#[path = "../common/mod.rs"]
mod common;
mod files;
mod has_packet_connection;
mod methods;
mod packet;
mod parameters;
mod release_notes;
mod request_state;

use common::{asking, in_time};
use packetstream::{
    BaseRequest, Builder, Bytes, CallError, Client, Connector, Context, EndedBy, Failure, Fulfil,
    HasPacketConnection, Incoming, NotSent, Outcome, Packet, PacketConnection, Payload, PayloadError,
    PayloadReader, PayloadWriter, Protocol, Reply, Request, RequestError, Stream, Tick, serve,
};
use packetstream_core::{ConnectionState, Decoder, Event, Kind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// The peer: raw bytes.
struct Raw {
    stream: Stream,
    decoder: Decoder,
}

impl Raw {
    fn pair() -> (Self, Stream) {
        let (stream, ours) = Stream::pair(1 << 16);
        (Self { stream, decoder: Decoder::new(1 << 20) }, ours)
    }

    async fn hears(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.decoder.next_packet().unwrap() {
                return packet;
            }
            assert_ne!(self.stream.read_buf(self.decoder.room()).await.unwrap(), 0, "the stream has ended");
        }
    }

    async fn says(&mut self, packet: Packet) {
        self.stream.write_all(&packet.transcribe()).await.unwrap();
    }
}

fn response(tag: u64, outcome: Outcome) -> Packet {
    Packet::response(0, tag, outcome).unwrap()
}

fn request(rq_type: u64, payload: &'static str) -> Packet {
    Packet::request(0, 2, rq_type, 0, payload.into()).unwrap()
}

/// Answers with what it was asked.
async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from((request.flags, request.payload)))
}

/// What a peer sees of a handler's result.
async fn seen(result: impl Into<Reply> + Clone + Send + Sync + 'static) -> (bool, u64, Bytes) {
    seen_outcome(Ok(result.into())).await
}

async fn seen_outcome(outcome: Outcome) -> (bool, u64, Bytes) {
    let (mut peer, stream) = Raw::pair();
    let handler = move |_: Incoming| std::future::ready(outcome.clone());
    let _connection = PacketConnection::builder().handler(handler).spawn(stream);
    in_time(async {
        peer.says(request(0, "")).await;
        let packet = peer.hears().await;
        let Kind::Response { ok } = packet.kind() else { panic!("{packet}") };
        (ok, packet.flags(), packet.into_payload())
    })
    .await
}

/// Adds to a store; the answer tells what it has.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(reply = Added)]
struct Add {
    #[request(flag = 0)]
    twice: bool,
    hashenum: u64,
    data: Bytes,
}

#[derive(Debug, PartialEq, Payload)]
struct Added {
    #[payload(flag = 0)]
    new: bool,
    length: u64,
}

/// A request whose payload is that of another type.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(reply = bool)]
struct Contains(HashCode);

#[derive(Clone, Debug, PartialEq, Payload)]
struct HashCode {
    hashenum: u64,
    #[payload(rest)]
    digest: Bytes,
}

/// A request that is parsed and transcribed by hand.
#[derive(Clone, Debug, PartialEq)]
struct Backwards(String);

impl Payload for Backwards {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(Self(String::parse(reader)?.chars().rev().collect()))
    }

    fn transcribe(&self, writer: &mut PayloadWriter) {
        self.0.chars().rev().collect::<String>().transcribe(writer);
    }
}

impl BaseRequest for Backwards {
    type Reply = String;
    type Error = Failure;
}

#[derive(Debug, PartialEq, Protocol)]
#[packetstream(client = StoreClient)]
enum Store {
    #[request(0)]
    Add(Add),
    #[request(2)]
    Contains(Contains),
    #[request(5)]
    Backwards(Backwards),
}

/// What requests are performed with.
#[derive(Default)]
struct Chunks(Mutex<HashMap<u64, Vec<Bytes>>>);

impl Fulfil<Add> for Chunks {
    async fn fulfil(&self, Add { twice, hashenum, data }: Add, _: Context) -> Result<Added, Failure> {
        if data.is_empty() {
            return Err(Failure::new("nothing to add"));
        }
        let mut chunks = self.0.lock().unwrap();
        let list = chunks.entry(hashenum).or_default();
        let new = !list.contains(&data);
        let length = data.len() as u64 * if twice { 2 } else { 1 };
        list.push(data);
        Ok(Added { new, length })
    }
}

impl Fulfil<Contains> for Chunks {
    async fn fulfil(&self, Contains(code): Contains, _: Context) -> Result<bool, Failure> {
        let chunks = self.0.lock().unwrap();
        Ok(chunks.get(&code.hashenum).is_some_and(|list| list.contains(&code.digest)))
    }
}

impl Fulfil<Backwards> for Chunks {
    async fn fulfil(&self, Backwards(text): Backwards, _: Context) -> Result<String, Failure> {
        Ok(text)
    }
}

fn add(data: &'static str) -> Add {
    Add { twice: false, hashenum: 1, data: data.into() }
}

/// A class of the application that has a connection.
struct StreamStore {
    connection: PacketConnection,
    added: AtomicUsize,
}

impl HasPacketConnection for StreamStore {
    type Protocol = Store;

    fn connection(&self) -> &PacketConnection {
        &self.connection
    }
}

fn stream_store() -> (StreamStore, PacketConnection) {
    let (connection, peer) = asking(serve::<Store, _>(Chunks::default()));
    (StreamStore { connection, added: AtomicUsize::new(0) }, peer)
}
