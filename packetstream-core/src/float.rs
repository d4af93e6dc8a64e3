//! Floating point numbers as text, the way Python's `str(float)` and `float(str)` have it
//! (rules P-4 and P-5).

/// The shortest text that reads back to `value`: a plain decimal from 1e-4 up to 1e16, `1.5e+16` and
/// the like outside.
pub(crate) fn to_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value.is_sign_positive() { "inf" } else { "-inf" }.into();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        // `Debug` keeps one digit after the point, and in this very range writes no exponent.
        return format!("{value:?}");
    }
    // Rust writes `1e-7` and `1.5e16`; Python wants a sign and two digits.
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// The number that `text` denotes, with blanks around it and `_` between digits allowed.
///
/// Python also takes digits of other scripts, which no program writes; they are refused here.
pub(crate) fn from_text(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.contains('_') {
        return text.parse().ok();
    }
    let bytes = text.as_bytes();
    let is_digit =
        |index: Option<usize>| index.and_then(|index| bytes.get(index)).is_some_and(u8::is_ascii_digit);
    let misplaced =
        text.match_indices('_').any(|(at, _)| !is_digit(at.checked_sub(1)) || !is_digit(at.checked_add(1)));
    if misplaced { None } else { text.replace('_', "").parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Rules: P-4
    #[test]
    fn text_is_what_python_writes() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1_700_000_000.5, "1700000000.5"),
            (1e-4, "0.0001"),
            (1.5e-4, "0.00015"),
            (9.999e-5, "9.999e-05"),
            (1e-5, "1e-05"),
            (5e-324, "5e-324"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e100, "1e+100"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(to_text(value), text);
        }
    }

    // Rules: P-5
    #[test]
    fn reading_takes_what_python_takes() {
        for (text, value) in [
            ("1e3", 1e3),
            (" 1.5\n", 1.5),
            ("1_000.5", 1000.5),
            ("-1E-3", -1e-3),
            ("Infinity", f64::INFINITY),
            ("+iNFiniTY", f64::INFINITY),
            ("-inf", f64::NEG_INFINITY),
            (".5", 0.5),
            ("5.", 5.0),
            ("+5", 5.0),
        ] {
            assert_eq!(from_text(text), Some(value), "{text}");
        }
        for text in ["", " ", "\x1c1", "0x10", "_1", "1_", "1__0", "1_.5", "1,5", "ten"] {
            assert_eq!(from_text(text), None, "{text}");
        }
        assert_eq!(from_text("\u{661}"), None, "a digit of another script");
        for text in ["nan", "-NaN", "+nan"] {
            assert!(from_text(text).is_some_and(f64::is_nan), "{text}");
        }
    }

    proptest! {
        // Rules: P-4
        #[test]
        fn every_number_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let back = from_text(&to_text(value)).unwrap();
            prop_assert!(back.to_bits() == bits || (back.is_nan() && value.is_nan()));
        }
    }
}
