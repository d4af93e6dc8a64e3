//! Numbers: `varints.txt`.

use crate::vectors::{Row, Vectors};
use bytes::Bytes;
use packetstream_core::varint::{self, VarintError};
use packetstream_core::{Payload, PayloadProblem};
use packetstream_tests::agree::why;
use packetstream_tests::reference;
use std::collections::BTreeSet;

/// What the library reads of the bytes and how many of them it takes, by each of its ways.
fn read(row: &Row, bytes: &[u8]) -> Result<(u64, usize), VarintError> {
    let followed: Vec<u8> = bytes.iter().copied().chain([0x99]).collect();
    let mut rest = &followed[..];
    // What is cut may go on, but with something else than what is behind it here.
    let is_whole = bytes.last().is_some_and(|byte| byte & 0x80 == 0);
    if !is_whole {
        rest = bytes;
    }
    let all = rest.len();
    let value = varint::get(&mut rest);
    let taken = all - rest.len();
    assert_eq!(value.is_err(), taken == 0, "{row}");
    match u64::from_bytes(Bytes::copy_from_slice(bytes)) {
        Ok(payload) => assert_eq!(value, Ok(payload), "{row}"),
        Err(error) => assert_eq!(error.problem, PayloadProblem::Number(value.unwrap_err()), "{row}"),
    }
    assert_eq!(
        value.map(|value| (value, taken)).map_err(why),
        reference::number(&followed[..all]),
        "the reference decoder on {row}"
    );
    value.map(|value| (value, taken))
}

// Rules: W-1, W-2, W-5, P-1
#[test]
fn numbers_are_written_and_read_as_python_does_up_to_64_bits_and_refused_beyond() {
    let rows = Vectors::read("varints.txt").rows("number", 70);
    let values: BTreeSet<&str> = rows.iter().map(|row| row.column(1)).collect();
    for bits in (0..=126).step_by(7).chain([32, 63, 64]) {
        let edge = 1_u128 << bits;
        for value in [edge - 1, edge, edge + 1] {
            assert!(values.contains(&*value.to_string()), "{value} is missing");
        }
    }
    for row in &rows {
        let bytes = row.bytes(2);
        let Some(value) = row.number(1) else {
            assert!(matches!(read(row, &bytes), Err(VarintError::TooLarge | VarintError::TooLong)), "{row}");
            continue;
        };
        let mut written = Vec::new();
        varint::put(&mut written, value);
        assert_eq!(written, bytes, "{row}");
        assert_eq!(varint::len(value), bytes.len(), "{row}");
        assert_eq!(value.to_bytes(), bytes, "{row}");
        assert_eq!(read(row, &bytes), Ok((value, bytes.len())), "{row}");
    }
}

// Rules: W-3, W-4, W-5
#[test]
fn padded_numbers_are_read_as_python_does_up_to_10_bytes() {
    let rows = Vectors::read("varints.txt").rows("padded", 100);
    let (mut taken, mut refused) = (0, 0);
    for row in &rows {
        let bytes = row.bytes(2);
        if let (Some(value), 0..=varint::MAX_LEN) = (row.number(1), bytes.len()) {
            assert_eq!(read(row, &bytes), Ok((value, bytes.len())), "{row}");
            taken += 1;
        } else {
            assert!(matches!(read(row, &bytes), Err(VarintError::TooLarge | VarintError::TooLong)), "{row}");
            refused += 1;
        }
    }
    assert!(taken >= 40 && refused >= 40, "{taken} taken, {refused} refused");
}

// Rules: W-1, W-4, W-5
#[test]
fn cut_numbers_are_cut_unless_they_are_too_long_already() {
    for row in &Vectors::read("varints.txt").rows("cut", 40) {
        assert_eq!(row.column(1), "EOFError", "{row}");
        let bytes = row.bytes(2);
        match read(row, &bytes) {
            Err(VarintError::Truncated) => assert!(bytes.len() < varint::MAX_LEN, "{row}"),
            Err(_) => assert!(bytes.len() >= varint::MAX_LEN, "{row}"),
            Ok(_) => panic!("{row}"),
        }
    }
}
