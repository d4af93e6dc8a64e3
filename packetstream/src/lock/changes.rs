//! What is different, and what that does to deployed peers.

use std::fmt;
use std::path::{Path, PathBuf};

/// One difference between a protocol and its lock file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    pub(super) effect: Effect,
    /// Where: `request 4 HashCodes, field start`.
    pub(super) place: String,
    pub(super) what: What,
    /// What there is to know besides; empty if nothing.
    pub(super) because: &'static str,
}

/// What a difference does to deployed peers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Effect {
    /// Nothing: other words for the same bytes.
    Rename,
    /// Peers that do not have it refuse it with an error that says so; what they know stays as it was.
    Addition,
    /// Peers misunderstand each other, or no longer get what they ask.
    Break,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum What {
    New(Option<String>),
    Removed(Option<String>),
    Changed { was: String, is: String },
    Renamed(String),
}

impl Change {
    /// What it does to deployed peers.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether it breaks what is at this place, or within it.
    pub(super) fn is_break_of(&self, place: &str) -> bool {
        let within = self.place.strip_prefix(place);
        self.effect == Effect::Break && within.is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
    }
}

impl fmt::Display for Change {
    /// `request 4 HashCodes, field start: was uint, is string`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match &self.what {
            What::New(None) => f.write_str("new")?,
            What::New(Some(is)) => write!(f, "new, {is}")?,
            What::Removed(None) => f.write_str("removed")?,
            What::Removed(Some(was)) => write!(f, "removed, was {was}")?,
            What::Changed { was, is } => write!(f, "was {was}, is {is}")?,
            What::Renamed(is) => write!(f, "is called {is} now")?,
        }
        if self.because.is_empty() { Ok(()) } else { write!(f, " ({})", self.because) }
    }
}

/// How a protocol differs from its lock file. Displayed it is a report, with what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changes {
    pub(super) protocol: String,
    pub(super) path: PathBuf,
    pub(super) all: Vec<Change>,
}

impl Changes {
    /// The lock file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All differences, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.all.iter()
    }

    /// Whether deployed peers are left behind.
    #[must_use]
    pub fn has_breaks(&self) -> bool {
        self.iter().any(|change| change.effect == Effect::Break)
    }

    fn write_those(&self, f: &mut fmt::Formatter<'_>, effect: Effect, title: &str) -> fmt::Result {
        let those: Vec<_> = self.iter().filter(|change| change.effect == effect).collect();
        if those.is_empty() {
            return Ok(());
        }
        write!(f, "\n\n{title}:")?;
        those.into_iter().try_for_each(|change| write!(f, "\n  {change}"))
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, path, .. } = self;
        let path = path.display();
        if self.has_breaks() {
            write!(f, "{protocol} is no longer what deployed peers know from {path}")?;
            self.write_those(f, Effect::Break, "breaks")?;
            f.write_str(
                "\n\nLeave what is deployed as it was and give the new shape a new request number; or, if no peer \
                 is deployed,\nrecord it with PACKETSTREAM_LOCK=break cargo test",
            )?;
        } else {
            write!(f, "{protocol} breaks no deployed peer, but is more than {path} says")?;
        }
        self.write_those(f, Effect::Addition, "additions, which break none: peers without them refuse them")?;
        self.write_those(f, Effect::Rename, "other words for the same bytes, which break none")?;
        if !self.has_breaks() {
            f.write_str("\n\nRecord it with PACKETSTREAM_LOCK=write cargo test")?;
        }
        Ok(())
    }
}
