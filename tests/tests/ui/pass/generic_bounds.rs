//! Type parameters are bound to be what their fields ask of them, and nothing more.

use packetstream::{Be, Count, Counted, Payload, Request, Rest, Variants};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A signed number is no `Payload`, and need not be.
#[derive(Debug, PartialEq, Payload)]
struct Sample<T>(#[payload(big)] T, #[payload(little)] T, #[payload(flag = 0, big)] Option<T>);

mod text {
    use packetstream::{PayloadError, PayloadProblem, PayloadReader, PayloadWriter};
    use std::fmt::Display;
    use std::str::FromStr;

    pub(crate) fn parse<T: FromStr>(reader: &mut PayloadReader) -> Result<T, PayloadError> {
        let text: String = reader.element()?;
        text.parse().map_err(|_| reader.error(PayloadProblem::Invalid("not that")))
    }

    pub(crate) fn transcribe<T: Display>(value: &T, out: &mut PayloadWriter) {
        out.field(&value.to_string());
    }
}

/// What a module reads and writes needs no encoding.
#[derive(Debug, PartialEq, Payload)]
struct Spelled<T: std::fmt::Display + std::str::FromStr>(#[payload(with = text)] T);

#[derive(Debug, PartialEq, Payload)]
struct Maps<K, V, const N: usize>
where
    K: Ord + Hash + Eq,
    [V; N]: Sized,
{
    ordered: BTreeMap<K, [V; N]>,
    hashed: HashMap<K, V>,
}

/// Bounds that only the author can know.
#[derive(Debug, PartialEq, Payload)]
struct Abstract<N, B, V, R>
where
    N: Count + Clone,
    B: Counted,
    V: Variants,
    R: Rest,
{
    count: N,
    #[payload(count = count)]
    counted: B,
    kind: u64,
    #[payload(id = kind)]
    variant: V,
    #[payload(rest)]
    rest: R,
}

#[derive(Debug, PartialEq, Payload)]
enum Kind {
    A,
    B(u64),
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Vec<T>)]
struct Ask<T, D: Default = u64>
where
    T: Clone,
{
    of: Option<T>,
    #[request(skip)]
    times: D,
}

fn main() {
    assert_eq!(Sample(-1_i16, 2, None).to_bytes()[..], [0xff, 0xff, 2, 0, 0]);
    assert_eq!(Spelled('x').to_bytes()[..], *b"\x01x");
    assert_eq!(Spelled::<u8>::from_bytes(Spelled(7_u8).to_bytes()), Ok(Spelled(7)));
    let maps = Maps { ordered: BTreeMap::from([(1_u64, [Be(2_u8)])]), hashed: HashMap::from([(3, Be(4))]) };
    assert_eq!(maps.to_bytes()[..], [1, 1, 2, 1, 3, 4]);
    let value =
        Abstract { count: 1_u64, counted: vec![true], kind: 1, variant: Kind::B(5), rest: "r".to_owned() };
    assert_eq!(value.to_bytes()[..], *b"\x01\x01\x01\x05r");
    assert_eq!(Abstract::from_bytes(value.to_bytes()), Ok(value));
    assert_eq!(Ask { of: Some(7_u64), times: 'd' }.to_bytes()[..], [1, 7]);
    let _ = Kind::A;
}
