//! `capnp-rpc`, buffered. `echo_capnp.rs` is what the schema compiler makes of `echo.capnp`, with its path in this crate.
//! Its parts are bound to one thread, and say so if they are used on another.

use super::{BothWays, Contender, Small};
use crate::stage::Socket;
use bytes::Bytes;
use capnp::message::ReaderOptions;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{RpcSystem, new_client, twoparty};
use futures_util::AsyncReadExt;
use futures_util::io::{BufReader, BufWriter};
use send_wrapper::SendWrapper;
use std::rc::Rc;
use std::sync::Arc;
use tokio_util::compat::TokioAsyncReadCompatExt;

#[allow(clippy::all, clippy::pedantic, reason = "it is generated")]
pub(crate) mod echo_capnp;

use echo_capnp::echo;

pub(crate) struct Capnp;

struct Service;

impl echo::Server for Service {
    async fn send(
        self: Rc<Self>,
        params: echo::SendParams,
        mut results: echo::SendResults,
    ) -> Result<(), capnp::Error> {
        results.get().set_bytes(params.get()?.get_bytes()?);
        Ok(())
    }
}

/// One end, which answers, and what asks the other.
fn system(stream: Socket, side: Side) -> (RpcSystem<Side>, echo::Client) {
    let (reader, writer) = stream.compat().split();
    let mut options = ReaderOptions::new();
    options.traversal_limit_in_words(None);
    let network = twoparty::VatNetwork::new(BufReader::new(reader), BufWriter::new(writer), side, options);
    let service: echo::Client = new_client(Service);
    let mut system = RpcSystem::new(Box::new(network), Some(service.client));
    let other = if side == Side::Client { Side::Server } else { Side::Client };
    let client = system.bootstrap(other);
    (system, client)
}

impl Contender for Capnp {
    type Client = Arc<SendWrapper<echo::Client>>;

    fn serve(stream: Socket) -> impl Future<Output = ()> + Send {
        SendWrapper::new(async {
            let (system, _) = system(stream, Side::Server);
            system.await.ok();
        })
    }

    async fn connect(stream: Socket) -> Self::Client {
        Self::meet(stream, true).await
    }

    async fn small(client: &Self::Client, bytes: Small) -> Small {
        SendWrapper::new(async {
            let mut request = client.send_request();
            request.get().set_bytes(&bytes);
            let response = request.send().promise.await.expect("an answer");
            let bytes = response.get().and_then(echo::send_results::Reader::get_bytes).expect("an answer");
            bytes.try_into().expect("as many bytes as were sent")
        })
        .await
    }

    async fn bulk(client: &Self::Client, bytes: Bytes) -> Bytes {
        SendWrapper::new(async {
            let mut request = client.send_request();
            request.get().set_bytes(&bytes);
            let response = request.send().promise.await.expect("an answer");
            let bytes = response.get().and_then(echo::send_results::Reader::get_bytes).expect("an answer");
            Bytes::copy_from_slice(bytes)
        })
        .await
    }
}

impl BothWays for Capnp {
    async fn meet(stream: Socket, first: bool) -> Self::Client {
        let (system, client) = system(stream, if first { Side::Client } else { Side::Server });
        tokio::spawn(SendWrapper::new(async {
            system.await.ok();
        }));
        Arc::new(SendWrapper::new(client))
    }
}
