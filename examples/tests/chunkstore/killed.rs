//! Servers and clients that are killed in the middle of a push.

use crate::place::{ANY_PORT, Place, Server, is_of_a_connection, program, succeed};
use crate::support::within;
use crate::witness::{Passing, Promises, connect};
use packetstream_examples::chunkstore::compare::compare;
use packetstream_examples::chunkstore::hash::HashClass;
use packetstream_examples::chunkstore::protocol::{Add, Get};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::process::Child;
use tokio::task::JoinSet;

/// 200 kills: each store's servers are killed one after the other.
const STORES: u64 = 40;
const LIVES: u64 = 5;
/// Stores that are pushed to at once.
const AT_ONCE: usize = 4;
const ARCHIVE: &str = "tree";

/// When a server is killed.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// While it starts: it makes its store, or opens it after the last one was killed.
    Starting(Duration),
    /// When so many writes have passed this way.
    At(Passing, usize),
    /// When the push has gone on for so long.
    After(Duration),
}

impl Death {
    fn starting(random: &mut StdRng) -> Self {
        Self::Starting(Duration::from_micros(random.random_range(0..40_000)))
    }

    fn random(random: &mut StdRng) -> Self {
        match random.random_range(0..8) {
            0..2 => Self::starting(random),
            2..4 => Self::At(Passing::Asked, random.random_range(1..25)),
            4..6 => Self::At(Passing::Acknowledged, random.random_range(1..25)),
            _ => Self::After(Duration::from_micros(random.random_range(0..60_000))),
        }
    }
}

fn seed() -> u64 {
    std::env::var("PACKETSTREAM_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap())
}

/// Some more files with some more chunks.
fn grow(tree: &Path, random: &mut StdRng) {
    for _ in 0..random.random_range(5..15) {
        let mut bytes = vec![0; random.random_range(0..120_000)];
        random.fill(&mut bytes[..]);
        fs::write(tree.join(random.random::<u64>().to_string()), bytes).unwrap();
    }
}

fn kill(child: &Child) {
    let id = child.id().and_then(|id| Pid::from_raw(id.try_into().unwrap()));
    kill_process(id.unwrap(), Signal::KILL).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_two_hundred_kills() {
    let seed = seed();
    println!("PACKETSTREAM_SEED={seed}");
    let (mut stores, mut cut, mut promised) = (JoinSet::new(), 0, 0);
    let mut add = |lived: Option<Result<(u64, usize), tokio::task::JoinError>>| match lived {
        Some(Ok((cut_here, promised_here))) => {
            cut += cut_here;
            promised += promised_here;
        }
        other => panic!("{other:?}, PACKETSTREAM_SEED={seed}"),
    };
    for number in 0..STORES {
        if stores.len() == AT_ONCE {
            add(stores.join_next().await);
        }
        stores.spawn(many_lives(seed.wrapping_add(number)));
    }
    while let Some(lived) = stores.join_next().await {
        add(Some(lived));
    }
    println!(
        "{} kills, {cut} of them in a push that was cut short, {promised} chunks were promised",
        STORES * LIVES
    );
    assert!(cut > STORES * LIVES / 4, "only {cut} pushes were cut short, PACKETSTREAM_SEED={seed}");
}

/// The story of one store; says how many pushes were cut short, and how many chunks promised.
async fn many_lives(seed: u64) -> (u64, usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let (place, promises, mut cut) = (Place::new(), Promises::default(), 0);
    for life in 0..LIVES {
        grow(&place.path("tree"), &mut random);
        // Half of the stores are made several times, or not.
        let death = match seed % 2 {
            0 if life == 0 => Death::starting(&mut random),
            _ => Death::random(&mut random),
        };
        cut += u64::from(live(&place, &promises, death).await == Some(Pushed::InPart));
    }
    let server = Server::start(&place.path("store")).await;
    promises.demand(ARCHIVE, &server.address).await;
    place.push(&server.address).await;
    place.pull_and_compare(&server.address).await;
    (cut, promises.count())
}

/// How far a push came before the server died.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pushed {
    InPart,
    InFull,
}

/// A server's life, from its start to its death. Says what became of the push, if there was one.
async fn live(place: &Place, promises: &Promises, death: Death) -> Option<Pushed> {
    let store = place.path("store");
    if let Death::Starting(time) = death {
        let mut child = program()
            .args(["serve", "--listen", ANY_PORT, "--store"])
            .arg(&store)
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(time).await;
        kill(&child);
        within(child.wait()).await.unwrap();
        return None;
    }
    let mut server = Server::start(&store).await;
    promises.demand(ARCHIVE, &server.address).await;
    let id = Pid::from_raw(server.child.id().unwrap().try_into().unwrap()).unwrap();
    let passed = AtomicUsize::new(0);
    let passing = move |what| {
        if let Death::At(when, count) = death
            && what == when
            && passed.fetch_add(1, Ordering::Relaxed) + 1 == count
        {
            kill_process(id, Signal::KILL).unwrap();
        }
    };
    let tree = place.path("tree");
    let push = promises.push(&tree, ARCHIVE, &server.address, passing);
    let pushed = if let Death::After(time) = death {
        tokio::pin!(push);
        tokio::select! {
            pushed = &mut push => pushed,
            () = tokio::time::sleep(time) => {
                kill(&server.child);
                push.await
            }
        }
    } else {
        push.await
    };
    let _ = server.child.start_kill();
    within(server.child.wait()).await.unwrap();
    Some(if pushed.is_ok() { Pushed::InFull } else { Pushed::InPart })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_outlives_its_clients_and_serves_others_meanwhile() {
    let seed = seed();
    println!("PACKETSTREAM_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new();
    let mut server = Server::start(&place.path("store")).await;
    grow(&place.path("tree"), &mut random);
    let begun = Instant::now();
    place.push(&server.address).await;
    let whole = begun.elapsed();
    let other = connect(&server.address).await;
    for number in 0..40_u64 {
        grow(&place.path("tree"), &mut random);
        let mut command = program();
        command.args(["push", &place.text("tree"), "--name", "killed", "--to", &server.address]);
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        let killed = async {
            tokio::time::sleep(whole.mul_f64(random.random_range(0.0..1.0))).await;
            let _ = child.start_kill();
            child.wait().await.unwrap();
        };
        let asked = async {
            let chunk = packetstream::Bytes::from(number.to_string());
            let code = other.add(Add { class: HashClass::Blake3, chunk: chunk.clone() }).await.unwrap();
            assert_eq!(other.get(Get(code)).await.unwrap(), Some(chunk), "PACKETSTREAM_SEED={seed}");
        };
        within(async { tokio::join!(killed, asked) }).await;
    }
    assert_eq!(server.child.try_wait().unwrap(), None);
    place.push(&server.address).await;
    place.pull_and_compare(&server.address).await;
    // Nor has it lost more than connections.
    server.signal("TERM").await;
    while let Some(line) = within(server.stderr.next_line()).await.unwrap() {
        assert!(is_of_a_connection(&line), "{line}, PACKETSTREAM_SEED={seed}");
    }
}

#[tokio::test]
async fn a_store_that_a_killed_server_has_left_is_nobodys() {
    let place = Place::new();
    for _ in 0..3 {
        let mut server = Server::start(&place.path("store")).await;
        server.signal("KILL").await;
    }
    place.push(&place.exec()).await;
    succeed(&["pull", "tree", &place.text("copy"), "--from", &place.exec()]).await;
    assert_eq!(compare(&place.path("tree"), &place.path("copy"), &[]).unwrap(), []);
}
