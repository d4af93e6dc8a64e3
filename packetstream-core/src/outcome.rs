//! What came of a request: a [`Reply`] or a [`Failure`].

use bytes::Bytes;
use std::fmt;

/// What came of a request: `Ok` travels as an ok response, `Err` as a not-ok one.
pub type Outcome = Result<Reply, Failure>;

/// The content of an ok response.
///
/// The conversions are the five result forms of the Python original's handlers: nothing, flags, bytes,
/// text, flags with bytes ([rule R-5](crate::wire)).
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Reply {
    /// The application's flags, at most [`MAX_REPLY_FLAGS`](crate::MAX_REPLY_FLAGS).
    pub flags: u64,
    /// The application's bytes. Whoever keeps few of them for long should copy them: they may share up to 1 KiB with
    /// others that came at the same time.
    pub payload: Bytes,
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<u64> for Reply {
    fn from(flags: u64) -> Self {
        Self { flags, payload: Bytes::new() }
    }
}

impl From<Bytes> for Reply {
    fn from(payload: Bytes) -> Self {
        Self { flags: 0, payload }
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self { flags: 0, payload: text.into() }
    }
}

impl From<(u64, Bytes)> for Reply {
    fn from((flags, payload): (u64, Bytes)) -> Self {
        Self { flags, payload }
    }
}

impl fmt::Debug for Reply {
    /// Shows the payload's length only, so that no log shows what a payload holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply {{ flags: {:#x}, payload: {} bytes }}", self.flags, self.payload.len())
    }
}

/// The content of a not-ok response: the request was refused, or its handler failed.
///
/// What a handler puts here crosses the wire, so make it of words meant for the peer:
/// `Failure::new("no such chunk")`. `Display` shows the payload as text, escaped and cut at 256
/// characters.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Failure {
    /// The application's flags, at most [`MAX_REPLY_FLAGS`](crate::MAX_REPLY_FLAGS).
    pub flags: u64,
    /// The reason, by convention a short UTF-8 text.
    pub payload: Bytes,
}

impl Failure {
    /// The most characters of a reason that `Display` shows.
    const SHOWN: usize = 256;

    const BUSY: &'static [u8] = b"busy";

    const UNKNOWN_CHANNEL: &'static str = "unknown channel ";

    /// A failure with this reason, which the peer will read.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { flags: 0, payload: Bytes::from(reason.into()) }
    }

    /// What a peer is told of a failure whose cause is not its business, a panic say. The text is the
    /// Python original's ([rule R-6](crate::wire)).
    #[must_use]
    pub const fn internal() -> Self {
        Self { flags: 0, payload: Bytes::from_static(b"exception during handler") }
    }

    /// A refusal for lack of room: `busy`, or `busy: <detail>` ([rule R-14](crate::wire)).
    ///
    /// It promises that the request was not performed, not even in part, so that it is safe to ask again. A
    /// connection refuses so what exceeds its limits. A handler that asks another peer does not pass the refusal of
    /// that one on as it is, unless it has done nothing else.
    #[must_use]
    pub fn busy(detail: &str) -> Self {
        if detail.is_empty() {
            return Self { flags: 0, payload: Bytes::from_static(Self::BUSY) };
        }
        Self::new(format!("busy: {detail}"))
    }

    /// Whether it is a [`busy`](Self::busy) refusal. A declared failure, which has flags, never is.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let detail = self.payload.strip_prefix(Self::BUSY);
        self.flags == 0 && detail.is_some_and(|detail| detail.is_empty() || detail.starts_with(b": "))
    }

    /// A refusal because no such channel is open: `unknown channel 7`.
    #[must_use]
    pub fn unknown_channel(channel: u64) -> Self {
        Self::new(format!("{}{channel}", Self::UNKNOWN_CHANNEL))
    }

    /// Whether the peer has no such channel, so that it did not perform the request. The Python original
    /// knows no channel but 0, and says so without the number.
    #[must_use]
    pub fn is_unknown_channel(&self) -> bool {
        let rest = self.payload.strip_prefix(Self::UNKNOWN_CHANNEL.as_bytes());
        self.flags == 0
            && rest.is_some_and(|rest| {
                rest == b"%d" || (!rest.is_empty() && rest.iter().all(u8::is_ascii_digit))
            })
    }

    /// The reason as text; bytes that are not UTF-8 are replaced.
    ///
    /// It is the peer's text: escape it before showing it, as `Display` does.
    #[must_use]
    pub fn reason(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.payload)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A character takes at most 4 bytes: a huge payload need not be looked at whole.
        let shown = self.payload.get(..Self::SHOWN * 4).unwrap_or(&self.payload);
        let text = String::from_utf8_lossy(shown);
        for c in text.chars().take(Self::SHOWN).flat_map(char::escape_debug) {
            write!(f, "{c}")?;
        }
        if self.flags != 0 {
            write!(f, " (flags {:#x})", self.flags)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    /// Shows the payload's length only; `Display` shows the reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure {{ flags: {:#x}, payload: {} bytes }}", self.flags, self.payload.len())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules: none: how it is shown
    #[test]
    fn a_reason_is_shown_escaped_and_cut() {
        assert_eq!(Failure::new("no such chunk").to_string(), "no such chunk");
        assert_eq!(Failure::new("\x1b[2J\r\n").to_string(), r"\u{1b}[2J\r\n");
        assert_eq!(Failure::new("é".repeat(10_000)).to_string(), "é".repeat(256));
        assert_eq!(Failure { flags: 5, ..Failure::new("no") }.to_string(), "no (flags 0x5)");
    }

    // Rules: R-14
    #[test]
    fn a_busy_refusal_is_told_by_its_text() {
        for (failure, text) in [(Failure::busy(""), "busy"), (Failure::busy("2 at once"), "busy: 2 at once")]
        {
            assert_eq!(failure, Failure::new(text));
            assert!(failure.is_busy());
            assert!(!Failure { flags: 1, ..failure }.is_busy());
        }
        for other in ["", "bus", "busybody", "busy:", "not busy", "Busy"] {
            assert!(!Failure::new(other).is_busy(), "{other}");
        }
    }

    // Rules: R-9
    #[test]
    fn a_refused_channel_is_told_by_its_text_pythons_too() {
        assert_eq!(Failure::unknown_channel(7), Failure::new("unknown channel 7"));
        for text in ["unknown channel 7", "unknown channel 18446744073709551615", "unknown channel %d"] {
            assert!(Failure::new(text).is_unknown_channel(), "{text}");
        }
        for text in ["unknown channel ", "unknown channel seven", "unknown channel %s", "unknown", ""] {
            assert!(!Failure::new(text).is_unknown_channel(), "{text}");
        }
        assert!(!Failure { flags: 1, ..Failure::unknown_channel(7) }.is_unknown_channel());
    }

    // Rules: none: how it is shown
    #[test]
    fn debug_never_shows_a_payload() {
        let failure = Failure { flags: 5, ..Failure::new("hunter2") };
        assert_eq!(format!("{failure:?}"), "Failure { flags: 0x5, payload: 7 bytes }");
        let reply = Reply { flags: 5, ..Reply::from("hunter2".to_owned()) };
        assert_eq!(format!("{reply:?}"), "Reply { flags: 0x5, payload: 7 bytes }");
        assert_eq!(format!("{:?}", Reply::from(())), "Reply { flags: 0x0, payload: 0 bytes }");
    }
}
