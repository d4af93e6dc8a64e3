//! Shapes in words: those of [`Encoding`](packetstream_core::description::Encoding), without ambiguities.

use super::{Content, Field, Flag, Outline, Reply, Shape, TypeId};

/// Words that begin something else than the name of a type.
const RESERVED: &[&str] = &[
    "a", "bool", "bytes", "chosen", "counted", "data", "end", "flag", "flags", "float", "if", "list", "map",
    "nothing", "option", "or", "string", "text", "the", "to", "uint", "whole",
];

/// Whether this is the name of a number of fixed width: `u16be`.
pub(crate) fn is_fixed(word: &str) -> bool {
    let number = word.strip_suffix("be").or_else(|| word.strip_suffix("le"));
    number.and_then(|number| number.strip_prefix(['u', 'i', 'f'])).is_some_and(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a type of this name could be mistaken for something else.
fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || is_fixed(name) || name.strip_prefix("uint").is_some_and(is_digits)
}

/// How shapes are written out: what differs is how the names of types and words of people look.
pub(crate) trait Spelling {
    fn named(&self, id: TypeId) -> String;

    fn custom(&self, words: &str) -> String;

    /// The name of a field, of which another one speaks.
    fn other(&self, field: &str) -> String;

    /// What a newtype is another name for.
    fn whole(&self, shape: &str) -> String {
        format!("whole: {shape}")
    }

    fn shape(&self, shape: &Shape) -> String {
        match shape {
            Shape::Uint(64) => "uint".to_owned(),
            Shape::Uint(bits) => format!("uint{bits}"),
            Shape::Bool => "bool".to_owned(),
            Shape::Float => "float".to_owned(),
            Shape::Fixed(name) => name.clone(),
            Shape::Data => "data".to_owned(),
            Shape::Text => "string".to_owned(),
            Shape::Bytes(count) => format!("{count} bytes"),
            Shape::Array(count, value) => format!("{count} times {}", self.part(value)),
            Shape::Option(value) => format!("option of {}", self.part(value)),
            Shape::List(value) => format!("list of {}", self.part(value)),
            Shape::Map(key, value) => format!("map of {} to {}", self.part(key), self.part(value)),
            Shape::Tuple(values) => match &values[..] {
                // Not to be mistaken for what is in parentheses only to be kept together.
                [value] => format!("({},)", self.shape(value)),
                values => {
                    let values: Vec<_> = values.iter().map(|value| self.shape(value)).collect();
                    format!("({})", values.join(", "))
                }
            },
            Shape::RestData => "bytes to the end".to_owned(),
            Shape::RestText => "text to the end".to_owned(),
            Shape::RestOption(value) => format!("{} or the end", self.part(value)),
            Shape::RestList(value) => format!("{} to the end", self.part(value)),
            Shape::Named(id) => self.named(*id),
            Shape::Custom(words) => self.custom(words),
        }
    }

    /// What stands within a phrase, whose end would be taken for the end of the phrase.
    fn part(&self, shape: &Shape) -> String {
        if shape.is_rest() { format!("({})", self.shape(shape)) } else { self.shape(shape) }
    }

    fn reply(&self, reply: &Reply) -> String {
        match reply {
            Reply::Nothing => "nothing".to_owned(),
            Reply::Bool => "flag 0".to_owned(),
            Reply::Flags => "a number in the flags".to_owned(),
            Reply::FlagsAndData => "a number in the flags, bytes to the end".to_owned(),
            Reply::Option(reply) => format!("if flag 0: {}", self.reply(reply)),
            Reply::Value(shape) => self.shape(shape),
        }
    }

    fn field(&self, field: &Field) -> String {
        match &field.content {
            Content::Inline(shape) => self.shape(shape),
            Content::Whole(shape) => self.whole(&self.shape(shape)),
            Content::Flag(bit) => self.bit(*bit),
            Content::IfFlag(bit, shape) => format!("if {}: {}", self.bit(*bit), self.shape(shape)),
            Content::Flags => "flags".to_owned(),
            Content::Counted(other, shape) => {
                format!("counted by {}: {}", self.other(other), self.shape(shape))
            }
            Content::Chosen(other, shape) => {
                format!("chosen by {}: {}", self.other(other), self.shape(shape))
            }
        }
    }

    fn bit(&self, Flag { bit, is_set }: Flag) -> String {
        if is_set { format!("flag {bit}") } else { format!("flag {bit} clear") }
    }
}

/// Names as the lock file and reports have them: `Page`, `Page#2`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels<'a>(pub(crate) &'a Outline);

impl Labels<'_> {
    /// A name as it is; between backticks if it has more than letters, digits and `_`.
    pub(crate) fn name(name: &str) -> String {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if !name.is_empty() && name.chars().all(is_word) { name.to_owned() } else { quoted(name, '`') }
    }
}

/// Text between `quote`s, on one line.
fn quoted(text: &str, quote: char) -> String {
    let mut quoted = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c if c == quote || c == '\\' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted.push(quote);
    quoted
}

impl Spelling for Labels<'_> {
    fn named(&self, id: TypeId) -> String {
        let ty = self.0.get(id);
        let name = Self::name(&ty.name);
        match ty.number {
            1 if !is_reserved(&name) => name,
            number => format!("{name}#{number}"),
        }
    }

    fn custom(&self, words: &str) -> String {
        quoted(words, '"')
    }

    fn other(&self, field: &str) -> String {
        Self::name(field)
    }
}
