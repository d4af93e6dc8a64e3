//! Stores that cannot be read, or no longer hold what they held.

use crate::place::{Place, complaint, fail, is_of_a_connection, run};
use crate::support::within;
use packetstream_examples::chunkstore::compare::compare;
use packetstream_examples::chunkstore::hash::HashClass;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

/// Damaged stores that are looked at.
const DAMAGES: usize = 60;

fn serve(place: &Place) -> [String; 5] {
    ["serve", "--store", &place.text("store"), "--listen", "stdio:"].map(str::to_owned)
}

/// How the program complains that it cannot open the database.
async fn complaint_of_the_database(place: &Place) -> String {
    let said = fail(&serve(place)).await;
    let prefix = format!("cannot open {}: ", place.text("store/chunks.redb"));
    said.strip_prefix(&prefix).unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[tokio::test]
async fn a_store_without_permission_is_one_line() {
    let place = Place::new();
    place.push(&place.exec()).await;
    let file = place.path("store/chunks.redb");
    let as_nobody = async || {
        let mut command = place.program_of_nobody().await;
        complaint(within(command.args(serve(&place)).output()).await.unwrap())
    };
    fs::set_permissions(place.path("store/chunks.lock"), Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let denied = "Permission denied (os error 13)";
    assert_eq!(as_nobody().await, format!("cannot open {}: I/O error: {denied}", file.display()));
    fs::set_permissions(place.path("store"), Permissions::from_mode(0o000)).unwrap();
    let lock = place.path("store/chunks.lock");
    assert_eq!(as_nobody().await, format!("cannot lock {}: {denied}", lock.display()));

    fs::set_permissions(place.path("store"), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    place.pull_and_compare(&place.exec()).await;
}

#[tokio::test]
async fn something_in_place_of_a_store_is_one_line() {
    let place = Place::new();
    let file = place.text("tree/directory/file");
    let said = fail(&["serve", "--store", &file, "--listen", "stdio:"]).await;
    assert_eq!(said, format!("{file} is not a directory"));

    fs::create_dir(place.path("store/chunks.redb")).unwrap();
    assert_eq!(complaint_of_the_database(&place).await, "I/O error: Is a directory (os error 21)");
    fs::remove_dir(place.path("store/chunks.redb")).unwrap();

    fs::write(place.path("store/chunks.redb"), "notes").unwrap();
    complaint_of_the_database(&place).await;
    assert_eq!(fs::read(place.path("store/chunks.redb")).unwrap(), b"notes", "it was somebody's");
}

#[tokio::test]
async fn a_store_that_was_cut_short_is_one_line() {
    let place = Place::new();
    place.push(&place.exec()).await;
    let whole = fs::read(place.path("store/chunks.redb")).unwrap();
    for length in [whole.len() / 2, whole.len() - 1, 100, 1, 0] {
        fs::write(place.path("store/chunks.redb"), &whole[..length]).unwrap();
        complaint_of_the_database(&place).await;
        assert_eq!(
            fs::read(place.path("store/chunks.redb")).unwrap().len(),
            length,
            "nor is it lost for good"
        );
    }
    fs::write(place.path("store/chunks.redb"), &whole).unwrap();
    place.pull_and_compare(&place.exec()).await;
}

#[tokio::test]
async fn a_damaged_chunk_is_named_refused_and_replaced_by_a_repeated_push() {
    let place = Place::new();
    let content = "a text that is nowhere else in the file of the database".repeat(20);
    fs::write(place.path("tree/damaged"), &content).unwrap();
    place.push(&place.exec()).await;
    let file = place.path("store/chunks.redb");
    let mut database = fs::read(&file).unwrap();
    let at = database.windows(content.len()).position(|bytes| bytes == content.as_bytes()).unwrap();
    database[at + content.len() / 2] ^= 1;
    fs::write(&file, database).unwrap();

    let said = format!("chunk {} is damaged", HashClass::Blake3.hash(content.as_bytes()));
    let copy = place.text("copy");
    let Output { status, stderr, .. } = run(&["pull", "tree", &copy, "--from", &place.exec()]).await;
    assert_eq!(status.code(), Some(1));
    let stderr = String::from_utf8(stderr).unwrap();
    // One of the server, which shares this standard error, and one of the client.
    let lines: Vec<_> = stderr.lines().filter(|line| !is_of_a_connection(line)).collect();
    let [server, client] = lines[..] else { panic!("{stderr}") };
    assert_eq!(server, format!("chunkstore: {said}"));
    assert!(client.starts_with(&format!("chunkstore: cannot restore {copy}/damaged: ")), "{client}");
    assert!(client.ends_with(&said), "{client}");

    place.push(&place.exec()).await;
    fs::remove_dir_all(&copy).unwrap();
    place.pull_and_compare(&place.exec()).await;
}

#[tokio::test]
async fn whatever_bytes_are_lost_no_file_comes_back_as_another() {
    let seed =
        std::env::var("PACKETSTREAM_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new();
    for number in 0..20 {
        let mut bytes = vec![0; random.random_range(1..100_000)];
        random.fill(&mut bytes[..]);
        fs::write(place.path(&format!("tree/{number}")), bytes).unwrap();
    }
    place.push(&place.exec()).await;
    let whole = fs::read(place.path("store/chunks.redb")).unwrap();
    let mut refused = 0;
    for _ in 0..DAMAGES {
        let mut database = whole.clone();
        // Half of the damages are where the tables are.
        let end = if random.random() { database.len() } else { 1 << 17 };
        let at = random.random_range(0..end);
        let page = at / 4096 * 4096..(at / 4096 * 4096 + 4096).min(whole.len());
        match random.random_range(0..4) {
            0 => database[at] ^= 1 << random.random_range(0..8),
            1 => random.fill(&mut database[page]),
            2 => database[page].fill(0),
            _ => database.truncate(at),
        }
        fs::write(place.path("store/chunks.redb"), database).unwrap();
        let copy = place.path("copy");
        let pull = ["pull", "tree", copy.to_str().unwrap(), "--from", &place.exec()];
        let Output { status, stderr, .. } = run(&pull).await;
        let stderr = String::from_utf8(stderr).unwrap();
        if status.success() {
            let differences = compare(&place.path("tree"), &copy, &[]).unwrap();
            assert_eq!(differences, [], "PACKETSTREAM_SEED={seed}");
        } else {
            refused += 1;
            assert_eq!(status.code(), Some(1), "{stderr}, PACKETSTREAM_SEED={seed}");
            // One of each program that has something to say, and nothing of anybody else.
            let lines: Vec<_> = stderr.lines().filter(|line| !is_of_a_connection(line)).collect();
            let ours = lines.iter().all(|line| line.starts_with("chunkstore: "));
            assert!(ours && lines.len() <= 2, "{stderr}, PACKETSTREAM_SEED={seed}");
        }
        let _ = fs::remove_dir_all(copy);
    }
    assert_ne!(refused, 0, "PACKETSTREAM_SEED={seed}");
}
