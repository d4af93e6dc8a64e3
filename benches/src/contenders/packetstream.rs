//! This library, raw and typed, with its default limits.

use super::{Contender, Stream};
use bytes::Bytes;
use packetstream::{Client, Context, Failure, Fulfil, Incoming, Outcome, PacketConnection, Protocol, Reply, Request, serve};

/// Request types and payloads as they come.
pub(crate) struct Raw;

async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from(request.payload))
}

impl Contender for Raw {
    type Client = PacketConnection;

    async fn serve(stream: impl Stream) {
        PacketConnection::builder().handler(echo).serve(stream).await;
    }

    fn connect(stream: impl Stream) -> PacketConnection {
        PacketConnection::builder().spawn(stream)
    }

    async fn echo(client: &PacketConnection, bytes: Bytes) -> Bytes {
        client.submit(0, 0, bytes).await.expect("an answer").payload
    }
}

/// A protocol that is declared.
pub(crate) struct Typed;

/// Bytes to send back.
#[derive(Debug, Request)]
#[request(reply = Bytes)]
struct Echo(#[request(rest)] Bytes);

#[derive(Debug, Protocol)]
enum EchoProtocol {
    #[request(0)]
    Echo(Echo),
}

struct Service;

impl Fulfil<Echo> for Service {
    async fn fulfil(&self, Echo(bytes): Echo, _: Context) -> Result<Bytes, Failure> {
        Ok(bytes)
    }
}

#[derive(Clone)]
pub(crate) struct TypedClient(Client<EchoProtocol>);

impl Contender for Typed {
    type Client = TypedClient;

    async fn serve(stream: impl Stream) {
        PacketConnection::builder().handler(serve::<EchoProtocol, _>(Service)).serve(stream).await;
    }

    fn connect(stream: impl Stream) -> TypedClient {
        TypedClient(PacketConnection::builder().spawn(stream).into())
    }

    async fn echo(client: &TypedClient, bytes: Bytes) -> Bytes {
        client.0.call(Echo(bytes)).await.expect("an answer")
    }
}
