//! Disks without room.

use crate::place::{Place, Server, fail, is_of_a_connection, succeed};
use crate::support::within;
use crate::witness::Promises;
use packetstream_examples::chunkstore::compare::compare;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, process};
use tokio::process::Command;

/// What the server tells its people, and with what is in it those who push.
const FULL: &str = "the disk is full";
/// Set where the test runs in a namespace of its own.
const WITHIN: &str = "PACKETSTREAM_TEST_NAMESPACE";

/// A small tree, which is `tree`, and one that has no room, `large`.
fn place(megabytes: u64) -> Place {
    let place = Place::new();
    fs::create_dir(place.path("large")).unwrap();
    let mut noise = vec![0; 1 << 20];
    for number in 0..megabytes {
        SmallRng::seed_from_u64(number).fill(&mut noise[..]);
        fs::write(place.path(&format!("large/{number}")), &noise).unwrap();
    }
    place
}

/// Pushes the large tree in vain, and says how the program complains.
async fn push_in_vain(place: &Place, address: &str) {
    let said = fail(&["push", &place.text("large"), "--name", "large", "--to", address]).await;
    assert!(said.starts_with("cannot store chunk blake3:"), "{said}");
    assert!(said.ends_with(&format!(": the peer answered not-ok: {FULL}")), "{said}");
}

async fn pull_and_compare(place: &Place, name: &str, address: &str) {
    let copy = tempfile::TempDir::new().unwrap();
    succeed(&["pull", name, copy.path().to_str().unwrap(), "--from", address]).await;
    let original = place.path(if name == "large" { "large" } else { "tree" });
    assert_eq!(compare(&original, copy.path(), &[]).unwrap(), []);
}

/// The database fails when a file may not grow: it is not foreseen, as the disk has room.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_may_not_grow_loses_nothing_and_grows_when_it_may() {
    let (place, promises) = (place(8), Promises::default());
    let mut server = Server::start(&place.path("store")).await;
    place.push(&server.address).await;
    let id = Pid::from_raw(server.child.id().unwrap().try_into().unwrap());
    let limit = |current| prlimit(id, Resource::Fsize, Rlimit { current, maximum: None }).unwrap();
    limit(Some(place.path("store/chunks.redb").metadata().unwrap().len()));

    let pushed = promises.push(&place.path("large"), "large", &server.address, |_| ()).await;
    assert!(pushed.is_err());
    let line = within(server.stderr.next_line()).await.unwrap().unwrap();
    assert_eq!(line, format!("chunkstore: {FULL}: File too large (os error 27)"));
    push_in_vain(&place, &server.address).await;
    promises.demand("large", &server.address).await;
    pull_and_compare(&place, "tree", &server.address).await;

    limit(None);
    succeed(&["push", &place.text("large"), "--name", "large", "--to", &server.address]).await;
    pull_and_compare(&place, "large", &server.address).await;
    promises.demand("large", &server.address).await;
    // Of what failed then there are as many lines as there were writes that succeeded in between, at most.
    server.signal("TERM").await;
    while let Some(again) = within(server.stderr.next_line()).await.unwrap() {
        assert!(again == line || is_of_a_connection(&again), "{again}");
    }
}

async fn mount(options: &str, at: &Path) {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at);
    assert!(within(mount.status()).await.unwrap().success(), "{options}");
}

/// Takes all room there is.
fn fill(path: PathBuf) -> PathBuf {
    let mut file = File::create(&path).unwrap();
    for size in [1 << 20, 1 << 12] {
        let bytes = vec![0; size];
        while file.write_all(&bytes).is_ok() {}
    }
    path
}

/// `cargo test -p packetstream-examples --test chunkstore -- --ignored`, on a Linux that lets its users have
/// namespaces.
#[tokio::test]
#[ignore = "takes a mount namespace"]
async fn a_full_disk_loses_nothing_and_takes_writes_when_there_is_room() {
    if env::var_os(WITHIN).is_none() {
        let mut itself = Command::new("unshare");
        itself.args(["--map-root-user", "--mount", "--"]).arg(env::current_exe().unwrap());
        itself.args(["--ignored", "--exact", "--nocapture"]);
        itself.arg("full::a_full_disk_loses_nothing_and_takes_writes_when_there_is_room");
        itself.env(WITHIN, process::id().to_string()).kill_on_drop(true);
        let output = within(itself.output()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
        return;
    }
    let (place, promises) = (place(24), Promises::default());
    let store = place.path("store");
    mount("size=16m", &store).await;
    let mut server = Server::start(&store).await;
    place.push(&server.address).await;

    // Foreseen: nothing fails, but the writes are refused.
    assert!(promises.push(&place.path("large"), "large", &server.address, |_| ()).await.is_err());
    let line = within(server.stderr.next_line()).await.unwrap().unwrap();
    assert!(
        line.starts_with(&format!("chunkstore: {FULL}: ")) && line.contains(" bytes are free, of "),
        "{line}"
    );
    push_in_vain(&place, &server.address).await;
    assert_ne!(promises.count(), 0);
    promises.demand("large", &server.address).await;
    pull_and_compare(&place, "tree", &server.address).await;

    // Nor does the last byte of the disk make a difference, or a server that is killed now.
    let filler = fill(store.join("filler"));
    push_in_vain(&place, &server.address).await;
    server.signal("KILL").await;
    let server = Server::start(&store).await;
    promises.demand("large", &server.address).await;
    pull_and_compare(&place, "tree", &server.address).await;
    push_in_vain(&place, &server.address).await;

    // A store cannot be made there, and what the attempt leaves is in nobody's way.
    fs::create_dir(place.path("store/other")).unwrap();
    let serve = ["serve", "--store", &place.text("store/other"), "--listen", "stdio:"];
    let said = fail(&serve).await;
    assert!(said.starts_with(&format!("cannot make a store in {}: ", place.text("store/other"))), "{said}");

    fs::remove_file(filler).unwrap();
    mount("remount,size=128m", &store).await;
    succeed(&serve).await;
    succeed(&["push", &place.text("large"), "--name", "large", "--to", &server.address]).await;
    pull_and_compare(&place, "large", &server.address).await;
    pull_and_compare(&place, "tree", &server.address).await;
    promises.demand("large", &server.address).await;
}
