//! Reading values off a payload.

use super::{Flagged, MAX_DEPTH, Payload, PayloadError, PayloadProblem, Variants};
use crate::varint;
use bytes::{Buf, Bytes};
use std::mem;

/// Reads values off a payload, front to back, and knows where it stands.
#[derive(Debug)]
pub struct PayloadReader {
    rest: Bytes,
    /// How many bytes there were in front of `rest` and behind it, up to the end of what `rest` was cut from.
    whole: usize,
    /// How many bytes follow `rest`: those behind a value whose length was given.
    behind: usize,
    /// The packet's flags, until the value that fills the packet takes them.
    packet_flags: Option<u64>,
    /// Where the number of the enum's variant that is being read stands.
    variant_at: usize,
    /// The field that is being read; empty between those of the outermost value.
    field: &'static str,
    /// The last field of the outermost value that was read.
    last: &'static str,
    depth: usize,
}

impl PayloadReader {
    /// A reader at the start of `payload`.
    #[must_use]
    pub fn new(payload: Bytes) -> Self {
        let whole = payload.len();
        Self {
            rest: payload,
            whole,
            behind: 0,
            packet_flags: None,
            variant_at: 0,
            field: "",
            last: "",
            depth: 0,
        }
    }

    /// A reader at the start of the payload of a packet with these flags.
    #[must_use]
    pub fn of_packet(flags: u64, payload: Bytes) -> Self {
        Self { packet_flags: Some(flags), ..Self::new(payload) }
    }

    /// Reads the value of a field; `name`, as `Struct.field`, is for the error.
    ///
    /// # Errors
    ///
    /// Those of the value's type, and [`PayloadProblem::TooDeep`].
    pub fn field<T: Payload>(&mut self, name: &'static str) -> Result<T, PayloadError> {
        self.field_with(name, T::parse)
    }

    /// As [`field`](Self::field), with a function that reads the value.
    ///
    /// # Errors
    ///
    /// Those of the function, and [`PayloadProblem::TooDeep`].
    pub fn field_with<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&mut Self) -> Result<T, PayloadError>,
    ) -> Result<T, PayloadError> {
        // The packet's flags belong to the value that fills it, not to those within.
        let packet_flags = self.packet_flags.take();
        let value = self.within(name, parse);
        self.packet_flags = packet_flags;
        value
    }

    /// Reads the only field of a newtype, with a function: whatever the newtype fills, that fills.
    ///
    /// # Errors
    ///
    /// As [`field`](Self::field).
    pub fn newtype<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&mut Self) -> Result<T, PayloadError>,
    ) -> Result<T, PayloadError> {
        self.within(name, parse)
    }

    /// Reads a value within another one. What the reader knows of its place is right again afterwards, even if
    /// there is an error that somebody overlooks.
    fn within<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&mut Self) -> Result<T, PayloadError>,
    ) -> Result<T, PayloadError> {
        let outer = mem::replace(&mut self.field, name);
        let outer_depth = self.depth;
        self.depth = outer_depth.saturating_add(const { levels(size_of::<T>()) });
        let value =
            if self.depth > MAX_DEPTH { Err(self.error(PayloadProblem::TooDeep)) } else { parse(self) };
        self.depth = outer_depth;
        self.field = outer;
        if outer_depth == 0 {
            self.last = name;
        }
        value
    }

    /// Reads a part of the field that is being read: an element of a list, say.
    ///
    /// # Errors
    ///
    /// As [`field`](Self::field).
    pub fn element<T: Payload>(&mut self) -> Result<T, PayloadError> {
        self.field(self.field)
    }

    /// Reads `count` parts of the field that is being read, of at least one byte each: a list costs no more
    /// values than it has bytes.
    pub(super) fn elements<T: Payload>(&mut self, count: u64) -> Result<Vec<T>, PayloadError> {
        let count = self.check_count(count)?;
        (0..count).map(|_| self.list_element()).collect()
    }

    /// Reads a part of a list, which takes at least one byte.
    pub(super) fn list_element<T: Payload>(&mut self) -> Result<T, PayloadError> {
        let before = self.remaining();
        let value = self.element()?;
        if self.remaining() == before { Err(self.error(PayloadProblem::Endless)) } else { Ok(value) }
    }

    /// Reads the flags of the value that is being read, of which only `known` may be set; `name`, that of
    /// its type, is for the error.
    ///
    /// They are those of the packet if the value fills it, else a varint here.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::UnexpectedFlags`], [`PayloadProblem::Number`].
    pub fn flags(&mut self, known: u64, name: &'static str) -> Result<u64, PayloadError> {
        let offset = self.offset();
        let flags = match self.packet_flags.take() {
            Some(flags) => flags,
            None => self.uint().map_err(|error| of(name, error))?,
        };
        match flags & !known {
            0 => Ok(flags),
            unknown => {
                Err(PayloadError { field: name, offset, problem: PayloadProblem::UnexpectedFlags(unknown) })
            }
        }
    }

    /// Reads a field that a flag is, or that a flag tells the presence of.
    ///
    /// # Errors
    ///
    /// As [`field`](Self::field).
    pub fn flagged<T: Flagged>(&mut self, is_set: bool, name: &'static str) -> Result<T, PayloadError> {
        T::parse_flagged(is_set, name, self)
    }

    /// Reads an enum: the number of a variant, and its fields; `name`, that of its type, is for the error.
    ///
    /// # Errors
    ///
    /// Those of [`Variants::parse_variant`].
    pub fn variant<T: Variants>(&mut self, name: &'static str) -> Result<T, PayloadError> {
        self.variant_at = self.offset();
        let id = self.uint().map_err(|error| of(name, error))?;
        T::parse_variant(id, self)
    }

    /// Reads the fields of an enum whose number stood elsewhere, with its [`Variants::parse_variant`].
    ///
    /// # Errors
    ///
    /// Those of the function.
    pub fn chosen<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, PayloadError>,
    ) -> Result<T, PayloadError> {
        self.variant_at = self.offset();
        parse(self)
    }

    /// The error for a number that no variant of the enum `name` has.
    #[must_use]
    pub fn unknown_variant(&self, id: u64, name: &'static str) -> PayloadError {
        of(name, PayloadError { offset: self.variant_at, ..self.error(PayloadProblem::UnknownVariant(id)) })
    }

    /// Reads a value in front of which stands its length in bytes, a varint; `name`, that of its type, is for the
    /// error.
    ///
    /// # Errors
    ///
    /// Those of `parse`; [`PayloadProblem::Short`] when there are not as many bytes, and
    /// [`PayloadProblem::LeftOver`] when the value takes fewer.
    pub fn delimited<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&mut Self) -> Result<T, PayloadError>,
    ) -> Result<T, PayloadError> {
        let inner = self.uint().and_then(|length| self.bytes(length)).map_err(|error| of(name, error))?;
        let after = mem::replace(&mut self.rest, inner);
        self.behind = self.behind.saturating_add(after.len());
        let value = parse(self).and_then(|value| match self.rest.len() {
            0 => Ok(value),
            left => Err(of(name, self.error(PayloadProblem::LeftOver(left)))),
        });
        self.behind = self.behind.saturating_sub(after.len());
        self.rest = after;
        value
    }

    /// Reads a value, and the bytes that it took as they were written.
    ///
    /// # Errors
    ///
    /// Those of `parse`.
    pub fn verbatim<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, PayloadError>,
    ) -> Result<(T, Bytes), PayloadError> {
        let before = self.rest.clone();
        let value = parse(self)?;
        let taken = before.len().saturating_sub(self.rest.len());
        Ok((value, before.slice(..taken)))
    }

    /// Takes a constant.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Magic`] when something else is there; `name`, that of the type, is for it.
    pub fn magic(&mut self, magic: &'static [u8], name: &'static str) -> Result<(), PayloadError> {
        if self.rest.starts_with(magic) {
            self.rest.advance(magic.len());
            return Ok(());
        }
        Err(PayloadError { field: name, offset: self.offset(), problem: PayloadProblem::Magic(magic) })
    }

    /// Reads a varint.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Number`].
    pub fn uint(&mut self) -> Result<u64, PayloadError> {
        let mut rest: &[u8] = &self.rest;
        match varint::get(&mut rest) {
            Ok(value) => {
                let taken = self.rest.len().saturating_sub(rest.len());
                self.rest.advance(taken);
                Ok(value)
            }
            Err(error) => Err(self.error(error.into())),
        }
    }

    /// Reads a varint of at most `max`.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Number`], [`PayloadProblem::TooLarge`].
    pub fn uint_up_to(&mut self, max: u64) -> Result<u64, PayloadError> {
        let offset = self.offset();
        let value = self.uint()?;
        if value <= max {
            return Ok(value);
        }
        let problem = PayloadProblem::TooLarge { value, max };
        Err(PayloadError { offset, ..self.error(problem) })
    }

    /// Reads a number of values that follow, each of at least one byte: no more than there are bytes left,
    /// so that it costs nothing to announce many.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Number`], [`PayloadProblem::Short`].
    pub fn count(&mut self) -> Result<u64, PayloadError> {
        let count = self.uint()?;
        self.check_count(count)
    }

    /// The number, if as many values can follow.
    pub(super) fn check_count(&self, count: u64) -> Result<u64, PayloadError> {
        if count <= self.rest.len() as u64 {
            return Ok(count);
        }
        Err(self.error(PayloadProblem::Short { needed: count, left: self.rest.len() }))
    }

    /// Takes `count` bytes, without copying them.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Short`].
    pub fn bytes(&mut self, count: u64) -> Result<Bytes, PayloadError> {
        match usize::try_from(count) {
            Ok(count) if count <= self.rest.len() => Ok(self.rest.split_to(count)),
            _ => Err(self.error(PayloadProblem::Short { needed: count, left: self.rest.len() })),
        }
    }

    /// Takes `N` bytes.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Short`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], PayloadError> {
        match self.rest.first_chunk() {
            Some(array) => {
                let array = *array;
                self.rest.advance(N);
                Ok(array)
            }
            None => Err(self.error(PayloadProblem::Short { needed: N as u64, left: self.rest.len() })),
        }
    }

    /// Takes all that is left.
    pub fn rest(&mut self) -> Bytes {
        mem::take(&mut self.rest)
    }

    /// How many bytes are left, of the payload or of the innermost value whose length was given.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// How many bytes were taken.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.whole.saturating_sub(self.behind).saturating_sub(self.rest.len())
    }

    /// An error at this place.
    #[must_use]
    pub fn error(&self, problem: PayloadProblem) -> PayloadError {
        PayloadError { field: self.field, offset: self.offset(), problem }
    }

    /// Goes on if `holds`; else what begins at `offset` is invalid: `name` says where and `message` why.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::Invalid`].
    pub fn check(
        &self,
        holds: bool,
        offset: usize,
        name: &'static str,
        message: &'static str,
    ) -> Result<(), PayloadError> {
        if holds {
            return Ok(());
        }
        Err(PayloadError { field: name, offset, problem: PayloadProblem::Invalid(message) })
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::LeftOver`], with the field behind which it lies.
    pub fn finish(self) -> Result<(), PayloadError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(PayloadError { field: self.last, ..self.error(PayloadProblem::LeftOver(left)) }),
        }
    }

    /// Checks that the value that was read has a meaning for the packet's flags: it took them, or there are
    /// none.
    ///
    /// # Errors
    ///
    /// [`PayloadProblem::UnexpectedFlags`].
    pub fn finish_flags(&self) -> Result<(), PayloadError> {
        match self.packet_flags {
            None | Some(0) => Ok(()),
            Some(flags) => {
                Err(PayloadError { offset: 0, ..self.error(PayloadProblem::UnexpectedFlags(flags)) })
            }
        }
    }
}

/// How many levels a value of this size counts for: one, and one more for each KiB up to 16. A value that is
/// large where it is takes a place on the stack at each level.
const fn levels(size: usize) -> usize {
    let large = size >> 10;
    if large > 16 { 17 } else { large.saturating_add(1) }
}

/// The error with the name of a type, unless it has that of a field.
fn of(name: &'static str, error: PayloadError) -> PayloadError {
    PayloadError { field: if error.field.is_empty() { name } else { error.field }, ..error }
}
