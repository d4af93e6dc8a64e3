//! Values made of values.

use super::{Payload, PayloadError, PayloadProblem, PayloadReader, PayloadWriter};
use crate::description::Encoding;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

impl<T: Payload> Payload for Option<T> {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        if bool::parse(reader)? { reader.element().map(Some) } else { Ok(None) }
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.field(&self.is_some());
        if let Some(value) = self {
            out.field(value);
        }
    }

    fn encoding() -> Encoding {
        Encoding::Option(T::encoding)
    }
}

impl<T: Payload> Payload for Box<T> {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        T::parse(reader).map(Self::new)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        T::transcribe(self, out);
    }

    fn encoding() -> Encoding {
        T::encoding()
    }
}

impl<T: Payload> Payload for Vec<T> {
    /// A count larger than the number of bytes that are left is refused, so that it costs nothing to
    /// announce many values; each takes at least one byte.
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let count = reader.uint()?;
        reader.elements(count)
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.uint(self.len() as u64);
        for value in self {
            out.field(value);
        }
    }

    fn encoding() -> Encoding {
        Encoding::List(T::encoding)
    }
}

impl<const N: usize> Payload for [u8; N] {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        reader.array()
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        out.bytes(self);
    }

    fn encoding() -> Encoding {
        Encoding::Bytes(N)
    }
}

impl<T: Payload, const N: usize> Payload for [T; N] {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        // Stable Rust cannot make an array of results; the list is no longer than the type says.
        let values: Vec<T> = (0..N).map(|_| reader.element()).collect::<Result<_, _>>()?;
        let left = reader.remaining();
        values.try_into().map_err(|_| reader.error(PayloadProblem::Short { needed: N as u64, left }))
    }

    fn transcribe(&self, out: &mut PayloadWriter) {
        for value in self {
            out.field(value);
        }
    }

    fn encoding() -> Encoding {
        Encoding::Array(N, T::encoding)
    }
}

impl<K: Payload + Ord, V: Payload> Payload for BTreeMap<K, V> {
    /// Takes keys in any order; a key that comes twice is refused.
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let mut map = Self::new();
        entries(reader, |key, value| map.insert(key, value).is_none())?;
        Ok(map)
    }

    /// Writes the keys in ascending order.
    fn transcribe(&self, out: &mut PayloadWriter) {
        out.uint(self.len() as u64);
        for (key, value) in self {
            out.field(key);
            out.field(value);
        }
    }

    fn encoding() -> Encoding {
        Encoding::Map(K::encoding, V::encoding)
    }
}

impl<K, V, S> Payload for HashMap<K, V, S>
where
    K: Payload + Eq + Hash,
    V: Payload,
    S: BuildHasher + Default,
{
    /// Takes keys in any order; a key that comes twice is refused.
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        let mut map = Self::default();
        entries(reader, |key, value| map.insert(key, value).is_none())?;
        Ok(map)
    }

    /// Writes the keys in no particular order.
    fn transcribe(&self, out: &mut PayloadWriter) {
        out.uint(self.len() as u64);
        for (key, value) in self {
            out.field(key);
            out.field(value);
        }
    }

    fn encoding() -> Encoding {
        Encoding::Map(K::encoding, V::encoding)
    }
}

/// Reads the entries of a map; `insert` says whether a key is new.
fn entries<K: Payload, V: Payload>(
    reader: &mut PayloadReader,
    mut insert: impl FnMut(K, V) -> bool,
) -> Result<(), PayloadError> {
    for _ in 0..reader.count()? {
        let offset = reader.offset();
        if !insert(reader.element()?, reader.element()?) {
            return Err(PayloadError { offset, ..reader.error(PayloadProblem::RepeatedKey) });
        }
    }
    Ok(())
}

impl Payload for () {
    fn parse(_: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(())
    }

    fn transcribe(&self, _: &mut PayloadWriter) {}

    fn encoding() -> Encoding {
        Encoding::Tuple(&[])
    }
}

/// Values one after the other.
macro_rules! tuple {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Payload),*> Payload for ($($name,)*) {
            fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
                Ok(($(reader.element::<$name>()?,)*))
            }

            fn transcribe(&self, out: &mut PayloadWriter) {
                $(out.field(&self.$index);)*
            }

            fn encoding() -> Encoding {
                Encoding::Tuple(&[$($name::encoding),*])
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
