//! Compares the fields of a struct or a variant: those with bytes by their order, flags by their bits.

use super::numbered::{self, Match, Numbered};
use super::{Comparison, Effect, Fit, Part, What};
use crate::outline::{Body, Content, Field, Labels, Outline, Shape, Spelling};
use packetstream_core::description::Flag;
use std::collections::HashSet;

pub(super) const IGNORED: &str = "peers without it ignore the flags of a request that had none";
pub(super) const NO_FLAGS: &str = "flags take bytes where there were none";
pub(super) const IN_USE: &str = "its flag has a meaning already";
pub(super) const THERE_IF_CLEAR: &str = "peers without it leave the flag clear and do not send it";

/// A field that is a flag.
#[derive(Debug)]
struct FlagField<'a> {
    bit: Flag,
    field: &'a Field,
}

impl Numbered for FlagField<'_> {
    fn number(&self) -> u64 {
        self.bit.bit.into()
    }

    fn name(&self) -> &str {
        &self.field.name
    }
}

fn flags(fields: &[Field]) -> Vec<FlagField<'_>> {
    let flag = |field| match field {
        &Field { content: Content::Flag(bit), .. } => Some(FlagField { bit, field }),
        _ => None,
    };
    fields.iter().filter_map(flag).collect()
}

fn with_bytes(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields.iter().filter(|field| field.content.shape().is_some())
}

fn named<'f>(fields: &'f [Field], name: &str) -> Option<&'f Field> {
    fields.iter().find(|field| field.name == name)
}

/// Whether a bit of the flags has a meaning.
fn has_bit(fields: &[Field], bit: u32) -> bool {
    fields.iter().any(|field| match field.content {
        Content::Flag(flag) | Content::IfFlag(flag, _) => flag.bit == bit,
        Content::Flags => true,
        Content::Inline(_) | Content::Whole(_) | Content::Counted(..) | Content::Chosen(..) => false,
    })
}

/// How many fields with bytes there are in front of the flags, if there are flags.
fn before_flags(fields: &[Field]) -> Option<usize> {
    let first = fields.iter().position(|field| field.content.is_of_flags())?;
    Some(with_bytes(&fields[..first]).count())
}

/// What flags do that were not there before.
fn effect_of_flags(old: &[Field], part: Part) -> (Effect, &'static str) {
    match part {
        _ if before_flags(old).is_some() => (Effect::Addition, ""),
        Part::Response => (Effect::Addition, ""),
        Part::Request => (Effect::Break, IGNORED),
        Part::Value => (Effect::Break, NO_FLAGS),
    }
}

fn field_place(place: &str, field: &Field) -> String {
    format!("{place}, field {}", Labels::name(&field.name))
}

impl<'a> Comparison<'a> {
    /// `ends` says whether what follows the last field is the end of a packet, or that of a value whose length
    /// was given.
    pub(super) fn fields(&mut self, place: &str, old: &'a [Field], new: &'a [Field], part: Part, ends: bool) {
        self.flags(place, old, new, part);
        self.all_flags(place, old, new, part);

        let was: Vec<_> = with_bytes(old).collect();
        let (added, mut is): (Vec<_>, Vec<_>) = with_bytes(new).partition(|field| {
            matches!(field.content, Content::IfFlag(flag, _) if !has_bit(old, flag.bit))
                && named(old, &field.name).is_none()
        });
        for field in added {
            let (effect, because) = match field.content {
                Content::IfFlag(Flag { is_set: false, .. }, _) => (Effect::Break, THERE_IF_CLEAR),
                _ => effect_of_flags(old, part),
            };
            self.new_field(effect, place, field, because);
        }
        if let Some(rest) = self.added_rest(old, &was, &is, ends) {
            self.new_field(Effect::Addition, place, rest, "");
            is.pop();
        }

        let has_moved = |(at, was): (usize, &&Field)| {
            is.iter().position(|is| is.name == was.name).is_some_and(|now| now != at)
        };
        if was.len() != is.len() || was.iter().enumerate().any(has_moved) {
            return self.moved(place, (old, &was), (new, &is), part);
        }
        let pairs: Vec<_> = was.into_iter().zip(is).collect();
        self.pairs(place, (old, new), &pairs, part);
        if part == Part::Value
            && let (Some(was), Some(is)) = (before_flags(old), before_flags(new))
            && was != is
        {
            let words = |before: usize| match before.checked_sub(1).and_then(|last| pairs.get(last)) {
                Some((field, _)) => format!("behind field {}", Labels::name(&field.name)),
                None => "in front of all fields".to_owned(),
            };
            self.changed(Effect::Break, &format!("{place}, flags"), &words(was), &words(is));
        }
    }

    /// The new last field, if old peers lack nothing without it and refuse it.
    fn added_rest(&self, old: &[Field], was: &[&Field], is: &[&'a Field], ends: bool) -> Option<&'a Field> {
        let last = is.last()?;
        let is_rest = matches!(&last.content, Content::Inline(shape) if shape.is_rest());
        let is_added = is.len() == was.len() + 1 && named(old, &last.name).is_none();
        let took_rest = was.iter().any(|field| self.old.may_take_rest(field));
        (ends && is_rest && is_added && !took_rest).then_some(*last)
    }

    fn flags(&mut self, place: &str, old: &'a [Field], new: &'a [Field], part: Part) {
        for found in numbered::matches(&flags(old), &flags(new)) {
            match found {
                Match::Same(was, is) | Match::Moved(was, is) => {
                    let place = field_place(place, was.field);
                    if was.bit != is.bit {
                        let (was, is) = (self.was(was.field), self.is(is.field));
                        self.changed(Effect::Break, &place, &was, &is);
                    } else if was.name() != is.name() {
                        self.called(&place, (old, was.field), (new, is.field));
                    }
                }
                Match::Other(was, is) => {
                    let place = format!("{place}, flag {}", was.bit.bit);
                    self.changed(Effect::Break, &place, was.name(), is.name());
                }
                Match::Removed(was) => self.gone(place, was.field, new),
                // Told where its bytes are compared.
                Match::New(is) if named(old, is.name()).is_some() => {}
                Match::New(is) => {
                    let (effect, because) = if has_bit(old, is.bit.bit) {
                        (Effect::Break, IN_USE)
                    } else {
                        effect_of_flags(old, part)
                    };
                    self.new_field(effect, place, is.field, because);
                }
            }
        }
    }

    /// Compares the fields that are all flags.
    fn all_flags(&mut self, place: &str, old: &'a [Field], new: &'a [Field], part: Part) {
        let all = |fields: &'a [Field]| fields.iter().find(|field| field.content == Content::Flags);
        match (all(old), all(new)) {
            (Some(was), Some(is)) if was.name != is.name => {
                self.called(&field_place(place, was), (old, was), (new, is));
            }
            (Some(was), None) => self.gone(place, was, new),
            (None, Some(is)) if named(old, &is.name).is_none() => {
                let (effect, because) = match before_flags(old) {
                    Some(_) => (Effect::Break, IN_USE),
                    None => effect_of_flags(old, part),
                };
                self.new_field(effect, place, is, because);
            }
            _ => {}
        }
    }

    /// Fields in other places, by their names: some are gone, some are new, others changed their order.
    fn moved(
        &mut self,
        place: &str,
        (old, was): (&'a [Field], &[&'a Field]),
        (new, is): (&'a [Field], &[&'a Field]),
        part: Part,
    ) {
        let in_both = |these: &[&'a Field], those: &[&'a Field]| -> Vec<&'a Field> {
            let is_there = |field: &&&Field| those.iter().any(|other| other.name == field.name);
            these.iter().filter(is_there).copied().collect()
        };
        let (kept_was, kept_is) = (in_both(was, is), in_both(is, was));
        for field in was.iter().filter(|field| !kept_was.contains(field)) {
            self.gone(place, field, new);
        }
        for field in is.iter().filter(|field| named(old, &field.name).is_none()) {
            self.new_field(Effect::Break, place, field, "");
        }
        let names = |fields: &[&Field]| {
            fields.iter().map(|field| Labels::name(&field.name)).collect::<Vec<_>>().join(", ")
        };
        if names(&kept_was) != names(&kept_is) {
            let place = format!("{place}, order of fields");
            self.changed(Effect::Break, &place, &names(&kept_was), &names(&kept_is));
        }
        let same = |was: &'a Field| Some((was, *kept_is.iter().find(|is| is.name == was.name)?));
        let pairs: Vec<_> = kept_was.iter().filter_map(|was| same(was)).collect();
        self.pairs(place, (old, new), &pairs, part);
    }

    /// Tells that a field has another name: a rename only if nothing else has its old one now, or had its new one.
    fn called(&mut self, place: &str, (old, was): (&[Field], &Field), (new, is): (&[Field], &Field)) {
        match named(new, &was.name).or(named(old, &is.name)) {
            None => self.renamed(place, &is.name),
            Some(_) => self.changed(Effect::Break, place, &was.name, &is.name),
        }
    }

    /// Compares old fields with what became of each.
    fn pairs(
        &mut self,
        place: &str,
        (old, new): (&'a [Field], &'a [Field]),
        pairs: &[(&'a Field, &'a Field)],
        part: Part,
    ) {
        let is_same = |was: &str, is: &str| {
            let pair = pairs.iter().find(|(field, _)| field.name == was);
            pair.map_or(was, |(_, field)| &field.name) == is
        };
        for (was, is) in pairs {
            let place = field_place(place, was);
            if was.name != is.name {
                self.called(&place, (old, was), (new, is));
            }
            let fit = match (&was.content, &is.content) {
                (Content::Inline(old), Content::Inline(new)) => self.fit(old, new, Part::Value),
                (Content::Whole(old), Content::Whole(new)) => self.fit(old, new, part),
                (Content::IfFlag(bit, old), Content::IfFlag(new_bit, new)) if bit == new_bit => {
                    self.fit(old, new, Part::Value)
                }
                (Content::Counted(by, old), Content::Counted(new_by, new))
                | (Content::Chosen(by, old), Content::Chosen(new_by, new))
                    if is_same(by, new_by) =>
                {
                    self.fit(old, new, Part::Value)
                }
                _ => Fit::Other,
            };
            let (was, is) = (self.was(was), self.is(is));
            self.tell(&place, fit, was, is);
        }
    }

    /// Tells of a field that is not where its like are any more.
    fn gone(&mut self, place: &str, field: &Field, new: &[Field]) {
        let was = self.was(field);
        let what = match named(new, &field.name) {
            Some(field) => What::Changed { was, is: self.is(field) },
            None => What::Removed(Some(was)),
        };
        self.add(Effect::Break, &field_place(place, field), what, "");
    }

    fn new_field(&mut self, effect: Effect, place: &str, field: &Field, because: &'static str) {
        let is = self.is(field);
        self.add(effect, &field_place(place, field), What::New(Some(is)), because);
    }

    fn was(&self, field: &Field) -> String {
        Labels(self.old).field(field)
    }

    fn is(&self, field: &Field) -> String {
        Labels(self.new).field(field)
    }
}

impl Outline {
    /// Whether a field may go to the end, as far as can be known.
    fn may_take_rest(&self, field: &Field) -> bool {
        self.content_may_take_rest(&field.content, &mut HashSet::new())
    }

    fn content_may_take_rest(&self, content: &Content, seen: &mut HashSet<usize>) -> bool {
        match content {
            Content::Inline(shape)
            | Content::Whole(shape)
            | Content::IfFlag(_, shape)
            | Content::Chosen(_, shape) => self.shape_may_take_rest(shape, seen),
            Content::Counted(..) | Content::Flag(_) | Content::Flags => false,
        }
    }

    fn shape_may_take_rest(&self, shape: &Shape, seen: &mut HashSet<usize>) -> bool {
        match shape {
            Shape::Custom(_) => true,
            Shape::Named(id) => {
                let ty = self.get(*id);
                let is_delimited = matches!(&ty.body, Body::Struct(body) if body.is_delimited);
                seen.insert(id.0)
                    && !is_delimited
                    && ty.fields().any(|field| self.content_may_take_rest(&field.content, seen))
            }
            shape => shape.is_rest() || shape.parts().iter().any(|part| self.shape_may_take_rest(part, seen)),
        }
    }
}
