//! What somebody with experience writes in an afternoon: frames of `tokio-util`, a number in each, a map of oneshots.
//! Requests and responses are written as many at a time as there are, and a frame is copied once on its way out and
//! not at all on its way in.

use super::{BothWays, Contender, Small};
use crate::stage::Socket;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::{Decoder, Encoder, Framed, FramedRead, FramedWrite};

/// A server that answers where it reads, a client with a task for each direction.
pub(crate) struct ByHand;

/// Bytes read, and written, at a time.
const BUFFER: usize = 64 << 10;
/// The longest payload.
const LONGEST: usize = 64 << 20;
/// Length and number.
const HEADER: usize = 12;
/// In the number of a response, where both sides ask.
const RESPONSE: u64 = 1 << 63;

struct Frames;

type Frame = (u64, Bytes);

impl Encoder<Frame> for Frames {
    type Error = io::Error;

    fn encode(&mut self, (number, payload): Frame, buffer: &mut BytesMut) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        buffer.reserve(HEADER + payload.len());
        buffer.put_u32(length);
        buffer.put_u64(number);
        buffer.extend_from_slice(&payload);
        Ok(())
    }
}

impl Decoder for Frames {
    type Item = Frame;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Frame>> {
        let Some(length) = buffer.first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if buffer.len() < HEADER + length {
            buffer.reserve(HEADER + length - buffer.len());
            return Ok(None);
        }
        buffer.advance(4);
        let number = buffer.get_u64();
        Ok(Some((number, buffer.split_to(length).freeze())))
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    frames: mpsc::UnboundedSender<Frame>,
    waiting: Waiting,
    next: Arc<AtomicU64>,
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Bytes>>>>;

/// Writes what is sent into the channel, as many frames at a time as there are.
async fn write(mut sink: FramedWrite<WriteHalf<Socket>, Frames>, mut queue: mpsc::UnboundedReceiver<Frame>) {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, 1024).await > 0 {
        for frame in batch.drain(..) {
            sink.feed(frame).await.expect("the stream takes what it is given");
        }
        sink.flush().await.expect("the stream takes what it is given");
    }
}

/// Hands responses to those who wait, and sends requests back.
async fn read(
    mut stream: FramedRead<ReadHalf<Socket>, Frames>,
    waiting: Waiting,
    frames: mpsc::WeakUnboundedSender<Frame>,
) {
    while let Some(Ok((number, payload))) = stream.next().await {
        if number & RESPONSE != 0 {
            let waiter = waiting.lock().expect("nobody panics").remove(&(number & !RESPONSE));
            waiter.expect("an answer to a request").send(payload).expect("somebody waits");
        } else if let Some(frames) = frames.upgrade() {
            frames.send((number | RESPONSE, payload)).expect("the connection lives");
        }
    }
}

impl Contender for ByHand {
    type Client = Client;

    async fn serve(stream: Socket) {
        let mut frames = Framed::with_capacity(stream, Frames, BUFFER);
        frames.set_backpressure_boundary(BUFFER);
        while let Some(Ok((number, payload))) = frames.next().await {
            frames.feed((number | RESPONSE, payload)).await.expect("the stream takes what it is given");
            // As many as there are, and then one write.
            while let Some(Some(Ok((number, payload)))) = frames.next().now_or_never() {
                frames.feed((number | RESPONSE, payload)).await.expect("the stream takes what it is given");
            }
            if frames.flush().await.is_err() {
                return;
            }
        }
    }

    async fn connect(stream: Socket) -> Client {
        let (reader, writer) = split(stream);
        let reader = FramedRead::with_capacity(reader, Frames, BUFFER);
        let mut writer = FramedWrite::new(writer, Frames);
        writer.set_backpressure_boundary(BUFFER);
        let (frames, queue) = mpsc::unbounded_channel();
        let waiting = Waiting::default();
        tokio::spawn(write(writer, queue));
        tokio::spawn(read(reader, Arc::clone(&waiting), frames.downgrade()));
        Client { frames, waiting, next: Arc::default() }
    }

    async fn small(client: &Client, bytes: Small) -> Small {
        let answer = Self::bulk(client, Bytes::copy_from_slice(&bytes)).await;
        answer.as_ref().try_into().expect("as many bytes as were sent")
    }

    async fn bulk(client: &Client, bytes: Bytes) -> Bytes {
        let number = client.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        client.waiting.lock().expect("nobody panics").insert(number, sender);
        client.frames.send((number, bytes)).expect("the connection lives");
        receiver.await.expect("an answer")
    }
}

impl BothWays for ByHand {
    async fn meet(stream: Socket, _: bool) -> Client {
        Self::connect(stream).await
    }
}
