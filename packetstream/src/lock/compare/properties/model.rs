//! Peers that write and read what an outline says, as little like the real encodings as that allows.

use super::edits::Choices;
use crate::outline::{Body, Content, Field, Outline, Reply, Shape, Struct, TypeId, Variant};
use std::collections::VecDeque;
use std::mem;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Packet {
    Request,
    Reply,
    Failure,
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// It fills a packet, whose flags are its.
    Packet,
    Within,
}

/// More than a peer has to say, but not more than it can.
const MANY: u64 = 100;

/// What was said, without what is said by nothing: clear flags and an empty rest.
pub(super) type Meaning<'o> = Vec<(&'o str, u64)>;

/// Writes and reads by the same walk, so that the two cannot differ: where one chooses what to write, the other takes
/// what there is.
pub(super) struct Peer<'o, 'c, 'v> {
    outline: &'o Outline,
    /// A reader has none.
    choices: Option<&'c mut Choices<'v>>,
    pub(super) flags: u64,
    pub(super) bytes: VecDeque<u8>,
    pub(super) meaning: Meaning<'o>,
    /// Of types within types, which can contain themselves.
    depth: usize,
}

impl<'o, 'c, 'v> Peer<'o, 'c, 'v> {
    /// A packet that peers of the same version understand, which those of something that is no protocol may not.
    pub(super) fn write(outline: &'o Outline, packet: Packet, choices: &'c mut Choices<'v>) -> Option<Self> {
        let (flags, bytes, meaning) = (0, VecDeque::new(), Meaning::new());
        let mut peer = Self { outline, choices: Some(choices), flags, bytes, meaning, depth: 0 };
        peer.packet(packet)?;
        (Peer::read(outline, packet, &peer)? == peer.meaning).then_some(peer)
    }

    pub(super) fn read(outline: &'o Outline, packet: Packet, sent: &Peer<'_, '_, '_>) -> Option<Meaning<'o>> {
        let (flags, bytes, meaning) = (sent.flags, sent.bytes.clone(), Meaning::new());
        let mut peer = Peer { outline, choices: None, flags, bytes, meaning, depth: 0 };
        peer.packet(packet)?;
        // Nobody looks at the flags of a request that has none.
        let is_all = peer.bytes.is_empty() && (peer.flags == 0 || packet == Packet::Request);
        is_all.then_some(peer.meaning)
    }

    fn packet(&mut self, packet: Packet) -> Option<()> {
        let request = &self.outline.requests[0];
        match packet {
            Packet::Request => self.shape(&request.payload, Place::Packet),
            Packet::Reply => self.reply(&request.reply),
            Packet::Failure => self.shape(request.failure.as_ref()?, Place::Packet),
        }
    }

    fn reply(&mut self, reply: &'o Reply) -> Option<()> {
        match reply {
            Reply::Nothing => Some(()),
            Reply::Bool => {
                let flag = self.packet_flags(1)?;
                self.say("bool in the flags", flag);
                Some(())
            }
            Reply::Flags | Reply::FlagsAndData => {
                let flags = self.packet_flags(u64::MAX)?;
                self.say("number in the flags", flags);
                if *reply == Reply::Flags { Some(()) } else { self.rest(|this| this.octets("data", 1)) }
            }
            Reply::Option(reply) => {
                let is_some = if self.is_writing() { self.choose(2) } else { self.flags & 1 };
                self.say("option in the flags", is_some);
                self.flags >>= 1;
                if is_some == 1 {
                    self.reply(reply)?;
                }
                if self.is_writing() {
                    self.flags = self.flags << 1 | is_some;
                }
                Some(())
            }
            Reply::Value(shape) => self.shape(shape, Place::Packet),
        }
    }

    fn shape(&mut self, shape: &'o Shape, place: Place) -> Option<()> {
        match shape {
            &Shape::Uint(bits) => {
                let max = u64::MAX >> (64 - bits);
                let small = self.choose(4);
                let chosen = if self.choose(2) == 0 { small } else { max - small };
                self.number("uint", chosen, max).map(drop)
            }
            Shape::Bool => self.count("bool", 1).map(drop),
            Shape::Float => self.octets("float", 9),
            Shape::Fixed(name) => self.octets(name, 2),
            Shape::Custom(words) => self.octets(words, 1),
            Shape::Bytes(count) => self.octets("bytes", *count as u64),
            Shape::Data => self.count("data", MANY).and_then(|count| self.octets("data", count)),
            Shape::Text => self.count("text", MANY).and_then(|count| self.octets("text", count)),
            Shape::Array(count, value) => self.values(*count as u64, value),
            Shape::Option(value) => self.count("option", 1).and_then(|count| self.values(count, value)),
            Shape::List(value) => self.count("list", MANY).and_then(|count| self.values(count, value)),
            Shape::Map(key, value) => {
                let count = self.count("map", MANY)?;
                (0..count).try_for_each(|_| self.values(1, key).and_then(|()| self.values(1, value)))
            }
            Shape::Tuple(values) => values.iter().try_for_each(|value| self.values(1, value)),
            Shape::RestData => self.rest(|this| this.octets("data", 1)),
            Shape::RestText => self.rest(|this| this.octets("text", 1)),
            Shape::RestOption(value) => {
                let count = self.has_more().into();
                self.values(count, value)
            }
            Shape::RestList(value) => self.rest(|this| this.values(1, value)),
            Shape::Named(id) => {
                self.depth += 1;
                // A reader may have wrapped each of them.
                let max = if self.is_writing() { 8 } else { 64 };
                (self.depth < max).then(|| self.named(*id, place))??;
                self.depth -= 1;
                Some(())
            }
        }
    }

    fn values(&mut self, count: u64, value: &'o Shape) -> Option<()> {
        (0..count).try_for_each(|_| self.shape(value, Place::Within))
    }

    fn named(&mut self, id: TypeId, place: Place) -> Option<()> {
        match &self.outline.get(id).body {
            Body::Enum(variants) => {
                let chosen = self.choose(variants.len());
                let number = self.number("variant", chosen, u64::MAX)?;
                self.variant(variants, number, place)
            }
            Body::Struct(body) if body.is_delimited && self.is_writing() => {
                let before = mem::take(&mut self.bytes);
                self.body(body, place)?;
                let inner = mem::replace(&mut self.bytes, before);
                self.any_number(inner.len() as u64)?;
                self.bytes.extend(inner);
                Some(())
            }
            Body::Struct(body) if body.is_delimited => {
                let length = usize::try_from(self.any_number(0)?).ok()?;
                let behind = (length <= self.bytes.len()).then(|| self.bytes.split_off(length))?;
                self.body(body, place)?;
                mem::replace(&mut self.bytes, behind).is_empty().then_some(())
            }
            Body::Struct(body) => self.body(body, place),
        }
    }

    fn body(&mut self, Struct { magic, fields, .. }: &'o Struct, place: Place) -> Option<()> {
        magic.iter().try_for_each(|&magic| self.octet(magic).filter(|&octet| octet == magic).map(drop))?;
        self.fields(fields, place)
    }

    fn variant(&mut self, variants: &'o [Variant], number: u64, place: Place) -> Option<()> {
        let variant = variants.iter().find(|variant| variant.number == number)?;
        self.fields(&variant.fields, place)
    }

    fn fields(&mut self, fields: &'o [Field], place: Place) -> Option<()> {
        let known = fields.iter().fold(0, |known, field| match field.content {
            Content::Flag(bit) | Content::IfFlag(bit, _) => known | 1 << bit.bit,
            Content::Flags => u64::MAX,
            _ => known,
        });
        let mut flags =
            if place == Place::Packet && known != 0 { Some(self.packet_flags(known)?) } else { None };
        let mut counts = Vec::new();
        for field in fields {
            if field.content.is_of_flags() && flags.is_none() {
                let chosen = self.choose(256) & known;
                let number = self.any_number(chosen)?;
                flags = Some(self.known_flags(number, known)?);
            }
            match &field.content {
                Content::Inline(Shape::Uint(_)) if fields.iter().any(|other| is_counted(other, field)) => {
                    counts.push((&field.name, self.count("uint", MANY)?));
                }
                Content::Inline(shape) => self.shape(shape, Place::Within)?,
                Content::Whole(shape) => self.shape(shape, place)?,
                Content::Flag(_) | Content::Flags => {}
                Content::IfFlag(bit, shape) => {
                    let is_set = flags? >> bit.bit & 1 == 1;
                    self.values((is_set == bit.is_set).into(), shape)?;
                }
                Content::Counted(by, shape) | Content::Chosen(by, shape) => {
                    let (_, number) = *counts.iter().find(|(name, _)| *name == by)?;
                    match shape {
                        Shape::Data => self.octets("data", number)?,
                        Shape::Text => self.octets("text", number)?,
                        Shape::List(value) => self.values(number, value)?,
                        Shape::Named(id) => {
                            let Body::Enum(variants) = &self.outline.get(*id).body else { return None };
                            self.variant(variants, number, Place::Within)?;
                        }
                        _ => return None,
                    }
                }
            }
        }
        Some(())
    }

    fn is_writing(&self) -> bool {
        self.choices.is_some()
    }

    fn choose(&mut self, end: usize) -> u64 {
        self.choices.as_mut().map_or(0, |choices| choices.below(end) as u64)
    }

    fn say(&mut self, what: &'o str, value: u64) {
        self.meaning.push((what, value));
    }

    fn packet_flags(&mut self, known: u64) -> Option<u64> {
        if self.is_writing() {
            self.flags = self.choose(256) & known;
            return self.known_flags(self.flags, known);
        }
        let flags = mem::take(&mut self.flags);
        self.known_flags(flags, known)
    }

    fn known_flags(&mut self, flags: u64, known: u64) -> Option<u64> {
        if flags != 0 {
            self.say("flags", flags);
        }
        (flags & !known == 0).then_some(flags)
    }

    fn octet(&mut self, chosen: u8) -> Option<u8> {
        if !self.is_writing() {
            return self.bytes.pop_front();
        }
        self.bytes.push_back(chosen);
        Some(chosen)
    }

    fn octets(&mut self, what: &'o str, count: u64) -> Option<()> {
        (0..count).try_for_each(|_| {
            let [.., chosen] = self.choose(256).to_be_bytes();
            let octet = self.octet(chosen)?;
            self.say(what, octet.into());
            Some(())
        })
    }

    fn any_number(&mut self, chosen: u64) -> Option<u64> {
        let octets = chosen.to_be_bytes();
        octets.into_iter().try_fold(0, |number, octet| Some(number << 8 | u64::from(self.octet(octet)?)))
    }

    fn number(&mut self, what: &'o str, chosen: u64, max: u64) -> Option<u64> {
        let number = self.any_number(chosen).filter(|number| *number <= max)?;
        self.say(what, number);
        Some(number)
    }

    fn count(&mut self, what: &'o str, max: u64) -> Option<u64> {
        let chosen = self.choose(3).min(max);
        self.number(what, chosen, max)
    }

    fn has_more(&mut self) -> bool {
        if self.is_writing() { self.choose(2) == 1 } else { !self.bytes.is_empty() }
    }

    fn rest(&mut self, value: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        while self.has_more() {
            let before = self.bytes.len();
            value(self)?;
            // Of values without bytes there is no end.
            if self.bytes.len() == before {
                return None;
            }
        }
        Some(())
    }
}

fn is_counted(by: &Field, field: &Field) -> bool {
    matches!(&by.content, Content::Counted(name, _) | Content::Chosen(name, _) if *name == field.name)
}
