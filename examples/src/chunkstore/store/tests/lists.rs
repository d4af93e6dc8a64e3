//! Lists and sums.

use super::*;
use packetstream::{Limits, Payload};
use std::ops::Bound;

async fn store_with(chunks: impl IntoIterator<Item = Bytes>, class: HashClass) -> (TempDir, Store) {
    let (directory, store) = new_store(class);
    within(try_join_all(chunks.into_iter().map(|chunk| store.add(chunk)))).await.unwrap();
    (directory, store)
}

const fn at(code: HashCode, count: u64) -> CodeRange {
    CodeRange { from: Bound::Included(code), count }
}

const fn after(code: HashCode, count: u64) -> CodeRange {
    CodeRange { from: Bound::Excluded(code), count }
}

const fn first(count: u64) -> CodeRange {
    CodeRange { from: Bound::Unbounded, count }
}

#[tokio::test]
async fn names_are_listed_in_the_order_of_their_digests() {
    let (_directory, store) = store_with((0..20).map(chunk), CLASS).await;
    let mut all: Vec<_> = (0..20).map(|number| CLASS.hash(&chunk(number))).collect();
    all.sort_by_key(|code| code.digest().to_vec());
    let list = async |range| within(store.codes(range)).await.unwrap();

    assert_eq!(list(CodeRange::ALL).await, all);
    assert_eq!(list(first(3)).await, all[..3]);
    assert_eq!(list(first(u64::MAX)).await, all);
    assert_eq!(list(at(all[5], 0)).await, all[5..]);
    assert_eq!(list(at(all[5], 2)).await, all[5..7]);
    assert_eq!(list(after(all[5], 0)).await, all[6..]);
    assert_eq!(list(after(all[5], 2)).await, all[6..8]);
    assert_eq!(list(after(all[17], 3)).await, all[18..]);
    assert_eq!(list(after(all[19], 0)).await, []);
}

#[tokio::test]
async fn a_range_may_begin_at_a_name_that_is_not_there() {
    let (_directory, store) = store_with((0..20).map(chunk), CLASS).await;
    let all = within(store.codes(CodeRange::ALL)).await.unwrap();
    let HashCode::Sha256(mut before) = all[5] else { panic!() };
    let last = before.iter().rposition(|byte| *byte > 0).unwrap();
    before[last] -= 1;
    before[last + 1..].fill(0xff);
    for (start, rest) in [([0; 32], &all[..]), (before, &all[5..]), ([0xff; 32], &[])] {
        let start = HashCode::Sha256(start);
        assert_eq!(within(store.codes(at(start, 0))).await.unwrap(), rest);
        assert_eq!(within(store.codes(after(start, 0))).await.unwrap(), rest);
    }
}

#[tokio::test]
async fn a_range_that_begins_in_another_class_is_refused() {
    let (_directory, store) = store_with([chunk(1)], CLASS).await;
    let refusal = OtherClass { store: CLASS, start: HashClass::Blake3 };
    assert_eq!(refusal.to_string(), "the store's hash class is sha256, not blake3");
    let start = HashClass::Blake3.hash(&chunk(1));
    for range in [at(start, 1), after(start, 0)] {
        let error = within(store.codes(range)).await.unwrap_err();
        assert!(matches!(error, CodesError::OtherClass(other) if other == refusal), "{error}");
        let error = within(store.hash_of_codes(range)).await.unwrap_err();
        assert!(matches!(error, HashOfCodesError::OtherClass(other) if other == refusal), "{error}");
    }
}

#[tokio::test]
async fn more_names_than_a_list_may_have_are_refused() {
    let (_directory, store) = store_with((0..20).map(chunk), CLASS).await;
    let all = within(store.codes(CodeRange::ALL)).await.unwrap();
    assert_eq!(within(store.codes_up_to(20, CodeRange::ALL)).await.unwrap(), all);
    assert_eq!(within(store.codes_up_to(20, first(21))).await.unwrap(), all);
    assert_eq!(within(store.codes_up_to(19, first(19))).await.unwrap(), all[..19]);
    assert_eq!(within(store.codes_up_to(19, after(all[0], 0))).await.unwrap(), all[1..]);

    for range in [CodeRange::ALL, first(20), at(all[0], 0)] {
        let error = within(store.codes_up_to(19, range)).await.unwrap_err();
        assert!(matches!(error, CodesError::TooMany { limit: 19 }), "{error}");
        let reason = "more names than the 19 of the longest list: ask with a count of at most 19";
        assert_eq!(error.to_string(), reason);
    }
}

#[test]
fn the_longest_lists_fit_a_packet() {
    let header = 40;
    assert!(MAX_LIST + header <= Limits::default().max_packet);
    let code = HashClass::Blake3.hash(b"").to_bytes();
    assert!(MAX_CODES * code.len() <= MAX_LIST);
}

/// From `chunk-store-vectors.json`: two names from the first on, from the second on, after the second, and
/// after the last.
const RECORDED_SUMS: [(HashClass, [&str; 4]); 3] = [
    (
        HashClass::Sha1,
        [
            "9a67734a252ae0e23faf3a30e96a28ddef132ec8",
            "e2822c0351a0fcc6adfb74f33418b936fc87c3a7",
            "3e372ecc85a32eb3ccc420aecaf35e23f9d541c3",
            "be1bdec0aa74b4dcb079943e70528096cca985f8",
        ],
    ),
    (
        HashClass::Sha256,
        [
            "e43432ab5f51bf85d4e05a0bbae4dcf696d31cdc48b67997fb2abc477cf31355",
            "955145b5849ccb4095c227f79899bb99a949306c6fb295f9117dae0225e4f5ff",
            "3773978ff913fae6ade763301800f2c96b71b2525e15822e8434ef0975f00060",
            "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456",
        ],
    ),
    (
        HashClass::Blake3,
        [
            "24e9913b680ca31bd1b869742b16dc313867a8e8c8098b3b108e9c039af966fe",
            "307dfa946571b20728dadaf28faf41c473c8b2c369240ebc233c1d89f753e036",
            "8fb3fafac53d67124d6d4d2c353585c39550f778c1e40009c213685198b8d748",
            "82878ed8a480ee41775636820e05a934ca5c747223ca64306658ee5982e6c227",
        ],
    ),
];

#[tokio::test]
async fn sums_are_those_that_upstream_sends() {
    for (class, sums) in RECORDED_SUMS {
        let long = [b'x'; 128];
        let chunks: [&[u8]; 4] = [b"", b"hello", b"world", &long];
        let (_directory, store) = store_with(chunks.map(Bytes::copy_from_slice), class).await;
        let all = within(store.codes(CodeRange::ALL)).await.unwrap();
        let [one, two, three, none] = sums.map(|digest| format!("{class}:{digest}"));
        let sum = async |range| {
            let (sum, last) = within(store.hash_of_codes(range)).await.unwrap();
            (sum.to_string(), last)
        };
        assert_eq!(sum(first(2)).await, (one, Some(all[1])));
        assert_eq!(sum(at(all[1], 2)).await, (two, Some(all[2])));
        assert_eq!(sum(after(all[1], 2)).await, (three, Some(all[3])));
        assert_eq!(sum(after(all[3], 2)).await, (none, None));
    }
}

#[tokio::test]
async fn stores_of_the_same_chunks_have_the_same_sum() {
    let (_left, left) = store_with((0..20).map(chunk), CLASS).await;
    let (_right, right) = store_with((0..19).rev().map(chunk), CLASS).await;
    let all = within(left.codes(CodeRange::ALL)).await.unwrap();
    let digests: Vec<u8> = all.iter().flat_map(HashCode::digest).copied().collect();
    let sum = CLASS.hash(CLASS.hash(&digests).digest());
    assert_eq!(within(left.hash_of_codes(CodeRange::ALL)).await.unwrap(), (sum, all.last().copied()));
    assert_ne!(within(right.hash_of_codes(CodeRange::ALL)).await.unwrap().0, sum);

    within(right.add(chunk(19))).await.unwrap();
    assert_eq!(within(right.hash_of_codes(CodeRange::ALL)).await.unwrap().0, sum);
}

#[tokio::test]
async fn entries_are_listed_verbatim_in_the_order_they_came() {
    let (_directory, store) = new_store(CLASS);
    let padded = RawEntry::trusted(Bytes::from_static(b"\x031e9\x80\x00\x04"));
    let mut all = vec![padded; 2];
    all.extend((0..12).map(|number| entry(&number.to_string())));
    for (archive, entries) in [("a", &all[..1]), ("ab", &all), ("b", &all[1..])] {
        for entry in entries {
            within(store.append(archive.into(), entry.clone())).await.unwrap();
        }
    }
    assert_eq!(within(store.entries("ab".into())).await.unwrap(), all);
    assert_eq!(within(store.entries("a".into())).await.unwrap(), all[..1]);
    assert_eq!(within(store.entries("c".into())).await.unwrap(), []);
}

#[tokio::test]
async fn entries_that_take_more_than_a_list_may_are_refused() {
    let (_directory, store) = new_store(CLASS);
    let half = RawEntry::trusted(Bytes::from(vec![0; MAX_LIST / 2]));
    for _ in 0..2 {
        within(store.append("archive".into(), half.clone())).await.unwrap();
    }
    assert!(within(store.entries("archive".into())).await.unwrap() == [half.clone(), half]);

    within(store.append("archive".into(), entry("root"))).await.unwrap();
    let error = within(store.entries("archive".into())).await.unwrap_err();
    assert!(matches!(error, EntriesError::TooLong { limit: MAX_LIST }), "{error}");
    let reason = "the archive's entries take more than the 16777152 bytes of the longest list";
    assert_eq!(error.to_string(), reason);
}

#[tokio::test]
async fn short_entries_count_for_what_they_take_in_memory() {
    let (_directory, store) = new_store(CLASS);
    let short = RawEntry::from(&Entry { time: 1.0, root: Dirent::new(Kind::File) });
    for _ in 0..3 {
        within(store.append("archive".into(), short.clone())).await.unwrap();
    }
    let taken = 3 * size_of::<RawEntry>();
    assert_eq!(within(store.entries_up_to(taken, "archive".into())).await.unwrap().len(), 3);
    assert!(within(store.entries_up_to(taken - 1, "archive".into())).await.is_err());
}
