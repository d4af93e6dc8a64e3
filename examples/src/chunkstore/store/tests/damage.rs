//! Chunks that are no longer what they were, failures of the disk, and stores that were not made to the end.

use super::*;
use std::fs::File;

/// Has another chunk stand under the name of `stored`, as a disk may that loses bits.
async fn damage(store: &Store, stored: &Bytes) -> HashCode {
    let code = CLASS.hash(stored);
    within(store.writer.write(Write::Chunk { code, chunk: chunk(999) })).await.unwrap();
    code
}

#[tokio::test]
async fn a_damaged_chunk_is_refused_and_can_be_added_again() {
    let (_directory, store) = new_store(CLASS);
    let code = damage(&store, &chunk(1)).await;
    assert!(within(store.contains(code)).await.unwrap(), "nobody has read it yet");
    let error = within(store.get(code)).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(damaged) if damaged == code), "{error}");

    assert!(!within(store.contains(code)).await.unwrap());
    assert_eq!(within(store.get(code)).await.unwrap(), None);
    within(store.add(chunk(1))).await.unwrap();
    assert_eq!(within(store.get(code)).await.unwrap(), Some(chunk(1)));
}

#[tokio::test]
async fn adding_a_chunk_mends_one_that_nobody_knows_to_be_damaged() {
    let (_directory, store) = new_store(CLASS);
    let code = damage(&store, &chunk(1)).await;
    within(store.add(chunk(1))).await.unwrap();
    assert_eq!(within(store.get(code)).await.unwrap(), Some(chunk(1)));
    assert_eq!(within(store.count()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_chunk_that_was_added_again_is_not_forgotten() {
    let (_directory, store) = new_store(CLASS);
    let code = within(store.add(chunk(1))).await.unwrap();
    within(store.writer.write(Write::Forget { code })).await.unwrap();
    assert_eq!(within(store.get(code)).await.unwrap(), Some(chunk(1)));
}

#[tokio::test]
async fn a_damaged_entry_is_refused_and_what_is_appended_later_is_not() {
    let (_directory, store) = new_store(CLASS);
    let sealed = seal(CLASS, &entry("whole"));
    for at in 0..sealed.len() {
        let archive = at.to_string();
        let mut damaged = sealed.to_vec();
        damaged[at] ^= 1;
        let write = Write::Entry { archive: archive.clone(), entry: damaged.into() };
        within(store.writer.write(write)).await.unwrap();
        let error = within(store.last(archive.clone())).await.unwrap_err();
        assert!(matches!(&error, StoreError::DamagedEntry(damaged) if *damaged == archive), "{error}");
        assert!(within(store.entries(archive.clone())).await.is_err());

        within(store.append(archive.clone(), entry("later"))).await.unwrap();
        assert_eq!(within(store.last(archive)).await.unwrap(), Some(entry("later")));
    }
}

#[tokio::test]
async fn a_database_that_has_failed_is_opened_anew() {
    let (_directory, store) = new_store(CLASS);
    let code = within(store.add(chunk(1))).await.unwrap();
    let panics = store.read(|_| -> Result<(), _> { panic!("a page is no page") });
    let error = within(panics).await.unwrap_err();
    let StoreError::Database(cause) = &error else { panic!("{error}") };
    assert_eq!(cause.to_string(), "DB corrupted: a page is no page");
    assert!(store.disk.has_failed());
    assert_eq!(within(store.get(code)).await.unwrap(), Some(chunk(1)));
    assert!(!store.disk.has_failed());
    within(store.add(chunk(2))).await.unwrap();
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_anew_is_when_it_can() {
    let (directory, store) = new_store(CLASS);
    let code = within(store.add(chunk(1))).await.unwrap();
    let [file, aside] = [disk::FILE, "aside"].map(|name| directory.path().join(name));
    fs::rename(&file, &aside).unwrap();
    store.disk.fail();
    for _ in 0..2 {
        let error = within(store.get(code)).await.unwrap_err();
        assert!(matches!(error, StoreError::Open(_)), "{error}");
        assert!(matches!(within(store.add(chunk(2))).await.unwrap_err(), StoreError::Open(_)));
    }
    fs::rename(&aside, &file).unwrap();
    assert_eq!(within(store.get(code)).await.unwrap(), Some(chunk(1)));
    within(store.add(chunk(2))).await.unwrap();
}

#[test]
fn a_store_has_one_owner() {
    let (directory, store) = new_store(CLASS);
    let error = Store::open(directory.path(), CLASS).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    drop(store);
    Store::open(directory.path(), CLASS).unwrap();
}

#[test]
fn a_store_that_was_not_made_to_the_end_is_none_yet() {
    let directory = TempDir::new().unwrap();
    // What a process leaves that is killed before the database's first sync, or between two writes of it.
    for rest in ["", "half a database"] {
        fs::write(directory.path().join("chunks.redb.new"), rest).unwrap();
        drop(Store::open(directory.path(), CLASS).unwrap());
        assert!(!directory.path().join("chunks.redb.new").exists());
        fs::remove_file(directory.path().join(disk::FILE)).unwrap();
    }
}

#[test]
fn a_store_whose_file_was_emptied_is_not_taken_for_a_new_one() {
    let (directory, store) = new_store(CLASS);
    drop(store);
    File::create(directory.path().join(disk::FILE)).unwrap();
    let error = Store::open(directory.path(), CLASS).unwrap_err();
    assert!(matches!(error, OpenError::Database { .. }), "{error}");
}

#[test]
fn files_of_others_are_left_alone() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("lost+found")).unwrap();
    fs::write(directory.path().join("notes"), "mine").unwrap();
    for _ in 0..2 {
        drop(Store::open(directory.path(), CLASS).unwrap());
    }
    assert_eq!(fs::read(directory.path().join("notes")).unwrap(), b"mine");
    assert!(directory.path().join("lost+found").is_dir());
}
