//! What the derives call, as they call it.

use super::*;
use crate::payload::Flagged as IsFlagged;

/// An enum, as the derive would write it.
#[derive(Debug, PartialEq)]
enum Shape {
    Dot,
    Line(u64),
}

impl Payload for Shape {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.variant("Shape")
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.uint(self.id());
        self.transcribe_variant(out);
    }
}

impl Variants for Shape {
    fn parse_variant(id: u64, reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        match id {
            0 => Ok(Self::Dot),
            1 => Payload::parse_field(reader, "Shape::Line.0").map(Self::Line),
            id => Err(reader.unknown_variant(id, "Shape")),
        }
    }

    fn transcribe_variant(&self, out: &mut PayloadWriter) {
        if let Self::Line(length) = self {
            length.transcribe_field(out);
        }
    }

    fn id(&self) -> u64 {
        match self {
            Self::Dot => 0,
            Self::Line(_) => 1,
        }
    }
}

// Rules: P-15
#[test]
fn an_enum_is_the_number_of_its_variant_and_its_fields() {
    travels(vec![Shape::Dot, Shape::Line(300)], &[2, 0, 1, 0x82, 0x2c]);
    let boxed = Box::new(Shape::Line(7));
    assert_eq!(boxed.id(), 1);
    assert_eq!(PayloadWriter::payload(|out| boxed.transcribe_variant(out)), [7][..]);
    let mut reader = PayloadReader::new(Bytes::from_static(&[7]));
    assert_eq!(<Box<Shape>>::parse_variant(1, &mut reader), Ok(boxed));
}

// Rules: P-15, P-22
#[test]
fn an_unknown_variant_is_an_error_at_its_number_wherever_that_stood() {
    let error = Shape::from_bytes(Bytes::from_static(&[2])).unwrap_err();
    assert_eq!(error.to_string(), "Shape: at byte 0 of the payload: no variant 2");
    assert_eq!(Shape::from_bytes(Bytes::new()).unwrap_err().field, "Shape");

    let mut reader = PayloadReader::new(Bytes::from_static(&[9, 5]));
    assert_eq!(reader.uint(), Ok(9));
    assert_eq!(reader.chosen(|reader| Shape::parse_variant(1, reader)), Ok(Shape::Line(5)));
    let mut reader = PayloadReader::new(Bytes::from_static(&[9, 5]));
    assert_eq!(reader.uint(), Ok(9));
    let error = reader.chosen(|reader| Shape::parse_variant(9, reader)).unwrap_err();
    assert_eq!((error.offset, error.problem), (1, PayloadProblem::UnknownVariant(9)));
}

// Rules: P-19
#[test]
fn a_flag_is_a_truth_or_the_presence_of_a_value() {
    let mut reader = PayloadReader::new(Bytes::from_static(&[7]));
    assert_eq!(reader.flagged(true, "T.loud"), Ok(true));
    assert_eq!(reader.flagged(false, "T.loud"), Ok(false));
    assert_eq!(reader.flagged(false, "T.size"), Ok(None::<u64>));
    assert_eq!(reader.flagged(true, "T.size"), Ok(Some(7_u64)));
    assert_eq!(reader.flagged::<Option<u64>>(true, "T.size").unwrap_err().field, "T.size");

    assert!(true.is_set() && !false.is_set());
    assert!(Some(7_u64).is_set() && !None::<u64>.is_set());
    let bytes = PayloadWriter::payload(|out| {
        true.transcribe_flagged(out);
        None::<u64>.transcribe_flagged(out);
        Some(7_u64).transcribe_flagged(out);
    });
    assert_eq!(bytes, [7][..]);
}

// Rules: P-21
#[test]
fn what_is_counted_tells_its_bytes_or_its_values() {
    fn counted<T: Counted>(value: &T, count: u64, bytes: &[u8]) {
        assert_eq!(value.count(), count);
        assert_eq!(PayloadWriter::payload(|out| value.transcribe_counted(out)), bytes);
    }
    counted(&Bytes::from_static(b"abc"), 3, b"abc");
    counted(&b"abc".to_vec(), 3, b"abc");
    counted(&"né".to_owned(), 3, "né".as_bytes());
    counted(&vec![300_u64, 5], 2, &[0x82, 0x2c, 5]);
    let mut short = PayloadReader::new(Bytes::from_static(b"ab"));
    assert!(String::parse_counted(3, &mut short).is_err());
}

// Rules: P-21
#[test]
fn a_count_of_any_width_or_order_says_what_it_was_told() {
    assert_eq!(Le::<u16>::from_number(300).number(), 300);
    assert_eq!(Be::<u16>::from_number(300).number(), 300);
    assert_eq!(<Option<u8>>::from_number(1), Some(1));
}

// Rules: P-18
#[test]
fn a_constant_is_taken_or_named() {
    let mut reader = PayloadReader::new(Bytes::from_static(b"\x07CSPKrest"));
    assert_eq!(reader.uint(), Ok(7));
    let error = reader.magic(b"CSPQ", "Header").unwrap_err();
    let wrong = PayloadProblem::Magic(b"CSPQ");
    assert_eq!(error, PayloadError { field: "Header", offset: 1, problem: wrong });
    assert_eq!(reader.magic(b"CSPK", "Header"), Ok(()));
    assert_eq!(reader.rest(), b"rest"[..]);
}

// Rules: none: what a declaration asserts
#[test]
fn what_does_not_hold_is_an_error_at_its_place() {
    let reader = PayloadReader::new(Bytes::new());
    assert_eq!(reader.check(true, 3, "Range", "start <= end"), Ok(()));
    let error = reader.check(false, 3, "Range", "start <= end").unwrap_err();
    assert_eq!(error.to_string(), "Range: at byte 3 of the payload: start <= end");
    let nameless = PayloadError { field: "", ..error };
    assert_eq!(nameless.to_string(), "at byte 3 of the payload: start <= end");
}

// Rules: none: how it is shown
#[test]
fn debug_of_what_holds_a_payload_shows_lengths() {
    assert_eq!(format!("{:?}", Verbatim::from(&"hunter2".to_owned())), "Verbatim(8 bytes)");
    PayloadWriter::payload(|out| {
        out.bytes(b"hunter2");
        assert_eq!(format!("{out:?}"), "PayloadWriter { written: 7 bytes }");
    });
}
