//! What a store promises.

mod complete;
mod damage;
mod lists;
mod power;

use super::*;
use crate::chunkstore::tree::dirent::{Dirent, Entry, Kind};
use futures_util::future::try_join_all;
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::oneshot;

const CLASS: HashClass = HashClass::Sha256;
/// No test takes longer.
const LIMIT: Duration = Duration::from_mins(1);

async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, test).await.expect("the test hangs")
}

fn chunk(number: u64) -> Bytes {
    Bytes::from(number.to_string().repeat(100))
}

fn entry(name: &str) -> RawEntry {
    RawEntry::from(&Entry { time: 1.0, root: Dirent { name: Some(name.into()), ..Dirent::new(Kind::File) } })
}

fn new_store(class: HashClass) -> (TempDir, Store) {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path(), class).unwrap();
    (directory, store)
}

/// Works on while it is wanted, up to the limit of a test.
fn while_it_is(wanted: &dyn Fn() -> bool) {
    let begun = Instant::now();
    while wanted() {
        assert!(begun.elapsed() < LIMIT, "it is wanted for ever");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn what_was_added_is_in_the_file_by_then() {
    let (directory, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = Store::open(directory.path(), CLASS).unwrap();
    let code = within(store.add(chunk(1))).await.unwrap();
    within(store.append("archive".into(), entry("root"))).await.unwrap();
    // As if the power failed now.
    fs::copy(directory.path().join(disk::FILE), copy.path().join(disk::FILE)).unwrap();

    let store = Store::open(copy.path(), CLASS).unwrap();
    assert_eq!(code, CLASS.hash(&chunk(1)));
    assert_eq!(within(store.get(code)).await.unwrap(), Some(chunk(1)));
    assert_eq!(within(store.last("archive".into())).await.unwrap(), Some(entry("root")));
}

#[tokio::test]
async fn a_store_that_is_closed_can_be_opened_again() {
    let directory = TempDir::new().unwrap();
    for count in 1..4 {
        let store = Store::open(directory.path(), CLASS).unwrap();
        within(store.add(chunk(count))).await.unwrap();
        assert_eq!(within(store.count()).await.unwrap(), count);
    }
}

#[tokio::test]
async fn many_callers_add_and_each_chunk_is_there_once() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path(), CLASS).unwrap();
    let adds = (0..1000).map(|number| store.add(chunk(number % 250)));
    let codes = within(try_join_all(adds)).await.unwrap();
    assert_eq!(within(store.count()).await.unwrap(), 250);
    let stored = store.read(|snapshot| Ok(snapshot.open_table(CHUNKS)?.len()?));
    assert_eq!(within(stored).await.unwrap(), 250);
    for (number, code) in (0..1000).zip(codes) {
        assert_eq!(within(store.get(code)).await.unwrap(), Some(chunk(number % 250)));
    }
}

#[tokio::test]
async fn archives_do_not_see_each_other() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path(), CLASS).unwrap();
    let names = ["", "a", "ab", "b", "a\0"];
    for round in 0..3 {
        for name in names {
            within(store.append(name.into(), entry(&format!("{name} {round}")))).await.unwrap();
        }
        for name in names {
            let last = within(store.last(name.into())).await.unwrap();
            assert_eq!(last, Some(entry(&format!("{name} {round}"))));
        }
    }
    assert_eq!(within(store.last("c".into())).await.unwrap(), None);
}

#[tokio::test]
async fn a_name_of_another_class_is_that_of_no_chunk() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path(), CLASS).unwrap();
    let HashCode::Sha256(digest) = within(store.add(chunk(1))).await.unwrap() else { panic!() };
    assert_eq!(within(store.get(HashCode::Blake3(digest))).await.unwrap(), None);
    assert!(!within(store.contains(HashCode::Blake3(digest))).await.unwrap());
    assert!(within(store.contains(HashCode::Sha256(digest))).await.unwrap());
}

#[test]
fn a_store_keeps_its_class_and_needs_its_directory() {
    let directory = TempDir::new().unwrap();
    drop(Store::open(directory.path(), CLASS).unwrap());
    let error = Store::open(directory.path(), HashClass::Sha1).unwrap_err();
    assert!(matches!(&error, OpenError::OtherClass { recorded, .. } if recorded == "sha256"), "{error}");
    let error = Store::open(&directory.path().join("missing"), CLASS).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error}");
    let error = Store::open(&directory.path().join(disk::FILE), CLASS).unwrap_err();
    assert!(matches!(error, OpenError::NotDirectory(_)), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_an_error() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join(disk::FILE), "something else").unwrap();
    let error = Store::open(directory.path(), CLASS).unwrap_err();
    assert!(matches!(error, OpenError::Database { .. }), "{error}");
}

#[tokio::test]
async fn work_that_nobody_waits_for_keeps_its_turn_until_it_is_done() {
    let (_directory, store) = new_store(CLASS);
    let (begun, has_begun) = oneshot::channel();
    let (end, may_end) = oneshot::channel::<()>();
    let work = move || {
        begun.send(()).unwrap();
        may_end.blocking_recv()
    };
    let caller = tokio::spawn({
        let store = store.clone();
        async move { store.in_thread(work).await }
    });
    within(has_begun).await.unwrap();
    caller.abort();
    assert!(within(caller).await.unwrap_err().is_cancelled());
    assert_eq!(store.threads.available_permits(), THREADS - 1);

    end.send(()).unwrap();
    let all = store.threads.acquire_many(u32::try_from(THREADS).unwrap());
    assert!(within(all).await.is_ok());
}

#[tokio::test]
async fn a_walk_is_told_when_nobody_waits_for_it() {
    let (_directory, store) = new_store(CLASS);
    let (begun, has_begun) = oneshot::channel();
    let (ended, has_ended) = oneshot::channel();
    let caller = tokio::spawn({
        let store = store.clone();
        async move {
            let walk = store.walk(|_, wanted| {
                begun.send(wanted()).unwrap();
                while_it_is(wanted);
                ended.send(()).unwrap();
                Ok::<_, StoreError>(())
            });
            walk.await
        }
    });
    assert!(within(has_begun).await.unwrap());
    caller.abort();
    within(has_ended).await.unwrap();
}

#[tokio::test]
async fn walks_leave_threads_to_those_who_want_a_chunk() {
    let (_directory, store) = new_store(CLASS);
    let code = within(store.add(chunk(1))).await.unwrap();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let callers: Vec<_> = (0..2 * THREADS)
        .map(|_| {
            let (store, begun) = (store.clone(), begun.clone());
            tokio::spawn(async move {
                let walk = store.walk(move |_, wanted| {
                    begun.send(()).unwrap();
                    while_it_is(wanted);
                    Ok::<_, StoreError>(())
                });
                walk.await
            })
        })
        .collect();
    for _ in 0..WALKS {
        within(has_begun.recv()).await.unwrap();
    }
    assert_eq!(within(store.get(code)).await.unwrap(), Some(chunk(1)));
    assert!(has_begun.try_recv().is_err());
    callers.iter().for_each(tokio::task::JoinHandle::abort);
}
