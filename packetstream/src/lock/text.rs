//! The lock file, one fact a line.
//!
//! ```text
//! packetstream lock 1
//! # a comment
//!
//! protocol <name>
//!
//! request <number> <name>
//!   delimited
//!   magic <bytes in hexadecimal>
//!   field <name>: <content>
//!   payload: <shape>                 instead, if it is no struct
//!   reply: <reply>
//!   failure: <shape>                 if one is declared
//!
//! struct <name>
//!   delimited, magic, fields
//!
//! enum <name>
//!   variant <number> <name>
//!     fields
//! ```
//!
//! Contents, replies and shapes are spelled as [`Spelling`] does. What is indented belongs to what is above it;
//! the indentation itself is for people.

mod line;

use super::LockProblem;
use crate::outline::{
    Body, Field, Labels, Outline, Reply, Request, Shape, Spelling, Struct, Type, TypeId, Variant,
};
use line::Line;
use packetstream_core::Contract;
use std::collections::{HashMap, HashSet};
use std::fmt;

const HEADER: &str = "packetstream lock 1";

const COMMENT: &str = "\
# What travels, with its numbers and encodings. A test compares the program with this file and fails when
# deployed peers would no longer be understood. Additions: PACKETSTREAM_LOCK=write cargo test
";

/// The text of the lock file.
pub(super) fn write(outline: &Outline) -> String {
    Lock(outline).to_string()
}

struct Lock<'a>(&'a Outline);

impl fmt::Display for Lock<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outline = self.0;
        let labels = Labels(outline);
        write!(out, "{HEADER}\n{COMMENT}\nprotocol {}\n", Labels::name(&outline.name))?;
        for request in &outline.requests {
            writeln!(out, "\nrequest {} {}", request.number, Labels::name(&request.name))?;
            match outline.inline(request).map(|ty| &ty.body) {
                Some(Body::Struct(body)) => self.write_struct(out, body)?,
                _ => writeln!(out, "  payload: {}", labels.shape(&request.payload))?,
            }
            writeln!(out, "  reply: {}", labels.reply(&request.reply))?;
            if let Some(failure) = &request.failure {
                writeln!(out, "  failure: {}", labels.shape(failure))?;
            }
        }
        for (id, ty) in outline.listed() {
            match &ty.body {
                Body::Struct(body) => {
                    writeln!(out, "\nstruct {}", labels.named(id))?;
                    self.write_struct(out, body)?;
                }
                Body::Enum(variants) => {
                    writeln!(out, "\nenum {}", labels.named(id))?;
                    for variant in variants {
                        writeln!(out, "  variant {} {}", variant.number, Labels::name(&variant.name))?;
                        self.write_fields(out, "    ", &variant.fields)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Lock<'_> {
    fn write_struct(&self, out: &mut fmt::Formatter<'_>, body: &Struct) -> fmt::Result {
        if body.is_delimited {
            writeln!(out, "  delimited")?;
        }
        if !body.magic.is_empty() {
            writeln!(out, "  magic {}", hexadecimal(&body.magic))?;
        }
        self.write_fields(out, "  ", &body.fields)
    }

    fn write_fields(&self, out: &mut fmt::Formatter<'_>, indent: &str, fields: &[Field]) -> fmt::Result {
        fields.iter().try_for_each(|field| {
            writeln!(out, "{indent}field {}: {}", Labels::name(&field.name), Labels(self.0).field(field))
        })
    }
}

/// Bytes, two digits each.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// What a lock file tells, or in which line it tells nothing, and why.
pub(super) fn read(text: &str) -> Result<Outline, (usize, LockProblem)> {
    let numbered = || text.lines().enumerate().map(|(index, line)| (index + 1, line));
    if text.lines().next().is_none_or(|line| line.trim() != HEADER) {
        return Err((1, LockProblem::Expected(HEADER)));
    }
    let mut reader = Reader::default();
    for (number, text) in numbered() {
        reader.declare(text).map_err(|problem| (number, problem))?;
    }
    let mut last = 1;
    for (number, text) in numbered().skip(1) {
        if !is_comment(text) {
            reader.line(text).map_err(|problem| (number, problem))?;
            last = number;
        }
    }
    reader.finish().map_err(|problem| (last, problem))
}

fn is_comment(text: &str) -> bool {
    let text = text.trim_start();
    text.is_empty() || text.starts_with('#')
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    /// The types that the file has, wherever in it.
    declared: HashMap<(String, usize), TypeId>,
    types: Vec<Type>,
    name: Option<String>,
    requests: Vec<Unfinished>,
    numbers: HashSet<u64>,
    section: Section,
}

/// A request of which further lines may follow.
struct Unfinished {
    number: u64,
    name: String,
    payload: Option<Shape>,
    /// The struct that its fields, if it has some, are those of.
    inline: Option<TypeId>,
    reply: Option<Reply>,
    failure: Option<Shape>,
}

/// What the next line may belong to.
#[derive(Clone, Copy, Default)]
enum Section {
    #[default]
    Protocol,
    Request,
    Type(TypeId),
}

impl Reader {
    /// Notes a type, so that lines before its own can name it.
    fn declare(&mut self, text: &str) -> Result<(), LockProblem> {
        let keyword = text.split_whitespace().next();
        let body = match keyword {
            Some("struct") => Body::Struct(Struct::default()),
            Some("enum") => Body::Enum(Vec::new()),
            _ => return Ok(()),
        };
        let mut line = Line::new(text)?;
        line.word()?;
        let (name, number) = line.label()?;
        line.end()?;
        let ty = Type { name: name.clone(), number, is_inline: false, docs: &[], body };
        let id = self.add(ty);
        if self.declared.insert((name, number), id).is_some() {
            return Err(LockProblem::Repeated);
        }
        Ok(())
    }

    fn add(&mut self, ty: Type) -> TypeId {
        self.types.push(ty);
        TypeId(self.types.len() - 1)
    }

    fn line(&mut self, text: &str) -> Result<(), LockProblem> {
        let mut line = Line::new(text)?;
        let keyword = line.word()?;
        match keyword.as_str() {
            "protocol" => set(&mut self.name, line.name()?)?,
            "request" => {
                self.finish_request()?;
                self.request(&mut line)?;
            }
            "struct" | "enum" => {
                self.finish_request()?;
                let label = line.label()?;
                self.section = Section::Type(self.type_of(label)?);
            }
            "variant" => {
                let (number, name) = (line.number()?, line.name()?);
                let variants = self.variants()?;
                if variants.iter().any(|variant| variant.number == number) {
                    return Err(LockProblem::Repeated);
                }
                variants.push(Variant { number, name, docs: &[], fields: Vec::new() });
            }
            "field" => {
                let name = line.name()?;
                line.colon()?;
                let content = line.content(&self.declared)?;
                let fields = self.fields()?;
                if fields.iter().any(|field| field.name == name) {
                    return Err(LockProblem::Repeated);
                }
                fields.push(Field { name, docs: &[], content });
            }
            "delimited" => {
                let body = self.body()?;
                if body.is_delimited {
                    return Err(LockProblem::Repeated);
                }
                body.is_delimited = true;
            }
            "magic" => {
                let magic = line.bytes()?;
                let body = self.body()?;
                if !body.magic.is_empty() {
                    return Err(LockProblem::Repeated);
                }
                body.magic = magic;
            }
            "payload" => {
                line.colon()?;
                let shape = line.shape(&self.declared)?;
                let request = self.current()?;
                if request.inline.is_some() {
                    return Err(LockProblem::Misplaced);
                }
                set(&mut request.payload, shape)?;
            }
            "reply" => {
                line.colon()?;
                let reply = line.reply(&self.declared)?;
                set(&mut self.current()?.reply, reply)?;
            }
            "failure" => {
                line.colon()?;
                let shape = line.shape(&self.declared)?;
                set(&mut self.current()?.failure, shape)?;
            }
            _ => return Err(LockProblem::Expected("a line that begins as those that are written do")),
        }
        line.end()
    }

    fn request(&mut self, line: &mut Line) -> Result<(), LockProblem> {
        let (number, name) = (line.number()?, line.name()?);
        if !self.numbers.insert(number) {
            return Err(LockProblem::Repeated);
        }
        self.requests.push(Unfinished {
            number,
            name,
            payload: None,
            inline: None,
            reply: None,
            failure: None,
        });
        self.section = Section::Request;
        Ok(())
    }

    fn type_of(&self, (name, number): (String, usize)) -> Result<TypeId, LockProblem> {
        self.declared.get(&(name, number)).copied().ok_or(LockProblem::UnknownType)
    }

    /// The request that lines belong to.
    fn current(&mut self) -> Result<&mut Unfinished, LockProblem> {
        match (self.section, self.requests.last_mut()) {
            (Section::Request, Some(request)) => Ok(request),
            _ => Err(LockProblem::Misplaced),
        }
    }

    /// The struct that lines belong to.
    fn body(&mut self) -> Result<&mut Struct, LockProblem> {
        let id = match self.section {
            Section::Type(id) => id,
            Section::Protocol => return Err(LockProblem::Misplaced),
            Section::Request => self.inline()?,
        };
        match &mut self.types[id.0].body {
            Body::Struct(body) => Ok(body),
            Body::Enum(_) => Err(LockProblem::Misplaced),
        }
    }

    fn inline(&mut self) -> Result<TypeId, LockProblem> {
        let next = TypeId(self.types.len());
        let request = self.current()?;
        if request.payload.is_some() {
            return Err(LockProblem::Misplaced);
        }
        if let Some(id) = request.inline {
            return Ok(id);
        }
        request.inline = Some(next);
        let name = request.name.clone();
        let body = Body::Struct(Struct::default());
        Ok(self.add(Type { name, number: 1, is_inline: true, docs: &[], body }))
    }

    fn variants(&mut self) -> Result<&mut Vec<Variant>, LockProblem> {
        let Section::Type(id) = self.section else { return Err(LockProblem::Misplaced) };
        match &mut self.types[id.0].body {
            Body::Enum(variants) => Ok(variants),
            Body::Struct(_) => Err(LockProblem::Misplaced),
        }
    }

    fn fields(&mut self) -> Result<&mut Vec<Field>, LockProblem> {
        if let Section::Type(id) = self.section
            && let Body::Enum(_) = self.types[id.0].body
        {
            let variant = self.variants()?.last_mut();
            return variant.map(|variant| &mut variant.fields).ok_or(LockProblem::Misplaced);
        }
        self.body().map(|body| &mut body.fields)
    }

    /// Goes on to another section, once the one before says all it must.
    fn finish_request(&mut self) -> Result<(), LockProblem> {
        if let Ok(request) = self.current() {
            if request.reply.is_none() {
                return Err(LockProblem::Expected("the `reply:` of the request before"));
            }
            if request.payload.is_none() {
                // A request without fields.
                self.inline()?;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Outline, LockProblem> {
        self.finish_request()?;
        let name = self.name.ok_or(LockProblem::Expected("a line `protocol <name>`"))?;
        let request = |request: Unfinished| {
            Some(Request {
                number: request.number,
                name: request.name,
                docs: &[],
                payload: request.payload.or(request.inline.map(Shape::Named))?,
                reply: request.reply?,
                failure: request.failure,
                contract: Contract::NONE,
            })
        };
        let requests = self.requests.into_iter().filter_map(request).collect();
        Ok(Outline { name, docs: &[], requests, types: self.types })
    }
}

fn set<T>(slot: &mut Option<T>, value: T) -> Result<(), LockProblem> {
    if slot.replace(value).is_some() { Err(LockProblem::Repeated) } else { Ok(()) }
}
