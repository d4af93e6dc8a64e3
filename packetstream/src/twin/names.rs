//! What things are called in Python.

use crate::outline::{Body, Field, Outline, Type, TypeId};
use std::collections::HashSet;
use std::fmt::Write;

/// Words that no name can be.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Names that the module has in use, beside those that begin with `_`.
const OF_THE_MODULE: &[&str] = &[
    "Any",
    "BY_HAND",
    "BaseRequest",
    "Callable",
    "ClassVar",
    "HasPacketConnection",
    "IntEnum",
    "KeyError",
    "NotImplementedError",
    "OverflowError",
    "RQ_TYPE_MAP",
    "RequestFailed",
    "Sequence",
    "Some",
    "TypeError",
    "ValueError",
    "annotations",
    "bool",
    "bytearray",
    "bytes",
    "classmethod",
    "dataclass",
    "dict",
    "float",
    "from_bytes",
    "functools",
    "int",
    "isinstance",
    "len",
    "list",
    "list_from_bytes",
    "memoryview",
    "min",
    "operator",
    "property",
    "range",
    "repr",
    "reversed",
    "set",
    "sorted",
    "str",
    "struct",
    "super",
    "to_bytes",
    "tuple",
    "type",
    "vars",
    "zip",
];

/// Types that fields have: a field of such a name would hide it from those behind.
const OF_FIELDS: &[&str] = &["bool", "bytes", "dict", "float", "int", "list", "self", "str", "tuple"];

/// What requests have already, as such and as values of `cs.binary`.
const OF_REQUESTS: &[&str] = &[
    "RQ_TYPE",
    "_abc_impl",
    "_failure",
    "_payload",
    "_reply",
    "_seq",
    "ask",
    "decode_failure",
    "decode_response_payload",
    "flags",
    "from_bytes",
    "from_request_payload",
    "fulfil",
    "load",
    "parse",
    "parse_bytes",
    "reply",
    "save",
    "scan",
    "scan_fspath",
    "scan_with_offsets",
    "self_check",
    "transcribe",
    "transcribe_flat",
    "transcribed_length",
    "write",
];

/// The names of a protocol's classes.
#[derive(Debug)]
pub(super) struct Names {
    /// The class of a side of a connection.
    pub(super) protocol: String,
    /// Of each request.
    pub(super) requests: Vec<RequestNames>,
    types: Vec<TypeNames>,
}

#[derive(Debug)]
pub(super) struct RequestNames {
    pub(super) class: String,
    /// What fulfils it.
    pub(super) method: String,
}

#[derive(Debug)]
pub(super) struct TypeNames {
    pub(super) class: String,
    /// What reads and writes it.
    pub(super) codec: String,
    /// Of an enum: the classes of its variants; if none has fields, what they are called in it.
    pub(super) variants: Vec<String>,
}

impl Names {
    pub(super) fn of(outline: &Outline) -> Self {
        let mut taken = Taken::default();
        let protocol = taken.take(&outline.name);
        let types = outline.types.iter().map(|ty| TypeNames::of(ty, &mut taken)).collect();
        let mut methods = Taken::default();
        let requests = outline.requests.iter().map(|request| {
            let is_called_so = request.name.ends_with("Request");
            let class = if is_called_so { request.name.clone() } else { format!("{}Request", request.name) };
            let class = taken.take(&class);
            let method = methods.take(&format!("fulfil_{}", snake_case(&request.name)));
            RequestNames { class, method }
        });
        let requests = requests.collect();
        Self { protocol, requests, types }
    }

    pub(super) fn get(&self, id: TypeId) -> &TypeNames {
        &self.types[id.0]
    }
}

impl TypeNames {
    fn of(ty: &Type, taken: &mut Taken) -> Self {
        if ty.is_inline {
            // Shown as its request.
            return Self { class: String::new(), codec: String::new(), variants: Vec::new() };
        }
        let class = taken.take(&ty.name);
        let codec = taken.take(&format!("_{}", snake_case(&ty.name).to_uppercase()));
        let variants = match &ty.body {
            Body::Struct(_) => Vec::new(),
            Body::Enum(variants) if is_plain(ty) => {
                let mut members = Taken::default();
                variants
                    .iter()
                    .map(|variant| members.take(&snake_case(&variant.name).to_uppercase()))
                    .collect()
            }
            Body::Enum(variants) => {
                variants.iter().map(|variant| taken.take(&format!("{class}{}", variant.name))).collect()
            }
        };
        Self { class, codec, variants }
    }
}

/// Whether this is an enum whose variants have no fields, and which has some.
pub(super) fn is_plain(ty: &Type) -> bool {
    match &ty.body {
        Body::Struct(_) => false,
        Body::Enum(variants) => {
            !variants.is_empty() && variants.iter().all(|variant| variant.fields.is_empty())
        }
    }
}

/// The names of fields, those of a request or of another value.
pub(super) fn fields(fields: &[Field], is_request: bool) -> Vec<String> {
    let reserved = if is_request { [OF_FIELDS, OF_REQUESTS].concat() } else { OF_FIELDS.to_vec() };
    let mut taken = Taken { names: HashSet::new(), reserved };
    let is_only = fields.len() == 1;
    let name = |field: &Field| match field.name.parse::<usize>() {
        Ok(_) if is_only => taken.take("value"),
        Ok(index) => taken.take(&format!("field_{index}")),
        Err(_) => taken.take(&field.name),
    };
    fields.iter().map(name).collect()
}

/// The names of one scope that are taken.
struct Taken {
    names: HashSet<String>,
    reserved: Vec<&'static str>,
}

impl Default for Taken {
    fn default() -> Self {
        Self { names: HashSet::new(), reserved: OF_THE_MODULE.to_vec() }
    }
}

impl Taken {
    /// Takes a name, or the next best.
    fn take(&mut self, name: &str) -> String {
        let name = identifier(name);
        let is_reserved = KEYWORDS.contains(&name.as_str()) || self.reserved.contains(&name.as_str());
        let mut free = if is_reserved { format!("{name}_") } else { name.clone() };
        let mut number = 1;
        while !self.names.insert(free.clone()) {
            number += 1;
            free.clone_from(&name);
            let _ = write!(free, "{number}");
        }
        free
    }
}

/// The name as one of Python's: no longer what else people may write into descriptions, and not one that Python
/// treats as private to a class.
fn identifier(name: &str) -> String {
    let is_dunder = name.starts_with("__");
    let name = if is_dunder { name.trim_start_matches('_') } else { name };
    let word: String = name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let needs_front = is_dunder || !word.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if needs_front { format!("_{word}") } else { word }
}

/// `HTTPServer2Go` to `http_server2_go`, as the derives name the methods of clients.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let small_next = rest.peek().is_some_and(|next| next.is_lowercase());
        let begins =
            before.is_some_and(|before: char| before != '_' && (!before.is_uppercase() || small_next));
        if c.is_uppercase() && begins {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        before = Some(c);
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::support;

    #[test]
    fn what_the_module_has_in_use_is_no_name_for_a_class() {
        // What is public in the code that modules share, and what they import.
        for name in support::public_names().chain(["functools", "operator", "struct", "dataclass", "IntEnum"])
        {
            assert!(OF_THE_MODULE.contains(&name), "{name}");
        }
    }

    #[test]
    fn words_are_told_apart_by_their_capitals() {
        for (name, snake) in [
            ("HashCodes", "hash_codes"),
            ("HTTPServer2Go", "http_server2_go"),
            ("Get_Now", "get_now"),
            ("a", "a"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }
}
