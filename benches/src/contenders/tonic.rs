//! `tonic` over HTTP/2, with windows that hold the largest payload. The service is what its code generator would write, by
//! hand.

use super::{Contender, Small};
use crate::stage::Socket;
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio_stream::StreamExt;
use tokio_util::either::Either;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::codegen::{BoxFuture, Service};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const PATH: &str = "/echo.Echo/Send";
/// Bytes on their way before they are acknowledged.
const WINDOW: u32 = 64 << 20;
const LONGEST: usize = 64 << 20;

#[derive(Clone, PartialEq, prost::Message)]
struct Payload {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

pub(crate) struct Tonic;

/// What the request is for.
#[derive(Clone)]
struct Send;

impl tonic::server::UnaryService<Payload> for Send {
    type Response = Payload;
    type Future = BoxFuture<Response<Payload>, Status>;

    fn call(&mut self, request: Request<Payload>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

#[derive(Clone)]
struct Routes;

impl Service<http::Request<Body>> for Routes {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            assert_eq!(request.uri().path(), PATH, "there is one method");
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<Payload, Payload>::default())
                .max_decoding_message_size(LONGEST);
            Ok(grpc.unary(Send, request).await)
        })
    }
}

impl Contender for Tonic {
    type Client = tonic::client::Grpc<Channel>;

    async fn serve(stream: Socket) {
        let server = Server::builder()
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_concurrent_streams(None);
        // The server goes on when nothing more is accepted.
        let end = match stream {
            Either::Left(unix) => {
                let incoming = tokio_stream::once(Ok::<_, io::Error>(unix)).chain(tokio_stream::pending());
                server.serve_with_incoming(Routes, incoming).await
            }
            Either::Right(tcp) => {
                let incoming = tokio_stream::once(Ok::<_, io::Error>(tcp)).chain(tokio_stream::pending());
                server.serve_with_incoming(Routes, incoming).await
            }
        };
        end.expect("the server goes on");
    }

    async fn connect(stream: Socket) -> Self::Client {
        let stream = Arc::new(Mutex::new(Some(stream)));
        let connector = tower::service_fn(move |_: http::Uri| {
            let stream = stream.lock().expect("nobody panics").take();
            async { stream.map(TokioIo::new).ok_or(io::Error::from(io::ErrorKind::NotConnected)) }
        });
        let channel = Endpoint::from_static("http://localhost")
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .connect_with_connector(connector)
            .await
            .expect("a connection");
        tonic::client::Grpc::new(channel).max_decoding_message_size(LONGEST)
    }

    async fn small(client: &Self::Client, bytes: Small) -> Small {
        let answer = Self::bulk(client, Bytes::copy_from_slice(&bytes)).await;
        answer.as_ref().try_into().expect("as many bytes as were sent")
    }

    async fn bulk(client: &Self::Client, bytes: Bytes) -> Bytes {
        let mut client = client.clone();
        client.ready().await.expect("the connection lives");
        let codec = ProstCodec::<Payload, Payload>::default();
        let path = http::uri::PathAndQuery::from_static(PATH);
        client
            .unary(Request::new(Payload { bytes }), path, codec)
            .await
            .expect("an answer")
            .into_inner()
            .bytes
    }
}
