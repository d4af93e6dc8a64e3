//! A stream and nothing else: one message there, one back. What a call costs when nothing is made of it.

use super::{Contender, Stream};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Mutex;

/// Messages have the length that both know; there is one at a time.
pub(crate) struct Raw;

/// Bytes of a message.
const LENGTH: usize = 16;

#[derive(Clone)]
pub(crate) struct Client(Arc<Mutex<Box<dyn Stream>>>);

impl Contender for Raw {
    type Client = Client;

    async fn serve(mut stream: impl Stream) {
        let mut buffer = [0; LENGTH];
        while stream.read_exact(&mut buffer).await.is_ok() {
            stream.write_all(&buffer).await.expect("the stream takes what it is given");
        }
    }

    fn connect(stream: impl Stream) -> Client {
        Client(Arc::new(Mutex::new(Box::new(stream))))
    }

    async fn echo(client: &Client, bytes: Bytes) -> Bytes {
        let mut stream = client.0.lock().await;
        stream.write_all(&bytes).await.expect("the stream takes what it is given");
        let mut answer = BytesMut::zeroed(bytes.len());
        stream.read_exact(&mut answer).await.expect("an answer");
        answer.freeze()
    }
}
