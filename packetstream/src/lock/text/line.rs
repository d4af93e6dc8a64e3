//! One line of a lock file, read from left to right.

use crate::lock::LockProblem;
use crate::outline::{Content, Reply, Shape, TypeId, is_fixed};
use packetstream_core::description::Flag;
use std::collections::{HashMap, VecDeque};

/// How deep shapes may lie within shapes, so that no file exhausts the stack.
const MAX_DEPTH: u32 = 64;

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    /// Letters, digits and `_`.
    Word(String),
    /// A name between backticks.
    Name(String),
    /// Words between quotes.
    Quoted(String),
    Sign(char),
}

pub(super) struct Line {
    tokens: VecDeque<Token>,
    depth: u32,
}

/// The types of the file, by name and number.
type Declared = HashMap<(String, usize), TypeId>;

impl Line {
    pub(super) fn new(text: &str) -> Result<Self, LockProblem> {
        let mut tokens = VecDeque::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                c if c.is_whitespace() => {}
                '`' => tokens.push_back(Token::Name(unquoted(&mut rest, c)?)),
                '"' => tokens.push_back(Token::Quoted(unquoted(&mut rest, c)?)),
                c if is_of_word(c) => {
                    let mut word = String::from(c);
                    while let Some(c) = rest.next_if(|c| is_of_word(*c)) {
                        word.push(c);
                    }
                    tokens.push_back(Token::Word(word));
                }
                c => tokens.push_back(Token::Sign(c)),
            }
        }
        Ok(Self { tokens, depth: 0 })
    }

    pub(super) fn word(&mut self) -> Result<String, LockProblem> {
        match self.tokens.pop_front() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(LockProblem::Expected("a word")),
        }
    }

    pub(super) fn name(&mut self) -> Result<String, LockProblem> {
        match self.tokens.pop_front() {
            Some(Token::Word(name) | Token::Name(name)) => Ok(name),
            _ => Err(LockProblem::Expected("a name")),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T, LockProblem> {
        let word = self.word().ok().and_then(|word| word.parse().ok());
        word.ok_or(LockProblem::Expected("a number"))
    }

    /// `Page`, `Page#2`
    pub(super) fn label(&mut self) -> Result<(String, usize), LockProblem> {
        let name = self.name()?;
        let number = if self.takes_sign('#') { self.number()? } else { 1 };
        Ok((name, number))
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, LockProblem> {
        let problem = LockProblem::Expected("bytes in hexadecimal");
        let Ok(word) = self.word() else { return Err(problem) };
        if word.len() % 2 != 0 || !word.is_ascii() {
            return Err(problem);
        }
        let byte = |at: usize| u8::from_str_radix(&word[at..at + 2], 16).ok();
        (0..word.len()).step_by(2).map(byte).collect::<Option<_>>().ok_or(problem)
    }

    pub(super) fn colon(&mut self) -> Result<(), LockProblem> {
        self.sign(':', "a `:`")
    }

    pub(super) fn end(&self) -> Result<(), LockProblem> {
        if self.tokens.is_empty() { Ok(()) } else { Err(LockProblem::Expected("the end of the line")) }
    }

    pub(super) fn content(&mut self, declared: &Declared) -> Result<Content, LockProblem> {
        if self.takes("flags") {
            return Ok(Content::Flags);
        }
        if self.comes("flag") {
            return Ok(Content::Flag(self.bit()?));
        }
        if self.takes("if") {
            let bit = self.bit()?;
            self.colon()?;
            return Ok(Content::IfFlag(bit, self.shape(declared)?));
        }
        if self.takes("whole") {
            self.colon()?;
            return Ok(Content::Whole(self.shape(declared)?));
        }
        let of_other: Option<fn(String, Shape) -> Content> = if self.takes("counted by") {
            Some(Content::Counted)
        } else if self.takes("chosen by") {
            Some(Content::Chosen)
        } else {
            None
        };
        let Some(of_other) = of_other else { return Ok(Content::Inline(self.shape(declared)?)) };
        let other = self.name()?;
        self.colon()?;
        Ok(of_other(other, self.shape(declared)?))
    }

    /// `flag 3`, `flag 3 clear`
    fn bit(&mut self) -> Result<Flag, LockProblem> {
        if !self.takes("flag") {
            return Err(LockProblem::Expected("a flag"));
        }
        let bit = self.number()?;
        Ok(Flag { bit, is_set: !self.takes("clear") })
    }

    pub(super) fn reply(&mut self, declared: &Declared) -> Result<Reply, LockProblem> {
        if self.takes("nothing") {
            return Ok(Reply::Nothing);
        }
        if self.takes("flag 0") {
            return Ok(Reply::Bool);
        }
        if self.takes("a number in the flags") {
            if !self.takes_sign(',') {
                return Ok(Reply::Flags);
            }
            if self.takes("bytes to the end") {
                return Ok(Reply::FlagsAndData);
            }
            return Err(LockProblem::Expected("`bytes to the end`"));
        }
        if self.takes("if flag 0") {
            self.colon()?;
            return self.within(|line| line.reply(declared)).map(|reply| Reply::Option(Box::new(reply)));
        }
        self.shape(declared).map(Reply::Value)
    }

    pub(super) fn shape(&mut self, declared: &Declared) -> Result<Shape, LockProblem> {
        if self.takes("bytes to the end") {
            return Ok(Shape::RestData);
        }
        if self.takes("text to the end") {
            return Ok(Shape::RestText);
        }
        let shape = self.part(declared)?;
        if self.takes("to the end") {
            return Ok(Shape::RestList(Box::new(shape)));
        }
        if self.takes("or the end") {
            return Ok(Shape::RestOption(Box::new(shape)));
        }
        Ok(shape)
    }

    /// A shape within a phrase.
    fn part(&mut self, declared: &Declared) -> Result<Shape, LockProblem> {
        self.within(|line| line.bare_part(declared))
    }

    fn bare_part(&mut self, declared: &Declared) -> Result<Shape, LockProblem> {
        let boxed = |line: &mut Self| line.part(declared).map(Box::new);
        if self.takes_sign('(') {
            return self.parentheses(declared);
        }
        if self.takes("option of") {
            return boxed(self).map(Shape::Option);
        }
        if self.takes("list of") {
            return boxed(self).map(Shape::List);
        }
        if self.takes("map of") {
            let key = boxed(self)?;
            if !self.takes("to") {
                return Err(LockProblem::Expected("`to` and the values of the map"));
            }
            return Ok(Shape::Map(key, boxed(self)?));
        }
        if self.is_word(1, "bytes") || self.is_word(1, "times") {
            let count = self.number()?;
            if self.takes("bytes") {
                return Ok(Shape::Bytes(count));
            }
            self.word()?;
            return boxed(self).map(|value| Shape::Array(count, value));
        }
        if let Some(Token::Quoted(_)) = self.tokens.front()
            && let Some(Token::Quoted(words)) = self.tokens.pop_front()
        {
            return Ok(Shape::Custom(words));
        }
        self.simple(declared)
    }

    /// A shape without parts.
    fn simple(&mut self, declared: &Declared) -> Result<Shape, LockProblem> {
        let is_label = matches!(self.tokens.get(1), Some(Token::Sign('#')));
        if let Some(Token::Word(word)) = self.tokens.front()
            && !is_label
            && let Some(shape) = scalar(word)
        {
            self.tokens.pop_front();
            return Ok(shape);
        }
        let Ok(label) = self.label() else { return Err(LockProblem::Expected("an encoding")) };
        declared.get(&label).map(|id| Shape::Named(*id)).ok_or(LockProblem::UnknownType)
    }

    /// What follows `(`: a tuple, or what is kept together.
    fn parentheses(&mut self, declared: &Declared) -> Result<Shape, LockProblem> {
        let mut values = Vec::new();
        while !self.takes_sign(')') {
            values.push(self.shape(declared)?);
            if self.takes_sign(',') {
                continue;
            }
            self.sign(')', "a `)`")?;
            return Ok(if values.len() == 1 { values.remove(0) } else { Shape::Tuple(values) });
        }
        Ok(Shape::Tuple(values))
    }

    fn within<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, LockProblem>,
    ) -> Result<T, LockProblem> {
        if self.depth == MAX_DEPTH {
            return Err(LockProblem::TooDeep);
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Takes these words if they come next.
    fn takes(&mut self, words: &str) -> bool {
        let comes = self.comes(words);
        if comes {
            self.tokens.drain(..words.split(' ').count());
        }
        comes
    }

    fn comes(&self, words: &str) -> bool {
        let is_next = words.split(' ').enumerate().all(|(index, word)| self.is_word(index, word));
        // `flags#1` is the name of a type.
        is_next && self.tokens.get(words.split(' ').count()) != Some(&Token::Sign('#'))
    }

    fn is_word(&self, index: usize, word: &str) -> bool {
        matches!(self.tokens.get(index), Some(Token::Word(token)) if token == word)
    }

    fn takes_sign(&mut self, sign: char) -> bool {
        let comes = self.tokens.front() == Some(&Token::Sign(sign));
        if comes {
            self.tokens.pop_front();
        }
        comes
    }

    fn sign(&mut self, sign: char, expected: &'static str) -> Result<(), LockProblem> {
        if self.takes_sign(sign) { Ok(()) } else { Err(LockProblem::Expected(expected)) }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn scalar(word: &str) -> Option<Shape> {
    Some(match word {
        "uint" => Shape::Uint(64),
        "bool" => Shape::Bool,
        "float" => Shape::Float,
        "data" => Shape::Data,
        "string" => Shape::Text,
        word if is_fixed(word) => Shape::Fixed(word.to_owned()),
        word => Shape::Uint(word.strip_prefix("uint")?.parse().ok()?),
    })
}

/// What comes before the next `quote`.
fn unquoted(rest: &mut impl Iterator<Item = char>, quote: char) -> Result<String, LockProblem> {
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            c if c == quote => return Ok(text),
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some(c) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    Err(LockProblem::Expected("the end of what is quoted"))
}
