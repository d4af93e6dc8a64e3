use super::*;
use proptest::prelude::*;
use std::fmt::Debug;

fn travels<T: Payload + Debug + PartialEq>(value: T, bytes: &[u8]) {
    assert_eq!(value.to_bytes(), bytes);
    assert_eq!(T::from_bytes(Bytes::copy_from_slice(bytes)), Ok(value));
}

fn problem<T: Payload + Debug>(bytes: &[u8]) -> PayloadProblem {
    T::from_bytes(Bytes::copy_from_slice(bytes)).unwrap_err().problem
}

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

#[test]
fn a_multi_value_is_its_fields_with_nothing_between() {
    let value = (300_u64, Bytes::from_static(b"abc"), "hello".to_owned(), 0.1);
    travels(value, b"\x82\x2c\x03abc\x05hello\x030.1");
}

#[test]
fn shortage_and_left_overs_are_errors_that_name_their_place() {
    assert_eq!(problem::<u64>(&[]), PayloadProblem::Number(VarintError::Truncated));
    assert_eq!(problem::<u64>(&[1, 2]), PayloadProblem::LeftOver(1));
    assert_eq!(problem::<Bytes>(b"\x05abc"), PayloadProblem::Short { needed: 5, left: 3 });
    assert_eq!(problem::<u16>(&[0x84, 0x80, 0x00]), PayloadProblem::TooLarge { value: 65536, max: 65535 });
    assert_eq!(problem::<String>(&[1, 0xff]), PayloadProblem::NotUtf8);
    assert_eq!(problem::<f64>(b"\x030x1"), PayloadProblem::NotFloat);

    let mut reader = PayloadReader::new(Bytes::from_static(b"\x01\x09abc"));
    assert_eq!(reader.field("Add.kind"), Ok(1_u64));
    let error = reader.field::<Bytes>("Add.data").unwrap_err();
    assert_eq!(error.to_string(), "Add.data: at byte 2 of the payload: 9 bytes needed, 3 left");
}

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

    fn transcribe(&self, out: &mut BytesMut) {
        self.0.transcribe(out);
    }
}

#[test]
fn nesting_is_bounded() {
    assert_eq!(problem::<Tree>(&vec![1; 1 << 20]), PayloadProblem::TooDeep);
    let mut shallow = vec![1; 20];
    shallow.push(0);
    assert_eq!(Tree::from_bytes(shallow.clone().into()).unwrap().to_bytes(), shallow);
}

proptest! {
    #[test]
    fn any_value_reads_back(
        value in any::<(u64, Vec<u8>, String, (Option<u32>, Vec<u16>, bool))>(),
    ) {
        let (a, b, c, (d, e, f)) = value;
        let value = (a, b, c, (d, e, f));
        prop_assert_eq!(Payload::from_bytes(value.to_bytes()), Ok(value));
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from(bytes);
        let _ = <(u64, Bytes, String, f64)>::from_bytes(bytes.clone());
        let _ = <Vec<Option<(bool, Vec<u16>)>>>::from_bytes(bytes.clone());
        let _ = Tree::from_bytes(bytes);
    }
}
