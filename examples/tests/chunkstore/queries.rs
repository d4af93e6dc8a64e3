//! What a store is asked about itself: names, sums, the entries of archives.

use crate::support::{CLASS, Liar, NAME, Served, entry, liar, liar_to, of_class, within};
use packetstream::{Bytes, Failure, Payload, Reply, RequestError, Response};
use packetstream_examples::chunkstore::archive::{self, ArchiveError, Line};
use packetstream_examples::chunkstore::client;
use packetstream_examples::chunkstore::hash::{HashClass, HashCode};
use packetstream_examples::chunkstore::list::{ListError, Names};
use packetstream_examples::chunkstore::protocol::{Add, ArchiveUpdate, ChunkClient, Count};
use packetstream_examples::chunkstore::stat::{Stat, StatError, stat};
use packetstream_examples::chunkstore::tree::blockref::{BlockRef, Body};
use packetstream_examples::chunkstore::tree::dirent::{Dirent, Entry, Kind, RawEntry};
use std::sync::atomic::{AtomicUsize, Ordering};

impl Served {
    /// A store of the chunks of these numbers.
    async fn with(class: HashClass, numbers: impl IntoIterator<Item = u64>) -> Self {
        let served = Self::new(class);
        for chunk in numbers.into_iter().map(|number| number.to_bytes()) {
            served.client.add(Add { class, chunk }).await.unwrap();
        }
        served
    }

    async fn stat(&self) -> Stat {
        within(stat(&self.client)).await.unwrap()
    }
}

/// The names of the chunks of the first numbers, in order.
fn names(class: HashClass, numbers: u64) -> Vec<HashCode> {
    let mut names: Vec<_> = (0..numbers).map(|number| class.hash(&number.to_bytes())).collect();
    names.sort_by_key(|name| name.digest().to_vec());
    names
}

async fn pages(client: &ChunkClient) -> Result<Vec<Vec<HashCode>>, ListError> {
    let mut names = Names::new(client);
    let mut pages = Vec::new();
    while pages.len() < 10 {
        match within(names.next_page()).await? {
            page if page.is_empty() => return Ok(pages),
            page => pages.push(page),
        }
    }
    panic!("there is no end to {pages:?}")
}

/// A server that lists one page of names after the other, and the last one again and again.
fn lister(pages: impl IntoIterator<Item = Vec<HashCode>>) -> Liar {
    let pages = Vec::from_iter(pages);
    let asked = AtomicUsize::new(0);
    liar(move |_| {
        let page = asked.fetch_add(1, Ordering::Relaxed);
        Ok(pages[page.min(pages.len() - 1)].clone().into_reply())
    })
}

#[tokio::test]
async fn names_are_listed_in_order_by_pages_of_64() {
    for class in HashClass::ALL {
        for (count, lengths) in [(0, &[][..]), (1, &[1]), (64, &[64]), (65, &[64, 1]), (150, &[64, 64, 22])] {
            let served = Served::with(class, 0..count).await;
            let pages = pages(&served.client).await.unwrap();
            assert!(pages.iter().map(Vec::len).eq(lengths.iter().copied()), "{class}: {count}");
            assert_eq!(pages.concat(), names(class, count));
        }
    }
}

#[tokio::test]
async fn a_list_that_turns_back_is_refused() {
    let sorted = names(CLASS, 4);
    let again = lister([sorted.clone()]);
    let twice = lister([vec![sorted[0], sorted[1], sorted[1]]]);
    let descending = lister([vec![sorted[1], sorted[0]]]);
    let back = lister([sorted[1..3].to_vec(), sorted[..1].to_vec()]);
    let on_the_spot = lister([sorted[..2].to_vec(), sorted[1..].to_vec()]);
    for (liar, order) in
        [(again, [3, 0]), (twice, [1, 1]), (descending, [1, 0]), (back, [2, 0]), (on_the_spot, [1, 1])]
    {
        let error = pages(&liar.client).await.unwrap_err();
        let ListError::Order { previous, code } = error else { panic!("{error}") };
        assert_eq!([previous, code], order.map(|place| sorted[place]));
    }
}

#[tokio::test]
async fn a_list_of_two_classes_is_refused() {
    let [low, high] = [[0; 32], [1; 32]];
    let (sha256, blake3) = (HashCode::Sha256(low), HashCode::Blake3(high));
    for liar in [lister([vec![sha256, blake3]]), lister([vec![sha256], vec![blake3]])] {
        let error = pages(&liar.client).await.unwrap_err();
        let ListError::OtherClass { class: HashClass::Sha256, code } = error else { panic!("{error}") };
        assert_eq!(code, blake3);
    }
}

#[tokio::test]
async fn a_list_that_is_none_is_refused() {
    let liar = liar(|_| Ok(Reply { flags: 0, payload: Bytes::from_static(b"\x02short") }));
    let error = pages(&liar.client).await.unwrap_err();
    assert!(matches!(error, ListError::Ask(RequestError::Undecodable(_))), "{error}");
}

#[tokio::test]
async fn stores_of_the_same_chunks_have_the_same_figures() {
    for class in HashClass::ALL {
        let stat = Served::with(class, 0..100).await.stat().await;
        assert_eq!((stat.chunks, stat.class()), (100, class));
        assert_eq!(Served::with(class, (0..100).rev()).await.stat().await, stat);
        let other = Served::with(class, 1..101).await.stat().await;
        assert_eq!(other.chunks, stat.chunks);
        assert_ne!(other.sum, stat.sum);
    }
}

#[tokio::test]
async fn an_empty_store_has_figures() {
    let stat = Served::new(HashClass::Sha1).stat().await;
    // The hash of the hash of nothing.
    let sum = HashClass::Sha1.hash(HashClass::Sha1.hash(b"").digest());
    assert_eq!(stat, Stat { chunks: 0, sum });
    assert_eq!(
        stat.to_string(),
        "class   sha1\nchunks  0\nsum     sha1:be1bdec0aa74b4dcb079943e70528096cca985f8"
    );
}

#[tokio::test]
async fn a_store_without_figures_is_an_error() {
    let no = || Err(Failure::new("no"));
    let counts_nothing = liar(move |_| no());
    let sums_up_nothing = liar(move |request| match request.rq_type {
        9 => Ok(Count(1).into_reply()),
        _ => no(),
    });
    let sums_up_in_flags = liar(|request| {
        Ok(match request.rq_type {
            9 => Count(1).into_reply(),
            _ => Reply { flags: 1, ..of_class().into_reply() },
        })
    });
    let error = within(stat(&counts_nothing.client)).await.unwrap_err();
    assert!(matches!(error, StatError::Count(_)), "{error}");
    let error = within(stat(&sums_up_nothing.client)).await.unwrap_err();
    assert!(matches!(error, StatError::Sum(_)), "{error}");
    let error = within(stat(&sums_up_in_flags.client)).await.unwrap_err();
    assert!(matches!(error, StatError::Sum(RequestError::Undecodable(_))), "{error}");
}

async fn log(client: &ChunkClient) -> Result<Vec<Entry>, ArchiveError> {
    within(archive::log(client, NAME)).await?.collect()
}

#[tokio::test]
async fn a_log_has_all_entries_and_the_oldest_first() {
    let served = Served::new(CLASS);
    let error = log(&served.client).await.unwrap_err();
    assert!(matches!(error, ArchiveError::NeverPushed(_)), "{error}");

    let entries = [3.5, 1.0, 2.0].map(|time| Entry { time, root: entry(Kind::Directory, "") });
    for entry in &entries {
        let update = ArchiveUpdate { archive: NAME.into(), entry: RawEntry::from(entry) };
        served.client.archive_update(update).await.unwrap();
    }
    assert_eq!(log(&served.client).await.unwrap(), entries);
}

#[test]
fn an_entry_is_a_line() {
    let line =
        |time, kind, block| Line(Entry { time, root: Dirent { block, ..Dirent::new(kind) } }).to_string();
    let code = HashClass::Sha1.hash(b"hello");
    assert_eq!(
        line(1_700_000_001.25, Kind::Directory, Some(BlockRef::direct(code, 5))),
        "1700000001.25       directory         5 B  sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
    );
    assert_eq!(
        line(1_700_000_001.765_432_1, Kind::File, Some(BlockRef::indirect(code, 5 << 20))),
        "1700000001.7654321  file         5.00 MiB  sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
    );
    let literal = BlockRef::new(1, Body::Repeated(0));
    assert_eq!(line(1e9, Kind::Indirect, Some(literal)), "1000000000.0        indirect          1 B");
    assert_eq!(line(0.0, Kind::Link, None), "0.0                 link              0 B");
}

#[tokio::test]
async fn a_log_longer_than_any_chunk_takes_a_client_for_lists() {
    let entry = Entry { time: 1e9, root: entry(Kind::Directory, &"n".repeat(1000)) };
    let long = vec![RawEntry::from(&entry); 4000];
    let server = |client| {
        let long = long.clone();
        liar_to(client, move |_| Ok(long.clone().into_reply()))
    };
    assert_eq!(log(&server(client::over_for_lists).client).await.unwrap().len(), 4000);
    let error = log(&server(client::over).client).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Ask { .. }), "{error}");
}

#[tokio::test]
async fn a_log_of_anything_but_entries_is_refused() {
    let entry = RawEntry::from(&Entry { time: 0.0, root: entry(Kind::File, "") });
    let cut_short = entry.bytes().slice(..entry.bytes().len() - 1);
    for payload in [cut_short.clone(), [&entry.bytes()[..], &cut_short].concat().into()] {
        let liar = liar(move |_| Ok(Reply { flags: 0, payload: payload.clone() }));
        let error = log(&liar.client).await.unwrap_err();
        let ArchiveError::Ask { source: RequestError::Undecodable(_), .. } = error else { panic!("{error}") };
    }
}
