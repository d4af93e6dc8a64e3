//! Defects put in on purpose, so that the simulator can prove that it finds such things. There is nothing of them in a
//! build without `--cfg seeded_bugs`; in one with it the environment says which of them is in, by its name.

/// `seeded!(Bug => deed)` does the deed, by which the code around it is wrong, if that bug is in.
#[cfg(not(seeded_bugs))]
macro_rules! seeded {
    ($bug:ident => $deed:expr) => {};
}

#[cfg(seeded_bugs)]
macro_rules! seeded {
    ($bug:ident => $deed:expr) => {
        if crate::seeded_bugs::Bug::$bug.is_in() {
            $deed
        }
    };
}

#[cfg(seeded_bugs)]
pub use list::Bug;

#[cfg(seeded_bugs)]
mod list {
    use std::sync::OnceLock;

    macro_rules! bugs {
        ($($name:ident: $what:literal,)*) => {
            /// A defect.
            #[derive(Clone, Copy, Debug, Eq, PartialEq)]
            #[allow(missing_docs, reason = "they have words of their own")]
            pub enum Bug { $($name,)* }

            impl Bug {
                /// The variable of the environment that names the one that is in.
                pub const VARIABLE: &str = "PACKETSTREAM_SEEDED_BUG";

                /// All of them.
                pub const ALL: &[Self] = &[$(Self::$name,)*];

                /// What is wrong.
                #[must_use]
                pub const fn what(self) -> &'static str {
                    match self { $(Self::$name => $what,)* }
                }
            }
        };
    }

    bugs! {
        AlarmNotMoved: "an earlier deadline does not move the alarm",
        AnsweredTwice: "a request is answered twice, now and then",
        BacklogUnbounded: "reading does not pause for a full backlog",
        BarrierEarly: "a barrier is reached at once",
        BytesNeverGivenBack: "the bytes of a request are in flight for ever",
        CallForgotten: "at the end the callers of requests that were sent are not told",
        EndBeforeAnswers: "the end of stream does not wait for the answers owed",
        EndOfRequestsFirst: "the end of requests overtakes requests",
        GoodbyeNeverOverdue: "the peer's goodbye is waited for without a limit",
        HandlersUnbounded: "requests are begun without a limit",
        LostWakeUp: "a wish to close does not wake the task",
        MissingFlush: "what is written is not flushed",
        NeverSheds: "reading pauses without a limit while answers may be behind",
        NotSentOfSent: "requests that were sent are said not to be",
        PanicUnanswered: "a handler that panics answers nothing",
        PerformedTwice: "a request is performed twice, now and then",
        PermitWithFuture: "a call that is dropped gives its place back at once",
        ReaderWaitsForHandlers: "nothing is read while an answer is owed",
        ReaderWaitsForWriter: "nothing is read while anything waits to be written",
        StallNeverNoticed: "a transport that takes nothing is waited for without a limit",
        TagReused: "a tag is used twice, now and then",
        TornWrite: "a write that takes a part loses a byte",
        TurnNeverGivenUp: "handlers wait for each other's turn without a limit",
        WithdrawnKeepsPermit: "a call that is taken back keeps its place",
        WrongChannel: "answers on other channels go to channel 0",
    }

    impl Bug {
        /// Whether the environment names it.
        #[must_use]
        pub fn is_in(self) -> bool {
            static NAMED: OnceLock<Option<Bug>> = OnceLock::new();
            let named = NAMED.get_or_init(|| {
                let name = std::env::var(Self::VARIABLE).ok()?;
                Self::ALL.iter().copied().find(|bug| format!("{bug:?}") == name)
            });
            *named == Some(self)
        }
    }
}
