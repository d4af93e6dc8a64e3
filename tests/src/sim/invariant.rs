//! What holds whatever happens.

use std::fmt;

/// What has to hold in every simulation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Invariant {
    /// I1: what came of a request is told exactly once, unless its caller has gone.
    ResolvedOnce,
    /// I2: what arrives is what was asked, and the answer is that to the request.
    AnswerMatches,
    /// I3: a request is performed at most once, and if it is answered as such, exactly once; in order of arrival.
    PerformedOnce,
    /// I4: what was not sent, as the caller is told, was not sent and not performed.
    NotSentIsTrue,
    /// I5: everything ends in the time that it may take.
    EndsInTime,
    /// I6: at the end nothing is held: no request, permit, task or byte.
    NothingLeft,
    /// I7: nothing ever exceeds its limit.
    WithinLimits,
    /// I8: the wire carries whole, valid packets, to another decoder too.
    WholePackets,
    /// I9: tags, answers and end markers come in the order of the protocol.
    PacketOrder,
    /// I10: one seed is one course of events.
    Replays,
    /// I11: the reports of both ends add up, and fit each other and the wire.
    ReportsAddUp,
    /// I12: a barrier is reached when all is settled that was asked before, not earlier.
    BarrierHolds,
    /// I13: no code of the library panics.
    NoPanic,
}

impl Invariant {
    /// `I1` to `I13`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResolvedOnce => "I1",
            Self::AnswerMatches => "I2",
            Self::PerformedOnce => "I3",
            Self::NotSentIsTrue => "I4",
            Self::EndsInTime => "I5",
            Self::NothingLeft => "I6",
            Self::WithinLimits => "I7",
            Self::WholePackets => "I8",
            Self::PacketOrder => "I9",
            Self::Replays => "I10",
            Self::ReportsAddUp => "I11",
            Self::BarrierHolds => "I12",
            Self::NoPanic => "I13",
        }
    }
}

/// An invariant that does not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.invariant.name(), self.invariant, self.what)
    }
}
