//! This library, raw and typed, with its default limits.

use super::{BothWays, Contender, Small};
use crate::stage::Socket;
use bytes::Bytes;
use packetstream::{
    Client, Context, Failure, Fulfil, Incoming, Outcome, PacketConnection, Payload, Protocol, Reply, Request,
    serve,
};

/// Request types and payloads as they come.
pub(crate) struct Raw;

async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from(request.payload))
}

impl Contender for Raw {
    type Client = PacketConnection;

    async fn serve(stream: Socket) {
        PacketConnection::builder().handler(echo).serve(stream).await;
    }

    async fn connect(stream: Socket) -> PacketConnection {
        PacketConnection::builder().spawn(stream)
    }

    async fn small(client: &PacketConnection, bytes: Small) -> Small {
        let answer = Self::bulk(client, Bytes::copy_from_slice(&bytes)).await;
        answer.as_ref().try_into().expect("as many bytes as were sent")
    }

    async fn bulk(client: &PacketConnection, bytes: Bytes) -> Bytes {
        client.submit(0, 0, bytes).await.expect("an answer").payload
    }
}

impl BothWays for Raw {
    async fn meet(stream: Socket, _: bool) -> PacketConnection {
        PacketConnection::builder().handler(echo).spawn(stream)
    }
}

/// A protocol that is declared.
pub(crate) struct Typed;

/// A few bytes to send back.
#[derive(Debug, Request)]
#[request(reply = Echoed)]
struct Echo(Small);

/// Those that came.
#[derive(Debug, Payload)]
struct Echoed(Small);

/// Many bytes to send back.
#[derive(Debug, Request)]
#[request(reply = Bytes)]
struct EchoAll(#[request(rest)] Bytes);

#[derive(Debug, Protocol)]
enum EchoProtocol {
    #[request(0)]
    Echo(Echo),
    #[request(1)]
    EchoAll(EchoAll),
}

struct Service;

impl Fulfil<Echo> for Service {
    async fn fulfil(&self, Echo(bytes): Echo, _: Context) -> Result<Echoed, Failure> {
        Ok(Echoed(bytes))
    }
}

impl Fulfil<EchoAll> for Service {
    async fn fulfil(&self, EchoAll(bytes): EchoAll, _: Context) -> Result<Bytes, Failure> {
        Ok(bytes)
    }
}

#[derive(Clone)]
pub(crate) struct TypedClient(Client<EchoProtocol>);

impl Contender for Typed {
    type Client = TypedClient;

    async fn serve(stream: Socket) {
        PacketConnection::builder().handler(serve::<EchoProtocol, _>(Service)).serve(stream).await;
    }

    async fn connect(stream: Socket) -> TypedClient {
        TypedClient(PacketConnection::builder().spawn(stream).into())
    }

    async fn small(client: &TypedClient, bytes: Small) -> Small {
        let Echoed(bytes) = client.0.call(Echo(bytes)).await.expect("an answer");
        bytes
    }

    async fn bulk(client: &TypedClient, bytes: Bytes) -> Bytes {
        client.0.call(EchoAll(bytes)).await.expect("an answer")
    }
}

impl BothWays for Typed {
    async fn meet(stream: Socket, _: bool) -> TypedClient {
        TypedClient(
            PacketConnection::builder().handler(serve::<EchoProtocol, _>(Service)).spawn(stream).into(),
        )
    }
}
