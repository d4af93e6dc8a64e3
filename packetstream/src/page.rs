//! The page of documentation of a protocol, for people who write peers in whatever language.

use crate::lock::hexadecimal;
use crate::outline::{
    Body, Content, Field, Outline, Reply, Request, Shape, Spelling, Struct, Type, TypeId, Variant,
    contract_words, doc_lines,
};
use packetstream_core::description::{Docs, Flag, Protocol};
use std::fmt::{self, Write};

/// The page of a protocol in Markdown: its requests, the types that they reach, the encodings that occur.
///
/// It reads well where GitHub shows it and in `#![doc = include_str!("protocol.md")]`. A test that compares it with
/// the file keeps the file true.
#[must_use]
pub fn markdown(protocol: &Protocol) -> String {
    Page(&Outline::of(protocol)).to_string()
}

/// An outline as Markdown.
#[derive(Clone, Copy)]
struct Page<'a>(&'a Outline);

impl Spelling for Page<'_> {
    fn named(&self, id: TypeId) -> String {
        let title = title(self.0.get(id));
        format!("[{}](#{})", title, anchor(&type_heading(self.0.get(id))))
    }

    fn custom(&self, words: &str) -> String {
        plain(words)
    }

    fn other(&self, field: &str) -> String {
        format!("`{field}`")
    }

    fn whole(&self, shape: &str) -> String {
        shape.to_owned()
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "# `{}`", self.0.name)?;
        write_docs(out, self.0.docs, 1)?;
        self.write_overview(out)?;
        for request in &self.0.requests {
            self.write_request(out, request)?;
        }
        if self.0.listed().next().is_some() {
            writeln!(out, "\n## Types")?;
        }
        for (_, ty) in self.0.listed() {
            self.write_type(out, ty)?;
        }
        self.write_legend(out)
    }
}

impl Page<'_> {
    fn write_overview(self, out: &mut impl Write) -> fmt::Result {
        writeln!(out, "\n## Requests\n\n| | request | answer | failure | limits |\n|---|---|---|---|---|")?;
        self.0.requests.iter().try_for_each(|request| {
            writeln!(
                out,
                "| {} | [`{}`](#{}) | {} | {} | {} |",
                request.number,
                request.name,
                anchor(&request_heading(request)),
                self.reply(&request.reply),
                self.failure(request),
                contract_words(request.contract)
            )
        })
    }

    fn failure(self, request: &Request) -> String {
        request.failure.as_ref().map_or("words".to_owned(), |failure| self.shape(failure))
    }

    fn write_request(self, out: &mut impl Write, request: &Request) -> fmt::Result {
        writeln!(out, "\n### {}", request_heading(request))?;
        write_docs(out, request.docs, 3)?;
        match self.0.inline(request) {
            Some(ty) => {
                if ty.docs != request.docs {
                    write_docs(out, ty.docs, 3)?;
                }
                if let Body::Struct(body) = &ty.body {
                    self.write_struct(out, body)?;
                }
            }
            None if request.payload == Shape::Tuple(Vec::new()) => writeln!(out, "\nNo payload.")?,
            None => writeln!(out, "\nPayload: {}", self.shape(&request.payload))?,
        }
        writeln!(out, "\nAnswer: {}", self.reply(&request.reply))?;
        if matches!(request.reply, Reply::Option(_)) {
            writeln!(out, "\nWhat is there has its own flags, if any, above flag 0.")?;
        }
        if let Some(failure) = &request.failure {
            let shape = self.shape(failure);
            writeln!(
                out,
                "\nFailure: {shape}, with flag 0 set and its own flags, if any, above it; else words"
            )?;
        }
        match contract_words(request.contract) {
            limits if limits.is_empty() => Ok(()),
            limits => writeln!(out, "\nLimits: {limits}"),
        }
    }

    fn write_type(self, out: &mut impl Write, ty: &Type) -> fmt::Result {
        writeln!(out, "\n### {}", type_heading(ty))?;
        write_docs(out, ty.docs, 3)?;
        match &ty.body {
            Body::Struct(body) => {
                self.write_struct(out, body)?;
                write_flags_word(out, &body.fields)
            }
            Body::Enum(variants) => self.write_variants(out, variants),
        }
    }

    fn write_struct(self, out: &mut impl Write, body: &Struct) -> fmt::Result {
        if body.is_delimited {
            writeln!(out, "\nIts length in bytes, a `uint`, is in front of everything.")?;
        }
        if !body.magic.is_empty() {
            writeln!(out, "\nIt begins with the bytes `{}`, in hexadecimal.", hexadecimal(&body.magic))?;
        }
        write_flags(out, &body.fields)?;
        let with_bytes: Vec<_> = body.fields.iter().filter(|field| field.content.shape().is_some()).collect();
        if with_bytes.is_empty() {
            return writeln!(out, "\nNo payload.");
        }
        writeln!(out, "\n| field | encoding | |\n|---|---|---|")?;
        with_bytes.into_iter().try_for_each(|field| {
            writeln!(out, "| `{}` | {} | {} |", field.name, self.field(field), in_cell(field.docs))
        })
    }

    fn write_variants(self, out: &mut impl Write, variants: &[Variant]) -> fmt::Result {
        writeln!(out, "\n| number | variant | fields | |\n|---|---|---|---|")?;
        variants.iter().try_for_each(|variant| {
            let fields: Vec<_> = variant
                .fields
                .iter()
                .map(|field| match in_cell(field.docs) {
                    docs if docs.is_empty() => format!("`{}`: {}", field.name, self.field(field)),
                    docs => format!("`{}`: {} ({docs})", field.name, self.field(field)),
                })
                .collect();
            let (number, docs) = (variant.number, in_cell(variant.docs));
            writeln!(out, "| {number} | `{}` | {} | {docs} |", variant.name, fields.join("<br>"))
        })
    }

    fn write_legend(self, out: &mut impl Write) -> fmt::Result {
        let mut shapes = Vec::new();
        self.0.each_shape(&mut |shape| shapes.push(shape));
        writeln!(out, "\n## Encodings\n\n| | bytes |\n|---|---|")?;
        for (name, is_it, bytes) in SHAPES {
            if shapes.iter().any(|shape| is_it(shape)) {
                writeln!(out, "| {name} | {bytes} |")?;
            }
        }
        for (name, is_it, bytes) in CONTENTS {
            if self.0.types.iter().flat_map(Type::fields).any(|field| is_it(&field.content)) {
                writeln!(out, "| {name} | {bytes} |")?;
            }
        }
        Ok(())
    }
}

/// A way to write something, how to tell it, and the bytes that it is.
type Legend<T> = &'static [(&'static str, fn(&T) -> bool, &'static str)];

const SHAPES: Legend<Shape> = &[
    // Counts and numbers of variants are such, too.
    (
        "uint",
        |_| true,
        "base 128, most significant group first, bit 7 set in all bytes but the last: 300 is `82 2c`; up to 64 bits",
    ),
    ("uint16, uint32", |shape| matches!(shape, Shape::Uint(..64)), "a uint of no more bits"),
    ("bool", |shape| matches!(shape, Shape::Bool), "a uint, 0 or 1"),
    (
        "float",
        |shape| matches!(shape, Shape::Float),
        "a string, the shortest decimal that reads back to the number",
    ),
    (
        "u16be, i32le, ...",
        |shape| matches!(shape, Shape::Fixed(_)),
        "unsigned, signed or a float (u, i, f) of so many bits, most (be) or least (le) significant byte first",
    ),
    ("data", |shape| matches!(shape, Shape::Data), "a uint, so many bytes"),
    ("string", |shape| matches!(shape, Shape::Text), "a uint, so many bytes of UTF-8"),
    ("N bytes", |shape| matches!(shape, Shape::Bytes(_)), "so many bytes, bare"),
    ("N times X", |shape| matches!(shape, Shape::Array(..)), "so many values, back to back"),
    ("option of X", |shape| matches!(shape, Shape::Option(_)), "a uint: 0, or 1 and a value"),
    ("list of X", |shape| matches!(shape, Shape::List(_)), "a uint, so many values"),
    ("map of X to Y", |shape| matches!(shape, Shape::Map(..)), "a uint, so many keys each with its value"),
    ("(X, Y)", |shape| matches!(shape, Shape::Tuple(_)), "one value after the other"),
    ("bytes to the end", |shape| matches!(shape, Shape::RestData), "bytes, bare"),
    ("text to the end", |shape| matches!(shape, Shape::RestText), "UTF-8, bare"),
    ("X or the end", |shape| matches!(shape, Shape::RestOption(_)), "a value, or no byte more"),
    ("X to the end", |shape| matches!(shape, Shape::RestList(_)), "values, back to back"),
];

const CONTENTS: Legend<Content> = &[
    (
        "if flag N: X",
        |content| matches!(content, Content::IfFlag(..)),
        "no bytes unless the flag is set (clear)",
    ),
    (
        "counted by F: X",
        |content| matches!(content, Content::Counted(..)),
        "without the uint in front, which is field F: bytes of data and strings, values of lists",
    ),
    (
        "chosen by F: X",
        |content| matches!(content, Content::Chosen(..)),
        "an enum without the number of the variant, which is field F",
    ),
];

fn title(ty: &Type) -> String {
    match ty.number {
        1 => format!("`{}`", ty.name),
        number => format!("`{}` ({number})", ty.name),
    }
}

fn request_heading(request: &Request) -> String {
    format!("Request {}: `{}`", request.number, request.name)
}

fn type_heading(ty: &Type) -> String {
    match ty.body {
        Body::Struct(_) => format!("struct {}", title(ty)),
        Body::Enum(_) => format!("enum {}", title(ty)),
    }
}

/// The anchor that GitHub and rustdoc give to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Words that are no Markdown.
fn plain(words: &str) -> String {
    let mut plain = String::new();
    for c in words.chars() {
        if "\\`*[]<>|#".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// Writes the table of the flags if there are some.
fn write_flags(out: &mut impl Write, fields: &[Field]) -> fmt::Result {
    if !fields.iter().any(|field| field.content.is_of_flags()) {
        return Ok(());
    }
    writeln!(out, "\n| flag | set if | |\n|---|---|---|")?;
    fields.iter().try_for_each(|field| {
        let (name, docs) = (&field.name, in_cell(field.docs));
        match field.content {
            Content::Flag(Flag { bit, is_set: true }) => writeln!(out, "| {bit} | `{name}` | {docs} |"),
            Content::Flag(Flag { bit, is_set: false }) => {
                writeln!(out, "| {bit} | not `{name}` | {docs} |")
            }
            // What has bytes has its documentation there.
            Content::IfFlag(Flag { bit, is_set: true }, _) => {
                writeln!(out, "| {bit} | `{name}` is there | |")
            }
            Content::IfFlag(Flag { bit, is_set: false }, _) => {
                writeln!(out, "| {bit} | `{name}` is not there | |")
            }
            Content::Flags => writeln!(out, "| all | the number `{name}` | {docs} |"),
            Content::Inline(_) | Content::Whole(_) | Content::Counted(..) | Content::Chosen(..) => Ok(()),
        }
    })
}

/// Says where flags are if there are some.
fn write_flags_word(out: &mut impl Write, fields: &[Field]) -> fmt::Result {
    let Some(first) = fields.iter().position(|field| field.content.is_of_flags()) else { return Ok(()) };
    let next = fields.iter().skip(first).find(|field| field.content.shape().is_some());
    let place = next.map_or("at the end".to_owned(), |next| format!("in front of `{}`", next.name));
    writeln!(out, "\nThe flags are those of the packet that it fills; within another value a uint {place}.")
}

/// Writes documentation below a heading of this level, that of its own headings below it.
fn write_docs(out: &mut impl Write, docs: Docs, level: usize) -> fmt::Result {
    if docs.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut is_code = false;
    for line in doc_lines(docs) {
        is_code ^= line.trim_start().starts_with("```");
        if !is_code && line.starts_with('#') {
            write!(out, "{}", "#".repeat(level))?;
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The first paragraph of documentation, for a cell of a table.
fn in_cell(docs: Docs) -> String {
    let paragraph: Vec<_> = doc_lines(docs)
        .take_while(|line| !line.trim().is_empty())
        .map(|line| line.trim().to_owned())
        .collect();
    let mut cell = String::new();
    let mut is_escaped = false;
    for c in paragraph.join(" ").chars() {
        if c == '|' && !is_escaped {
            cell.push('\\');
        }
        is_escaped = c == '\\' && !is_escaped;
        cell.push(c);
    }
    cell
}

#[cfg(test)]
mod tests;
