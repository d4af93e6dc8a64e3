//! `remoc`, with its remote trait calls. Both ends hand each other a client when they connect.

use super::{BothWays, Contender, Small};
use crate::stage::Socket;
use bytes::Bytes;
use remoc::rtc::{CallError, ServerShared};
use serde_bytes::ByteBuf;
use std::sync::Arc;
use tokio::io::split;

#[remoc::rtc::remote]
pub(crate) trait Echo {
    async fn small(&self, bytes: Small) -> Result<Small, CallError>;
    async fn bulk(&self, bytes: ByteBuf) -> Result<ByteBuf, CallError>;
}

pub(crate) struct Remoc;

struct Service;

impl Echo for Service {
    async fn small(&self, bytes: Small) -> Result<Small, CallError> {
        Ok(bytes)
    }

    async fn bulk(&self, bytes: ByteBuf) -> Result<ByteBuf, CallError> {
        Ok(bytes)
    }
}

impl Contender for Remoc {
    type Client = EchoClient;

    /// What it takes by default, less what it adds.
    const LONGEST: usize = (16 << 20) - 1024;

    async fn serve(stream: Socket) {
        let client = Self::connect(stream).await;
        remoc::rtc::Client::closed(&client).await;
    }

    async fn connect(stream: Socket) -> EchoClient {
        let (reader, writer) = split(stream);
        let (connection, mut sender, mut receiver) =
            remoc::Connect::io::<_, _, EchoClient, EchoClient, remoc::codec::Default>(
                remoc::Cfg::default(),
                reader,
                writer,
            )
            .await
            .expect("a connection");
        tokio::spawn(connection);
        let (server, client) = EchoServerShared::<_, remoc::codec::Default>::new(Arc::new(Service));
        tokio::spawn(server.serve());
        sender.send(client).await.expect("the other end takes it");
        receiver.recv().await.expect("the other end sends one").expect("the other end sends one")
    }

    async fn small(client: &EchoClient, bytes: Small) -> Small {
        Echo::small(client, bytes).await.expect("an answer")
    }

    async fn bulk(client: &EchoClient, bytes: Bytes) -> Bytes {
        Echo::bulk(client, ByteBuf::from(bytes)).await.expect("an answer").into_vec().into()
    }
}

impl BothWays for Remoc {
    async fn meet(stream: Socket, _: bool) -> EchoClient {
        Self::connect(stream).await
    }
}
