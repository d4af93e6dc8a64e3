//! Packets to values and back, in Python.

use crate::everything::{Class, Content, Role, classes};
use crate::worker::{Worker, content, line};
use packetstream::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

/// Values of each class.
const VALUES: usize = 40;
/// Packets made of each value that may be wrong.
const FOREIGN: usize = 6;

/// What a packet was, whose, and what becomes of it.
struct Case {
    role: Role,
    number: u64,
    sent: Content,
    /// Nothing if it is refused.
    back: Option<Content>,
    is_verbatim: bool,
}

pub(crate) async fn values() {
    let mut runner = TestRunner::deterministic();
    let mut cases = Vec::new();
    for class in classes() {
        for _ in 0..VALUES {
            let sample = class.sample(&mut runner);
            cases.extend(Role::ALL.into_iter().zip(sample).map(|(role, sent)| Case::of(&class, role, sent)));
        }
    }
    assert!(cases.iter().all(|case| case.back.as_ref() == Some(&case.sent)));
    check(cases).await;
}

pub(crate) async fn foreign() {
    let mut runner = TestRunner::deterministic();
    let mut cases = Vec::new();
    for class in classes() {
        for _ in 0..VALUES {
            for (role, sent) in Role::ALL.into_iter().zip(class.sample(&mut runner)) {
                for _ in 0..FOREIGN {
                    let sent = changed(&sent, &mut runner);
                    cases.push(Case::of(&class, role, sent));
                }
            }
        }
    }
    let refused = cases.iter().filter(|case| case.back.is_none()).count();
    assert!(refused > cases.len() / 4 && refused < cases.len() * 3 / 4, "{refused} of {}", cases.len());
    check(cases).await;
}

pub(crate) async fn almost_right() {
    let padded = |length: usize| [&[0x80].repeat(length - 1)[..], &[7]].concat();
    let cases = [
        // A number of 10 bytes, and of one more; one of 64 bits, and of one more.
        (22, padded(10), true),
        (22, padded(11), false),
        (22, [&[0x81][..], &[0xff].repeat(8), &[0x7f]].concat(), true),
        (22, [&[0x82][..], &[0xff].repeat(8), &[0x7f]].concat(), false),
        // Two keys, and one twice, where Python has a dict and where it has pairs.
        (3, b"\x02\x01\x00\x82\x2c\x00\x00\x00".to_vec(), true),
        (3, b"\x02\x01\x00\x01\x00\x00\x00".to_vec(), false),
        (3, b"\x00\x00\x02\x01\x05\x09\x01\x06\x08".to_vec(), true),
        (3, b"\x00\x00\x02\x01\x05\x09\x01\x05\x08".to_vec(), false),
        // As long as it says; a byte too many within it, which could be the length of the next; one too few.
        (32, vec![2, 1, 5, 1, 7], true),
        (32, vec![2, 2, 5, 1, 7], false),
        (32, vec![2, 1, 5, 2, 7], false),
    ];
    let case = |(number, payload, is_right): (u64, Vec<u8>, bool)| {
        let case = Case::of(&class_of(number), Role::Request, (0, payload.into()));
        assert_eq!(case.back.is_some(), is_right, "{}", case.line());
        case
    };
    check(cases.map(case).into()).await;
}

pub(crate) async fn floats() {
    let numbers = class_of(0);
    let texts = [
        "",
        " ",
        "0x10",
        "_1",
        "1_",
        "1__0",
        "1_.5",
        "1,5",
        "ten",
        "1e",
        "e1",
        ".",
        "+-1",
        "1e3",
        " 1.5\n",
        "1_000.5",
        "Infinity",
        "-inf",
        "+nan",
        "NaN",
        ".5",
        "5.",
        "+5",
        "\u{a0}1\u{2003}",
        "\u{1c}1",
        "\u{2003}\u{1c}1",
        "\u{663}",
        "1e400",
        "-0",
        "0.1",
        "1E-5",
        "123456789012345678",
    ];
    let float = |text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        let payload = [&[0, 0, 0, 0, 0, length][..], text.as_bytes(), &[0, 0]].concat();
        Case::of(&numbers, Role::Reply, (0, payload.into()))
    };
    let cases: Vec<_> = texts.into_iter().map(float).collect();
    let read = cases.iter().filter(|case| case.back.is_some()).count();
    assert!(read > 12 && read < texts.len() - 12, "{read}");
    check(cases).await;
}

pub(crate) async fn depths() {
    // A group of a group of a group, and a tree of one child each.
    let shapes = (20..80).map(|depth| (11, [&[0x85, 0x3d, 1].repeat(depth)[..], &[0]].concat()));
    let trees = (10..40).map(|depth| (13, [&[0, 0, 1].repeat(depth)[..], &[0, 1, 0]].concat()));
    let case =
        |(number, payload): (u64, Vec<u8>)| Case::of(&class_of(number), Role::Reply, (0, payload.into()));
    let cases: Vec<_> = shapes.chain(trees).map(case).collect();
    for number in [11, 13] {
        let mut of_it = cases.iter().filter(|case| case.number == number);
        assert!(of_it.any(|case| case.back.is_some()) && of_it.any(|case| case.back.is_none()), "{number}");
    }
    check(cases).await;
}

fn class_of(number: u64) -> Class {
    classes().into_iter().find(|class| class.number == number).unwrap()
}

impl Case {
    fn of(class: &Class, role: Role, sent: Content) -> Self {
        let back = class.read(role, sent.clone());
        Self { role, number: class.number, sent, back, is_verbatim: class.is_verbatim }
    }

    fn line(&self) -> Value {
        let what = match self.role {
            Role::Request => "request",
            Role::Reply => "reply",
            Role::Failure => "failure",
        };
        line(what, self.number, &self.sent)
    }
}

/// That Python makes of the packets what we make of them.
async fn check(cases: Vec<Case>) {
    let lines: Vec<_> = cases.iter().map(Case::line).collect();
    let said = Worker::start("twin.py", &["recode", "tests/python/everything.py"]).told(&lines).await;
    for (case, said) in cases.iter().zip(said) {
        let context = || format!("{}: {said}, not {:02x?}", case.line(), case.back);
        match &case.back {
            None => assert!(said["refused"].is_string(), "{}", context()),
            // Python does not keep spellings.
            Some(_) if case.is_verbatim => assert!(said["payload"].is_string(), "{}", context()),
            Some(back) => assert!(said["refused"].is_null() && content(&said) == *back, "{}", context()),
        }
    }
}

/// A packet that is another one: some of its bytes replaced, cut off or more, or other flags.
fn changed((flags, payload): &Content, runner: &mut TestRunner) -> Content {
    // Small ones are counts, lengths and numbers of variants that are right now and then.
    let byte = || prop_oneof![2 => 0_u8..4, 1 => any::<u8>()];
    let replaced = vec((any::<Index>(), byte()), 0..3);
    let cut = prop_oneof![4 => Just(0_usize), 1 => 1_usize..4];
    let more = prop_oneof![4 => Just(Vec::new()), 1 => vec(byte(), 1..4)];
    let flip = prop_oneof![4 => Just(0_u64), 1 => (0_u32..8).prop_map(|bit| 1 << bit), 1 => 0..1_u64 << 58];
    let changes = (replaced, cut, more, flip).new_tree(runner).unwrap().current();
    let (replaced, cut, more, flip) = changes;
    let mut bytes = payload.to_vec();
    for (index, byte) in replaced {
        if !bytes.is_empty() {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
    }
    bytes.truncate(bytes.len().saturating_sub(cut));
    bytes.extend(more);
    (flags ^ flip, Bytes::from(bytes))
}
