//! What should move and has not.

use super::super::error::ConnectionError;
use super::super::limits::Limits;
use super::super::watchdog::Wait;
use super::{Overdue, Phase, Session, Transit};
use tokio::time::Instant;

impl Session {
    /// Looks at what should move and has not.
    pub(in crate::connection) fn look(&mut self, transit: &Transit, now: Instant) -> Overdue {
        self.knotted_until = self.knotted_until.filter(|until| now < *until);
        let progress = Wait::ALL.map(|wait| self.progress(wait, transit));
        let wait = match self.deadlines.look(progress, now) {
            Ok(next) => return Overdue::Nothing(next),
            Err(wait) => wait,
        };
        let Limits { stall_timeout, answer_timeout, close_timeout, .. } = self.shared.limits;
        match wait {
            Wait::Reading => self.fail(ConnectionError::ReadStalled(stall_timeout)),
            Wait::Writing => {
                let unsent = transit.unsent.saturating_add(self.state.queued_bytes());
                self.fail(ConnectionError::WriteStalled { limit: stall_timeout, unsent });
            }
            Wait::Room => self.is_shedding = true,
            Wait::Handler => {
                // What comes next may be the next of a flood, and what its handler asks for behind the one after it.
                self.knotted_until = now.checked_add(stall_timeout);
                self.refuse_backlog();
            }
            Wait::Knot => self.refuse_backlog(),
            Wait::Turn => self.give_up_turns(),
            Wait::Answers => {
                let (in_flight, owed) = (self.state.in_flight(), self.state.owed());
                self.fail(ConnectionError::CloseTimedOut { limit: answer_timeout, in_flight, owed });
            }
            Wait::Goodbye => self.fail(ConnectionError::GoodbyeTimedOut(close_timeout)),
            Wait::Leaving => {
                self.give_up();
                return Overdue::GaveUp;
            }
        }
        Overdue::Handled
    }

    /// How far what is waited for has come; nothing if it is not waited for.
    fn progress(&self, wait: Wait, transit: &Transit) -> Option<u64> {
        let is_live = self.phase == Phase::Live;
        let is_asking = self.state.in_flight() > 0;
        let packets = self.stats.packets_received;
        match wait {
            Wait::Reading => {
                let waits = is_live && self.wants_packets() && transit.is_mid_packet;
                waits.then_some(transit.read)
            }
            Wait::Writing => {
                seeded!(StallNeverNoticed => return None);
                let waits = is_live && !transit.is_flushed && !transit.is_gathering;
                waits.then_some(transit.written)
            }
            Wait::Room => {
                seeded!(NeverSheds => return None);
                let waits = is_live && is_asking && !self.is_shedding && !self.has_room();
                waits.then_some(packets)
            }
            Wait::Knot if self.knotted_until.is_none() => None,
            Wait::Handler | Wait::Knot => {
                let waits =
                    is_live && is_asking && !self.backlog.is_empty() && !self.may_start(self.running());
                waits.then_some(packets.wrapping_add(transit.written))
            }
            Wait::Turn => {
                seeded!(TurnNeverGivenUp => return None);
                let performs = self.state.owed() > self.backlog.len();
                let is_awaited = self.shared.inbox.queued() > 0 || !self.commands.is_empty();
                let waits = is_live && is_asking && performs && is_awaited;
                waits.then_some(packets.wrapping_add(transit.written))
            }
            Wait::Answers => {
                let waits = self.phase != Phase::Leaving && self.is_closing() && !self.state.is_silent();
                waits.then_some(0)
            }
            Wait::Goodbye => {
                seeded!(GoodbyeNeverOverdue => return None);
                let waits = self.phase != Phase::Leaving && self.state.is_silent();
                waits.then_some(0)
            }
            Wait::Leaving => match self.phase {
                Phase::Live => None,
                Phase::Mute => Some(transit.read),
                Phase::Leaving => Some(0),
            },
        }
    }

    /// The peer could not be told, or has not said its last, in time.
    fn give_up(&mut self) {
        self.fail(self.cause.clone().unwrap_or(ConnectionError::NoGoodbye));
        while self.state.poll_transmit().is_some() {}
    }
}
