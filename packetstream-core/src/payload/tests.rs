mod derived;

use super::*;
use crate::varint::{self, VarintError};
use bytes::BytesMut;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

fn travels<T: Payload + Debug + PartialEq>(value: T, bytes: &[u8]) {
    assert_eq!(value.to_bytes(), bytes);
    assert_eq!(T::from_bytes(Bytes::copy_from_slice(bytes)), Ok(value));
}

fn problem<T: Payload + Debug>(bytes: &[u8]) -> PayloadProblem {
    T::from_bytes(Bytes::copy_from_slice(bytes)).unwrap_err().problem
}

// Rules: P-1, P-2, P-3, P-4, P-6, P-10, P-11, P-12, P-14
#[test]
fn values_have_the_bytes_of_pythons_fields() {
    travels(300_u64, &[0x82, 0x2c]);
    travels(Bytes::from_static(b"abc"), b"\x03abc");
    travels("hello".to_owned(), b"\x05hello");
    travels(0.1, b"\x030.1");
    travels(Be(258_u16), &[1, 2]);
    travels(Le(258_u32), &[2, 1, 0, 0]);
    travels([1_u8, 2, 3], &[1, 2, 3]);
    travels(Some(5_u64), &[1, 5]);
    travels(None::<u64>, &[0]);
    travels(vec![1_u64, 300], &[2, 1, 0x82, 0x2c]);
    travels((true, "x".to_owned()), b"\x01\x01x");
}

// Rules: P-7
#[test]
fn a_multi_value_is_its_fields_with_nothing_between() {
    let value = (300_u64, Bytes::from_static(b"abc"), "hello".to_owned(), 0.1);
    travels(value, b"\x82\x2c\x03abc\x05hello\x030.1");
}

// Rules: P-3, P-5, P-8, P-9, P-10, P-11
#[test]
fn shortage_and_left_overs_are_errors_that_name_their_place() {
    assert_eq!(problem::<u64>(&[]), PayloadProblem::Number(VarintError::Truncated));
    assert_eq!(problem::<u64>(&[1, 2]), PayloadProblem::LeftOver(1));
    assert_eq!(problem::<Bytes>(b"\x05abc"), PayloadProblem::Short { needed: 5, left: 3 });
    assert_eq!(problem::<u16>(&[0x84, 0x80, 0x00]), PayloadProblem::TooLarge { value: 65536, max: 65535 });
    assert_eq!(problem::<bool>(&[2]), PayloadProblem::TooLarge { value: 2, max: 1 });
    assert_eq!(problem::<Option<u64>>(&[2, 5]), PayloadProblem::TooLarge { value: 2, max: 1 });
    assert_eq!(problem::<String>(&[1, 0xff]), PayloadProblem::NotUtf8);
    assert_eq!(problem::<f64>(b"\x030x1"), PayloadProblem::NotFloat);

    let mut reader = PayloadReader::new(Bytes::from_static(b"\x01\x09abc"));
    assert_eq!(reader.field("Add.kind"), Ok(1_u64));
    let error = reader.field::<Bytes>("Add.data").unwrap_err();
    assert_eq!(error.to_string(), "Add.data: at byte 2 of the payload: 9 bytes needed, 3 left");
}

// Rules: P-12
#[test]
fn a_count_is_not_trusted_for_an_allocation() {
    let mut bytes = BytesMut::new();
    varint::put(&mut bytes, 1 << 60);
    assert_eq!(problem::<Vec<u64>>(&bytes), PayloadProblem::Short { needed: 1 << 60, left: 0 });
    assert_eq!(problem::<Vec<[u8; 0]>>(&bytes), PayloadProblem::Short { needed: 1 << 60, left: 0 });
}

/// A type that nests in itself.
#[derive(Debug)]
struct Tree(Vec<Tree>);

impl Payload for Tree {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.field("Tree.0").map(Self)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.field(&self.0);
    }
}

// Rules: P-24
#[test]
fn nesting_is_bounded() {
    assert_eq!(problem::<Tree>(&vec![1; 1 << 20]), PayloadProblem::TooDeep);
    // A tree and its list are a level each, and the tree of 32 itself is within a tuple.
    let trees = |count: usize| Bytes::from([&vec![1; count - 1][..], &[0]].concat());
    assert_eq!(<(Tree,)>::from_bytes(trees(32)).unwrap().to_bytes(), trees(32));
    assert_eq!(problem::<Tree>(&trees(33)), PayloadProblem::TooDeep);
}

proptest! {
    // Rules: P-1, P-2, P-3, P-9, P-10, P-11, P-12, P-14
    #[test]
    fn any_value_reads_back(
        value in any::<(u64, Vec<u8>, String, (Option<u32>, Vec<u16>, bool))>(),
    ) {
        let (a, b, c, (d, e, f)) = value;
        let value = (a, b, c, (d, e, f));
        prop_assert_eq!(Payload::from_bytes(value.to_bytes()), Ok(value));
    }

    // Rules: none: never a panic
    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from(bytes);
        let _ = <(u64, Bytes, String, f64)>::from_bytes(bytes.clone());
        let _ = <Vec<Option<(bool, Vec<u16>)>>>::from_bytes(bytes.clone());
        let _ = Tree::from_bytes(bytes);
    }
}

// Rules: P-13
#[test]
fn maps_are_counted_entries_and_have_each_key_once() {
    travels(BTreeMap::from([(1_u64, "a".to_owned()), (300, "b".into())]), b"\x02\x01\x01a\x82\x2c\x01b");
    travels(HashMap::<u64, bool>::from([(7, true)]), &[1, 7, 1]);
    assert_eq!(problem::<BTreeMap<u64, u64>>(&[2, 1, 2, 1, 3]), PayloadProblem::RepeatedKey);
    assert_eq!(problem::<HashMap<u64, u64>>(&[2, 1, 2, 1, 3]), PayloadProblem::RepeatedKey);
    let unsorted = BTreeMap::<u64, u64>::from_bytes(Bytes::from_static(&[2, 9, 0, 1, 0])).unwrap();
    assert_eq!(unsorted.to_bytes()[..], [2, 1, 0, 9, 0]);
    assert_eq!(problem::<BTreeMap<u64, u64>>(&[5, 1, 2]), PayloadProblem::Short { needed: 5, left: 2 });
}

// Rules: P-7, P-14
#[test]
fn an_array_is_its_values() {
    travels([1_u64, 300], &[1, 0x82, 0x2c]);
    assert_eq!(problem::<[u64; 2]>(&[1]), PayloadProblem::Number(VarintError::Truncated));
    travels((), b"");
    travels(Box::new(5_u64), &[5]);
}

/// A flagged value within itself, as the derive would write it.
#[derive(Debug, PartialEq)]
struct Flagged {
    loud: bool,
    inner: Option<Box<Flagged>>,
}

impl Payload for Flagged {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let flags = reader.flags(3, "Flagged")?;
        let inner = if flags & 2 != 0 { Some(reader.field("Flagged.inner")?) } else { None };
        Ok(Self { loud: flags & 1 != 0, inner })
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.flags(u64::from(self.loud) | u64::from(self.inner.is_some()) << 1);
        if let Some(inner) = &self.inner {
            out.field(inner);
        }
    }
}

// Rules: P-19, P-20
#[test]
fn flags_are_those_of_the_packet_for_the_value_that_fills_it_and_else_a_varint() {
    let value = || Flagged { loud: true, inner: Some(Box::new(Flagged { loud: false, inner: None })) };
    travels(value(), &[3, 0]);
    let (flags, payload) = PayloadWriter::packet(|out| value().transcribe(out));
    assert_eq!((flags, &payload[..]), (3, &[0][..]));
    assert_eq!(Flagged::parse(&mut PayloadReader::of_packet(flags, payload)), Ok(value()));
    let mut part = PayloadReader::of_packet(2, Bytes::from_static(&[7, 1]));
    assert_eq!(<(u64, Flagged)>::parse(&mut part), Ok((7, Flagged { loud: true, inner: None })));
    assert_eq!(part.finish_flags().unwrap_err().problem, PayloadProblem::UnexpectedFlags(2));

    assert_eq!(problem::<Flagged>(&[5]), PayloadProblem::UnexpectedFlags(4));
    let error = Flagged::parse(&mut PayloadReader::of_packet(2, Bytes::from_static(&[8]))).unwrap_err();
    assert_eq!(error.to_string(), "Flagged: at byte 0 of the payload: unexpected flags 0x8");
}

// Rules: P-17
#[test]
fn a_delimited_value_is_read_within_its_length_and_no_further() {
    let read = |bytes: &'static [u8]| {
        let mut reader = PayloadReader::new(Bytes::from_static(bytes));
        let text = reader.delimited("T", String::parse_rest)?;
        let offset = reader.offset();
        reader.finish().map(|()| (text, offset))
    };
    assert_eq!(read(b"\x03abc"), Ok(("abc".into(), 4)));
    assert_eq!(read(b"\x03abcd").unwrap_err().problem, PayloadProblem::LeftOver(1));
    assert_eq!(read(b"\x04abc").unwrap_err().problem, PayloadProblem::Short { needed: 4, left: 3 });

    let mut reader = PayloadReader::new(Bytes::from_static(b"\x03\x01\x02\x03\x04"));
    let error = reader.delimited("T", <(u64, u64)>::parse).unwrap_err();
    assert_eq!((error.offset, error.problem), (3, PayloadProblem::LeftOver(1)));
    // A place within is counted from the start of the payload.
    let mut reader = PayloadReader::new(Bytes::from_static(b"\x07\x02\x01\xff\x04\x04"));
    assert_eq!(reader.uint(), Ok(7));
    let error = reader.delimited("T", <(u64, Bytes)>::parse).unwrap_err();
    assert_eq!((error.offset, error.problem), (3, PayloadProblem::Number(VarintError::Truncated)));
}

// Rules: P-16
#[test]
fn the_rest_has_no_length_of_its_own() {
    fn rest<T: Rest + Debug + PartialEq>(value: T, bytes: &'static [u8]) {
        assert_eq!(PayloadWriter::payload(|out| value.transcribe_rest(out)), bytes);
        let mut reader = PayloadReader::new(Bytes::from_static(bytes));
        assert_eq!(T::parse_rest(&mut reader), Ok(value));
        assert_eq!(reader.remaining(), 0);
    }
    rest(Bytes::from_static(b"abc"), b"abc");
    rest(b"abc".to_vec(), b"abc");
    rest("abc".to_owned(), b"abc");
    rest(vec![1_u64, 300], &[1, 0x82, 0x2c]);
    rest(Some(300_u64), &[0x82, 0x2c]);
    rest(None::<u64>, b"");
    let mut endless = PayloadReader::new(Bytes::from_static(b"x"));
    assert_eq!(Vec::<()>::parse_rest(&mut endless).unwrap_err().problem, PayloadProblem::Endless);
}

// Rules: P-21
#[test]
fn a_counted_value_takes_as_much_as_was_said() {
    let mut reader = PayloadReader::new(Bytes::from_static(b"abcd\x82\x2c\x05efg"));
    assert_eq!(Bytes::parse_counted(2, &mut reader), Ok(Bytes::from_static(b"ab")));
    assert_eq!(String::parse_counted(2, &mut reader), Ok("cd".into()));
    assert_eq!(Vec::parse_counted(2, &mut reader), Ok(vec![300_u64, 5]));
    assert_eq!(Vec::parse_counted(1, &mut reader), Ok(b"e".to_vec()));
    let short = PayloadProblem::Short { needed: 1 << 40, left: 2 };
    assert_eq!(Vec::<u64>::parse_counted(1 << 40, &mut reader).unwrap_err().problem, short);
    assert_eq!(Bytes::parse_counted(1 << 40, &mut reader).unwrap_err().problem, short);
}

// Rules: P-21
#[test]
fn a_count_is_the_number_of_a_later_field_whatever_its_width() {
    assert_eq!(
        (u16::from_number(65_536), Be::<u32>::from_number(7), Option::<u64>::from_number(0)),
        (u16::MAX, Be(7), None)
    );
    assert_eq!(
        (300_u16.number(), Le(3_u8).number(), None::<u64>.number(), Some(9_u64).number()),
        (300, 3, 0, 9)
    );
}

// Rules: P-1, P-5
#[test]
fn verbatim_keeps_the_spelling_of_what_it_has_checked() {
    let padded = b"\x80\x05\x04 1e3";
    let value = <Verbatim<(u64, f64)>>::from_bytes(Bytes::from_static(padded)).unwrap();
    assert_eq!(value.value(), Ok((5, 1000.0)));
    assert_eq!(value.to_bytes(), padded[..]);
    assert_eq!(Verbatim::from(&(5_u64, 1000.0)).to_bytes(), b"\x05\x061000.0"[..]);
    assert_eq!(problem::<Verbatim<(u64, f64)>>(b"\x05\x01x"), PayloadProblem::NotFloat);
    travels(vec![Verbatim::from(&300_u64)], &[1, 0x82, 0x2c]);
}

// Rules: P-19, P-20
#[test]
fn a_newtype_fills_what_its_value_fills() {
    let mut reader = PayloadReader::of_packet(1, Bytes::new());
    assert_eq!(reader.newtype("Wrap.0", Payload::parse), Ok(Flagged { loud: true, inner: None }));
    assert_eq!(reader.finish_flags(), Ok(()));
    let mut reader = PayloadReader::of_packet(1, Bytes::from_static(&[7]));
    assert_eq!(reader.newtype("Wrap.0", Payload::parse), Ok(7_u64));
    assert_eq!(reader.finish_flags().unwrap_err().problem, PayloadProblem::UnexpectedFlags(1));
}

/// A value of no bytes.
#[derive(Debug, PartialEq)]
struct Nothing;

impl Payload for Nothing {
    fn parse(_: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(Self)
    }

    fn transcribe(&self, _: &mut PayloadWriter) {}
}

// Rules: P-12
#[test]
fn a_list_has_no_more_values_than_bytes() {
    // Else each count would yield as many values as there are bytes behind it.
    assert_eq!(problem::<Vec<Vec<Nothing>>>(&[2, 3, 0, 0, 0, 0]), PayloadProblem::Endless);
    let mut reader = PayloadReader::new(Bytes::from_static(&[0; 8]));
    assert_eq!(Vec::<Nothing>::parse_counted(8, &mut reader).unwrap_err().problem, PayloadProblem::Endless);
    travels(Vec::<Nothing>::new(), &[0]);
}

/// A value that nests in itself and is large where it is.
#[allow(clippy::large_enum_variant, reason = "that is what it is for")]
#[derive(Debug)]
enum Large {
    Group(Vec<Large>),
    Block([u8; 16 << 10]),
}

impl Payload for Large {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        match reader.uint()? {
            0 => reader.field("Large.0").map(Self::Group),
            _ => reader.field("Large.1").map(Self::Block),
        }
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        match self {
            Self::Group(group) => out.field(group),
            Self::Block(block) => out.field(block),
        }
    }
}

// Rules: P-24
#[test]
fn a_large_value_counts_for_many_levels_of_nesting() {
    assert_eq!(problem::<Large>(&[0, 1].repeat(100)), PayloadProblem::TooDeep);
    let block = [&[0, 1, 1][..], &[7; 16 << 10]].concat();
    assert!(matches!(Large::from_bytes(block.into()), Ok(Large::Group(_))));
}

// Rules: P-19
#[test]
fn a_reader_knows_its_place_after_an_error_that_is_overlooked() {
    let mut reader = PayloadReader::of_packet(3, Bytes::from_static(b"\x02\x01\x02rest"));
    assert!(reader.field_with("T.a", |reader| reader.delimited("D", u64::parse)).is_err());
    for _ in 0..100 {
        assert!(reader.field::<Large>("T.b").is_err());
    }
    assert_eq!(reader.flags(3, "T"), Ok(3));
    let mut reader = PayloadReader::new(Bytes::from_static(b"\x02\x01\x02rest"));
    assert_eq!(
        reader.delimited("D", |reader| Ok(reader.field::<[u8; 5]>("D.a").ok().is_none())).unwrap_err(),
        { PayloadError { field: "D", offset: 1, problem: PayloadProblem::LeftOver(2) } }
    );
    assert_eq!(String::parse_rest(&mut reader), Ok("rest".into()));
}

// Rules: P-21
#[test]
fn what_does_not_fit_makes_a_packet_that_cannot_be_made() {
    let flags = |count| {
        PayloadWriter::packet(|out| {
            out.flags(5);
            out.part(|out| {
                let told = u8::told(count, out);
                out.uint(told.into());
            });
        })
        .0
    };
    assert_eq!(flags(255), 5);
    assert_eq!(flags(256), PayloadWriter::UNWRITABLE);
}
