//! Python expressions, laid out as `black` does.

use std::fmt::Write;

/// The longest line.
pub(super) const WIDTH: usize = 88;

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// What stays on one line.
    Atom(String),
    /// What is broken into a line for each item if it is too long for one.
    Group { open: String, items: Vec<Item>, close: &'static str },
}

/// A part of a group, and what stands in front of it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    before: String,
    value: Expr,
}

impl Expr {
    pub(super) fn atom(text: impl Into<String>) -> Self {
        Self::Atom(text.into())
    }

    pub(super) fn call(function: &str, items: impl IntoIterator<Item = impl Into<Item>>) -> Self {
        let items = items.into_iter().map(Into::into).collect();
        Self::Group { open: format!("{function}("), items, close: ")" }
    }

    pub(super) fn dict(items: impl IntoIterator<Item = (u64, Self)>) -> Self {
        let items = items.into_iter().map(|(key, value)| value.after(format!("{key}: "))).collect();
        Self::Group { open: "{".to_owned(), items, close: "}" }
    }

    /// The text of a string.
    pub(super) fn text(text: &str) -> Self {
        Self::Atom(quoted(text))
    }

    /// It, with something in front.
    pub(super) fn after(self, before: impl Into<String>) -> Item {
        Item { before: before.into(), value: self }
    }

    /// `target = expression`, at the margin.
    pub(super) fn assigned_to(&self, target: &str) -> String {
        let mut out = format!("{target} = ");
        self.lay(&mut out, 0, target.len() + 3, 0);
        out.push('\n');
        out
    }

    fn flat(&self) -> String {
        match self {
            Self::Atom(text) => text.clone(),
            Self::Group { open, items, close } => {
                let items: Vec<_> = items.iter().map(Item::flat).collect();
                format!("{open}{}{close}", items.join(", "))
            }
        }
    }

    /// Appends it to a line of which `used` columns are taken, and `behind` will be.
    fn lay(&self, out: &mut String, indent: usize, used: usize, behind: usize) {
        let flat = self.flat();
        match self {
            Self::Group { open, items, close }
                if !items.is_empty() && used + flat.chars().count() + behind > WIDTH =>
            {
                let inner = indent + 4;
                out.push_str(open);
                for Item { before, value } in items {
                    let _ = write!(out, "\n{:inner$}{before}", "");
                    value.lay(out, inner, inner + before.chars().count(), 1);
                    out.push(',');
                }
                let _ = write!(out, "\n{:indent$}{close}", "");
            }
            _ => out.push_str(&flat),
        }
    }
}

impl Item {
    fn flat(&self) -> String {
        format!("{}{}", self.before, self.value.flat())
    }
}

impl From<Expr> for Item {
    fn from(value: Expr) -> Self {
        value.after("")
    }
}

/// A string literal.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A literal of bytes.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let mut literal = String::from("b\"");
    for byte in bytes {
        match byte {
            b'"' => literal.push_str("\\x22"),
            b'\\' => literal.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => literal.push(char::from(*byte)),
            byte => {
                let _ = write!(literal, "\\x{byte:02x}");
            }
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_for_a_line_has_a_line_for_each_part() {
        let short = Expr::call("_Field", [Expr::text("name"), Expr::call("_Uint", [Expr::atom("64")])]);
        assert_eq!(short.assigned_to("x"), "x = _Field(\"name\", _Uint(64))\n");
        let long = Expr::call("_Fields", vec![short; 3]).after("lambda: ");
        let long = Expr::call("_Struct", [long, Expr::atom("True").after("is_delimited=")]);
        let line = "        _Field(\"name\", _Uint(64)),\n".repeat(3);
        let expected =
            format!("x = _Struct(\n    lambda: _Fields(\n{line}    ),\n    is_delimited=True,\n)\n");
        assert_eq!(long.assigned_to("x"), expected);
    }

    #[test]
    fn a_line_is_broken_at_the_column_after_the_last() {
        let call = |length| Expr::call("f", [Expr::atom("a".repeat(length))]).assigned_to("x");
        assert_eq!(call(WIDTH - 7), format!("x = f({})\n", "a".repeat(WIDTH - 7)));
        assert_eq!(call(WIDTH - 6), format!("x = f(\n    {},\n)\n", "a".repeat(WIDTH - 6)));
    }

    #[test]
    fn literals_are_what_python_reads_as_the_same() {
        assert_eq!(quoted("a\"b\\c\nd\u{7f}é"), r#""a\"b\\c\nd\u007fé""#);
        assert_eq!(bytes(b"a\"\\\x00\xff~"), r#"b"a\x22\\\x00\xff~""#);
    }
}
