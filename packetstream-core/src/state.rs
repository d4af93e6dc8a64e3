//! The protocol's memory: packets to events, without I/O, clock or runtime.
//!
//! Names tell the direction: `handle_*` is what came from the peer, plain verbs are what the
//! application wants, [`poll_transmit`](ConnectionState::poll_transmit) is what goes to the peer.
//!
//! Each side says goodbye in steps, and the two sides do it independently:
//!
//! ```text
//!           drain()                    close(), or               all calls answered,
//!           queues "end of requests"   both sides have drained   all requests answered
//!   Open ───────────────────▶ Draining ─────────▶ Closing ─────────────────────▶ Silent
//!   asks and answers          still answers       answers what comes in time     "end of stream" was its last packet
//!     └──────────────────── close() ─────────────────▲
//! ```
//!
//! When the peer falls silent its answers can no longer come: every call still waiting ends, and this
//! side closes too, after the answers it owes (rules L-7 and L-8).

mod account;
mod channels;
mod event;
mod queue;

pub(crate) use event::Digest;
pub use event::{Abandoned, Event, RequestId, Requested};

use crate::outcome::{Failure, Outcome};
use crate::packet::{Kind, Packet, PacketError};
use bytes::Bytes;
use channels::{Asked, Channels, Load};
use queue::Outgoing;
use std::mem;

/// How many packets that make no sense the peer may send before the connection ends: responses nobody
/// waits for, requests with a tag in flight, repeated "end of requests". Each response that somebody
/// waited for takes one back, so that a long life does not add up to an offence (rule R-13).
pub(crate) const STRAY_BUDGET: u32 = 128;

/// One connection as the protocol sees it. Each request of ours parks a waiter `W` here, which comes
/// back exactly once: in [`Event::Answered`], in [`Event::Ended`], from [`abort`](Self::abort), or at
/// once with the reason why the request was not taken.
///
/// ```
/// use packetstream_core::{ConnectionState, Event, Reply};
///
/// let (mut us, mut peer) = (ConnectionState::default(), ConnectionState::<()>::default());
/// us.submit(0, 1, 0, "ping".into(), "our waiter").unwrap();
///
/// let request = us.poll_transmit().unwrap();
/// let Some(Event::Requested(request)) = peer.handle_packet(request)? else { panic!() };
/// peer.respond(request.id, Ok(Reply::from(request.payload)));
///
/// let response = peer.poll_transmit().unwrap();
/// let Some(Event::Answered { waiter, outcome }) = us.handle_packet(response)? else { panic!() };
/// assert_eq!((waiter, outcome), ("our waiter", Ok(Reply::from(bytes::Bytes::from("ping")))));
/// # Ok::<(), packetstream_core::ProtocolError>(())
/// ```
#[derive(Debug)]
pub struct ConnectionState<W> {
    channels: Channels<W>,
    outgoing: Outgoing,
    /// Our requests on all channels that have no response yet.
    asked: Load,
    /// The peer's requests on all channels that have no response yet.
    owed: Load,
    ours: Half,
    theirs: Half,
    strays: u32,
    /// Requests of the peer that were refused here, and have never been an event.
    refused: u64,
    /// Packets that made no sense, in all.
    ignored: u64,
}

/// How far one side has come in saying goodbye.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Half {
    /// May still ask and answer.
    Open,
    /// Has asked its last request; answers for as long as the other side asks.
    Draining,
    /// Ends its stream as soon as everything is answered. Of the peer this cannot be seen.
    Closing,
    /// Has sent its last packet.
    Silent,
}

/// Why a request was not taken; nothing of it was or will be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SubmitError {
    /// This side has closed, or the peer has sent its last packet.
    #[error("the connection is closed")]
    Closed,
    /// No such channel was opened.
    #[error("channel {0} is not open")]
    UnknownChannel(u64),
    /// The wire cannot carry it.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// All 2^64 tags of the channel are used up.
    #[error("all tags of channel {0} are used up")]
    TagsExhausted(u64),
}

/// Why the peer's packets are beyond repair.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProtocolError {
    /// Wire request type 0 is reserved for "end of requests" and "end of stream", and this is neither.
    #[error("unknown control packet on channel {channel} with tag {tag}")]
    UnknownControl {
        /// The packet's channel.
        channel: u64,
        /// The packet's tag.
        tag: u64,
    },
    /// Too many packets that make no sense: responses nobody waits for, requests with a tag in flight,
    /// repeated "end of requests".
    #[error(
        "more than {STRAY_BUDGET} packets that make no sense, the last on channel {channel} with tag {tag}"
    )]
    TooManyStrays {
        /// The last packet's channel.
        channel: u64,
        /// The last packet's tag.
        tag: u64,
    },
}

impl<W> Default for ConnectionState<W> {
    fn default() -> Self {
        Self {
            channels: Channels::default(),
            outgoing: Outgoing::default(),
            asked: Load::default(),
            owed: Load::default(),
            ours: Half::Open,
            theirs: Half::Open,
            strays: 0,
            refused: 0,
            ignored: 0,
        }
    }
}

impl<W> ConnectionState<W> {
    /// Opens a channel besides 0, for our requests and the peer's; opening it again does nothing.
    pub fn open_channel(&mut self, channel: u64) {
        self.channels.open(channel);
    }

    /// Queues a request of ours.
    ///
    /// # Errors
    ///
    /// The reason and the waiter, when the request cannot be made; nothing has changed then.
    #[inline]
    pub fn submit(
        &mut self,
        channel: u64,
        rq_type: u64,
        flags: u64,
        payload: Bytes,
        waiter: W,
    ) -> Result<RequestId, (SubmitError, W)> {
        if self.ours != Half::Open {
            return Err((SubmitError::Closed, waiter));
        }
        let Some(space) = self.channels.get_mut(channel) else {
            return Err((SubmitError::UnknownChannel(channel), waiter));
        };
        let tag = space.next_tag;
        let Some(next_tag) = tag.checked_add(1) else {
            return Err((SubmitError::TagsExhausted(channel), waiter));
        };
        let bytes = payload.len();
        let packet = match Packet::request(channel, tag, rq_type, flags, payload) {
            Ok(packet) => packet,
            Err(error) => return Err((error.into(), waiter)),
        };
        space.next_tag = next_tag;
        seeded!(TagReused => if tag % 16 == 9 { space.next_tag = tag });
        space.asked.insert(tag, Asked { waiter, bytes });
        self.asked.add(bytes);
        self.outgoing.push_request(packet);
        Ok(RequestId { channel, tag })
    }

    /// Queues the answer to a request of the peer. Answers to requests that are not owed one, because
    /// they have it or the connection has ended, are dropped.
    ///
    /// An outcome that the wire cannot carry becomes [`Failure::internal`]: the peer is always answered.
    #[inline]
    pub fn respond(&mut self, id: RequestId, outcome: Outcome) {
        let RequestId { channel, tag } = id;
        let Some(bytes) = self.channels.get_mut(channel).and_then(|space| space.owed.remove(tag)) else {
            return;
        };
        self.owed.remove(bytes);
        if self.ours != Half::Silent {
            seeded!(AnsweredTwice => if tag % 16 == 9 { self.push_response(id, outcome.clone()) });
            seeded!(WrongChannel => return self.push_response(RequestId { channel: 0, tag }, outcome));
            self.push_response(id, outcome);
        }
    }

    #[inline]
    fn push_response(&mut self, RequestId { channel, tag }: RequestId, outcome: Outcome) {
        let packet = Packet::response(channel, tag, outcome)
            .or_else(|_| Packet::response(channel, tag, Err(Failure::internal())));
        if let Ok(packet) = packet {
            self.outgoing.push_response(packet);
        }
    }

    /// Makes no more requests, and goes on answering. When the peer makes no more either, this side closes.
    /// Doing it again does nothing.
    pub fn drain(&mut self) {
        if self.ours == Half::Open {
            self.ours = Half::Draining;
            self.outgoing.push_request(Packet::end_of_requests());
        }
        if self.theirs != Half::Open {
            self.close();
        }
    }

    /// Says goodbye: no more requests from us; when everything is answered, in both directions, the end
    /// of the stream. Saying it again does nothing.
    pub fn close(&mut self) {
        if self.ours == Half::Open {
            self.outgoing.push_request(Packet::end_of_requests());
        }
        self.ours = self.ours.max(Half::Closing);
    }

    /// Gives up: nothing is asked or answered any more, and all that remains to be sent is the end of
    /// the stream. Returns the waiters of all requests without an answer.
    pub fn abort(&mut self) -> Abandoned<W> {
        let abandoned = self.abandon();
        if self.ours != Half::Silent {
            self.outgoing.clear();
            self.outgoing.push_request(Packet::end_of_stream());
            self.ours = Half::Silent;
        }
        self.theirs = Half::Silent;
        self.channels.iter_mut().for_each(|space| drop(mem::take(&mut space.owed)));
        self.owed = Load::default();
        abandoned
    }

    /// Takes back all requests that [`poll_transmit`](Self::poll_transmit) has not yielded, and returns
    /// their waiters, oldest first.
    pub fn withdraw(&mut self) -> Vec<W> {
        let mut unsent = Vec::new();
        for packet in self.outgoing.take_requests() {
            match packet.kind() {
                Kind::Request(_) => {
                    let space = self.channels.get_mut(packet.channel());
                    unsent.extend(space.and_then(|space| space.asked.remove(packet.tag())));
                }
                _ => self.outgoing.push_request(packet),
            }
        }
        unsent
            .into_iter()
            .map(|Asked { waiter, bytes }| {
                self.asked.remove(bytes);
                waiter
            })
            .collect()
    }

    /// Takes back the request that [`poll_transmit`](Self::poll_transmit) would yield next, if that is one and
    /// nobody wants its answer any more, and returns its waiter.
    pub fn withdraw_next_if(&mut self, is_unwanted: impl FnOnce(&W) -> bool) -> Option<W> {
        let packet = self.outgoing.next_request()?;
        let Kind::Request(_) = packet.kind() else { return None };
        let (channel, tag) = (packet.channel(), packet.tag());
        let space = self.channels.get_mut(channel)?;
        if !is_unwanted(&space.asked.get(tag)?.waiter) {
            return None;
        }
        let Asked { waiter, bytes } = space.asked.remove(tag)?;
        self.asked.remove(bytes);
        self.outgoing.drop_request();
        Some(waiter)
    }

    /// Ends all our requests: those that were not sent yet never are, since the peer would not answer.
    fn abandon(&mut self) -> Abandoned<W> {
        let unsent = self.withdraw();
        self.asked = Load::default();
        let sent = self.channels.iter_mut().flat_map(|space| space.asked.drain());
        Abandoned { sent: sent.map(|asked| asked.waiter).collect(), unsent }
    }

    /// Takes one packet from the peer.
    ///
    /// # Errors
    ///
    /// The connection is beyond repair: [`abort`](Self::abort) it.
    pub fn handle_packet(&mut self, packet: Packet) -> Result<Option<Event<W>>, ProtocolError> {
        let id = RequestId { channel: packet.channel(), tag: packet.tag() };
        Ok(match self.digest(&packet)? {
            Digest::Nothing => None,
            Digest::Requested(rq_type) => {
                let (flags, payload) = (packet.flags(), packet.into_payload());
                Some(Event::Requested(Requested { id, rq_type, flags, payload }))
            }
            Digest::Answered(waiter) => {
                packet.into_outcome().map(|outcome| Event::Answered { waiter, outcome })
            }
            Digest::Ended(abandoned) => Some(Event::Ended(abandoned)),
        })
    }

    /// As [`handle_packet`](Self::handle_packet), and leaves the packet's content where it is.
    #[inline]
    pub(crate) fn digest(&mut self, packet: &Packet) -> Result<Digest<W>, ProtocolError> {
        if self.theirs == Half::Silent {
            return Ok(Digest::Nothing);
        }
        let id = RequestId { channel: packet.channel(), tag: packet.tag() };
        match packet.kind() {
            Kind::Control if *packet == Packet::end_of_stream() => Ok(Digest::Ended(self.handle_eof())),
            Kind::Control if *packet == Packet::end_of_requests() => self.requests_ended(id),
            Kind::Control => Err(ProtocolError::UnknownControl { channel: id.channel, tag: id.tag }),
            Kind::Request(rq_type) => self.requested(id, rq_type, packet.payload().len()),
            Kind::Response { .. } => self.answered(id),
        }
    }

    /// Takes note that nothing more comes from the peer, and closes. Returns the waiters of all
    /// requests without an answer.
    pub fn handle_eof(&mut self) -> Abandoned<W> {
        self.theirs = Half::Silent;
        let abandoned = self.abandon();
        self.close();
        abandoned
    }

    fn requests_ended(&mut self, id: RequestId) -> Result<Digest<W>, ProtocolError> {
        if self.theirs == Half::Draining {
            return self.stray(id);
        }
        self.theirs = Half::Draining;
        if self.ours == Half::Draining {
            self.close();
        }
        Ok(Digest::Nothing)
    }

    #[inline]
    fn requested(&mut self, id: RequestId, rq_type: u64, bytes: usize) -> Result<Digest<W>, ProtocolError> {
        // Our last packet is out: the peer learns from it that this will not be answered (rule L-10).
        if self.ours == Half::Silent {
            return Ok(Digest::Nothing);
        }
        let refuse_all = self.theirs != Half::Open;
        let Some(space) = self.channels.get_mut(id.channel) else {
            return Ok(self.refuse(id, Failure::unknown_channel(id.channel)));
        };
        let is_known =
            if refuse_all { space.owed.contains(id.tag) } else { !space.owed.insert(id.tag, bytes) };
        // A refusal would be taken for the answer to the first request with this tag (rule R-10).
        if is_known {
            return self.stray(id);
        }
        if refuse_all {
            return Ok(self.refuse(id, Failure::new("requests no longer allowed")));
        }
        self.owed.add(bytes);
        Ok(Digest::Requested(rq_type))
    }

    #[inline]
    fn answered(&mut self, id: RequestId) -> Result<Digest<W>, ProtocolError> {
        let asked = self.channels.get_mut(id.channel).and_then(|space| space.asked.remove(id.tag));
        let Some(Asked { waiter, bytes }) = asked else { return self.stray(id) };
        self.asked.remove(bytes);
        self.strays = self.strays.saturating_sub(1);
        Ok(Digest::Answered(waiter))
    }

    #[cold]
    fn refuse(&mut self, id: RequestId, failure: Failure) -> Digest<W> {
        self.refused = self.refused.saturating_add(1);
        self.push_response(id, Err(failure));
        Digest::Nothing
    }

    /// Ignores a packet that makes no sense, within the budget.
    #[cold]
    fn stray(&mut self, id: RequestId) -> Result<Digest<W>, ProtocolError> {
        self.strays = self.strays.saturating_add(1);
        self.ignored = self.ignored.saturating_add(1);
        if self.strays > STRAY_BUDGET {
            return Err(ProtocolError::TooManyStrays { channel: id.channel, tag: id.tag });
        }
        Ok(Digest::Nothing)
    }

    /// The next packet for the peer. Responses and requests take turns, so that neither waits for more
    /// than one of the other.
    #[inline]
    pub fn poll_transmit(&mut self) -> Option<Packet> {
        self.outgoing.pop().or_else(|| self.end_of_stream())
    }

    /// Has [the next packet for the peer](Self::poll_transmit) written, where it lies, and says whether there was one.
    #[inline]
    pub fn transmit(&mut self, write: impl FnOnce(&Packet)) -> bool {
        if self.outgoing.is_empty()
            && let Some(end) = self.end_of_stream()
        {
            self.outgoing.push_request(end);
        }
        self.outgoing.write(write)
    }

    /// The last packet, when it is time for it.
    fn end_of_stream(&mut self) -> Option<Packet> {
        let is_over = self.ours == Half::Closing && self.in_flight() == 0;
        seeded!(EndBeforeAnswers => if is_over { self.owed = Load::default() });
        if is_over && self.owed() == 0 {
            self.ours = Half::Silent;
            return Some(Packet::end_of_stream());
        }
        None
    }
}

#[cfg(test)]
mod tests;
