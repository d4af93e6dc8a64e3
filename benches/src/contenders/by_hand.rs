//! What somebody with experience writes in an afternoon: frames of `tokio-util`, a number in each, a map of oneshots.

use super::{Contender, Stream};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

pub(crate) struct ByHand;

#[derive(Clone)]
pub(crate) struct Client {
    requests: mpsc::UnboundedSender<Bytes>,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Bytes>>>>,
    next: Arc<AtomicU64>,
}

fn frames<S: Stream>(stream: S) -> Framed<S, LengthDelimitedCodec> {
    LengthDelimitedCodec::builder().max_frame_length(64 << 20).new_framed(stream)
}

impl Contender for ByHand {
    type Client = Client;

    async fn serve(stream: impl Stream) {
        let (mut sink, mut stream) = frames(stream).split();
        while let Some(first) = stream.next().await {
            sink.feed(first.expect("a frame").freeze()).await.expect("the stream takes what it is given");
            // As many as there are, and then one write.
            while let Some(Some(more)) = futures_util::FutureExt::now_or_never(stream.next()) {
                sink.feed(more.expect("a frame").freeze()).await.expect("the stream takes what it is given");
            }
            sink.flush().await.expect("the stream takes what it is given");
        }
    }

    fn connect(stream: impl Stream) -> Client {
        let (mut sink, mut stream) = frames(stream).split();
        let (requests, mut queue) = mpsc::unbounded_channel::<Bytes>();
        let waiting = Arc::new(Mutex::new(HashMap::<u64, oneshot::Sender<Bytes>>::new()));
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while queue.recv_many(&mut batch, 256).await > 0 {
                for frame in batch.drain(..) {
                    sink.feed(frame).await.expect("the stream takes what it is given");
                }
                sink.flush().await.expect("the stream takes what it is given");
            }
        });
        let answered = Arc::clone(&waiting);
        tokio::spawn(async move {
            while let Some(Ok(mut frame)) = stream.next().await {
                let number = frame.get_u64();
                let waiter = answered.lock().expect("nobody panics").remove(&number);
                waiter.expect("an answer to a request").send(frame.freeze()).expect("somebody waits");
            }
        });
        Client { requests, waiting, next: Arc::default() }
    }

    async fn echo(client: &Client, bytes: Bytes) -> Bytes {
        let number = client.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        client.waiting.lock().expect("nobody panics").insert(number, sender);
        let mut frame = BytesMut::with_capacity(8 + bytes.len());
        frame.put_u64(number);
        frame.extend_from_slice(&bytes);
        client.requests.send(frame.freeze()).expect("the connection lives");
        receiver.await.expect("an answer")
    }
}
