//! `tarpc`, with its transport of frames and bincode.

use super::{Contender, Small};
use crate::stage::Socket;
use bytes::Bytes;
use futures_util::StreamExt;
use serde_bytes::ByteBuf;
use std::time::{Duration, Instant};
use tarpc::client::Config;
use tarpc::context;
use tarpc::serde_transport;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;

#[tarpc::service]
pub(crate) trait Service {
    async fn small(bytes: Small) -> Small;
    async fn bulk(bytes: ByteBuf) -> ByteBuf;
}

#[derive(Clone)]
struct Server;

impl Service for Server {
    async fn small(self, _: context::Context, bytes: Small) -> Small {
        bytes
    }

    async fn bulk(self, _: context::Context, bytes: ByteBuf) -> ByteBuf {
        bytes
    }
}

pub(crate) struct Tarpc;

fn transport<Item, SinkItem>(
    stream: Socket,
) -> serde_transport::Transport<Socket, Item, SinkItem, Bincode<Item, SinkItem>>
where
    Item: for<'de> serde::Deserialize<'de>,
    SinkItem: serde::Serialize,
{
    let codec = LengthDelimitedCodec::builder().max_frame_length(64 << 20).to_owned();
    serde_transport::new(codec.new_framed(stream), Bincode::default())
}

impl Contender for Tarpc {
    type Client = ServiceClient;

    async fn serve(stream: Socket) {
        let channel = BaseChannel::with_defaults(transport(stream));
        let mut requests = std::pin::pin!(channel.execute(Server.serve()));
        while let Some(response) = requests.next().await {
            tokio::spawn(response);
        }
    }

    async fn connect(stream: Socket) -> ServiceClient {
        // Room for all of W7, which its own limit would refuse.
        let mut config = Config::default();
        config.max_in_flight_requests = 1 << 20;
        ServiceClient::new(config, transport(stream)).spawn()
    }

    async fn small(client: &ServiceClient, bytes: Small) -> Small {
        client.small(context(), bytes).await.expect("an answer")
    }

    async fn bulk(client: &ServiceClient, bytes: Bytes) -> Bytes {
        client.bulk(context(), ByteBuf::from(bytes)).await.expect("an answer").into_vec().into()
    }
}

/// With a deadline that never comes, since a slow machine is no failure.
fn context() -> context::Context {
    let mut context = context::current();
    context.deadline = Instant::now() + Duration::from_mins(10);
    context
}
