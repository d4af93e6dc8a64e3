//! What is known of a file besides its content: the `meta` text of a directory entry.
//!
//! The format has a short form, `key:value` joined by `;` with the keys sorted, for access rules (`a`) and
//! a modification time in microseconds (`m`), and JSON for whatever has other keys. Permissions, link targets
//! and nanoseconds need other keys, so what is written here is JSON, keys sorted:
//!
//! | key | value |
//! |---|---|
//! | `mode` | the 12 permission bits |
//! | `mtime` | seconds since 1970, rounded down |
//! | `mtime_ns` | nanoseconds after that |
//! | `target` | of a symbolic link |
//!
//! The format's texts are UTF-8, names and targets of files are bytes. One that is not UTF-8 is written under
//! `name_latin1` or `target_latin1`, each byte as the character of that number; the entry's own name is then
//! an approximation for people. Both forms are read; keys without a meaning here are passed over.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// All permission bits: set-user-ID, set-group-ID, sticky, and nine of read, write, execute.
const MODE_BITS: u64 = 0o7777;
const NANOSECONDS: u32 = 1_000_000_000;

/// A time, as exact as files have it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FileTime {
    /// Since 1970, rounded down: negative before.
    pub seconds: i64,
    /// After that, less than a second.
    pub nanoseconds: u32,
}

/// What is known of a file besides its content. All of it can be missing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Meta {
    /// The 12 permission bits.
    pub mode: Option<u32>,
    /// When the content last changed.
    pub modified: Option<FileTime>,
    /// Of a symbolic link: where it points to.
    pub target: Option<OsString>,
    /// The name, if it is not UTF-8.
    pub name: Option<OsString>,
}

/// Why a text is not the meta of a directory entry.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MetaError {
    /// It has neither of the two forms.
    #[error("neither `key:value` fields nor a JSON object")]
    Form,
    /// The value of a key is not one.
    #[error("bad value of `{0}`")]
    Value(&'static str),
}

impl Meta {
    /// The text; JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut keys = BTreeMap::<&str, Value>::new();
        if let Some(mode) = self.mode {
            keys.insert("mode", mode.into());
        }
        if let Some(FileTime { seconds, nanoseconds }) = self.modified {
            keys.insert("mtime", seconds.into());
            keys.insert("mtime_ns", nanoseconds.into());
        }
        for (key, latin1, value) in
            [("name", "name_latin1", &self.name), ("target", "target_latin1", &self.target)]
        {
            match value.as_deref().map(|value| (value, value.to_str())) {
                None => None,
                Some((_, Some(text))) => keys.insert(key, text.into()),
                Some((bytes, None)) => keys.insert(latin1, to_latin1(bytes).into()),
            };
        }
        Value::from_iter(keys).to_string()
    }

    /// Reads a text of either form.
    ///
    /// # Errors
    ///
    /// See [`MetaError`].
    pub fn from_text(text: &str) -> Result<Self, MetaError> {
        if text.starts_with('{') { Self::from_json(text) } else { Self::from_fields(text) }
    }

    fn from_json(text: &str) -> Result<Self, MetaError> {
        let Ok(Value::Object(keys)) = serde_json::from_str(text) else { return Err(MetaError::Form) };
        let value = |key: &'static str| keys.get(key).map(|value| (key, value));
        Ok(Self {
            mode: value("mode").map(mode).transpose()?,
            modified: match value("mtime") {
                Some(seconds) => Some(modified(seconds, value("mtime_ns"))?),
                None => value("m").map(|(key, at)| short_form_time(key, &at.to_string())).transpose()?,
            },
            target: string(value("target"), value("target_latin1"))?,
            name: string(value("name"), value("name_latin1"))?,
        })
    }

    fn from_fields(text: &str) -> Result<Self, MetaError> {
        let mut meta = Self::default();
        for field in text.split(';').filter(|field| !field.is_empty()) {
            let (key, value) = field.split_once(':').ok_or(MetaError::Form)?;
            if key == "m" {
                meta.modified = Some(short_form_time("m", value)?);
            }
        }
        Ok(meta)
    }
}

type Keyed<'a> = (&'static str, &'a Value);

fn mode((key, value): Keyed<'_>) -> Result<u32, MetaError> {
    let mode = value.as_u64().filter(|mode| *mode <= MODE_BITS);
    mode.and_then(|mode| u32::try_from(mode).ok()).ok_or(MetaError::Value(key))
}

fn modified((key, seconds): Keyed<'_>, nanoseconds: Option<Keyed<'_>>) -> Result<FileTime, MetaError> {
    let seconds = seconds.as_i64().ok_or(MetaError::Value(key))?;
    let Some((key, nanoseconds)) = nanoseconds else { return Ok(FileTime { seconds, nanoseconds: 0 }) };
    let nanoseconds = nanoseconds.as_u64().and_then(|value| u32::try_from(value).ok());
    let nanoseconds = nanoseconds.filter(|value| *value < NANOSECONDS).ok_or(MetaError::Value(key))?;
    Ok(FileTime { seconds, nanoseconds })
}

fn string(text: Option<Keyed<'_>>, latin1: Option<Keyed<'_>>) -> Result<Option<OsString>, MetaError> {
    match (text, latin1) {
        (_, Some((key, value))) => {
            value.as_str().and_then(from_latin1).ok_or(MetaError::Value(key)).map(Some)
        }
        (Some((key, value)), None) => {
            value.as_str().ok_or(MetaError::Value(key)).map(|text| Some(text.into()))
        }
        (None, None) => Ok(None),
    }
}

fn short_form_time(key: &'static str, text: &str) -> Result<FileTime, MetaError> {
    decimal_time(text).ok_or(MetaError::Value(key))
}

/// Reads `1700000000.500000`, to the digit.
fn decimal_time(text: &str) -> Option<FileTime> {
    const DIGITS: usize = 9;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if fraction.len() > DIGITS || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: u32 = format!("{fraction:0<DIGITS$}").parse().ok()?;
    if !whole.starts_with('-') || nanoseconds == 0 {
        return Some(FileTime { seconds, nanoseconds });
    }
    // -1.25 is 0.75 after -2.
    Some(FileTime { seconds: seconds.checked_sub(1)?, nanoseconds: NANOSECONDS - nanoseconds })
}

fn to_latin1(bytes: &OsStr) -> String {
    bytes.as_bytes().iter().copied().map(char::from).collect()
}

fn from_latin1(text: &str) -> Option<OsString> {
    text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>().map(OsString::from_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn travels(meta: &Meta, text: &str) {
        assert_eq!(meta.to_text(), text);
        assert_eq!(Meta::from_text(text).as_ref(), Ok(meta));
    }

    #[test]
    fn keys_are_sorted_and_only_those_known_are_written() {
        travels(&Meta::default(), "{}");
        let modified = Some(FileTime { seconds: -1, nanoseconds: 999_999_999 });
        let file = Meta { mode: Some(0o644), modified, ..Meta::default() };
        travels(&file, r#"{"mode":420,"mtime":-1,"mtime_ns":999999999}"#);
        let link = Meta { target: Some("../\"é\"".into()), ..Meta::default() };
        travels(&link, r#"{"target":"../\"é\""}"#);
    }

    #[test]
    fn bytes_that_are_not_utf_8_survive() {
        let odd = |bytes: &[u8]| Some(OsStr::from_bytes(bytes).to_owned());
        let meta = Meta { name: odd(b"a\xff"), target: odd(b"\xc3("), ..Meta::default() };
        travels(&meta, r#"{"name_latin1":"aÿ","target_latin1":"Ã("}"#);
    }

    #[test]
    fn the_short_form_is_read() {
        let modified = |seconds, nanoseconds| {
            Ok(Meta { modified: Some(FileTime { seconds, nanoseconds }), ..Meta::default() })
        };
        assert_eq!(Meta::from_text("a:o:rw-x;m:1700000000.500000"), modified(1_700_000_000, 500_000_000));
        assert_eq!(Meta::from_text("m:-1.250000"), modified(-2, 750_000_000));
        assert_eq!(Meta::from_text("m:-0.250000"), modified(-1, 750_000_000));
        assert_eq!(Meta::from_text("m:-3.000000"), modified(-3, 0));
        assert_eq!(Meta::from_text(""), Ok(Meta::default()));
        assert_eq!(
            Meta::from_text(r#"{"a":"o:rw-x","m":1700000000.5,"x":[]}"#),
            modified(1_700_000_000, 500_000_000)
        );
    }

    #[test]
    fn what_is_neither_form_or_has_bad_values_is_refused() {
        for text in ["a", "{", "{\"mode\"}", "m"] {
            assert_eq!(Meta::from_text(text), Err(MetaError::Form), "{text}");
        }
        for (text, key) in [
            ("m:soon", "m"),
            ("m:1.0000000001", "m"),
            ("m:1.+5", "m"),
            (r#"{"mode":4096}"#, "mode"),
            (r#"{"mode":"rw"}"#, "mode"),
            (r#"{"mtime":1.5}"#, "mtime"),
            (r#"{"m":"1.5"}"#, "m"),
            (r#"{"mtime":1,"mtime_ns":1000000000}"#, "mtime_ns"),
            (r#"{"target":3}"#, "target"),
            (r#"{"target_latin1":"€"}"#, "target_latin1"),
        ] {
            assert_eq!(Meta::from_text(text), Err(MetaError::Value(key)), "{text}");
        }
    }
}
