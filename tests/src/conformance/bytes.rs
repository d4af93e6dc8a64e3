//! Bytes and packets as case files spell them.

use std::fmt;
use std::ops::RangeInclusive;

/// The two packets that have names.
const WORDS: [(&str, [u8; 4]); 2] = [("ERQ", [3, 1, 2, 0]), ("EOF", [3, 0, 2, 0])];

/// What a packet may be: its bytes, or their beginning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    bytes: Vec<u8>,
    /// Whether `bytes` are a body whose length is of no interest, and more may follow.
    is_open: bool,
}

impl Pattern {
    /// Whether `packet`, length and all, is one.
    #[must_use]
    pub fn matches(&self, packet: &[u8]) -> bool {
        if !self.is_open {
            return packet == self.bytes;
        }
        number(packet).is_some_and(|(_, prefix)| packet[prefix..].starts_with(&self.bytes))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_open { write!(f, "[{} ..]", Hex(&self.bytes)) } else { Hex(&self.bytes).fmt(f) }
    }
}

/// Bytes for people: the end markers by name, long runs cut short.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 32;
        if let Some((word, _)) = WORDS.iter().find(|(_, bytes)| bytes == self.0) {
            return f.write_str(word);
        }
        for (index, byte) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}{byte:02x}", if index == 0 { "" } else { " " })?;
        }
        match self.0.len() {
            0 => f.write_str("nothing"),
            length if length > SHOWN => write!(f, " ... {length} bytes"),
            _ => Ok(()),
        }
    }
}

/// A number at the front of bytes, and how many of them are its; nothing while it goes on. More than 64 bits are the
/// most that there is.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value: u64 = 0;
    for (index, byte) in bytes.iter().enumerate() {
        value = value.saturating_mul(128).saturating_add(u64::from(byte & 0x7f));
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// The length of the packet at the front of bytes, if all of it is there.
pub(super) fn whole(bytes: &[u8]) -> Option<usize> {
    let (length, prefix) = number(bytes)?;
    let whole = usize::try_from(length).ok()?.checked_add(prefix)?;
    (whole <= bytes.len()).then_some(whole)
}

/// Spells a number.
fn spelled(number: usize) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(number & 0x7f).unwrap_or_default()];
    let mut rest = number >> 7;
    while rest > 0 {
        bytes.insert(0, u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
        rest >>= 7;
    }
    bytes
}

/// Puts its length in front of a body.
fn packet(body: &[u8]) -> Vec<u8> {
    [&spelled(body.len()), body].concat()
}

/// What one line says.
enum Part {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// A body in brackets, which ends in `..` or not.
    Body(Vec<u8>, bool),
}

/// Bytes to send.
pub(super) fn to_send(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for part in parts(text)? {
        match part {
            Part::Bytes(more) => bytes.extend(more),
            Part::Body(body, false) => bytes.extend(packet(&body)),
            Part::Body(_, true) => return Err("`..` can only be expected".into()),
        }
    }
    Ok(bytes)
}

/// Packets to expect.
pub(super) fn to_expect(text: &str) -> Result<Vec<Pattern>, String> {
    let mut patterns = Vec::new();
    for part in parts(text)? {
        match part {
            Part::Body(body, false) => patterns.push(Pattern { bytes: packet(&body), is_open: false }),
            Part::Body(bytes, true) => patterns.push(Pattern { bytes, is_open: true }),
            Part::Bytes(bytes) => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let length = whole(rest).ok_or("the bytes end within a packet")?;
                    patterns.push(Pattern { bytes: rest[..length].to_vec(), is_open: false });
                    rest = &rest[length..];
                }
            }
        }
    }
    if patterns.is_empty() { Err("no packet".into()) } else { Ok(patterns) }
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some(inside) = rest.strip_prefix('[') else {
            let more;
            (more, rest) = token(rest)?;
            match parts.last_mut() {
                Some(Part::Bytes(bytes)) => bytes.extend(more),
                _ => parts.push(Part::Bytes(more)),
            }
            continue;
        };
        let body;
        (body, rest) = Body::read(inside)?;
        let each;
        (each, rest) = numbers(rest)?;
        match each {
            Some(numbers) => parts.extend(numbers.map(|number| body.with(number))),
            None if body.numbers.is_empty() => parts.push(body.with(0)),
            None => return Err("`@` without its numbers".into()),
        }
    }
    Ok(parts)
}

/// What is in brackets.
#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
    /// Where in `bytes` the number belongs that `@` stands for.
    numbers: Vec<usize>,
    is_open: bool,
}

impl Body {
    /// Reads on behind the opening bracket. Returns what is behind the closing one, too.
    fn read(text: &str) -> Result<(Self, &str), String> {
        let mut body = Self::default();
        let mut rest = text.trim_start();
        loop {
            if let Some(behind) = rest.strip_prefix(']') {
                return Ok((body, behind.trim_start()));
            } else if body.is_open {
                return Err("something behind `..`".into());
            } else if let Some(behind) = rest.strip_prefix("..") {
                body.is_open = true;
                rest = behind.trim_start();
            } else if let Some(behind) = rest.strip_prefix('@') {
                body.numbers.push(body.bytes.len());
                rest = behind.trim_start();
            } else if rest.is_empty() {
                return Err("a bracket without an end".into());
            } else {
                let bytes;
                (bytes, rest) = token(rest)?;
                body.bytes.extend(bytes);
            }
        }
    }

    /// The body in which `@` is this number.
    fn with(&self, number: usize) -> Part {
        let (mut bytes, mut from) = (Vec::new(), 0);
        for to in &self.numbers {
            bytes.extend_from_slice(&self.bytes[from..*to]);
            bytes.extend(spelled(number));
            from = *to;
        }
        bytes.extend_from_slice(&self.bytes[from..]);
        Part::Body(bytes, self.is_open)
    }
}

/// `@2-101` behind a bracket: the body is there once for each of these numbers. Returns what is behind, too.
fn numbers(text: &str) -> Result<(Option<RangeInclusive<usize>>, &str), String> {
    let Some(text) = text.strip_prefix('@') else { return Ok((None, text)) };
    let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    let ends = word.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match ends {
        Some((first, last)) if first <= last => Ok((Some(first..=last), rest.trim_start())),
        _ => Err(format!("`@{word}` is not of the form `@2-101`")),
    }
}

/// The bytes of a text, or of a word, and what is behind.
fn token(text: &str) -> Result<(Vec<u8>, &str), String> {
    let (bytes, rest) = if let Some(quoted) = text.strip_prefix('"') {
        let (quoted, rest) = quoted.split_once('"').ok_or("a quotation without an end")?;
        (quoted.as_bytes().to_vec(), rest)
    } else {
        let end = text.find(|c: char| c.is_whitespace() || c == ']' || c == '[').unwrap_or(text.len());
        let (word, rest) = text.split_at(end.max(1));
        (word_bytes(word)?, rest)
    };
    Ok((bytes, rest.trim_start()))
}

/// `7f`, the name of a packet, or either of them `*1000`.
fn word_bytes(word: &str) -> Result<Vec<u8>, String> {
    let unknown = || format!("`{word}` is neither two hexadecimal digits nor a packet's name");
    let (unit, times) = word.split_once('*').unwrap_or((word, "1"));
    let times = times.parse().map_err(|_| unknown())?;
    if let Some((_, bytes)) = WORDS.iter().find(|(name, _)| *name == unit) {
        return Ok(bytes.repeat(times));
    }
    if unit.len() != 2 || !unit.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(unknown());
    }
    let byte = u8::from_str_radix(unit, 16).map_err(|_| unknown())?;
    Ok(vec![byte; times])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_digits_runs_texts_and_names() {
        assert_eq!(to_send("06 7f*3 \"ab c\" ERQ").unwrap(), *b"\x06\x7f\x7f\x7fab c\x03\x01\x02\x00");
        assert_eq!(
            to_send("[02 04] 09 [00*200]").unwrap(),
            [&[2, 2, 4, 9, 0x81, 0x48][..], &[0; 200]].concat()
        );
    }

    #[test]
    fn a_body_with_numbers_is_there_for_each_of_them() {
        assert_eq!(
            to_send("[@ 04 @]@127-128 ERQ").unwrap(),
            *b"\x03\x7f\x04\x7f\x05\x81\0\x04\x81\0\x03\x01\x02\0"
        );
        assert_eq!(to_send("[04]@1-3 [05]").unwrap(), [1, 4, 1, 4, 1, 4, 1, 5]);
        assert_eq!(to_send("ERQ*2").unwrap(), [3, 1, 2, 0, 3, 1, 2, 0]);
        let patterns = to_expect("[@ 00 \"a\" ..]@2-3").unwrap();
        assert!(patterns.len() == 2 && patterns[1].matches(b"\x04\x03\0ab"));
    }

    #[test]
    fn what_is_expected_is_packets() {
        let patterns = to_expect("02 01 04 EOF [05 01 \"unknown\" ..]").unwrap();
        assert_eq!(patterns.len(), 3);
        assert!(patterns[0].matches(&[2, 1, 4]) && !patterns[0].matches(&[0x80, 2, 1, 4]));
        assert!(patterns[1].matches(&[3, 0, 2, 0]));
        assert!(
            patterns[2].matches(b"\x0b\x05\x01unknown 7") && !patterns[2].matches(b"\x0b\x05\x01Unknown 7")
        );
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for text in [
            "0",
            "123",
            "zz",
            "7f*x",
            "\"a",
            "[01",
            "01]",
            "[01 .. 02]",
            "ErQ",
            "[@]",
            "@",
            "[@]@3-2",
            "[@]@2",
            "[[01]]",
            "ERQ*",
        ] {
            assert!(to_expect(text).is_err(), "{text}");
        }
        for text in ["", "05 01"] {
            assert!(to_expect(text).is_err(), "{text}");
        }
        assert!(to_send("[01 ..]").is_err());
    }

    #[test]
    fn a_packet_is_whole_when_its_length_says_so() {
        assert_eq!(whole(&[]), None);
        assert_eq!(whole(&[0x80, 0x80]), None);
        assert_eq!(whole(&[2, 1]), None);
        assert_eq!(whole(&[0x80, 2, 1, 4, 9]), Some(4));
        assert_eq!(whole(&[0xff; 20]), None);
    }
}
