//! Matches what has numbers on the wire and names for people.

use crate::outline::{Request, Variant};

pub(super) trait Numbered {
    fn number(&self) -> u64;
    fn name(&self) -> &str;
}

impl Numbered for Request {
    fn number(&self) -> u64 {
        self.number
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Numbered for Variant {
    fn number(&self) -> u64 {
        self.number
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// What became of a number.
pub(super) enum Match<'a, T> {
    /// It is the same thing's, though maybe by another name.
    Same(&'a T, &'a T),
    /// It is that of something else that was there before, or what it was that of is elsewhere.
    Other(&'a T, &'a T),
    /// Nobody has it: what it was that of has another one.
    Moved(&'a T, &'a T),
    Removed(&'a T),
    New(&'a T),
}

/// What became of the old numbers, in their order, and then what is new.
pub(super) fn matches<'a, T: Numbered>(old: &'a [T], new: &'a [T]) -> Vec<Match<'a, T>> {
    let by_number = |all: &'a [T], number| all.iter().find(|one| one.number() == number);
    let by_name = |all: &'a [T], name: &str| all.iter().find(|one| one.name() == name);
    let became = old.iter().map(|was| match by_number(new, was.number()) {
        Some(is) if is.name() == was.name() => Match::Same(was, is),
        Some(is) if by_name(new, was.name()).is_some() || by_name(old, is.name()).is_some() => {
            Match::Other(was, is)
        }
        Some(is) => Match::Same(was, is),
        None => match by_name(new, was.name()) {
            Some(is) => Match::Moved(was, is),
            None => Match::Removed(was),
        },
    });
    let is_new = |is: &&T| {
        by_number(old, is.number()).is_none()
            && by_name(old, is.name()).is_none_or(|was| by_number(new, was.number()).is_some())
    };
    became.chain(new.iter().filter(is_new).map(Match::New)).collect()
}
