//! Finds what is different on the wire.
//!
//! Names do not travel, so that shapes are compared, not names. But names tell what became of what: one that
//! was there before and is elsewhere now has moved, and only one that is gone can be called by a new name.

mod fields;
mod numbered;

use super::changes::{Change, Effect, What};
use super::hexadecimal;
use crate::outline::{
    Body, Content, Labels, Outline, Reply, Request, Shape, Spelling, Struct, Type, TypeId, Variant,
};
use numbered::Match;
use std::collections::HashSet;

/// What became of `old`.
pub(super) fn changes(old: &Outline, new: &Outline) -> Vec<Change> {
    let mut comparison = Comparison::new(old, new);
    comparison.protocol();
    comparison.changes
}

/// What a value is a part of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Part {
    /// It fills a request, whose flags are its.
    Request,
    /// It fills a response, whose flags are its.
    Response,
    /// It is a part of another value.
    Value,
}

/// How a shape fits what it was.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fit {
    Same,
    /// The same bytes, told otherwise.
    Retold,
    /// All that it was, and more.
    Wider,
    Other,
}

struct Comparison<'a> {
    old: &'a Outline,
    new: &'a Outline,
    /// What is compared already, or being so: types can contain themselves.
    seen: HashSet<(TypeId, TypeId, Part)>,
    /// Types that were found to be others.
    others: HashSet<(TypeId, TypeId, Part)>,
    unwrapping: Vec<(&'a Shape, &'a Shape, Part)>,
    changes: Vec<Change>,
}

impl<'a> Comparison<'a> {
    fn new(old: &'a Outline, new: &'a Outline) -> Self {
        Self {
            old,
            new,
            seen: HashSet::new(),
            others: HashSet::new(),
            unwrapping: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn protocol(&mut self) {
        if self.old.name != self.new.name {
            self.renamed(&format!("protocol {}", self.old.name), &self.new.name);
        }
        for found in numbered::matches(&self.old.requests, &self.new.requests) {
            match found {
                Match::Same(old, new) => self.request(old, new),
                Match::Other(old, new) => {
                    self.changed(Effect::Break, &format!("request {}", old.number), &old.name, &new.name);
                }
                Match::Moved(old, new) => {
                    let (was, is) = (old.number.to_string(), new.number.to_string());
                    let place = format!("request {}, number", Labels::name(&old.name));
                    self.changed(Effect::Break, &place, &was, &is);
                }
                Match::Removed(old) => self.add(Effect::Break, &request_place(old), What::Removed(None), ""),
                Match::New(new) => self.add(Effect::Addition, &request_place(new), What::New(None), ""),
            }
        }
    }

    fn request(&mut self, old: &'a Request, new: &'a Request) {
        let place = request_place(old);
        if old.name != new.name {
            self.renamed(&place, &new.name);
        }
        match (self.old.inline(old), self.new.inline(new)) {
            (Some(old), Some(new)) => self.types(&place, old, new, Part::Request),
            _ => self.value(&format!("{place}, payload"), &old.payload, &new.payload, Part::Request),
        }
        self.reply(&format!("{place}, reply"), &old.reply, &new.reply);
        let place = format!("{place}, failure");
        match (&old.failure, &new.failure) {
            (None, None) => {}
            (Some(old), Some(new)) => self.value(&place, old, new, Part::Response),
            (Some(old), None) => {
                let was = Labels(self.old).shape(old);
                self.add(Effect::Break, &place, What::Removed(Some(was)), "");
            }
            (None, Some(new)) => {
                let is = Labels(self.new).shape(new);
                let because = "peers without it see a failure without words";
                self.add(Effect::Addition, &place, What::New(Some(is)), because);
            }
        }
    }

    fn reply(&mut self, place: &str, old: &'a Reply, new: &'a Reply) {
        let fit = self.reply_fit(old, new);
        let was = || Labels(self.old).reply(old);
        let is = || Labels(self.new).reply(new);
        self.tell(place, fit, was(), is());
    }

    fn reply_fit(&mut self, old: &'a Reply, new: &'a Reply) -> Fit {
        match (old, new) {
            (Reply::Option(old), Reply::Option(new)) => self.reply_fit(old, new),
            (Reply::Value(old), Reply::Value(new)) => self.fit(old, new, Part::Response),
            (Reply::Nothing, Reply::Value(new)) if self.new.is_empty(new) => Fit::Retold,
            (Reply::Value(old), Reply::Nothing) if self.old.is_empty(old) => Fit::Retold,
            (old, new) if old == new => Fit::Same,
            _ => Fit::Other,
        }
    }

    /// A value at a place that a report can name.
    fn value(&mut self, place: &str, old: &'a Shape, new: &'a Shape, part: Part) {
        let fit = self.fit(old, new, part);
        self.tell(place, fit, Labels(self.old).shape(old), Labels(self.new).shape(new));
    }

    /// How a shape fits what it was. What became of types that kept their names, or the bytes of whose values did,
    /// is told where they are; the rest is for the caller to tell.
    fn fit(&mut self, old: &'a Shape, new: &'a Shape, part: Part) -> Fit {
        let fit = self.try_fit(|this| this.direct_fit(old, new, part));
        if fit != Fit::Other {
            return fit;
        }
        // A struct that contains nothing but itself can be unwrapped for ever.
        let key = (old, new, part);
        if self.unwrapping.contains(&key) {
            return Fit::Other;
        }
        self.unwrapping.push(key);
        let fit = self.unwrapped_fit(old, new, part);
        self.unwrapping.pop();
        fit.max(Fit::Retold)
    }

    /// What is wrapped into a struct, or no longer is, has the same bytes.
    fn unwrapped_fit(&mut self, old: &'a Shape, new: &'a Shape, part: Part) -> Fit {
        if let Some(old) = self.old.unwrapped(old, part) {
            return self.fit(old, new, part);
        }
        if let Some(new) = self.new.unwrapped(new, part) {
            return self.fit(old, new, part);
        }
        match (old, new) {
            (Shape::Tuple(_), Shape::Named(_)) | (Shape::Named(_), Shape::Tuple(_)) => {
                match (self.old.sequence(old), self.new.sequence(new)) {
                    (Some(old), Some(new)) => self.try_fit(|this| this.fits(old, new)),
                    _ => Fit::Other,
                }
            }
            _ => Fit::Other,
        }
    }

    fn direct_fit(&mut self, old: &'a Shape, new: &'a Shape, part: Part) -> Fit {
        match (old, new) {
            (Shape::Uint(old), Shape::Uint(new)) if old < new => Fit::Wider,
            (Shape::Array(old_count, old), Shape::Array(new_count, new)) if old_count == new_count => {
                self.fit(old, new, Part::Value)
            }
            (Shape::Option(old), Shape::Option(new))
            | (Shape::List(old), Shape::List(new))
            | (Shape::RestOption(old), Shape::RestOption(new))
            | (Shape::RestList(old), Shape::RestList(new)) => self.fit(old, new, Part::Value),
            (Shape::Map(old_key, old), Shape::Map(new_key, new)) => {
                self.fit(old_key, new_key, Part::Value).max(self.fit(old, new, Part::Value))
            }
            (Shape::Tuple(old), Shape::Tuple(new)) => self.fits(old, new),
            (Shape::Named(old), Shape::Named(new)) => self.named_fit(*old, *new, part),
            (old, new) if old == new => Fit::Same,
            _ => Fit::Other,
        }
    }

    fn fits(
        &mut self,
        old: impl IntoIterator<Item = &'a Shape, IntoIter: ExactSizeIterator>,
        new: impl IntoIterator<Item = &'a Shape, IntoIter: ExactSizeIterator>,
    ) -> Fit {
        let (old, new) = (old.into_iter(), new.into_iter());
        if old.len() != new.len() {
            return Fit::Other;
        }
        old.zip(new).map(|(old, new)| self.fit(old, new, Part::Value)).max().unwrap_or(Fit::Same)
    }

    fn named_fit(&mut self, old_id: TypeId, new_id: TypeId, part: Part) -> Fit {
        let key = (old_id, new_id, part);
        if self.others.contains(&key) {
            return Fit::Other;
        }
        if !self.seen.insert(key) {
            return Fit::Same;
        }
        let (old, new) = (self.old.get(old_id), self.new.get(new_id));
        let place = type_place(old, &Labels(self.old).named(old_id));
        if (&old.name, old.number) == (&new.name, new.number) {
            self.types(&place, old, new, part);
            return Fit::Same;
        }
        // Another type, or the same one by another name if nothing of its own breaks.
        let before = self.changes.len();
        self.types(&place, old, new, part);
        if self.changes[before..].iter().any(|change| change.is_break_of(&place)) {
            self.others.insert(key);
            return Fit::Other;
        }
        if old.name == new.name {
            Fit::Same
        } else if self.old.has(&new.name) || self.new.has(&old.name) {
            Fit::Retold
        } else {
            self.renamed(&place, &new.name);
            Fit::Same
        }
    }

    /// Forgets what was found out on the way to something else.
    fn try_fit(&mut self, fit: impl FnOnce(&mut Self) -> Fit) -> Fit {
        let (seen, changes) = (self.seen.clone(), self.changes.len());
        let fit = fit(self);
        if fit == Fit::Other {
            self.seen = seen;
            self.changes.truncate(changes);
        }
        fit
    }

    fn types(&mut self, place: &str, old: &'a Type, new: &'a Type, part: Part) {
        match (&old.body, &new.body) {
            (Body::Struct(old), Body::Struct(new)) => self.structs(place, old, new, part),
            (Body::Enum(old), Body::Enum(new)) => self.enums(place, old, new, part),
            (Body::Struct(_), Body::Enum(_)) => self.changed(Effect::Break, place, "a struct", "an enum"),
            (Body::Enum(_), Body::Struct(_)) => self.changed(Effect::Break, place, "an enum", "a struct"),
        }
    }

    fn structs(&mut self, place: &str, old: &'a Struct, new: &'a Struct, part: Part) {
        if old.is_delimited != new.is_delimited {
            let words = |is_delimited| if is_delimited { "delimited" } else { "not delimited" };
            self.changed(Effect::Break, place, words(old.is_delimited), words(new.is_delimited));
        }
        if old.magic != new.magic {
            let words = |magic: &[u8]| {
                if magic.is_empty() { "none".to_owned() } else { hexadecimal(magic) }
            };
            let place = format!("{place}, magic");
            self.changed(Effect::Break, &place, &words(&old.magic), &words(&new.magic));
        }
        let ends = part != Part::Value || old.is_delimited;
        self.fields(place, &old.fields, &new.fields, part, ends);
    }

    fn enums(&mut self, place: &str, old: &'a [Variant], new: &'a [Variant], part: Part) {
        for found in numbered::matches(old, new) {
            match found {
                Match::Same(old, new) => {
                    let place = variant_place(place, old);
                    if old.name != new.name {
                        self.renamed(&place, &new.name);
                    }
                    self.fields(&place, &old.fields, &new.fields, part, part != Part::Value);
                }
                Match::Other(old, new) => {
                    let place = format!("{place}, variant {}", old.number);
                    self.changed(Effect::Break, &place, &old.name, &new.name);
                }
                Match::Moved(old, new) => {
                    let place = format!("{place}, number of variant {}", Labels::name(&old.name));
                    self.changed(Effect::Break, &place, &old.number.to_string(), &new.number.to_string());
                }
                Match::Removed(old) => {
                    self.add(Effect::Break, &variant_place(place, old), What::Removed(None), "");
                }
                Match::New(new) => {
                    self.add(Effect::Addition, &variant_place(place, new), What::New(None), "");
                }
            }
        }
    }

    fn tell(&mut self, place: &str, fit: Fit, was: String, is: String) {
        let (effect, because) = match fit {
            Fit::Same => return,
            Fit::Retold => (Effect::Rename, ""),
            Fit::Wider => (Effect::Addition, "peers without it refuse larger numbers"),
            Fit::Other => (Effect::Break, ""),
        };
        self.add(effect, place, What::Changed { was, is }, because);
    }

    fn renamed(&mut self, place: &str, is: &str) {
        self.add(Effect::Rename, place, What::Renamed(is.to_owned()), "");
    }

    fn changed(&mut self, effect: Effect, place: &str, was: &str, is: &str) {
        self.add(effect, place, What::Changed { was: was.to_owned(), is: is.to_owned() }, "");
    }

    fn add(&mut self, effect: Effect, place: &str, what: What, because: &'static str) {
        let change = Change { effect, place: place.to_owned(), what, because };
        // A type that fills a packet and is a part of another value is compared twice.
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }
}

fn request_place(request: &Request) -> String {
    format!("request {} {}", request.number, Labels::name(&request.name))
}

fn variant_place(place: &str, variant: &Variant) -> String {
    format!("{place}, variant {} {}", variant.number, Labels::name(&variant.name))
}

fn type_place(ty: &Type, label: &str) -> String {
    match ty.body {
        Body::Struct(_) => format!("struct {label}"),
        Body::Enum(_) => format!("enum {label}"),
    }
}

impl Outline {
    fn has(&self, name: &str) -> bool {
        self.listed().any(|(_, ty)| ty.name == name)
    }

    /// The values that a tuple consists of, or a struct with nothing but values.
    fn sequence<'a>(&'a self, shape: &'a Shape) -> Option<Vec<&'a Shape>> {
        match shape {
            Shape::Tuple(values) => Some(values.iter().collect()),
            Shape::Named(id) => match &self.get(*id).body {
                Body::Struct(Struct { is_delimited: false, magic, fields }) if magic.is_empty() => fields
                    .iter()
                    .map(|field| match &field.content {
                        Content::Inline(shape) | Content::Whole(shape) => Some(shape),
                        _ => None,
                    })
                    .collect(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The only value that this one consists of, if it is the same in this place.
    fn unwrapped<'a>(&'a self, shape: &'a Shape, part: Part) -> Option<&'a Shape> {
        let [value] = self.sequence(shape)?[..] else { return None };
        // Within a wrapper that is no newtype its flags are bytes, without it those of the packet.
        let is_same = part == Part::Value || self.whole(shape).is_some() || !self.has_flags(value);
        is_same.then_some(value)
    }

    /// Whether a value has flags of its own, or is another name for one that has. Those of what it consists of
    /// are bytes wherever it is.
    fn has_flags<'a>(&'a self, mut shape: &'a Shape) -> bool {
        // A newtype can be one of itself.
        for _ in 0..=self.types.len() {
            let Shape::Named(id) = shape else { return false };
            if self.get(*id).fields().any(|field| field.content.is_of_flags()) {
                return true;
            }
            let Some(whole) = self.whole(shape) else { return false };
            shape = whole;
        }
        false
    }

    /// What a newtype is another name for.
    fn whole<'a>(&'a self, shape: &Shape) -> Option<&'a Shape> {
        let Shape::Named(id) = shape else { return None };
        self.get(*id).fields().find_map(|field| match &field.content {
            Content::Whole(shape) => Some(shape),
            _ => None,
        })
    }

    /// Whether a value takes no bytes and no flags.
    fn is_empty(&self, shape: &Shape) -> bool {
        self.sequence(shape).is_some_and(|values| values.is_empty())
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
