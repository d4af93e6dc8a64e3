//! Bytes and packets as case files spell them.

use std::fmt;

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

/// Puts its length in front of a body.
fn packet(body: &[u8]) -> Vec<u8> {
    let mut length = vec![u8::try_from(body.len() & 0x7f).unwrap_or_default()];
    let mut rest = body.len() >> 7;
    while rest > 0 {
        length.insert(0, u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
        rest >>= 7;
    }
    [&length, body].concat()
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
    let mut bytes = Vec::new();
    let (mut is_body, mut is_open) = (false, false);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if is_open && !rest.starts_with(']') {
            return Err("something behind `..`".into());
        }
        if let Some(after) = rest.strip_prefix('"') {
            let (quoted, after) = after.split_once('"').ok_or("a quotation without an end")?;
            bytes.extend_from_slice(quoted.as_bytes());
            rest = after.trim_start();
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == ']' || c == '[').unwrap_or(rest.len()).max(1);
        let (word, after) = rest.split_at(end);
        rest = after.trim_start();
        match word {
            "[" if !is_body => {
                parts.push(Part::Bytes(std::mem::take(&mut bytes)));
                is_body = true;
            }
            "]" if is_body => {
                parts.push(Part::Body(std::mem::take(&mut bytes), is_open));
                (is_body, is_open) = (false, false);
            }
            ".." if is_body => is_open = true,
            _ => bytes.extend(word_bytes(word)?),
        }
    }
    if is_body {
        return Err("a bracket without an end".into());
    }
    parts.push(Part::Bytes(bytes));
    Ok(parts)
}

/// `7f`, `7f*1000`, or the name of a packet.
fn word_bytes(word: &str) -> Result<Vec<u8>, String> {
    if let Some((_, bytes)) = WORDS.iter().find(|(name, _)| *name == word) {
        return Ok(bytes.to_vec());
    }
    let unknown = || format!("`{word}` is neither two hexadecimal digits nor a packet's name");
    let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
    let times = times.parse().map_err(|_| unknown())?;
    if digits.len() != 2 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(unknown());
    }
    let byte = u8::from_str_radix(digits, 16).map_err(|_| unknown())?;
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
        for text in ["0", "123", "zz", "7f*x", "\"a", "[01", "01]", "[01 .. 02]", "ErQ"] {
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
