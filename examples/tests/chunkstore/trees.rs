//! Trees come back as they were.

use crate::support::{NAME, Served, within};
use packetstream_examples::chunkstore::compare::{Aspect, Difference, compare};
use packetstream_examples::chunkstore::hash::HashClass;
use packetstream_examples::chunkstore::protocol::{ArchiveLast, Length};
use packetstream_examples::chunkstore::push::{PushError, WalkError};
use packetstream_examples::chunkstore::tree::MAX_DEPTH;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, mknodat, utimensat};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tempfile::TempDir;

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SmallRng::seed_from_u64(seed).fill(&mut bytes[..]);
    bytes
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn set_time(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// A tree with everything that files can be, or are called.
fn nasty_tree() -> TempDir {
    let tree = TempDir::new().unwrap();
    let root = tree.path();
    for directory in ["empty", "deep/er/and/deeper", "sticky", "ends in time"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    for name in [" ", "-rf", "a\nb", "a\\b", "ünïcödé", "*?[", "...", "e\u{301}", "\u{e9}"] {
        fs::write(root.join(name), name).unwrap();
    }
    fs::write(root.join("x".repeat(255)), "long").unwrap();
    fs::write(root.join(OsStr::from_bytes(b"not \xff utf-8")), "odd").unwrap();
    fs::write(root.join(OsStr::from_bytes(b"not \xfe utf-8")), "odd as well").unwrap();
    fs::write(root.join("empty file"), "").unwrap();
    fs::write(root.join("deep/er/one chunk"), noise(1, 5000)).unwrap();
    fs::write(root.join("deep/er/and/many chunks"), noise(2, 3 << 20)).unwrap();
    fs::write(root.join("deep/er/and/deeper/many chunks again"), noise(2, 3 << 20)).unwrap();
    fs::write(root.join("zeros"), vec![0; 1 << 20]).unwrap();
    for (name, target) in
        [("dangling", "nowhere"), ("absolute", "/etc/passwd"), ("up", ".."), ("self", "self")]
    {
        symlink(target, root.join(name)).unwrap();
    }
    symlink(OsStr::from_bytes(b"\xff/\xfe"), root.join("odd target")).unwrap();
    for (name, mode) in [("-rf", 0o4755), ("*?[", 0o200), ("empty file", 0o000), ("sticky", 0o1777)] {
        set_mode(&root.join(name), mode);
        // Only root reads what it has no permission for.
        if File::open(root.join(name)).is_err() {
            set_mode(&root.join(name), mode | 0o400);
        }
    }
    for (name, seconds, nanoseconds) in
        [("zeros", 0, 0), ("...", -1, 999_999_999), (" ", -2_000_000_000, 1), ("up", 981_173_106, 7)]
    {
        set_time(&root.join(name), seconds, nanoseconds);
    }
    set_time(&root.join("ends in time"), 4_000_000_000, 123_456_789);
    set_mode(root, 0o750);
    set_time(root, 1_000_000_000, 5);
    tree
}

#[tokio::test]
async fn a_tree_comes_back_as_it_was_in_every_hash_class() {
    let tree = nasty_tree();
    for class in HashClass::ALL {
        let (served, copy) = (Served::new(class), TempDir::new().unwrap());
        within(served.push(tree.path())).await.unwrap();
        within(served.pull(copy.path())).await.unwrap();
        assert_eq!(compare(tree.path(), copy.path(), &[]).unwrap(), []);
    }
}

#[tokio::test]
async fn the_destination_is_made_if_need_be() {
    let (tree, place, served) = (nasty_tree(), TempDir::new().unwrap(), Served::new(HashClass::Blake3));
    within(served.push(tree.path())).await.unwrap();
    let copy = place.path().join("new");
    within(served.pull(&copy)).await.unwrap();
    assert_eq!(compare(tree.path(), &copy, &[]).unwrap(), []);
}

#[tokio::test]
async fn the_destination_may_be_named_by_a_link() {
    let (tree, place, served) = (nasty_tree(), TempDir::new().unwrap(), Served::new(HashClass::Blake3));
    within(served.push(tree.path())).await.unwrap();
    let (copy, link) = (place.path().join("copy"), place.path().join("link"));
    fs::create_dir(&copy).unwrap();
    symlink("copy", &link).unwrap();
    within(served.pull(&link)).await.unwrap();
    assert_eq!(compare(tree.path(), &copy, &[]).unwrap(), []);
}

#[tokio::test]
async fn pushing_the_same_tree_again_adds_nothing() {
    let (tree, served) = (nasty_tree(), Served::new(HashClass::Sha256));
    let root = async || {
        served
            .client
            .archive_last(ArchiveLast { archive: NAME.into() })
            .await
            .unwrap()
            .unwrap()
            .entry()
            .unwrap()
            .root
    };
    let first = within(served.push(tree.path())).await.unwrap();
    let (length, root_before) = (served.client.length(Length).await.unwrap(), root().await);
    assert!(first.sent.get() > 30 && first.sent.get() < first.chunks.get());
    assert_eq!(length.0, first.sent.get());

    let second = within(served.push(tree.path())).await.unwrap();
    assert_eq!(second.sent.get(), 0);
    assert_eq!(second.chunks.get(), first.chunks.get());
    assert_eq!(served.client.length(Length).await.unwrap(), length);
    assert_eq!(root().await, root_before);
}

#[tokio::test]
async fn a_change_costs_the_chunks_around_it() {
    let (tree, served) = (TempDir::new().unwrap(), Served::new(HashClass::Blake3));
    let mut bytes = noise(3, 8 << 20);
    fs::write(tree.path().join("file"), &bytes).unwrap();
    let before = within(served.push(tree.path())).await.unwrap();
    bytes.insert(4 << 20, b'!');
    fs::write(tree.path().join("file"), &bytes).unwrap();
    let after = within(served.push(tree.path())).await.unwrap();
    assert!(before.sent.get() > 80, "{}", before.sent.get());
    // One or two of the file, the references to them, and the directory.
    assert!(after.sent.get() <= 5, "{}", after.sent.get());
}

#[tokio::test]
async fn a_directory_of_many_chunks_comes_back() {
    let (tree, copy, served) =
        (TempDir::new().unwrap(), TempDir::new().unwrap(), Served::new(HashClass::Blake3));
    for number in 0..800 {
        symlink(format!("{number:02000}"), tree.path().join(format!("{number:0200}"))).unwrap();
    }
    let tally = within(served.push(tree.path())).await.unwrap();
    assert!(tally.chunks.get() > 5, "{}", tally.chunks.get());
    within(served.pull(copy.path())).await.unwrap();
    assert_eq!(compare(tree.path(), copy.path(), &[]).unwrap(), []);
}

#[tokio::test]
async fn special_files_are_left_out_and_counted() {
    let (tree, copy, served) =
        (TempDir::new().unwrap(), TempDir::new().unwrap(), Served::new(HashClass::Sha1));
    fs::write(tree.path().join("file"), "content").unwrap();
    mknodat(CWD, tree.path().join("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(tree.path().join("socket")).unwrap();
    let tally = within(served.push(tree.path())).await.unwrap();
    assert_eq!((tally.files.get(), tally.special.get()), (1, 2));
    within(served.pull(copy.path())).await.unwrap();
    assert_eq!(fs::read_dir(copy.path()).unwrap().count(), 1);
    assert_eq!(compare(tree.path(), copy.path(), &[]).unwrap(), []);
}

#[tokio::test]
async fn directories_may_be_nested_up_to_the_limit() {
    let (tree, place, served) =
        (TempDir::new().unwrap(), TempDir::new().unwrap(), Served::new(HashClass::Blake3));
    let mut path = tree.path().to_owned();
    path.extend(["d"; MAX_DEPTH]);
    fs::create_dir_all(&path).unwrap();
    within(served.push(tree.path())).await.unwrap();
    let copy = place.path().join("copy");
    within(served.pull(&copy)).await.unwrap();
    assert_eq!(compare(tree.path(), &copy, &[]).unwrap(), []);

    fs::create_dir(path.join("d")).unwrap();
    let error = within(served.push(tree.path())).await.unwrap_err();
    assert!(matches!(error, PushError::Walk(WalkError::TooDeep(_))), "{error}");
}

#[test]
fn comparing_finds_every_difference() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for tree in [&here, &there] {
        for name in ["content", "kind", "mode", "only", "same", "time"] {
            fs::write(tree.path().join(name), "0123456789").unwrap();
            set_time(&tree.path().join(name), 1, 1);
        }
        symlink("a", tree.path().join("target")).unwrap();
        set_time(&tree.path().join("target"), 1, 1);
    }
    let there_path = |name| there.path().join(name);
    fs::write(there_path("content"), "012345678!").unwrap();
    set_time(&there_path("content"), 1, 1);
    fs::remove_file(there_path("kind")).unwrap();
    fs::create_dir(there_path("kind")).unwrap();
    set_mode(&there_path("mode"), 0o600);
    fs::remove_file(there_path("only")).unwrap();
    fs::remove_file(there_path("target")).unwrap();
    symlink("b", there_path("target")).unwrap();
    set_time(&there_path("target"), 1, 1);
    set_time(&there_path("time"), 1, 2);
    for tree in [&here, &there] {
        set_time(tree.path(), 1, 1);
    }

    let expected = [
        ("content", Aspect::Content),
        ("kind", Aspect::Kind),
        ("mode", Aspect::Permissions),
        ("only", Aspect::Presence),
        ("target", Aspect::Target),
        ("time", Aspect::Time),
    ];
    let expected = expected.map(|(path, aspect)| Difference { path: path.into(), aspect });
    assert_eq!(compare(here.path(), there.path(), &[]).unwrap(), expected);
    let left_out = expected.clone().map(|difference| difference.path.into_os_string());
    assert_eq!(compare(here.path(), there.path(), &left_out).unwrap(), []);
}
