//! A peer without a thread: what is written to it is answered when it is read from.

use crate::codec::Decoder;
use crate::outcome::Reply;
use crate::state::{ConnectionState, Event, RequestId};
use bytes::BufMut;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream to a peer that answers one request each time it is read from.
pub(super) struct Echo {
    peer: ConnectionState<()>,
    heard: Decoder,
    owed: VecDeque<RequestId>,
    /// Requests that it may owe answers to.
    most: usize,
    unread: VecDeque<u8>,
    reader: Option<Waker>,
}

impl Echo {
    pub(super) fn new(most: usize) -> Self {
        Self {
            peer: ConnectionState::default(),
            heard: Decoder::default(),
            owed: VecDeque::new(),
            most,
            unread: VecDeque::new(),
            reader: None,
        }
    }
}

impl AsyncWrite for Echo {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.heard.room().put_slice(bytes);
        while let Some(packet) = this.heard.next_packet().unwrap() {
            if let Some(Event::Requested(request)) = this.peer.handle_packet(packet).unwrap() {
                this.owed.push_back(request.id);
            }
        }
        assert!(this.owed.len() <= this.most, "{} in flight, of {}", this.owed.len(), this.most);
        if this.peer.is_peer_draining() {
            this.peer.close();
        }
        if let Some(reader) = this.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Echo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(id) = this.owed.pop_front() {
            this.peer.respond(id, Ok(Reply::default()));
        }
        while let Some(packet) = this.peer.poll_transmit() {
            this.unread.extend(packet.transcribe());
        }
        if this.unread.is_empty() {
            this.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = into.remaining().min(this.unread.len());
        into.put_slice(&this.unread.drain(..count).collect::<Vec<_>>());
        Poll::Ready(Ok(()))
    }
}
