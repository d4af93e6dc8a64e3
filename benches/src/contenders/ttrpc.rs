//! `ttrpc`, buffered, which takes it one system call for each read of a header and a body. Payloads are bytes as they are,
//! which is less work than messages of protobuf would be.

use super::{Contender, Small};
use crate::stage::Socket;
use bytes::Bytes;
use std::collections::HashMap;
use std::io;
use tokio::io::BufStream;
use tokio_stream::StreamExt;
use ttrpc::r#async::transport::{Listener, Socket as Wrapped};
use ttrpc::r#async::{Client, MethodHandler, Server, Service, TtrpcContext};
use ttrpc::proto::{Code, Request, Response};

const SERVICE: &str = "Echo";
const METHOD: &str = "Send";

pub(crate) struct Ttrpc;

struct Send;

#[async_trait::async_trait]
impl MethodHandler for Send {
    async fn handler(&self, _: TtrpcContext, request: Request) -> ttrpc::Result<Response> {
        let mut response = Response::new();
        response.set_status(ttrpc::get_status(Code::OK, ""));
        response.payload = request.payload;
        Ok(response)
    }
}

impl Contender for Ttrpc {
    type Client = Client;

    /// Of 4 MiB, which nobody can raise, what its headers leave.
    const LONGEST: usize = (4 << 20) - 1024;

    async fn serve(stream: Socket) {
        let stream = tokio_stream::once(Ok::<_, io::Error>(BufStream::new(stream)));
        let methods = HashMap::from([(
            METHOD.into(),
            Box::new(Send) as Box<dyn MethodHandler + std::marker::Send + Sync>,
        )]);
        let services = HashMap::from([(SERVICE.into(), Service { methods, streams: HashMap::new() })]);
        let mut server = Server::new()
            .add_listener(Listener::new(stream.chain(tokio_stream::pending())))
            .register_service(services);
        server.start().await.expect("it starts");
        std::future::pending::<()>().await;
    }

    async fn connect(stream: Socket) -> Client {
        Client::new(Wrapped::new(BufStream::new(stream)))
    }

    async fn small(client: &Client, bytes: Small) -> Small {
        call(client, bytes.into()).await.try_into().expect("as many bytes as were sent")
    }

    async fn bulk(client: &Client, bytes: Bytes) -> Bytes {
        call(client, bytes.into()).await.into()
    }
}

async fn call(client: &Client, payload: Vec<u8>) -> Vec<u8> {
    let request = Request { service: SERVICE.into(), method: METHOD.into(), payload, ..Request::default() };
    client.request(request).await.expect("an answer").payload
}
