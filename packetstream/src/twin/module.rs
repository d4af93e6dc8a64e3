//! The text of a module.

use super::codec::{Codecs, payload_fields};
use super::expr::WIDTH;
use super::names::{self, Names, RequestNames, is_plain};
use super::support::{OF_VALUES, REQUEST, codecs_for, words};
use crate::outline::{
    Body, Content, Field, Outline, Request, Shape, Type, TypeId, Variant, contract_words, doc_lines,
};
use packetstream_core::description::Docs;
use std::fmt::Write;

/// How a module is used, behind what its protocol is.
const USE: &str = "
Made by packetstream from the declarations of `{protocol}`, for cs.packetstream: a test
over there keeps it true, so do not edit it.

A side of a connection asks so:

    side = {side}((receive, send), packet_grace=0)
    with side.conn:
        reply = side.conn_do_remote({request}(...))

and answers so:

    class Server({side}):
        def {method}(self, request):
            return ...  # the reply

    server = Server((receive, send), packet_grace=0)
    with server.conn:
        server.conn.join_recv()

Bytes that are none of the protocol are a ValueError. cs.packetstream turns any
exception of a method into a failure without words and cannot send a declared one;
received ones are told by `request.ask(side.conn)`, which raises RequestFailed.
What the declarations assert beyond the encodings is not checked here.";

/// The class of a side of a connection, but for what fulfils requests.
const SIDE: &str = r#"class {side}(HasPacketConnection):
    """A side of a connection: the other one is asked, this one answers."""

    def __init__(self, recv_send: Any, name: Any = None, **packet_kw: Any) -> None:
        super().__init__(recv_send, name, rq_type_map=RQ_TYPE_MAP, **packet_kw)
"#;

/// What answers a request.
const FULFIL: &str = r#"
    def fulfil(self, context: Any) -> tuple[int, bytes]:
        """Have `context` answer."""
        return self.reply(context.{method}(self))"#;

/// The module for an outline.
pub(super) fn text(outline: &Outline) -> String {
    let names = Names::of(outline);
    let module = Module { outline, names: &names, codecs: Codecs { outline, names: &names } };
    let layouts = module.layouts();
    let of_values = if outline.listed().next().is_some() { OF_VALUES } else { "" };
    let codecs = codecs_for(&[REQUEST, &layouts, of_values].join("\n"));
    let parts = [
        vec![REQUEST.trim_end().to_owned()],
        module.types(),
        module.requests(),
        vec![
            module.side(),
            module.map(),
            format!("# What the bytes are.\n\n\n{}", codecs.trim_end()),
            layouts,
        ],
    ];
    let code = parts.concat().join("\n\n\n");
    format!("{}\n{}\n\n{code}", module.docstring(), imports(&code))
}

struct Module<'a> {
    outline: &'a Outline,
    names: &'a Names,
    codecs: Codecs<'a>,
}

/// What the code has to import.
fn imports(code: &str) -> String {
    let uses = |name: &str| words(code).any(|word| word == name);
    let of_typing = ["Any", "Callable", "ClassVar", "Sequence"];
    let of_typing: Vec<_> = of_typing.into_iter().filter(|name| uses(name)).collect();
    let lines = [
        ("functools.", "import functools"),
        ("operator.", "import operator"),
        ("struct.", "import struct"),
        ("@dataclass", "from dataclasses import dataclass"),
        ("(IntEnum)", "from enum import IntEnum"),
    ];
    let mut imports = String::from("from __future__ import annotations\n\n");
    for (use_of_it, line) in lines {
        if code.contains(use_of_it) {
            imports += line;
            imports += "\n";
        }
    }
    imports += "from typing import ";
    imports += &of_typing.join(", ");
    imports + "\n\nfrom cs.packetstream import BaseRequest, HasPacketConnection\n"
}

impl Module<'_> {
    fn docstring(&self) -> String {
        let Self { outline, names, .. } = self;
        let mut lines: Vec<_> = doc_lines(outline.docs).collect();
        if lines.is_empty() {
            lines.push(format!("The protocol `{}`.", outline.name));
        }
        let first = names.requests.first();
        let (request, method) = first.map_or(("Request", "fulfil"), |names| (&names.class, &names.method));
        let of_use = USE
            .replace("{protocol}", &outline.name)
            .replace("{side}", &names.protocol)
            .replace("{request}", request)
            .replace("{method}", method);
        lines.extend(of_use.lines().map(str::to_owned));
        let by_hand = self.by_hand();
        if !by_hand.is_empty() {
            lines.push(String::new());
            lines.push("What is written by hand has to be put into BY_HAND before use:".to_owned());
            lines.push(String::new());
            lines.extend(by_hand.iter().map(|words| format!("* {}", words.escape_debug())));
        }
        docstring(&lines, "")
    }

    /// The words for what is written by hand.
    fn by_hand(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        self.outline.each_shape(&mut |shape| {
            if let Shape::Custom(words) = shape
                && !found.contains(&words.as_str())
            {
                found.push(words);
            }
        });
        found
    }

    fn types(&self) -> Vec<String> {
        self.outline.listed().flat_map(|(id, ty)| self.ty(id, ty)).collect()
    }

    /// The class of a type, and those of its variants.
    fn ty(&self, id: TypeId, ty: &Type) -> Vec<String> {
        let names = self.names.get(id);
        let docs: Vec<_> = doc_lines(ty.docs).collect();
        match &ty.body {
            Body::Struct(body) => {
                let sorted = if ty.is_sorted_struct(self.outline) { ", order=True" } else { "" };
                let head = format!("@dataclass(frozen=True{sorted})\nclass {}:\n", names.class);
                vec![head + &class_body(&docs, &[], &self.fields(&body.fields, false))]
            }
            Body::Enum(variants) if is_plain(ty) => {
                let members = variants.iter().zip(&names.variants);
                let members = members.map(|(variant, name)| {
                    format!("{}    {name} = {}\n", comment(variant.docs), variant.number)
                });
                let head = format!("class {}(IntEnum):\n", names.class);
                vec![head + &class_body(&docs, &[], &members.collect::<Vec<_>>())]
            }
            Body::Enum(variants) => {
                let base = format!("class {}:\n{}", names.class, class_body(&docs, &[], &[]));
                let variants =
                    variants.iter().zip(&names.variants).map(|(Variant { docs, fields, .. }, class)| {
                        let docs: Vec<_> = doc_lines(docs).collect();
                        let head = format!("@dataclass(frozen=True)\nclass {class}({}):\n", names.class);
                        head + &class_body(&docs, &[], &self.fields(fields, false))
                    });
                [base].into_iter().chain(variants).map(|class| class.trim_end().to_owned()).collect()
            }
        }
        .into_iter()
        .map(|class| class.trim_end().to_owned())
        .collect()
    }

    /// The fields of a class. Those that tell of others are made of these, and not there. Those that need not be
    /// given come last, as dataclasses want it.
    fn fields(&self, fields: &[Field], is_request: bool) -> Vec<String> {
        let names = names::fields(fields, is_request);
        let tells = |field: &Field| {
            fields.iter().any(|other| match &other.content {
                Content::Counted(name, _) | Content::Chosen(name, _) => *name == field.name,
                _ => false,
            })
        };
        let (mut given, mut optional) = (Vec::new(), Vec::new());
        for (field, name) in fields.iter().zip(&names).filter(|(field, _)| !tells(field)) {
            let (hint, default) = self.codecs.field_hint(&field.content);
            let docs = comment(field.docs);
            match default {
                None => given.push(format!("{docs}    {name}: {hint}\n")),
                Some(default) => optional.push(format!("{docs}    {name}: {hint} = {default}\n")),
            }
        }
        given.append(&mut optional);
        given
    }

    fn requests(&self) -> Vec<String> {
        let requests = self.outline.requests.iter().zip(&self.names.requests);
        requests.map(|(request, names)| self.request(request, names)).collect()
    }

    fn request(&self, request: &Request, names: &RequestNames) -> String {
        let mut docs = self.request_docs(request);
        docs.push(String::new());
        docs.push(format!("Reply: {}", self.codecs.reply_hint(&request.reply)));
        if let Some(failure) = &request.failure {
            docs.push(format!("Declared failure: {}", self.codecs.hint(failure)));
        }
        let limits = contract_words(request.contract);
        if !limits.is_empty() {
            docs.push(format!("Limits: {limits}"));
        }
        let fields = self.fields(&payload_fields(self.outline, request), true);
        let number = format!("    RQ_TYPE = {}\n", request.number);
        let body = class_body(&docs, &[number], &fields);
        let head = format!("@dataclass\nclass {}(_Request):\n", names.class);
        head + &body + &FULFIL.replace("{method}", &names.method)
    }

    /// What is said of a request in the protocol, and of its struct.
    fn request_docs(&self, request: &Request) -> Vec<String> {
        let mut docs: Vec<_> = doc_lines(request.docs).collect();
        if let Some(ty) = self.outline.inline(request)
            && ty.docs != request.docs
        {
            if !docs.is_empty() && !ty.docs.is_empty() {
                docs.push(String::new());
            }
            docs.extend(doc_lines(ty.docs));
        }
        if docs.is_empty() {
            docs.push(format!("The request {}, `{}`.", request.number, request.name));
        }
        docs
    }

    /// The class of a side of a connection.
    fn side(&self) -> String {
        let mut text = SIDE.replace("{side}", &self.names.protocol);
        for (request, RequestNames { class, method }) in
            self.outline.requests.iter().zip(&self.names.requests)
        {
            let docs: Vec<_> = self.request_docs(request);
            let first = docs.iter().position(String::is_empty).unwrap_or(docs.len());
            let reply = self.codecs.reply_hint(&request.reply);
            let docs = docstring(&docs[..first], "        ");
            text.extend(
                [
                    &method_head(method, class, &reply),
                    &docs,
                    &format!("        raise NotImplementedError(\"{method}\")\n"),
                ]
                .map(String::as_str),
            );
        }
        text.trim_end().to_owned()
    }

    fn map(&self) -> String {
        let mut text = String::from("RQ_TYPE_MAP: dict[int, type[BaseRequest]] = {\n");
        for (request, names) in self.outline.requests.iter().zip(&self.names.requests) {
            let _ = writeln!(text, "    {}: {},", request.number, names.class);
        }
        text + "}"
    }

    /// What reads and writes the classes.
    fn layouts(&self) -> String {
        let mut text = String::new();
        for (id, _) in self.outline.listed() {
            text += &self.codecs.ty(id).assigned_to(&format!("{}: _Codec", self.names.get(id).codec));
            text += "\n";
        }
        text += &self.codecs.by_class();
        for (request, RequestNames { class, .. }) in self.outline.requests.iter().zip(&self.names.requests) {
            text += &self.codecs.payload(class, request).assigned_to(&format!("{class}._payload"));
            text += &self.codecs.reply(&request.reply).assigned_to(&format!("{class}._reply"));
            if let Some(failure) = &request.failure {
                text += &self.codecs.some(failure).assigned_to(&format!("{class}._failure"));
            }
            text += "\n";
        }
        text.trim_end().to_owned() + "\n"
    }
}

/// The head of what fulfils a request.
fn method_head(method: &str, class: &str, reply: &str) -> String {
    let head = format!("    def {method}(self, request: {class}) -> {reply}:");
    if head.chars().count() <= WIDTH {
        return format!("\n{head}\n");
    }
    format!("\n    def {method}(\n        self, request: {class}\n    ) -> {reply}:\n")
}

/// What is in a class: its documentation, and lines, with a blank line between what belongs together.
fn class_body(docs: &[String], constants: &[String], fields: &[String]) -> String {
    let docs = if docs.is_empty() { String::new() } else { docstring(docs, "    ") };
    let parts = [docs, constants.concat(), fields.concat()];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "    pass\n".to_owned() } else { parts.join("\n") }
}

/// Documentation above a field.
fn comment(docs: Docs) -> String {
    doc_lines(docs).map(|line| format!("    #: {line}").trim_end().to_owned() + "\n").collect()
}

/// Documentation within what it is of.
pub(super) fn docstring(lines: &[String], indent: &str) -> String {
    let mut lines: Vec<_> =
        lines.iter().map(|line| line.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"")).collect();
    if let [only] = &mut lines[..] {
        if only.ends_with('"') {
            only.pop();
            only.push_str("\\\"");
        }
        return format!("{indent}\"\"\"{}\"\"\"\n", only.trim());
    }
    let mut text = format!("{indent}\"\"\"");
    for (index, line) in lines.iter().enumerate() {
        if index > 0 && !line.trim().is_empty() {
            text += indent;
        }
        text += if index == 0 { line.trim() } else { line.trim_end() };
        text += "\n";
    }
    text + indent + "\"\"\"\n"
}
