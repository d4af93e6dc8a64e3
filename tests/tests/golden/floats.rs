//! Floating point numbers as text: `floats.txt`.

use crate::vectors::{Row, Vectors};
use bytes::Bytes;
use packetstream_core::{Payload, PayloadError, PayloadProblem};

/// What a payload holds that is a number with this text.
fn read(text: &str) -> Result<f64, PayloadError> {
    f64::from_bytes(text.to_owned().to_bytes())
}

/// The number as the file has it.
pub(crate) fn bits(value: f64) -> String {
    if value.is_nan() { "nan".into() } else { format!("{:016x}", value.to_bits()) }
}

/// The number that the file has so.
pub(crate) fn from_bits(digits: &str) -> f64 {
    if digits == "nan" { f64::NAN } else { f64::from_bits(u64::from_str_radix(digits, 16).unwrap()) }
}

fn replay_text(row: &Row) {
    match (row.column(1), row.width()) {
        ("ValueError", 3) => {
            let error = PayloadError { field: "", offset: 0, problem: PayloadProblem::NotFloat };
            assert_eq!(read(&row.text(2)), Err(error), "{row}");
        }
        (digits, 3) => assert_eq!(read(&row.text(2)).map(bits), Ok(digits.into()), "{row}"),
        // What Python takes and the library refuses, with the reason in the file.
        (digits, _) => {
            assert_ne!(digits, "ValueError", "{row}");
            assert_eq!(read(&row.text(2)).unwrap_err().problem, PayloadProblem::NotFloat, "{row}");
            assert!(row.column(3).len() > 10, "a reason is missing: {row}");
        }
    }
}

// Rules: P-4, P-5
#[test]
fn floats_are_written_as_python_writes_them_and_read_back_to_the_bit() {
    let rows = Vectors::read("floats.txt").rows("written", 700);
    for row in &rows {
        let (value, text) = (from_bits(row.column(1)), row.text(2));
        assert_eq!(value.to_bytes(), text.to_bytes(), "{row}");
        assert_eq!(read(&text).map(bits), Ok(row.column(1).into()), "{row}");
        let (length, written) = (text.len(), value.to_bytes());
        assert_eq!(written, [&[u8::try_from(length).unwrap()], text.as_bytes()].concat(), "{row}");
    }
    let has = |wanted: fn(&str) -> bool| rows.iter().filter(|row| wanted(&row.text(2))).count() >= 20;
    assert!(
        has(|text| text.contains("e-")) && has(|text| text.contains("e+")) && has(|text| !text.contains('e'))
    );
    for special in ["inf", "-inf", "nan", "-0.0", "5e-324", "1.7976931348623157e+308"] {
        assert!(rows.iter().any(|row| row.text(2) == special), "{special} is missing");
    }
}

// Rules: P-5
#[test]
fn texts_are_floats_where_python_says_so_but_for_digits_of_other_scripts() {
    let rows = Vectors::read("floats.txt").rows("read", 110);
    rows.iter().for_each(replay_text);
    let refused = rows.iter().filter(|row| row.column(1) == "ValueError").count();
    let different = rows.iter().filter(|row| row.width() > 3).count();
    assert!(refused >= 50 && rows.len() - refused >= 50, "{refused} of {} refused", rows.len());
    assert_eq!(different, 5, "texts that Python takes and the library does not");
}

// Rules: P-8
#[test]
fn a_text_that_is_cut_is_no_shorter_number() {
    let rows = Vectors::read("floats.txt").rows("written", 700);
    for row in rows.iter().step_by(10) {
        let whole = from_bits(row.column(1)).to_bytes();
        for cut in 0..whole.len() {
            f64::from_bytes(Bytes::copy_from_slice(&whole[..cut])).unwrap_err();
        }
    }
}
