//! The thread that reads.

use super::{ConnectionError, Inner, Monitor, Whereabouts};
use crate::codec::{DecodeError, Decoder};
use std::io::{self, Read};
use std::sync::{Arc, PoisonError};

/// Packets that one turn takes from the peer.
const PER_TURN: usize = 256;
/// The most that is asked of one read. More room would be cleared in vain.
const LARGEST_READ: usize = 64 << 10;

/// Reads until nothing that may still come is of interest.
pub(super) fn run(monitor: &Arc<Monitor>, transport: &mut impl Read, decoder: &mut Decoder) {
    while take_packets(monitor, decoder) {
        let read = read(transport, decoder);
        let mut inner = monitor.lock();
        inner.reader = Whereabouts::Near;
        let Some(session) = inner.session() else { return };
        if session.hears_no_more() {
            return;
        }
        match read {
            Ok(0) => session.handle_end(decoder.finish()),
            Ok(count) => inner.wire.told.read += count as u64,
            Err(error) => session.fail(ConnectionError::Read(Arc::new(error))),
        }
    }
}

/// Takes the packets that have been read, and waits until more may be; says whether to go on.
fn take_packets(monitor: &Arc<Monitor>, decoder: &mut Decoder) -> bool {
    let mut inner = monitor.lock();
    loop {
        let drained = inner.take_packets(decoder);
        inner.wire.told.is_mid_packet = decoder.is_mid_packet();
        monitor.turn(&mut inner);
        let Some(session) = inner.session() else { return false };
        if session.hears_no_more() {
            return false;
        }
        match drained {
            Ok(true) if session.may_read() => {
                inner.reader = Whereabouts::InTransport;
                return true;
            }
            Ok(_) if !session.may_read() => {
                inner.reader = Whereabouts::Waiting;
                while inner.reader == Whereabouts::Waiting && !inner.is_over {
                    inner = monitor.room.wait(inner).unwrap_or_else(PoisonError::into_inner);
                }
            }
            Ok(_) => {
                // The others have their turn between two of ours.
                drop(inner);
                inner = monitor.lock();
            }
            Err(error) => {
                session.fail(error.into());
                monitor.turn(&mut inner);
                return false;
            }
        }
    }
}

impl Inner {
    /// Takes packets that have been read, as far as they may be taken, and says whether none is left.
    fn take_packets(&mut self, decoder: &mut Decoder) -> Result<bool, DecodeError> {
        for _ in 0..PER_TURN {
            let Some(session) = self.session() else { return Ok(false) };
            if !session.may_read() {
                return Ok(false);
            }
            let Some(packet) = decoder.next_packet()? else { return Ok(true) };
            if let Some((ticket, request)) = session.handle(packet) {
                self.performers.take(&mut self.session, ticket, request);
            }
            self.performers.take_requests(&mut self.session);
        }
        Ok(false)
    }
}

/// Appends what one read brings to what has been read, and says how much that was.
fn read(transport: &mut impl Read, decoder: &mut Decoder) -> io::Result<usize> {
    let room = decoder.room();
    let before = room.len();
    let most = (room.capacity() - before).min(LARGEST_READ);
    room.resize(before + most, 0);
    let read = loop {
        match transport.read(room.get_mut(before..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(count) if count > most => {
                break Err(io::Error::other(
                    "the transport claims to have read more than there was room for",
                ));
            }
            read => break read,
        }
    };
    room.truncate(before + *read.as_ref().unwrap_or(&0));
    read
}
