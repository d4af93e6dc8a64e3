//! What `has_all` says.

use super::*;
use crate::chunkstore::tree::blockref::{BlockRef, Body};
use packetstream::{Payload, PayloadProblem};

/// The chunk of an indirect block of these.
fn references(blocks: &[BlockRef]) -> Bytes {
    blocks.iter().map(Payload::to_bytes).collect::<Vec<_>>().concat().into()
}

fn direct(chunk: &Bytes) -> BlockRef {
    BlockRef::direct(CLASS.hash(chunk), chunk.len() as u64)
}

fn indirect(chunk: &Bytes) -> BlockRef {
    BlockRef::indirect(CLASS.hash(chunk), 1)
}

fn block(body: Body) -> BlockRef {
    BlockRef::new(3, body)
}

fn part(whole: BlockRef) -> BlockRef {
    block(Body::Part { offset: 1, whole: Box::new(whole) })
}

/// What a store that has these chunks says of the first.
async fn has_all(chunks: &[&Bytes]) -> Result<bool, HasAllError> {
    let (_directory, store) = new_store(CLASS);
    within(try_join_all(chunks.iter().map(|&chunk| store.add(chunk.clone())))).await.unwrap();
    within(store.has_all(CLASS.hash(chunks[0]))).await
}

#[tokio::test]
async fn all_is_there_when_the_references_and_what_they_name_are() {
    let (_directory, store) = new_store(CLASS);
    let chunks = [chunk(1), chunk(2)];
    let root = references(&[direct(&chunks[0]), direct(&chunks[1])]);
    let has_all = async || within(store.has_all(CLASS.hash(&root))).await.unwrap();
    assert!(!has_all().await);
    for chunk in [&root, &chunks[1]] {
        within(store.add(chunk.clone())).await.unwrap();
        assert!(!has_all().await);
    }
    within(store.add(chunks[0].clone())).await.unwrap();
    assert!(has_all().await);
}

#[tokio::test]
async fn references_are_followed_through_further_ones() {
    let (one, two) = (chunk(1), chunk(2));
    let lower = references(&[direct(&one), direct(&two)]);
    let middle = references(&[direct(&one), indirect(&lower)]);
    let root = references(&[indirect(&middle), direct(&one)]);
    assert!(has_all(&[&root, &middle, &lower, &one, &two]).await.unwrap());
    assert!(!has_all(&[&root, &middle, &lower, &one]).await.unwrap());
    assert!(!has_all(&[&root, &middle, &one, &two]).await.unwrap());
}

#[tokio::test]
async fn a_part_needs_the_whole() {
    let (one, two) = (chunk(1), chunk(2));
    let lower = references(&[direct(&one), direct(&two)]);
    for whole in [indirect(&lower), part(indirect(&lower))] {
        let root = references(&[direct(&one), part(whole)]);
        assert!(has_all(&[&root, &lower, &one, &two]).await.unwrap());
        assert!(!has_all(&[&root, &lower, &one]).await.unwrap());
        assert!(!has_all(&[&root, &one, &two]).await.unwrap());
    }
    let root = references(&[part(direct(&one))]);
    assert!(has_all(&[&root, &one]).await.unwrap());
    assert!(!has_all(&[&root, &two]).await.unwrap());
}

#[tokio::test]
async fn bytes_in_the_references_need_no_chunk() {
    let root =
        references(&[block(Body::Repeated(7)), part(block(Body::Literal(Bytes::from_static(b"abc"))))]);
    assert!(has_all(&[&root]).await.unwrap());
    assert!(has_all(&[&Bytes::new()]).await.unwrap());
}

#[tokio::test]
async fn a_name_of_another_class_is_of_nothing_that_is_there() {
    let root = references(&[BlockRef::direct(HashClass::Blake3.hash(&chunk(1)), 3)]);
    assert!(!has_all(&[&root, &chunk(1)]).await.unwrap());
    let (_directory, store) = new_store(CLASS);
    let HashCode::Sha256(digest) = within(store.add(Bytes::new())).await.unwrap() else { panic!() };
    assert!(!within(store.has_all(HashCode::Blake3(digest))).await.unwrap());
}

#[tokio::test]
async fn a_chunk_that_is_no_references_is_an_error_wherever_it_lies() {
    let (one, bad) = (chunk(1), Bytes::from_static(b"\x03\x08\x00\x00"));
    let middle = references(&[direct(&one), indirect(&bad)]);
    let root = references(&[indirect(&middle), direct(&one)]);
    for chunks in [&[&bad][..], &[&root, &middle, &one, &bad]] {
        let error = has_all(chunks).await.unwrap_err();
        let HasAllError::References { code, source } = &error else { panic!("{error}") };
        assert_eq!(*code, CLASS.hash(&bad));
        assert_eq!(source.problem, PayloadProblem::UnexpectedFlags(8));
    }
    let cut = root.slice(..root.len() - 1);
    assert!(matches!(has_all(&[&cut, &middle, &one]).await, Err(HasAllError::References { .. })));
    // What is only named as bytes may be anything.
    assert!(has_all(&[&references(&[direct(&bad)]), &bad]).await.unwrap());
}

#[tokio::test]
async fn what_is_wrong_is_told_even_if_something_is_missing() {
    let (missing, bad) = (chunk(1), Bytes::from_static(b"hello"));
    for blocks in [
        [direct(&missing), indirect(&bad)],
        [indirect(&bad), direct(&missing)],
        [indirect(&missing), indirect(&bad)],
        [indirect(&bad), indirect(&missing)],
    ] {
        let root = references(&blocks);
        assert!(matches!(has_all(&[&root, &bad]).await, Err(HasAllError::References { .. })));
        assert!(!has_all(&[&root]).await.unwrap());
    }
}

#[tokio::test]
async fn references_that_are_no_chunk_are_refused() {
    let there = chunk(1);
    for odd in
        [block(Body::Literal(Bytes::from_static(b"abc"))), block(Body::Repeated(0)), part(direct(&there))]
    {
        let root = references(&[BlockRef { indirect: true, ..odd }]);
        let error = has_all(&[&root, &there]).await.unwrap_err();
        assert!(matches!(error, HasAllError::Kind { code } if code == CLASS.hash(&root)), "{error}");
    }
}

#[tokio::test]
async fn a_chunk_that_many_refer_to_is_read_once() {
    let mut chunks = vec![references(&[])];
    for _ in 0..100 {
        // Twice as many ways as to the one before.
        let before = indirect(chunks.last().unwrap());
        chunks.push(references(&[before.clone(), before]));
    }
    chunks.reverse();
    assert!(has_all(&chunks.iter().collect::<Vec<_>>()).await.unwrap());
}

#[tokio::test]
async fn references_may_lie_deeper_than_any_stack() {
    let mut chunks = vec![references(&[direct(&chunk(1))])];
    for _ in 0..20_000 {
        chunks.push(references(&[indirect(chunks.last().unwrap())]));
    }
    chunks.reverse();
    assert!(!has_all(&chunks.iter().collect::<Vec<_>>()).await.unwrap());
    chunks.push(chunk(1));
    assert!(has_all(&chunks.iter().collect::<Vec<_>>()).await.unwrap());
}

#[tokio::test]
async fn references_that_are_not_what_their_name_says_are_damaged() {
    let (_directory, store) = new_store(CLASS);
    // So they cannot stand in a circle either.
    let [one, two] = [1, 2].map(|number| CLASS.hash(&chunk(number)));
    for (code, other) in [(one, two), (two, one)] {
        let blocks = [BlockRef::indirect(other, 1), part(BlockRef::indirect(code, 1))];
        let write = Write::Chunk { code, chunk: references(&blocks) };
        within(store.writer.write(write)).await.unwrap();
    }
    let error = within(store.has_all(one)).await.unwrap_err();
    assert!(matches!(error, HasAllError::Store(StoreError::Damaged(code)) if code == one), "{error}");
    assert!(!within(store.has_all(one)).await.unwrap());
}
