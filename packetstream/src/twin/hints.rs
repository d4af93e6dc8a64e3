//! The types of values, as Python annotates them.

use super::codec::Codecs;
use crate::outline::{Content, Reply, Shape};

impl Codecs<'_> {
    /// The type of a value.
    pub(super) fn hint(self, shape: &Shape) -> String {
        match shape {
            Shape::Uint(_) => "int".to_owned(),
            Shape::Bool => "bool".to_owned(),
            Shape::Float => "float".to_owned(),
            Shape::Fixed(name) => if name.starts_with('f') { "float" } else { "int" }.to_owned(),
            Shape::Data | Shape::Bytes(_) | Shape::RestData => "bytes".to_owned(),
            Shape::Text | Shape::RestText => "str".to_owned(),
            Shape::Array(_, value) | Shape::List(value) | Shape::RestList(value) => {
                format!("list[{}]", self.hint(value))
            }
            Shape::Option(value) | Shape::RestOption(value) => self.optional(value),
            Shape::Map(key, value) => {
                let (is_dict, key, value) = (key.is_hashable(self.outline), self.hint(key), self.hint(value));
                if is_dict { format!("dict[{key}, {value}]") } else { format!("list[tuple[{key}, {value}]]") }
            }
            Shape::Tuple(values) => match &values[..] {
                [] => "tuple[()]".to_owned(),
                [value] => self.hint(value),
                values => {
                    let values: Vec<_> = values.iter().map(|value| self.hint(value)).collect();
                    format!("tuple[{}]", values.join(", "))
                }
            },
            Shape::Named(id) => self.names.get(*id).class.clone(),
            Shape::Custom(_) => "Any".to_owned(),
        }
    }

    /// The type of a value that may be missing.
    pub(super) fn optional(self, shape: &Shape) -> String {
        if shape.may_be_none() { "Some | None".to_owned() } else { format!("{} | None", self.hint(shape)) }
    }

    /// The type of a field, and what it is if nothing is said: what it is where the flags are 0, or nothing.
    pub(super) fn field_hint(self, content: &Content) -> (String, Option<&'static str>) {
        match content {
            Content::Inline(shape @ (Shape::Option(_) | Shape::RestOption(_))) => {
                (self.hint(shape), Some("None"))
            }
            Content::Inline(shape)
            | Content::Whole(shape)
            | Content::Counted(_, shape)
            | Content::Chosen(_, shape) => (self.hint(shape), None),
            Content::Flag(flag) => ("bool".to_owned(), Some(if flag.is_set { "False" } else { "True" })),
            Content::IfFlag(flag, shape) => (self.optional(shape), flag.is_set.then_some("None")),
            Content::Flags => ("int".to_owned(), Some("0")),
        }
    }

    /// The type of a reply.
    pub(super) fn reply_hint(self, reply: &Reply) -> String {
        match reply {
            Reply::Nothing => "None".to_owned(),
            Reply::Bool => "bool".to_owned(),
            Reply::Flags => "int".to_owned(),
            Reply::FlagsAndData => "tuple[int, bytes]".to_owned(),
            Reply::Option(reply) if reply.may_be_none() => "Some | None".to_owned(),
            Reply::Option(reply) => format!("{} | None", self.reply_hint(reply)),
            Reply::Value(shape) => self.hint(shape),
        }
    }
}
