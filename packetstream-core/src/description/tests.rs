use super::*;
use crate::outcome::{self, Failure};
use crate::payload::{Be, Counted, Fixed, Flagged, Le, Payload, PayloadError, PayloadReader};
use crate::payload::{PayloadWriter, Rest, Variants, Verbatim};
use crate::request::{BaseRequest, ErrorResponse, Response};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

fn words<T: Payload>() -> String {
    T::encoding().to_string()
}

/// Without words of its own.
struct Wordless;

impl Payload for Wordless {
    fn parse(_: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(Self)
    }

    fn transcribe(&self, _: &mut PayloadWriter) {}
}

impl Variants for Wordless {
    fn parse_variant(_: u64, _: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(Self)
    }

    fn transcribe_variant(&self, _: &mut PayloadWriter) {}

    fn id(&self) -> u64 {
        0
    }
}

impl Response for Wordless {
    fn into_reply(self) -> outcome::Reply {
        outcome::Reply::default()
    }

    fn from_reply(_: outcome::Reply) -> Result<Self, PayloadError> {
        Ok(Self)
    }
}

impl BaseRequest for Wordless {
    type Reply = bool;
    type Error = String;
    const CONTRACT: Contract = Contract { ordered: true, ..Contract::NONE };
}

const NAME_OF_WORDLESS: &str = "packetstream_core::description::tests::Wordless";

static POINT: Struct = Struct { name: "Point", docs: &[], is_delimited: false, magic: &[], fields: &[] };
static SHAPE: Enum = Enum { name: "Shape", docs: &[], variants: &[] };

#[test]
fn a_payload_is_told_in_words_that_lock_files_hold() {
    for (told, expected) in [
        (words::<u64>(), "uint"),
        (words::<usize>(), "uint"),
        (words::<u32>(), "uint32"),
        (words::<u16>(), "uint16"),
        (words::<bool>(), "bool"),
        (words::<f64>(), "float"),
        (words::<Be<u16>>(), "u16be"),
        (words::<Le<i64>>(), "i64le"),
        (words::<Bytes>(), "data"),
        (words::<Vec<u8>>(), "data"),
        (words::<String>(), "string"),
        (words::<[u8; 20]>(), "20 bytes"),
        (words::<[u64; 3]>(), "3 times uint"),
        (words::<Option<bool>>(), "option of bool"),
        (words::<Vec<u64>>(), "list of uint"),
        (words::<Box<Vec<String>>>(), "list of string"),
        (words::<BTreeMap<u64, String>>(), "map of uint to string"),
        (words::<HashMap<String, u64>>(), "map of string to uint"),
        (words::<()>(), "()"),
        (words::<(u64,)>(), "(uint)"),
        (words::<(u64, f64, bool)>(), "(uint, float, bool)"),
        (words::<Verbatim<u64>>(), "(uint)"),
        (words::<Wordless>(), NAME_OF_WORDLESS),
        (Wordless::variant_encoding().to_string(), NAME_OF_WORDLESS),
        (Encoding::Struct(&POINT).to_string(), "Point"),
        (Encoding::Enum(&SHAPE).to_string(), "Shape"),
    ] {
        assert_eq!(told, expected);
    }
    assert_eq!(format!("{:?}", <Vec<u64>>::encoding()), "Encoding(list of uint)");
}

#[test]
fn what_takes_the_rest_or_is_counted_is_told_without_a_length() {
    for (told, expected) in [
        (Bytes::rest_encoding(), "bytes to the end"),
        (<Vec<u8>>::rest_encoding(), "bytes to the end"),
        (String::rest_encoding(), "text to the end"),
        (<Vec<u64>>::rest_encoding(), "uint to the end"),
        (<Option<u64>>::rest_encoding(), "uint or the end"),
        (<Vec<u64>>::counted_encoding(), "uint to the end"),
        (u16::little_encoding(), "u16le"),
        (f32::big_encoding(), "f32be"),
    ] {
        assert_eq!(told.to_string(), expected);
    }
}

#[test]
fn a_reply_is_told_by_what_is_in_its_flags_and_payload() {
    let and_bytes = "a number in the flags, bytes to the end";
    for (told, expected) in [
        (<()>::reply_encoding(), "nothing"),
        (bool::reply_encoding(), "flag 0"),
        (u64::reply_encoding(), "a number in the flags"),
        (<(u64, Bytes)>::reply_encoding(), and_bytes),
        (outcome::Reply::reply_encoding(), and_bytes),
        (Bytes::reply_encoding(), "bytes to the end"),
        (<Vec<u8>>::reply_encoding(), "bytes to the end"),
        (String::reply_encoding(), "text to the end"),
        (<Vec<Be<u32>>>::reply_encoding(), "u32be to the end"),
        (<Verbatim<String>>::reply_encoding(), "(string)"),
        (<Option<Bytes>>::reply_encoding(), "if flag 0: bytes to the end"),
        (Wordless::reply_encoding(), NAME_OF_WORDLESS),
    ] {
        assert_eq!(told.to_string(), expected);
    }
    assert_eq!(format!("{:?}", bool::reply_encoding()), "Reply(flag 0)");
}

#[test]
fn a_failure_is_told_only_where_it_is_declared() {
    assert!(Failure::failure_encoding().is_none());
    assert_eq!(
        <(u64, String)>::failure_encoding().map(|told| told.to_string()),
        Some("(uint, string)".into())
    );
}

#[test]
fn a_request_is_told_by_its_types() {
    let request = Request::of::<Wordless>(7, "Wordless", &["a line"]);
    assert_eq!((request.rq_type, request.name, request.docs), (7, "Wordless", &["a line"][..]));
    assert_eq!((request.payload)().to_string(), NAME_OF_WORDLESS);
    assert_eq!((request.reply)().to_string(), "flag 0");
    assert_eq!((request.failure)().map(|told| told.to_string()), Some("string".into()));
    assert!(request.contract.ordered);
}

#[test]
fn a_field_is_told_by_its_place_and_its_encoding() {
    let (set, clear) = (Flag::set(3), Flag::clear(3));
    assert!(set.is_set && !clear.is_set && set.bit == clear.bit);
    for (field, place, encoding, is_of_flags) in [
        (Field::inline("f", &[], u64::encoding), Place::Inline, "uint", false),
        (Field::whole("f", &[], u64::encoding), Place::Whole, "uint", false),
        (Field::flag("f", &[], set, bool::VALUE), Place::Flag(set), "bool", true),
        (Field::flag("f", &[], clear, <Option<String>>::VALUE), Place::IfFlag(clear), "string", true),
        (Field::if_flag("f", &[], set, f64::encoding), Place::IfFlag(set), "float", true),
        (Field::flags("f", &[]), Place::Flags, "uint", true),
        (Field::counted("f", &[], "n", Bytes::encoding), Place::Counted("n"), "data", false),
        (Field::chosen("f", &[], "id", u64::encoding), Place::Chosen("id"), "uint", false),
    ] {
        assert_eq!((field.name, field.place), ("f", place));
        assert_eq!((field.encoding)().to_string(), encoding, "{place:?}");
        assert_eq!(place.is_of_flags(), is_of_flags, "{place:?}");
    }
}
