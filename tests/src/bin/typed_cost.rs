//! Makes calls, raw or typed, for `tests/typed-cost` to count what each costs: both ends in one thread, over a
//! Unix socket, 64 calls in flight, 16 bytes there and back.
//!
//! Usage: `typed_cost raw|typed CALLS`. The raw calls do by hand what the typed ones do by their types: they
//! make a payload of the bytes, and look at what comes back.

use packetstream::{
    Bytes, Client, Context, Failure, Fulfil, Incoming, PacketConnection, Payload, Protocol, Reply, Request,
    serve,
};
use std::error::Error;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

const IN_FLIGHT: u64 = 64;

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

/// The bytes of one call.
fn bytes(number: u64) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

async fn raw(connection: PacketConnection, calls: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
    for number in 0..calls {
        let reply = connection.submit(0, 0, Bytes::copy_from_slice(&bytes(number))).await?;
        assert_eq!(<[u8; 16]>::try_from(&reply.payload[..])?, bytes(number));
    }
    Ok(())
}

async fn typed(connection: PacketConnection, calls: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
    let client = Client::<EchoProtocol>::from(connection);
    for number in 0..calls {
        let Echoed(echoed) = client.call(Echo(bytes(number))).await?;
        assert_eq!(echoed, bytes(number));
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, calls] = &arguments[..] else { return Err("usage: typed_cost raw|typed CALLS".into()) };
    let calls = calls.parse::<u64>()? / IN_FLIGHT;
    let (here, there) = UnixStream::pair()?;
    let _server = match mode.as_str() {
        "raw" => PacketConnection::builder().handler(echo).spawn(there),
        "typed" => PacketConnection::builder().handler(serve::<EchoProtocol, _>(Service)).spawn(there),
        _ => return Err("usage: typed_cost raw|typed CALLS".into()),
    };
    let connection = PacketConnection::builder().spawn(here);
    let mut callers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let connection = connection.clone();
        match mode.as_str() {
            "raw" => callers.spawn(raw(connection, calls)),
            _ => callers.spawn(typed(connection, calls)),
        };
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(())
}
