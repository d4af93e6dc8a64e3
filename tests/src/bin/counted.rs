//! Makes calls for `benches/counted` to count what each costs: both ends in one thread, over a Unix socket.
//!
//! Usage: `counted WORK raw|typed CALLS` or `counted codec raw CALLS`. The raw calls do by hand what the typed ones do
//! by their types: they make a payload of the bytes, and look at what comes back.

use bytes::BufMut;
use packetstream::{
    Bytes, Client, Context, Failure, Fulfil, Incoming, PacketConnection, Payload, Protocol, Reply, Request,
    serve,
};
use packetstream_core::{Decoder, EncodeBuffer, Packet};
use std::error::Error;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

const USAGE: &str = "usage: counted W1|W2-64|W3|codec raw|typed CALLS";
const BULK: usize = 64 << 10;

type Failed = Box<dyn Error + Send + Sync>;

/// Sends bytes back.
#[derive(Debug, Request)]
#[request(reply = Echoed)]
struct Echo([u8; 16]);

#[derive(Debug, Payload)]
struct Echoed([u8; 16]);

#[derive(Debug, Protocol)]
enum EchoProtocol {
    #[request(0)]
    Echo(Echo),
}

struct Service;

impl Fulfil<Echo> for Service {
    async fn fulfil(&self, Echo(bytes): Echo, _: Context) -> Result<Echoed, Failure> {
        Ok(Echoed(bytes))
    }
}

async fn echo(incoming: Incoming) -> Result<Reply, Failure> {
    if incoming.rq_type != 0 {
        return Err(Failure::new("unknown request type"));
    }
    match <[u8; 16]>::try_from(&incoming.payload[..]) {
        Ok(bytes) => Ok(Reply::from(Bytes::copy_from_slice(&bytes))),
        Err(_) => Err(Failure::new("malformed request")),
    }
}

async fn echo_all(incoming: Incoming) -> Result<Reply, Failure> {
    Ok(Reply::from(incoming.payload))
}

/// The bytes of one call.
fn bytes(number: u64) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

async fn raw(connection: PacketConnection, calls: u64) -> Result<(), Failed> {
    for number in 0..calls {
        let reply = connection.submit(0, 0, Bytes::copy_from_slice(&bytes(number))).await?;
        assert_eq!(<[u8; 16]>::try_from(&reply.payload[..])?, bytes(number));
    }
    Ok(())
}

async fn typed(connection: PacketConnection, calls: u64) -> Result<(), Failed> {
    let client = Client::<EchoProtocol>::from(connection);
    for number in 0..calls {
        let Echoed(echoed) = client.call(Echo(bytes(number))).await?;
        assert_eq!(echoed, bytes(number));
    }
    Ok(())
}

/// Sends many bytes and has them back.
async fn bulk(connection: PacketConnection, calls: u64) -> Result<(), Failed> {
    let payload = Bytes::from(vec![7; BULK]);
    for _ in 0..calls {
        assert_eq!(connection.submit(0, 0, payload.clone()).await?.payload, payload);
    }
    Ok(())
}

/// As many requests and responses as a turn may hold, written into a buffer and read from another; no I/O.
fn codec(calls: u64) -> Result<(), Failed> {
    const TURN: u64 = 32;
    let (mut output, mut input) = (EncodeBuffer::default(), Decoder::default());
    for turn in 0..calls / TURN {
        for tag in turn * TURN..(turn + 1) * TURN {
            output.push(&Packet::request(0, tag, 0, 0, Bytes::copy_from_slice(&bytes(tag)))?);
            output.push(&Packet::response(0, tag, Ok(Bytes::copy_from_slice(&bytes(tag)).into()))?);
        }
        input.room().put(&mut output);
        for tag in turn * TURN..(turn + 1) * TURN {
            for _ in 0..2 {
                let packet = input.next_packet()?.ok_or("a packet is missing")?;
                assert_eq!(packet.payload()[..], bytes(tag));
            }
        }
    }
    Ok(())
}

async fn calls(work: &str, mode: &str, calls: u64) -> Result<(), Failed> {
    let in_flight = match work {
        "W1" => 1,
        "W2-64" => 64,
        "W3" => 8,
        _ => return Err(USAGE.into()),
    };
    let (here, there) = UnixStream::pair()?;
    let _server = match (work, mode) {
        ("W3", "raw") => PacketConnection::builder().handler(echo_all).spawn(there),
        (_, "raw") => PacketConnection::builder().handler(echo).spawn(there),
        (_, "typed") => PacketConnection::builder().handler(serve::<EchoProtocol, _>(Service)).spawn(there),
        _ => return Err(USAGE.into()),
    };
    let connection = PacketConnection::builder().spawn(here);
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        let connection = connection.clone();
        match (work, mode) {
            ("W3", "raw") => callers.spawn(bulk(connection, calls / in_flight)),
            (_, "raw") => callers.spawn(raw(connection, calls / in_flight)),
            _ => callers.spawn(typed(connection, calls / in_flight)),
        };
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, mode, count] = &arguments[..] else { return Err(USAGE.into()) };
    match work.as_str() {
        "codec" => codec(count.parse()?),
        work => calls(work, mode, count.parse()?).await,
    }
}
