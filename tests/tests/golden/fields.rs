//! Types of fields: `fields.txt`.

use crate::floats::{bits, from_bits};
use crate::vectors::{Vectors, bytes, hexed};
use bytes::Bytes;
use packetstream::{Be, Le, Payload, PayloadError, PayloadProblem};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A type of fields as the library has it.
pub(crate) struct FieldType {
    /// Reads a payload, and tells the value as the files do.
    pub(crate) read: fn(Bytes) -> Result<Value, PayloadError>,
    /// Writes the value that is told so.
    write: fn(&Value) -> Bytes,
}

impl FieldType {
    /// The type that the files call so.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "uint" => Self::of::<u64>(),
            "data" => Self::of::<Bytes>(),
            "text" => Self::of::<String>(),
            "float" => Self::of::<f64>(),
            "bytes4" => Self::of::<[u8; 4]>(),
            "telegram" => Self::of::<Telegram>(),
            "sample" => Self::of::<Sample>(),
            "outer" => Self::of::<Outer>(),
            "empty" => Self::of::<Empty>(),
            "list" => Self::of::<List>(),
            "UInt8" => Self::of::<Be<u8>>(),
            "Int8" => Self::of::<Be<i8>>(),
            "UInt16BE" => Self::of::<Be<u16>>(),
            "UInt16LE" => Self::of::<Le<u16>>(),
            "UInt32BE" => Self::of::<Be<u32>>(),
            "UInt32LE" => Self::of::<Le<u32>>(),
            "UInt64BE" => Self::of::<Be<u64>>(),
            "UInt64LE" => Self::of::<Le<u64>>(),
            "Int16BE" => Self::of::<Be<i16>>(),
            "Int16LE" => Self::of::<Le<i16>>(),
            "Int32BE" => Self::of::<Be<i32>>(),
            "Int32LE" => Self::of::<Le<i32>>(),
            "Int64BE" => Self::of::<Be<i64>>(),
            "Int64LE" => Self::of::<Le<i64>>(),
            "Float32BE" => Self::of::<Be<f32>>(),
            "Float32LE" => Self::of::<Le<f32>>(),
            "Float64BE" => Self::of::<Be<f64>>(),
            "Float64LE" => Self::of::<Le<f64>>(),
            name => panic!("no type of fields is called {name}"),
        }
    }

    fn of<T: Payload + Told>() -> Self {
        Self {
            read: |payload| T::from_bytes(payload).map(|value| value.tell()),
            write: |told| T::told(told).to_bytes(),
        }
    }
}

/// All names of types, each of which has to be in the file.
const NAMES: [&str; 28] = [
    "uint",
    "data",
    "text",
    "float",
    "bytes4",
    "telegram",
    "sample",
    "outer",
    "empty",
    "list",
    "UInt8",
    "Int8",
    "UInt16BE",
    "UInt16LE",
    "UInt32BE",
    "UInt32LE",
    "UInt64BE",
    "UInt64LE",
    "Int16BE",
    "Int16LE",
    "Int32BE",
    "Int32LE",
    "Int64BE",
    "Int64LE",
    "Float32BE",
    "Float32LE",
    "Float64BE",
    "Float64LE",
];

/// A value that the files tell of.
trait Told {
    /// How they tell it.
    fn tell(&self) -> Value;
    /// The value that is told so.
    fn told(told: &Value) -> Self;
}

#[derive(Payload)]
struct Telegram {
    #[payload(big)]
    kind: u16,
    #[payload(big)]
    sign: i8,
    #[payload(big)]
    count: u32,
}

#[derive(Payload)]
struct Sample {
    n: u64,
    d: Bytes,
    s: String,
    f: f64,
}

#[derive(Payload)]
struct Outer {
    #[payload(big)]
    a: u16,
    sample: Sample,
    #[payload(big)]
    z: u8,
}

#[derive(Payload)]
struct Empty {}

#[derive(Payload)]
struct List {
    #[payload(rest)]
    values: Vec<u64>,
}

macro_rules! told_integer {
    ($($type:ty),*) => {$(
        impl Told for $type {
            fn tell(&self) -> Value {
                json!(self)
            }

            fn told(told: &Value) -> Self {
                serde_json::from_value(told.clone()).unwrap()
            }
        }
    )*};
}
told_integer!(u8, u16, u32, u64, i8, i16, i32, i64);

impl<T: Told> Told for Be<T> {
    fn tell(&self) -> Value {
        self.0.tell()
    }

    fn told(told: &Value) -> Self {
        Self(T::told(told))
    }
}

impl<T: Told> Told for Le<T> {
    fn tell(&self) -> Value {
        self.0.tell()
    }

    fn told(told: &Value) -> Self {
        Self(T::told(told))
    }
}

impl Told for f64 {
    fn tell(&self) -> Value {
        json!(bits(*self))
    }

    fn told(told: &Value) -> Self {
        from_bits(told.as_str().unwrap())
    }
}

impl Told for f32 {
    fn tell(&self) -> Value {
        f64::from(*self).tell()
    }

    #[allow(clippy::cast_possible_truncation, reason = "the file has a number of 32 bits in 64")]
    fn told(told: &Value) -> Self {
        f64::told(told) as Self
    }
}

impl Told for Bytes {
    fn tell(&self) -> Value {
        json!(hexed(self))
    }

    fn told(told: &Value) -> Self {
        bytes(told.as_str().unwrap()).into()
    }
}

impl Told for String {
    fn tell(&self) -> Value {
        json!(self)
    }

    fn told(told: &Value) -> Self {
        told.as_str().unwrap().into()
    }
}

impl Told for [u8; 4] {
    fn tell(&self) -> Value {
        json!([hexed(self)])
    }

    fn told(told: &Value) -> Self {
        bytes(told[0].as_str().unwrap()).try_into().unwrap()
    }
}

impl Told for Telegram {
    fn tell(&self) -> Value {
        json!([self.kind, self.sign, self.count])
    }

    fn told(told: &Value) -> Self {
        Self { kind: Told::told(&told[0]), sign: Told::told(&told[1]), count: Told::told(&told[2]) }
    }
}

impl Told for Sample {
    fn tell(&self) -> Value {
        json!([self.n, self.d.tell(), self.s, self.f.tell()])
    }

    fn told(told: &Value) -> Self {
        let part = |index: usize| &told[index];
        Self {
            n: Told::told(part(0)),
            d: Told::told(part(1)),
            s: Told::told(part(2)),
            f: Told::told(part(3)),
        }
    }
}

impl Told for Outer {
    fn tell(&self) -> Value {
        json!([self.a, self.sample.tell(), self.z])
    }

    fn told(told: &Value) -> Self {
        Self { a: Told::told(&told[0]), sample: Told::told(&told[1]), z: Told::told(&told[2]) }
    }
}

impl Told for Empty {
    fn tell(&self) -> Value {
        json!([])
    }

    fn told(_: &Value) -> Self {
        Self {}
    }
}

impl Told for List {
    fn tell(&self) -> Value {
        json!(self.values)
    }

    fn told(told: &Value) -> Self {
        Self { values: serde_json::from_value(told.clone()).unwrap() }
    }
}

// Rules: P-1, P-2, P-3, P-4, P-6, P-7, P-8, P-14, P-16
#[test]
fn fields_of_every_type_are_written_and_read_as_python_does() {
    let vectors = Vectors::read("fields.txt");
    let mut values: BTreeMap<&str, usize> = BTreeMap::new();
    for row in vectors.all() {
        let name = row.column(0);
        let told: Value = serde_json::from_str(row.column(1)).unwrap();
        let (field, wire) = (FieldType::named(name), Bytes::from(row.bytes(2)));
        assert_eq!((field.write)(&told), wire, "{row}");
        assert_eq!((field.read)(wire.clone()), Ok(told), "{row}");
        *values.entry(name).or_default() += 1;
        // Every cut is an error, but for that of a list between two values.
        for cut in 0..wire.len().min(300) {
            let cut = (field.read)(wire.slice(..cut));
            assert!(cut.is_err() || name == "list", "cut: {row}");
        }
    }
    for name in NAMES {
        let least = match name {
            "empty" => 1,
            "bytes4" => 2,
            "telegram" | "sample" | "outer" => 3,
            _ => 4,
        };
        let seen = values.get(name).copied().unwrap_or(0);
        assert!(seen >= least, "{seen} values of {name}, of {least} at least");
    }
    eprintln!("golden: fields.txt: {} vectors", vectors.all().count());
}

// Rules: P-9, P-10
#[test]
fn numbers_that_do_not_fit_a_narrower_type_are_refused_with_both_numbers() {
    for row in &Vectors::read("fields.txt").rows("uint", 14) {
        let (value, wire) = (row.number(1).unwrap(), Bytes::from(row.bytes(2)));
        narrower::<u16>(value, &wire, u16::MAX.into());
        narrower::<u32>(value, &wire, u32::MAX.into());
        narrower::<bool>(value, &wire, 1);
    }
}

fn narrower<T: Payload>(value: u64, wire: &Bytes, max: u64) {
    match T::from_bytes(wire.clone()) {
        Ok(narrow) => assert!(value <= max && narrow.to_bytes() == wire, "{value}"),
        Err(error) => assert_eq!(error.problem, PayloadProblem::TooLarge { value, max }),
    }
}
