//! `tarpc`, with its transport of frames and bincode.

use super::{Contender, Stream};
use bytes::Bytes;
use futures_util::StreamExt;
use tarpc::client::Config;
use tarpc::context;
use tarpc::serde_transport;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;

#[tarpc::service]
pub(crate) trait Service {
    async fn echo(bytes: Vec<u8>) -> Vec<u8>;
}

#[derive(Clone)]
struct Server;

impl Service for Server {
    async fn echo(self, _: context::Context, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}

pub(crate) struct Tarpc;

fn transport<S: Stream, Item, SinkItem>(
    stream: S,
) -> serde_transport::Transport<S, Item, SinkItem, Bincode<Item, SinkItem>>
where
    Item: for<'de> serde::Deserialize<'de>,
    SinkItem: serde::Serialize,
{
    let codec = LengthDelimitedCodec::builder().max_frame_length(64 << 20).to_owned();
    serde_transport::new(codec.new_framed(stream), Bincode::default())
}

impl Contender for Tarpc {
    type Client = ServiceClient;

    async fn serve(stream: impl Stream) {
        let channel = BaseChannel::with_defaults(transport(stream));
        let requests = channel.execute(Server.serve());
        tokio::pin!(requests);
        while let Some(response) = requests.next().await {
            tokio::spawn(response);
        }
    }

    fn connect(stream: impl Stream) -> ServiceClient {
        ServiceClient::new(Config::default(), transport(stream)).spawn()
    }

    async fn echo(client: &ServiceClient, bytes: Bytes) -> Bytes {
        client.echo(context::current(), bytes.to_vec()).await.expect("an answer").into()
    }
}
