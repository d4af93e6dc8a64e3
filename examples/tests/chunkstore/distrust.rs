//! Servers, and whoever pushed to them, are not trusted.

use crate::support::{CLASS, Liar, NAME, Served, block, entry, file, liar, of_class, within};
use packetstream::{Bytes, Failure, Payload, Reply, RequestError, Response};
use packetstream_examples::chunkstore::archive::ArchiveError;
use packetstream_examples::chunkstore::hash::{HashClass, HashCode};
use packetstream_examples::chunkstore::pull::{
    FetchError, NodeError, PullError, ReadError, RestoreError, pull,
};
use packetstream_examples::chunkstore::push::{PushError, Source, UploadError, push};
use packetstream_examples::chunkstore::report::Tally;
use packetstream_examples::chunkstore::tree::MAX_DEPTH;
use packetstream_examples::chunkstore::tree::blockref::{BlockRef, Body};
use packetstream_examples::chunkstore::tree::blocks::ChildrenError;
use packetstream_examples::chunkstore::tree::dirent::{Dirent, Entry, Kind, RawEntry};
use packetstream_examples::chunkstore::tree::meta::{FileTime, Meta};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

impl Served {
    /// What pulling a tree of these entries fails with.
    async fn refusal(&self, entries: &[Dirent]) -> NodeError {
        let place = TempDir::new().unwrap();
        self.record(self.directory("", entries).await).await;
        match self.pull(&place.path().join("copy")).await.unwrap_err() {
            PullError::Restore { source, .. } => source,
            error => panic!("{error}"),
        }
    }

    /// What pulling a file of this block fails with.
    async fn bad_block(&self, block: BlockRef) -> FetchError {
        match self.refusal(&[file("file", block)]).await {
            NodeError::Read(ReadError::Fetch(error)) => error,
            error => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_refused() {
    let served = Served::new(CLASS);
    let latin1 = Some(r#"{"name_latin1":".."}"#.into());
    let mut entries = ["", ".", "..", "a/b", "/", "a\0b"].map(|name| entry(Kind::File, name)).to_vec();
    entries.extend([Dirent::new(Kind::File), Dirent { meta: latin1, ..entry(Kind::File, "fine") }]);
    for entry in entries {
        let error = within(served.refusal(std::slice::from_ref(&entry))).await;
        assert!(matches!(error, NodeError::Read(ReadError::Name(_))), "{entry:?}: {error}");
    }
}

#[tokio::test]
async fn a_name_that_comes_twice_is_refused() {
    let served = Served::new(CLASS);
    let target = Some(r#"{"target":"."}"#.into());
    let link = Dirent { meta: target, ..entry(Kind::Link, "a") };
    let directory = entry(Kind::Directory, "a");
    let file = entry(Kind::File, "a");
    for (first, second) in [(&file, &file), (&directory, &directory), (&file, &link), (&link, &file)] {
        let error = within(served.refusal(&[first.clone(), second.clone()])).await;
        assert!(matches!(error, NodeError::Restore(RestoreError::Exists)), "{error}");
    }
}

#[tokio::test]
async fn nothing_is_written_through_a_link() {
    let (served, outside) = (Served::new(CLASS), TempDir::new().unwrap());
    let target = Meta { target: Some(outside.path().into()), ..Meta::default() };
    let link = Dirent { meta: Some(target.to_text()), ..entry(Kind::Link, "d") };
    let directory = served.directory("d", &[entry(Kind::File, "planted")]).await;
    // Whichever comes first: both exist already when the second is made.
    within(served.refusal(&[link.clone(), directory.clone()])).await;
    within(served.refusal(&[directory, link])).await;
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn entries_that_make_no_sense_are_refused() {
    let served = Served::new(CLASS);
    let error = within(served.refusal(&[entry(Kind::Indirect, "i")])).await;
    assert!(matches!(error, NodeError::Read(ReadError::Kind)), "{error}");
    let error = within(served.refusal(&[entry(Kind::Link, "l")])).await;
    assert!(matches!(error, NodeError::Restore(RestoreError::NoTarget)), "{error}");
    let meta = Some("{".into());
    let error = within(served.refusal(&[Dirent { meta, ..entry(Kind::File, "f") }])).await;
    assert!(matches!(error, NodeError::Read(ReadError::Meta(..))), "{error}");

    let (code, span) = served.add_bytes(Bytes::from_static(b"\x09 no entries")).await;
    let block = Some(BlockRef::direct(code, span));
    let error = within(served.refusal(&[Dirent { block, ..entry(Kind::Directory, "d") }])).await;
    assert!(matches!(error, NodeError::Read(ReadError::Entry(_))), "{error}");
}

#[tokio::test]
async fn blocks_that_make_no_sense_are_refused() {
    let served = Served::new(CLASS);
    let (code, length) = served.add_bytes(Bytes::from_static(b"chunk")).await;
    let leaf = BlockRef::direct(code, length);

    let error = within(served.bad_block(BlockRef::direct(CLASS.hash(b"missing"), 7))).await;
    assert!(matches!(error, FetchError::Missing(_)), "{error}");
    for span in [0, 4, 6] {
        let error = within(served.bad_block(BlockRef::direct(code, span))).await;
        assert!(matches!(error, FetchError::Length { length: 5, .. }), "{error}");
    }
    for span in [0, 5, 9, 11, u64::MAX] {
        let block = served.indirect(span, &[leaf.clone(), leaf.clone()]).await;
        let error = within(served.bad_block(block)).await;
        assert!(matches!(error, FetchError::Children { source: ChildrenError::Span, .. }), "{error}");
    }
    let error = within(served.bad_block(BlockRef::indirect(code, 5))).await;
    assert!(matches!(error, FetchError::Children { source: ChildrenError::Reference(_), .. }), "{error}");
    let error = within(served.bad_block(BlockRef::direct(code, 1 << 40))).await;
    assert!(matches!(error, FetchError::TooLong(_)), "{error}");
    for body in [Body::Repeated(0), Body::Part { offset: 0, whole: Box::new(leaf) }] {
        let error = within(served.bad_block(block(5, body))).await;
        assert!(matches!(error, FetchError::Kind), "{error}");
    }
}

#[tokio::test]
async fn nesting_has_an_end() {
    let served = Served::new(CLASS);
    let mut nested = block(1, Body::Literal(Bytes::from_static(b"x")));
    for _ in 0..9 {
        nested = served.indirect(1, &[nested]).await;
    }
    let error = within(served.bad_block(nested)).await;
    assert!(matches!(error, FetchError::TooDeep), "{error}");

    let mut directory = entry(Kind::Directory, "d");
    for _ in 0..MAX_DEPTH {
        directory = served.directory("d", &[directory]).await;
    }
    let error = within(served.refusal(&[directory])).await;
    assert!(matches!(error, NodeError::Read(ReadError::TooDeep)), "{error}");
}

#[tokio::test]
async fn a_tree_of_another_writer_is_restored() {
    let (served, place) = (Served::new(CLASS), TempDir::new().unwrap());
    let (code, length) = served.add_bytes(Bytes::from_static(b"chunk")).await;
    let chunk = BlockRef::direct(code, length);
    let literal = block(3, Body::Literal(Bytes::from_static(b"lit")));
    let inner = served.indirect(8, &[chunk.clone(), literal.clone()]).await;
    let outer = served.indirect(16, &[inner, literal, chunk.clone()]).await;
    let meta = Some("a:o:rw-x;m:1700000000.500000".into());
    let no_names =
        served.directory("", &[Dirent { meta, ..file("file", outer) }, file("chunk", chunk)]).await;
    served.record(Dirent { name: None, ..no_names }).await;

    let copy = place.path().join("copy");
    within(served.pull(&copy)).await.unwrap();
    assert_eq!(fs::read_to_string(copy.join("file")).unwrap(), "chunklitlitchunk");
    assert_eq!(fs::read_to_string(copy.join("chunk")).unwrap(), "chunk");
    let metadata = copy.join("file").metadata().unwrap();
    let time = FileTime { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec().try_into().unwrap() };
    assert_eq!(time, FileTime { seconds: 1_700_000_000, nanoseconds: 500_000_000 });
    assert_eq!(metadata.mode() & 0o7777, 0o644);
}

#[tokio::test]
async fn a_root_that_is_no_directory_is_refused() {
    let (served, place) = (Served::new(CLASS), TempDir::new().unwrap());
    served.record(entry(Kind::File, "file")).await;
    let error = within(served.pull(place.path())).await.unwrap_err();
    assert!(matches!(error, PullError::NotDirectory(_)), "{error}");
}

#[tokio::test]
async fn a_destination_in_use_is_refused() {
    let (served, place) = (Served::new(CLASS), TempDir::new().unwrap());
    served.record(entry(Kind::Directory, "")).await;
    fs::write(place.path().join("file"), "").unwrap();
    fs::create_dir(place.path().join("empty")).unwrap();
    symlink("nowhere", place.path().join("dangling")).unwrap();
    for destination in [".", "file", "dangling"] {
        let error = within(served.pull(&place.path().join(destination))).await.unwrap_err();
        let source = match &error {
            PullError::Restore { source, .. } => Some(source),
            _ => None,
        };
        let exists = matches!(source, Some(NodeError::Restore(RestoreError::Exists)));
        assert!(exists || matches!(error, PullError::NotEmpty(_)), "{destination}: {error}");
    }
    within(served.pull(&place.path().join("empty"))).await.unwrap();
}

async fn pull_from(liar: &Liar) -> PullError {
    let place = TempDir::new().unwrap();
    let destination = place.path().join("copy");
    within(pull(&liar.client, NAME, &destination, &Arc::new(Tally::default()))).await.unwrap_err()
}

async fn push_to(liar: &Liar, root: &Path) -> PushError {
    let source = Source { root: root.to_owned(), leave_out: Vec::new() };
    within(push(&liar.client, source, NAME, &Arc::new(Tally::default()))).await.unwrap_err()
}

#[tokio::test]
async fn a_chunk_that_is_not_what_its_name_says_is_refused() {
    let block = Some(BlockRef::direct(CLASS.hash(b"honest"), 6));
    let root = Dirent { block, ..entry(Kind::Directory, "") };
    for (lie, is_length) in [("fakely", false), ("fake", true)] {
        let last = RawEntry::from(&Entry { time: 0.0, root: root.clone() });
        let liar = liar(move |request| {
            Ok(match request.rq_type {
                6 => Some(last.clone()).into_reply(),
                _ => Some(Bytes::from_static(lie.as_bytes())).into_reply(),
            })
        });
        let PullError::Restore { source: NodeError::Read(ReadError::Fetch(error)), .. } =
            pull_from(&liar).await
        else {
            panic!()
        };
        assert!(matches!(error, FetchError::Damaged(_)) != is_length, "{error}");
        assert!(matches!(error, FetchError::Length { .. }) == is_length, "{error}");
    }
}

#[tokio::test]
async fn an_entry_that_is_none_is_refused() {
    let liar = liar(|_| Ok(Reply { flags: 1, payload: Bytes::from_static(b"\x03abc") }));
    let error = pull_from(&liar).await;
    assert!(matches!(error, PullError::Archive(ArchiveError::Ask { .. })), "{error}");
}

#[tokio::test]
async fn a_chunk_stored_under_another_name_is_an_error() {
    let tree = TempDir::new().unwrap();
    fs::write(tree.path().join("file"), "content").unwrap();
    let liar = liar(|request| {
        Ok(match request.rq_type {
            0 => CLASS.hash(b"something else").into_reply(),
            5 => of_class().into_reply(),
            _ => false.into_reply(),
        })
    });
    let error = push_to(&liar, tree.path()).await;
    assert!(matches!(error, PushError::Upload(UploadError::OtherCode { .. })), "{error}");
}

#[tokio::test]
async fn a_chunk_stored_under_the_same_digest_of_another_class_is_an_error() {
    let tree = TempDir::new().unwrap();
    fs::write(tree.path().join("file"), "content").unwrap();
    let liar = liar(|request| {
        Ok(match request.rq_type {
            0 => {
                let (_, chunk) = <(HashClass, Bytes)>::from_bytes(request.payload).unwrap();
                HashCode::Sha256(CLASS.hash(&chunk).digest().try_into().unwrap()).into_reply()
            }
            5 => of_class().into_reply(),
            _ => false.into_reply(),
        })
    });
    let error = push_to(&liar, tree.path()).await;
    assert!(matches!(error, PushError::Upload(UploadError::OtherCode { .. })), "{error}");
}

#[tokio::test]
async fn answers_that_are_none_to_the_request_are_refused() {
    let tree = TempDir::new().unwrap();
    fs::write(tree.path().join("file"), "content").unwrap();
    let code = CLASS.hash(b"content").to_bytes();
    let no = Reply { flags: 0, payload: Bytes::new() };
    for (contains, add) in [
        (Reply { flags: 2, ..no.clone() }, no.clone()),
        (Reply { payload: Bytes::from_static(b"!"), ..no.clone() }, no.clone()),
        (no.clone(), Reply { flags: 1, payload: code.clone() }),
        (no.clone(), Reply { payload: code.slice(1..), ..no.clone() }),
        (no.clone(), Reply { payload: [&code[..], b"!"].concat().into(), ..no.clone() }),
    ] {
        let liar = liar(move |request| {
            Ok(match request.rq_type {
                0 => add.clone(),
                5 => of_class().into_reply(),
                _ => contains.clone(),
            })
        });
        let PushError::Upload(UploadError::Call { source, .. }) = push_to(&liar, tree.path()).await else {
            panic!()
        };
        assert!(matches!(source, RequestError::Undecodable(_)), "{source}");
    }
}

#[tokio::test]
async fn a_tree_is_recorded_when_all_of_it_is_flushed() {
    let tree = TempDir::new().unwrap();
    fs::write(tree.path().join("file"), "content").unwrap();
    let (sender, asked) = std::sync::mpsc::channel();
    let liar = liar(move |request| {
        sender.send(request.rq_type).unwrap();
        Ok(match request.rq_type {
            5 => of_class().into_reply(),
            2 => true.into_reply(),
            _ => ().into_reply(),
        })
    });
    let source = Source { root: tree.path().to_owned(), leave_out: Vec::new() };
    within(push(&liar.client, source, NAME, &Arc::new(Tally::default()))).await.unwrap();
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [5, 2, 2, 3, 7]);
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_hash_class_is_pushed_nothing() {
    let liar = liar(|_| Err(Failure::new("no")));
    let error = push_to(&liar, &std::env::temp_dir()).await;
    assert!(matches!(error, PushError::AskClass(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_fails_midway_stops_a_walk_that_would_go_on() {
    let tree = TempDir::new().unwrap();
    for number in 0..2000 {
        fs::write(tree.path().join(number.to_string()), number.to_string()).unwrap();
    }
    let liar = liar(|request| match request.rq_type {
        5 => Ok(of_class().into_reply()),
        _ => Err(Failure::new("full")),
    });
    let error = push_to(&liar, tree.path()).await;
    assert!(matches!(error, PushError::Upload(UploadError::Call { .. })), "{error}");
}
