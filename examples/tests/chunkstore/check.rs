//! What is missing of a tree is told, and nothing of its files got.

use crate::support::{CLASS, NAME, Served, block, entry, file, liar, within};
use packetstream::{
    Bytes, Failure, Incoming, PacketConnection, Payload, Reply, RequestError, Response, Stream,
};
use packetstream_examples::chunkstore::check::{Check, CheckError, Missing};
use packetstream_examples::chunkstore::hash::{HashClass, HashCode};
use packetstream_examples::chunkstore::protocol::{ChunkClient, Count, Length};
use packetstream_examples::chunkstore::pull::{FetchError, ReadError};
use packetstream_examples::chunkstore::tree::blockref::{BlockRef, Body};
use packetstream_examples::chunkstore::tree::dirent::{Dirent, Kind};
use packetstream_examples::chunkstore::{archive, client};
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::sync::{Semaphore, mpsc};

/// A chunk that no store has.
fn nowhere(what: &str) -> HashCode {
    CLASS.hash(what.as_bytes())
}

/// What a tree misses, and what ends looking for more.
async fn check(client: &ChunkClient, root: Dirent) -> (Vec<Missing>, Result<(), CheckError>) {
    let mut check = Check::new(client, root).unwrap();
    let mut found = Vec::new();
    loop {
        match within(check.next_missing()).await {
            Ok(Some(missing)) => found.push(missing),
            Ok(None) => return (found, Ok(())),
            Err(error) => return (found, Err(error)),
        }
    }
}

impl Served {
    /// What the tree of these entries misses.
    async fn missing(&self, entries: &[Dirent]) -> Vec<Missing> {
        let (missing, end) = check(&self.client, self.directory("", entries).await).await;
        end.unwrap();
        missing
    }
}

fn missing(path: &str, code: HashCode) -> Missing {
    Missing { code, path: path.into() }
}

#[tokio::test]
async fn nothing_is_missing_of_a_tree_that_was_pushed() {
    let tree = TempDir::new().unwrap();
    fs::create_dir_all(tree.path().join("deep/er")).unwrap();
    fs::write(tree.path().join("empty"), "").unwrap();
    fs::write(tree.path().join("deep/one chunk"), "content").unwrap();
    let many = (0..1 << 18).flat_map(u32::to_be_bytes).collect::<Vec<_>>();
    fs::write(tree.path().join("deep/er/many chunks"), many).unwrap();
    symlink("nowhere", tree.path().join("link")).unwrap();
    for class in HashClass::ALL {
        let served = Served::new(class);
        let pushed = within(served.push(tree.path())).await.unwrap();
        let root = archive::last(&served.client, NAME).await.unwrap().root;
        let mut check = Check::new(&served.client, root).unwrap();
        assert_eq!(within(check.next_missing()).await.unwrap(), None);
        assert_eq!(check.tally().to_string(), pushed.to_string());
    }
}

#[tokio::test]
async fn all_that_is_missing_is_told_in_the_order_of_the_tree() {
    let served = Served::new(CLASS);
    let (code, length) = served.add_bytes(Bytes::from_static(b"chunk")).await;
    let here = BlockRef::direct(code, length);
    let lost = |what| BlockRef::direct(nowhere(what), 5);
    let part = |whole| block(2, Body::Part { offset: 1, whole: Box::new(whole) });

    let whole = served.indirect(10, &[here.clone(), here.clone()]).await;
    let broken = served.indirect(10, &[here.clone(), lost("leaf")]).await;
    let Body::Chunk(broken_code) = broken.body else { panic!() };
    let inner = [
        file("whole", whole),
        file("broken", broken),
        file("gone", BlockRef::indirect(nowhere("references"), 10)),
    ];
    let entries = [
        file("a", here.clone()),
        file("b", lost("file")),
        Dirent { block: Some(lost("directory")), ..entry(Kind::Directory, "c") },
        served.directory("d", &inner).await,
        file("e", block(3, Body::Literal(Bytes::from_static(b"lit")))),
        file("f", block(3, Body::Repeated(0))),
        file("g", part(part(lost("whole")))),
        file("h", part(here)),
        entry(Kind::File, "i"),
        entry(Kind::Directory, "j"),
    ];
    let expected = [
        missing("./b", nowhere("file")),
        missing("./c", nowhere("directory")),
        missing("./d/broken", broken_code),
        missing("./d/gone", nowhere("references")),
        missing("./g", nowhere("whole")),
    ];
    assert_eq!(served.missing(&entries).await, expected);
}

#[tokio::test]
async fn a_root_may_be_missing_or_a_file() {
    let served = Served::new(CLASS);
    for kind in [Kind::File, Kind::Directory] {
        let root = Dirent { block: Some(BlockRef::direct(nowhere("root"), 1)), ..entry(kind, "") };
        let (found, end) = check(&served.client, root).await;
        end.unwrap();
        assert_eq!(found, [missing(".", nowhere("root"))]);
    }
}

#[test]
fn what_is_missing_is_one_line() {
    let code = HashClass::Sha1.hash(b"hello");
    assert_eq!(
        missing("./a b\n\u{1b}[2J", code).to_string(),
        r"sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d  ./a b\n\u{1b}[2J"
    );
}

/// A directory of these entries, and the chunk that holds it.
fn directory(entries: &[Dirent]) -> (Dirent, Bytes) {
    let chunk: Bytes = entries.iter().flat_map(Payload::to_bytes).collect();
    let block = Some(BlockRef::direct(CLASS.hash(&chunk), chunk.len() as u64));
    (Dirent { block, ..entry(Kind::Directory, "") }, chunk)
}

#[tokio::test]
async fn files_are_asked_for_and_not_got() {
    let direct = file("direct", BlockRef::direct(nowhere("file"), 1 << 40));
    let indirect = file("indirect", BlockRef::indirect(nowhere("references"), 1 << 50));
    let (root, chunk) = directory(&[direct, indirect]);
    let (sender, asked) = std::sync::mpsc::channel();
    let liar = liar(move |request| {
        sender.send((request.rq_type, request.payload)).unwrap();
        Ok(match request.rq_type {
            1 => Some(chunk.clone()).into_reply(),
            _ => true.into_reply(),
        })
    });
    let Some(BlockRef { body: Body::Chunk(code), .. }) = root.block else { panic!() };
    let (found, end) = check(&liar.client, root).await;
    end.unwrap();
    assert_eq!(found, []);
    let expected = [(1, code), (2, nowhere("file")), (10, nowhere("references"))];
    assert!(asked.try_iter().eq(expected.map(|(number, code)| (number, code.to_bytes()))));
}

#[tokio::test]
async fn the_server_is_asked_about_64_files_at_once_and_no_more() {
    let files: Vec<_> =
        (0..128).map(|n| file(&n.to_string(), BlockRef::direct(nowhere("file"), 1))).collect();
    let (root, chunk) = directory(&files);
    let (sender, mut asked) = mpsc::unbounded_channel();
    let (gate, count) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU64::new(0)));
    let open = Arc::clone(&gate);
    let handler = move |request: Incoming| {
        let (sender, gate, count, chunk) = (sender.clone(), gate.clone(), count.clone(), chunk.clone());
        async move {
            match request.rq_type {
                1 => return Ok(Some(chunk).into_reply()),
                9 => return Ok(Count(count.load(Ordering::Relaxed)).into_reply()),
                _ => {}
            }
            count.fetch_add(1, Ordering::Relaxed);
            sender.send(()).unwrap();
            gate.acquire().await.unwrap().forget();
            Ok(true.into_reply())
        }
    };
    let (here, there) = Stream::pair(64 << 10);
    let _server = PacketConnection::builder().handler(handler).spawn(there);
    let client = client::over(here);
    let observe = async {
        for _ in 0..64 {
            within(asked.recv()).await.unwrap();
        }
        // This overtakes no question.
        assert_eq!(client.length(Length).await.unwrap(), Count(64));
        open.add_permits(files.len());
    };
    let ((found, end), ()) = tokio::join!(check(&client, root), observe);
    end.unwrap();
    assert_eq!(found, []);
}

#[tokio::test]
async fn an_error_hides_no_more_than_its_directory() {
    let served = Served::new(CLASS);
    let [lost, after] = ["lost", "after"].map(|name| file(name, BlockRef::direct(nowhere(name), 1)));
    let mut references = block(1, Body::Literal(Bytes::from_static(b"x")));
    references.indirect = true;
    let (code, span) = served.add_bytes(Bytes::from_static(b"\x09 no entries")).await;
    let garbage = Dirent { block: Some(BlockRef::direct(code, span)), ..entry(Kind::Directory, "bad") };
    let is_kind: fn(&_) -> _ = |error| matches!(error, ReadError::Kind);
    let is_name: fn(&_) -> _ = |error| matches!(error, ReadError::Name(_));
    let is_block: fn(&_) -> _ = |error| matches!(error, ReadError::Fetch(FetchError::Kind));
    let is_entry: fn(&_) -> _ = |error| matches!(error, ReadError::Entry(_));
    for (bad, place, is_expected, goes_on) in [
        (entry(Kind::Indirect, "bad"), "./bad", is_kind, false),
        (entry(Kind::File, ".."), ".", is_name, false),
        (file("bad", references), "./bad", is_block, true),
        (garbage, "./bad", is_entry, true),
    ] {
        let root = served.directory("", &[lost.clone(), bad, after.clone()]).await;
        let mut check = Check::new(&served.client, root).unwrap();
        assert_eq!(within(check.next_missing()).await.unwrap(), Some(missing("./lost", nowhere("lost"))));
        let error = within(check.next_missing()).await.unwrap_err();
        let CheckError::Read { path, source } = &error else { panic!("{error}") };
        assert_eq!(path.to_str(), Some(place), "{error}");
        assert!(is_expected(source), "{source}");
        let rest = within(check.next_missing()).await.unwrap();
        assert_eq!(rest, goes_on.then(|| missing("./after", nowhere("after"))), "{error}");
    }
}

#[tokio::test]
async fn a_directory_that_is_another_one_is_refused() {
    let (root, chunk) = directory(&[entry(Kind::File, "file")]);
    let fake = chunk.iter().rev().copied().collect::<Bytes>();
    let liar = liar(move |_| Ok(Some(fake.clone()).into_reply()));
    let (found, end) = check(&liar.client, root).await;
    let error = end.unwrap_err();
    assert_eq!(found, []);
    let CheckError::Read { source: ReadError::Fetch(FetchError::Damaged(_)), .. } = error else {
        panic!("{error}")
    };
}

#[tokio::test]
async fn a_server_that_says_neither_yes_nor_no_is_an_error() {
    let (root, chunk) = directory(&[file("file", BlockRef::indirect(nowhere("file"), 1))]);
    let answers = [
        Err(Failure::new("no block references")),
        Ok(Reply { flags: 2, payload: Bytes::new() }),
        Ok(Reply { flags: 1, payload: Bytes::from_static(b"!") }),
    ];
    for answer in answers {
        let (chunk, answer) = (chunk.clone(), answer.clone());
        let is_refusal = answer.is_err();
        let liar = liar(move |request| match request.rq_type {
            1 => Ok(Some(chunk.clone()).into_reply()),
            _ => answer.clone(),
        });
        let (_, end) = check(&liar.client, root.clone()).await;
        let error = end.unwrap_err();
        let CheckError::Ask { code, path, source } = error else { panic!("{error}") };
        assert_eq!(missing(path.to_str().unwrap(), code), missing("./file", nowhere("file")));
        assert_eq!(matches!(source, RequestError::Undecodable(_)), !is_refusal, "{source}");
    }
}
