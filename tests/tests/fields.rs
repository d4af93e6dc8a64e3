//! What each attribute of a field does, to the byte: payloads, requests with flags, replies with flags.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream::{
    BaseRequest, Be, Bytes, Payload, PayloadError, PayloadProblem, PayloadReader, PayloadWriter, Reply,
    Request, Response, Verbatim,
};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

fn travels<T: Payload + Debug + PartialEq>(value: T, bytes: &[u8]) {
    assert_eq!(value.to_bytes(), bytes);
    assert_eq!(T::from_bytes(Bytes::copy_from_slice(bytes)), Ok(value));
}

fn asks<R: BaseRequest + Debug + PartialEq>(request: R, flags: u64, payload: &[u8]) {
    let payload = Bytes::copy_from_slice(payload);
    assert_eq!(request.transcribe_request(), (flags, payload.clone()));
    assert_eq!(R::from_request_payload(flags, payload), Ok(request));
}

fn answers<R: Response + Clone + Debug + PartialEq>(reply: R, flags: u64, payload: &[u8]) {
    let content = Reply { flags, payload: Bytes::copy_from_slice(payload) };
    assert_eq!(reply.clone().into_reply(), content);
    assert_eq!(R::from_reply(content), Ok(reply));
}

/// The refusal of bytes that are no `T`.
fn refusal<T: Payload + Debug>(bytes: &'static [u8]) -> String {
    T::from_bytes(Bytes::from_static(bytes)).unwrap_err().to_string()
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Sensor {
    #[payload(big)]
    id: u16,
    #[payload(little)]
    offset: i32,
    #[payload(big)]
    scale: f64,
    #[payload(big)]
    kind: u8,
}

// Rules: P-6
#[test]
fn numbers_of_fixed_width_are_fields_of_their_own_type() {
    let bytes = [&[1, 2][..], &[0xfe, 0xff, 0xff, 0xff], &0.5_f64.to_be_bytes(), &[9]].concat();
    travels(Sensor { id: 258, offset: -2, scale: 0.5, kind: 9 }, &bytes);
    assert_eq!(refusal::<Sensor>(b"\x01"), "Sensor.id: at byte 0 of the payload: 2 bytes needed, 1 left");
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Table {
    #[payload(big)]
    rows: u16,
    width: u64,
    #[payload(count = rows)]
    cells: Vec<u64>,
    #[payload(count = width)]
    title: String,
    #[payload(rest)]
    raw: Bytes,
}

// Rules: P-16, P-21
#[test]
fn a_count_is_written_from_what_it_counts() {
    let raw = Bytes::from_static(b"raw");
    let table =
        |rows, width| Table { rows, width, cells: vec![1, 300], title: "né".into(), raw: raw.clone() };
    let bytes = b"\x00\x02\x03\x01\x82\x2cn\xc3\xa9raw";
    travels(table(2, 3), bytes);
    assert_eq!(table(77, 0).to_bytes(), bytes[..]);
    assert_eq!(
        refusal::<Table>(b"\x00\x09\x03\x01"),
        "Table.cells: at byte 3 of the payload: 9 bytes needed, 1 left"
    );
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(magic = b"\x89DEV", length)]
struct Header<T> {
    version: T,
    #[payload(skip)]
    seen: bool,
    #[payload(skip, default = 7)]
    retries: u8,
    #[payload(skip)]
    unit: PhantomData<String>,
}

// Rules: none: not on the wire
#[test]
fn what_is_skipped_is_not_sent_and_becomes_its_default() {
    let sent = Header { version: 3_u64, seen: true, retries: 1, unit: PhantomData };
    assert_eq!(sent.to_bytes(), b"\x05\x89DEV\x03"[..]);
    let received = Header::<u64>::from_bytes(sent.to_bytes()).unwrap();
    assert_eq!(received, Header { version: 3, seen: false, retries: 7, unit: PhantomData });
}

// Rules: P-17, P-18
#[test]
fn a_constant_and_a_length_have_to_be_there() {
    assert_eq!(
        refusal::<Header<u64>>(b"\x05\x89DEW\x03"),
        "Header: at byte 1 of the payload: expected the constant [89, 44, 45, 56]"
    );
    assert_eq!(
        refusal::<Header<u64>>(b"\x06\x89DEV\x03\x04"),
        "Header: at byte 6 of the payload: 1 bytes left over behind the last field"
    );
    assert_eq!(
        refusal::<(u64, Header<u64>)>(b"\x01\x07\x89DEV\x03"),
        "Header: at byte 2 of the payload: 7 bytes needed, 5 left"
    );
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(assert(low <= high, "low is above high"))]
struct Range {
    #[payload(assert(low != 0, "there is no 0"), assert(low < 1000, "too low"))]
    low: u64,
    high: u64,
}

// Rules: none: checks of the application
#[test]
fn what_is_asserted_is_checked_where_it_stands() {
    travels(Range { low: 1, high: 2 }, &[1, 2]);
    assert_eq!(refusal::<Range>(&[0, 2]), "Range.low: at byte 0 of the payload: there is no 0");
    assert_eq!(refusal::<(u64, Range)>(&[9, 0x8f, 0, 2]), "Range.low: at byte 1 of the payload: too low");
    assert_eq!(refusal::<(u64, Range)>(&[9, 2, 1]), "Range: at byte 1 of the payload: low is above high");
}

/// A letter, in one byte.
mod letter {
    use super::{PayloadError, PayloadProblem, PayloadReader, PayloadWriter};

    pub(super) fn parse(reader: &mut PayloadReader) -> Result<char, PayloadError> {
        let [byte] = reader.array()?;
        if byte.is_ascii_alphabetic() {
            Ok(char::from(byte))
        } else {
            Err(reader.error(PayloadProblem::Invalid("not a letter")))
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "what a module for `with` is given")]
    pub(super) fn transcribe(letter: &char, out: &mut PayloadWriter) {
        out.bytes(&[*letter as u8]);
    }
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Seat(u64, #[payload(with = letter)] char);

// Rules: none: encodings of the application
#[test]
fn a_module_reads_and_writes_what_has_no_encoding_of_its_own() {
    travels(Seat(12, 'C'), b"\x0cC");
    assert_eq!(refusal::<Seat>(b"\x0c1"), "Seat.1: at byte 2 of the payload: not a letter");
}

#[derive(Clone, Copy, Debug, PartialEq, Payload)]
enum Colour {
    Red = 1,
    Green,
    Blue = 300,
}

#[derive(Clone, Debug, PartialEq, Payload)]
enum Shape {
    Point,
    Circle { radius: u64 },
    Polygon(Vec<(u64, u64)>, Colour),
    Group(Vec<Shape>),
    Raw(#[payload(rest)] Bytes),
}

// Rules: P-15, P-24
#[test]
fn an_enum_is_the_number_of_a_variant_and_its_fields() {
    travels(Colour::Green, &[2]);
    travels(Colour::Blue, &[0x82, 0x2c]);
    travels(Shape::Point, &[0]);
    travels(Shape::Circle { radius: 5 }, &[1, 5]);
    travels(Shape::Polygon(vec![(1, 2)], Colour::Red), &[2, 1, 1, 2, 1]);
    travels(Shape::Group(vec![Shape::Point, Shape::Circle { radius: 1 }]), &[3, 2, 0, 1, 1]);
    travels(Shape::Raw(Bytes::from_static(b"xy")), b"\x04xy");
    assert_eq!(refusal::<Colour>(&[0]), "Colour: at byte 0 of the payload: no variant 0");
    assert_eq!(refusal::<Shape>(&[2, 0, 9]), "Shape::Polygon.1: at byte 2 of the payload: no variant 9");
    let error = Shape::from_bytes(Bytes::from([3, 1].repeat(100))).unwrap_err();
    assert_eq!(error.problem, PayloadProblem::TooDeep);
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Message {
    #[payload(flag = 2)]
    urgent: bool,
    #[payload(flag = 0)]
    kind: Option<u64>,
    #[payload(flag = !1)]
    sender: Option<String>,
    #[payload(id = kind)]
    shape: Shape,
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Small)]
struct Narrow {
    #[request(big)]
    count: u8,
    #[request(count = count)]
    data: Vec<u8>,
    #[request(rest)]
    tail: Bytes,
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Small {
    #[payload(big)]
    id: u8,
    #[payload(id = id)]
    colour: Colour,
}

// Rules: P-21, P-22
#[test]
fn what_does_not_fit_its_count_or_id_is_not_written() {
    let narrow = |length| Narrow { count: 0, data: vec![7; length], tail: Bytes::from_static(b"tail") };
    assert_eq!(narrow(255).transcribe_request().0, 0);
    assert_eq!(narrow(256).transcribe_request().0, PayloadWriter::UNWRITABLE);
    let small = |colour| Small { id: 0, colour }.into_reply().flags;
    assert_eq!(small(Colour::Green), 0);
    // No packet can have such flags: the caller is told of a failure.
    assert_eq!(small(Colour::Blue), PayloadWriter::UNWRITABLE);
}

// Rules: P-19, P-20
#[test]
fn flags_within_a_payload_are_a_number_in_front_of_the_first_of_them() {
    let message = Message { urgent: true, kind: Some(1), sender: None, shape: Shape::Circle { radius: 9 } };
    travels((7_u64, message), &[7, 0b111, 1, 9]);
    let message = Message { urgent: false, kind: None, sender: Some("s".into()), shape: Shape::Point };
    travels((7_u64, message), b"\x07\x00\x01s");
    assert_eq!(refusal::<Message>(&[8]), "Message: at byte 0 of the payload: unexpected flags 0x8");
    assert_eq!(refusal::<Message>(&[3, 9]), "Message.shape: at byte 2 of the payload: no variant 9");
}

// Rules: P-22
#[test]
fn an_id_is_written_from_the_variant_that_there_is() {
    let wrong = Message { urgent: false, kind: Some(77), sender: None, shape: Shape::Point };
    assert_eq!(wrong.to_bytes()[..], [0b10]);
}

// Rules: P-19, P-20, P-23
#[test]
fn flags_of_what_fills_a_reply_are_those_of_the_packet() {
    let message = Message { urgent: true, kind: Some(1), sender: None, shape: Shape::Circle { radius: 9 } };
    answers(message.clone(), 0b111, &[1, 9]);
    answers(Some(message.clone()), 0b1111, &[1, 9]);
    answers(vec![message], 0, &[0b111, 1, 9]);
    let error = Message::from_reply(Reply { flags: 8, payload: Bytes::new() }).unwrap_err();
    assert_eq!(error.to_string(), "Message: at byte 0 of the payload: unexpected flags 0x8");
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Message, assert(!after || start.is_some(), "`after` needs a start"))]
struct Codes {
    #[request(flag = 0)]
    after: bool,
    name: String,
    #[request(flag = 61)]
    start: Option<[u8; 2]>,
    count: u64,
}

// Rules: P-19, R-17
#[test]
fn flags_of_a_request_are_those_of_the_packet() {
    asks(Codes { after: false, name: "n".into(), start: None, count: 5 }, 0, b"\x01n\x05");
    asks(Codes { after: true, name: "n".into(), start: Some(*b"ab"), count: 5 }, 1 << 61 | 1, b"\x01nab\x05");
    let refusal = |flags| Codes::from_request_payload(flags, "\u{1}n\u{5}".into()).unwrap_err().to_string();
    assert_eq!(refusal(4), "Codes: at byte 0 of the payload: unexpected flags 0x4");
    assert_eq!(refusal(1), "Codes: at byte 0 of the payload: `after` needs a start");
}

/// The same under another number.
#[derive(Debug, PartialEq, Request)]
struct CountCodes(Codes);

// Rules: P-19, R-17
#[test]
fn a_newtype_is_what_it_wraps_flags_and_all() {
    let codes = || Codes { after: true, name: "n".into(), start: Some(*b"ab"), count: 5 };
    asks(CountCodes(codes()), 1 << 61 | 1, b"\x01nab\x05");
    let error = CountCodes::from_request_payload(4, "\u{1}n\u{5}".into()).unwrap_err();
    assert_eq!(error.to_string(), "Codes: at byte 0 of the payload: unexpected flags 0x4");
}

#[derive(Debug, PartialEq, Request)]
#[request(magic = b"F")]
struct Forward {
    #[request(flags)]
    flags: u64,
    inner: Message2,
    #[request(rest)]
    body: String,
}

#[derive(Debug, PartialEq, Payload)]
struct Message2(#[payload(flag = 0, rest)] Option<Vec<u64>>);

#[derive(Debug, PartialEq, Request)]
struct Plain(u64);

// Rules: P-20, R-17
#[test]
fn a_request_can_take_all_flags_and_one_that_takes_none_ignores_them() {
    let request = Forward { flags: 300, inner: Message2(None), body: "tail".into() };
    asks(request, 300, b"F\x00tail");
    assert_eq!(Plain::from_request_payload(5, Bytes::from_static(&[7])), Ok(Plain(7)));
    assert_eq!(Plain(7).transcribe_request(), (0, Bytes::from_static(&[7])));
    answers_plain();
}

fn answers_plain() {
    #[derive(Clone, Debug, PartialEq, Payload)]
    struct Plain(u64);
    answers(Plain(7), 0, &[7]);
    let error = Plain::from_reply(Reply { flags: 5, payload: Bytes::from_static(&[7]) }).unwrap_err();
    assert_eq!(error.problem, PayloadProblem::UnexpectedFlags(5));
}

// Rules: P-16, P-19
#[test]
fn a_flag_can_tell_whether_there_is_a_rest() {
    travels(Message2(Some(vec![1, 300])), &[1, 1, 0x82, 0x2c]);
    travels(Message2(Some(vec![])), &[1]);
    travels(Message2(None), &[0]);
    assert_eq!(
        refusal::<Message2>(&[0, 5]),
        "at byte 1 of the payload: 1 bytes left over behind the last field"
    );
}

#[derive(Clone, Debug, PartialEq, Payload)]
struct Everything<K: Ord, const N: usize> {
    map: BTreeMap<K, Vec<u8>>,
    array: [Be<i16>; N],
    boxed: Box<Option<bool>>,
    unit: (),
    verbatim: Verbatim<f64>,
}

// Rules: P-4, P-6, P-7, P-11, P-13, P-14
#[test]
fn types_of_every_kind_are_fields() {
    let value = Everything {
        map: BTreeMap::from([("k".to_owned(), b"v".to_vec())]),
        array: [Be(-1), Be(2)],
        boxed: Box::new(Some(true)),
        unit: (),
        verbatim: Verbatim::from(&0.5),
    };
    travels(value, b"\x01\x01k\x01v\xff\xff\x00\x02\x01\x01\x030.5");
}

/// Names that the generated code could confuse with its own.
#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(assert(reader + out + flags.unwrap_or(0) + id < 1000, "too much"))]
struct Names {
    reader: u64,
    out: u64,
    #[payload(flag = 0)]
    flags: Option<u64>,
    #[payload(assert(start != 1, "one"))]
    start: u64,
    field_start: u64,
    id: u64,
    value: u64,
    r#type: u64,
}

// Rules: none: names
#[test]
fn fields_may_be_called_anything() {
    let names =
        Names { reader: 1, out: 2, flags: Some(3), start: 4, field_start: 5, id: 6, value: 7, r#type: 8 };
    travels(names, &[1, 2, 1, 3, 4, 5, 6, 7, 8]);
    assert_eq!(refusal::<Names>(&[1, 2, 1, 3, 1]), "Names.start: at byte 4 of the payload: one");
}
