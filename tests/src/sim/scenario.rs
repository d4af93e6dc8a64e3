//! What is simulated, as data.

/// Both ends of a connection, what is between them, and what is done to them. Made of a seed by
/// [`of_seed`](Self::of_seed), or written down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scenario {
    /// What the links decide by chance where they may.
    pub seed: u64,
    /// The settings of both.
    pub ends: [End; 2],
    /// The way from end 0 to end 1, and the way back.
    pub links: [Link; 2],
    /// Connections in sequence over the same transport, for as long as each ends well.
    pub rounds: u32,
    /// What is done in each of them, one after the other. At the end both are closed.
    pub steps: Vec<Step>,
}

/// The settings of one end: its limits, in the order of [`packetstream_core::Limits`], and times in milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "they are those of the limits")]
pub struct End {
    pub max_packet: usize,
    pub max_calls: usize,
    pub max_call_bytes: usize,
    pub max_handlers: usize,
    pub max_queued: usize,
    pub max_request_bytes: usize,
    pub max_unsent_bytes: usize,
    pub stall: u64,
    pub answer: u64,
    pub close: u64,
    /// Of [`packetstream_core::Builder::packet_grace`].
    pub grace: u64,
    /// Whether its driver shuts the transport down in the end, or hands it back.
    pub shuts_down: bool,
}

/// One direction of a transport, and what is wrong with it. Places are counted in bytes that were written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Link {
    /// Bytes that are between the ends at most.
    pub capacity: usize,
    /// Bytes that one read brings at most.
    pub read: usize,
    /// Bytes that one write takes at most.
    pub write: usize,
    /// Milliseconds that bytes take at most.
    pub delay: u64,
    /// One in so many reads, writes and flushes has to be done again, half of them because they were interrupted; 0 is
    /// never.
    pub again: u32,
    /// One in so many reads and writes wakes its task for nothing; 0 is never.
    pub wakes: u32,
    /// Whether bytes go nowhere before they are flushed.
    pub holds: bool,
    /// Whether writes of several pieces are taken as such.
    pub vectored: bool,
    /// Where it takes nothing for a while.
    pub stall: Option<Stall>,
    /// A bit that arrives as its opposite.
    pub flip: Option<Flip>,
    /// Where it ends.
    pub cut: Option<Cut>,
    /// What comes of shutting it down.
    pub shutdown: Shutdown,
}

/// A link takes nothing for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stall {
    /// When so many bytes were written.
    pub at: u64,
    /// For how many milliseconds.
    pub ms: u64,
}

/// A bit that arrives as its opposite.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flip {
    /// Behind so many bytes.
    pub at: u64,
    /// Which one, 0 to 7.
    pub bit: u8,
}

/// The end of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cut {
    /// Behind so many bytes.
    pub at: u64,
    /// What whoever reads sees of it.
    pub reader: ReaderSees,
    /// What whoever writes does.
    pub writer: WriterSees,
}

/// What whoever reads sees of a link's end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReaderSees {
    /// The end of the stream.
    StreamEnd,
    /// An error.
    ReadError,
    /// Nothing, for ever.
    NothingMore,
}

/// What whoever writes sees of a link's end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriterSees {
    /// An error.
    WriteError,
    /// That no byte was taken.
    Zero,
    /// That more was taken than there was.
    Lie,
    /// That all is well.
    Success,
    /// Nothing, for ever.
    Blocked,
}

/// What comes of shutting a link down.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shutdown {
    /// The end of the stream.
    Fine,
    /// An error.
    Fails,
    /// Nothing, for ever.
    Hangs,
}

/// What is done to the ends; an end is 0 or 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// An end asks.
    Ask {
        /// Which.
        end: usize,
        /// And then.
        then: Then,
        /// What.
        request: Request,
    },
    /// An end asks the same many times over.
    Flood {
        /// Which.
        end: usize,
        /// So many times.
        count: u32,
        /// And then, each time.
        then: Then,
        /// What.
        request: Request,
    },
    /// One of those who wait for an answer at an end goes, counted from the latest.
    GiveUp {
        /// Which end.
        end: usize,
        /// Who.
        nth: usize,
    },
    /// Somebody waits until all is settled that the end has asked so far.
    Barrier(usize),
    /// Somebody with a handle waits until the end's peer has said its last.
    Listen(usize),
    /// No more requests.
    Drain(usize),
    /// Goodbye.
    Close(usize),
    /// The end, now.
    Abort(usize),
    /// The handles of an end go, and who listens with one.
    DropHandle(usize),
    /// The task of an end's connection is aborted.
    DropDriver(usize),
    /// An end performs requests on this channel from now on.
    Serve {
        /// Which end.
        end: usize,
        /// The channel.
        channel: u64,
    },
    /// Milliseconds go by.
    Sleep(u64),
    /// All tasks that have something to do do some of it, so many times.
    Yield(u32),
    /// All is awaited that was asked; if that may take for ever, a second.
    Settle,
    /// The machine was asleep for so many seconds, after all was settled.
    Jump(u64),
}

/// What whoever asks does then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Then {
    /// Waits.
    Wait,
    /// Waits for so many milliseconds.
    Timeout(u64),
    /// Does not wait.
    Forget,
    /// Polls so many times, at every occasion, and goes.
    Poll(u32),
    /// Had waited for a place before, and waits.
    Reserve,
}

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Request {
    /// On this channel. 0 and 7 have a handler from the start, others when there is a [`Step::Serve`].
    pub channel: u64,
    /// What its handler does.
    pub deed: Deed,
    /// Bytes of its payload.
    pub size: usize,
    /// Bytes of the answer's payload.
    pub reply: usize,
    /// Milliseconds that a handler takes which takes some.
    pub ms: u64,
    /// How often those ask back that are asked by handlers which ask back.
    pub depth: u32,
}

/// What a handler does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    /// Answers at once.
    Echo,
    /// Answers later.
    Later,
    /// Answers after so many polls as there are milliseconds.
    Polls,
    /// Answers not-ok, at once.
    Fail,
    /// Answers not-ok, later.
    FailLater,
    /// Panics at once.
    Panic,
    /// Panics later.
    PanicLater,
    /// Panics when it is dropped, later or when it is cancelled.
    PanicInDrop,
    /// Never answers.
    Hang,
    /// Answers when nobody can hear it any more.
    UntilCancelled,
    /// Asks back, and answers when it is answered.
    AskBack,
    /// Asks back twice at once, and answers when both are answered.
    AskTwice,
    /// Asks back, does not wait for it, and answers.
    AskAndForget,
    /// Closes the connection, and answers.
    Goodbye,
    /// Answers at once with 100 bytes more than its end may send, if that is less than 128 KiB.
    TooLong,
}

impl Deed {
    pub(super) const fn asks_back(self) -> bool {
        matches!(self, Self::AskBack | Self::AskTwice | Self::AskAndForget)
    }
}

/// The channel that has a handler from the start.
pub(super) const CHANNEL: u64 = 7;

impl Scenario {
    /// Whether nothing is wrong with the transport, no handler hangs, and nobody ends a connection but by closing it:
    /// then all has to go well.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let [a, b] = &self.ends;
        a.max_packet == b.max_packet
            && self.ends.iter().all(End::is_patient)
            && self.links.iter().all(Link::is_healthy)
            && self.steps.iter().all(Step::is_healthy)
    }

    /// Whether some handler may never answer.
    pub(super) fn hangs(&self) -> bool {
        self.requests().any(|request| matches!(request.deed, Deed::Hang | Deed::UntilCancelled))
    }

    /// Whether what arrives may be other than what was sent.
    pub(super) fn is_corrupt(&self) -> bool {
        self.links.iter().any(|link| link.flip.is_some())
    }

    /// Whether handlers ask back, and so may wait for each other.
    pub(super) fn nests(&self) -> bool {
        self.requests().any(|request| request.deed.asks_back())
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.steps.iter().filter_map(|step| match step {
            Step::Ask { request, .. } | Step::Flood { request, .. } => Some(request),
            _ => None,
        })
    }
}

impl End {
    /// What is patient enough for all that happens where nothing is wrong.
    pub(super) const PATIENT: [u64; 3] = [60_000, 3_600_000, 3_600_000];

    fn is_patient(&self) -> bool {
        [self.stall, self.answer, self.close] == Self::PATIENT
    }
}

impl Link {
    /// The longest stall that harms nobody who is patient, in milliseconds.
    pub(super) const SHORT_STALL: u64 = 10_000;

    fn is_healthy(&self) -> bool {
        self.cut.is_none()
            && self.flip.is_none()
            && self.shutdown == Shutdown::Fine
            && self.stall.is_none_or(|stall| stall.ms <= Self::SHORT_STALL)
    }
}

impl Step {
    fn is_healthy(&self) -> bool {
        match self {
            Self::Abort(_) | Self::DropDriver(_) => false,
            Self::Ask { request, .. } | Self::Flood { request, .. } => {
                !matches!(request.deed, Deed::Hang | Deed::UntilCancelled)
            }
            _ => true,
        }
    }
}
