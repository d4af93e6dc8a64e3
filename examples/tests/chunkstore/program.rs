//! The program `chunkstore`, as people use it.

use crate::place::{ANY_PORT, Place, Server, complaint, fail, program, run, succeed};
use crate::support::{entry, file, within};
use packetstream::Payload;
use packetstream_examples::chunkstore::compare::compare;
use packetstream_examples::chunkstore::hash::HashClass;
use packetstream_examples::chunkstore::store::Store;
use packetstream_examples::chunkstore::tree::blockref::BlockRef;
use packetstream_examples::chunkstore::tree::dirent::{Dirent, Entry, Kind, RawEntry};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::fs::{self, Permissions};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_tree_goes_through_a_child_process_and_back() {
    let place = Place::new();
    let said = place.push(&place.exec()).await;
    assert!(said.starts_with("1 file, 2 directories, 0 links, 7 B\n3 chunks in "), "{said}");
    place.pull_and_compare(&place.exec()).await;
}

#[tokio::test]
async fn many_clients_share_a_server() {
    let place = Place::new();
    let server = Server::start(&place.path("store")).await;
    let trees =
        ["tree", "tree/directory", "tree", "tree/directory", "tree", "tree"].map(|tree| place.text(tree));
    let pushes = trees.iter().enumerate().map(|(number, tree)| {
        let (tree, name, to) = (tree.clone(), number.to_string(), server.address.clone());
        tokio::spawn(async move { succeed(&["push", &tree, "--name", &name, "--to", &to]).await })
    });
    for push in pushes.collect::<Vec<_>>() {
        push.await.unwrap();
    }
    for (number, tree) in trees.iter().enumerate() {
        let copy = place.text(&format!("copy {number}"));
        succeed(&["pull", &number.to_string(), &copy, "--from", &server.address]).await;
        assert_eq!(compare(Path::new(tree), Path::new(&copy), &[]).unwrap(), []);
    }
}

#[tokio::test]
async fn a_server_survives_bad_connections() {
    let place = Place::new();
    let mut server = Server::start(&place.path("store")).await;
    let mut garbage = server.connect().await;
    garbage.write_all(&[0xff; 100]).await.unwrap();
    let line = within(server.stderr.next_line()).await.unwrap().unwrap();
    assert!(line.starts_with("chunkstore: a connection failed: malformed packet stream: "), "{line}");
    drop(server.connect().await);
    place.push(&server.address).await;
    place.pull_and_compare(&server.address).await;
}

#[tokio::test]
async fn a_server_ends_when_told_and_leaves_those_who_do_not_say_goodbye() {
    let end = async |signal| {
        let place = Place::new();
        let mut server = Server::start(&place.path("store")).await;
        place.push(&server.address).await;
        let _idle = server.connect().await;
        // Connections are accepted in order: when this is done, so is the idle one.
        place.pull_and_compare(&server.address).await;
        assert_eq!(server.signal(signal).await.code(), Some(0));
        let line = within(server.stderr.next_line()).await.unwrap().unwrap();
        assert!(
            line.starts_with("chunkstore: a connection failed: no goodbye from the peer within 5s"),
            "{line}"
        );
        assert_eq!(within(server.stderr.next_line()).await.unwrap(), None);
    };
    tokio::join!(end("INT"), end("TERM"));
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_killed_server() {
    let place = Place::new();
    let mut server = Server::start(&place.path("store")).await;
    place.push(&server.address).await;
    server.signal("KILL").await;
    place.pull_and_compare(&place.exec()).await;
}

#[tokio::test]
async fn the_demonstration_prints_its_figures() {
    let place = Place::new();
    let said = succeed(&["demo", &place.text("tree")]).await;
    for part in [
        "1 file, 2 directories",
        "push     3 chunks in",
        "calls/s",
        "MB/s",
        "chunks sent",
        "0.0 % were known",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    assert!(said.ends_with("compare  the trees are identical\n"), "{said}");
    assert_eq!(cfg!(target_os = "linux"), said.contains("of memory at most"), "{said}");
}

#[tokio::test]
async fn the_names_of_all_chunks_are_lines() {
    let place = Place::new();
    assert_eq!(succeed(&["list", "--from", &place.exec()]).await, "");
    for number in 0..70 {
        fs::write(place.path(&format!("tree/{number}")), number.to_string()).unwrap();
    }
    place.push(&place.exec()).await;
    let said = succeed(&["list", "--from", &place.exec()]).await;
    // Those of the files, of which one has the content of another, and of two directories.
    assert_eq!(said.lines().count(), 70 + 1 + 2);
    assert!(said.lines().is_sorted());
    assert!(said.contains(&format!("{}\n", HashClass::Blake3.hash(b"content"))), "{said}");
}

#[tokio::test]
async fn a_list_ends_quietly_when_nobody_reads_it() {
    let place = Place::new();
    place.push(&place.exec()).await;
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = program();
    command.args(["list", "--from", &place.exec()]).stdout(writer).stderr(Stdio::piped());
    let listing = command.spawn().unwrap().wait_with_output();
    let Output { status, stderr, .. } = within(listing).await.unwrap();
    assert_eq!((status.code(), stderr.as_slice()), (Some(1), &b""[..]));
}

#[tokio::test]
async fn stores_are_compared_by_three_lines() {
    let (one, other) = (Place::new(), Place::new());
    let stat = async |place: &Place| succeed(&["stat", "--from", &place.exec()]).await;
    let empty = "class   blake3\nchunks  0\n\
        sum     blake3:82878ed8a480ee41775636820e05a934ca5c747223ca64306658ee5982e6c227\n";
    assert_eq!(stat(&one).await, empty);
    one.push(&one.exec()).await;
    let said = stat(&one).await;
    assert!(said.starts_with("class   blake3\nchunks  3\nsum     blake3:"), "{said}");
    assert_eq!(stat(&other).await, empty);
    // The same chunks, whatever they were called and however they came.
    for tree in ["tree/directory", "tree"].map(|tree| one.text(tree)) {
        succeed(&["push", &tree, "--name", "other", "--to", &other.exec()]).await;
    }
    assert_eq!(stat(&other).await, said);
}

#[tokio::test]
async fn what_was_pushed_under_a_name_is_logged() {
    let place = Place::new();
    place.push(&place.exec()).await;
    place.push(&place.exec()).await;
    fs::write(place.path("tree/new"), "").unwrap();
    place.push(&place.exec()).await;
    let said = succeed(&["log", "tree", "--from", &place.exec()]).await;
    let lines: Vec<Vec<_>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    let [first, second, third] = &lines[..] else { panic!("{said}") };
    assert_eq!(first[1..], second[1..]);
    assert_ne!(first[1..], third[1..]);
    for line in &lines {
        let [time, "directory", size, "B", name] = line[..] else { panic!("{said}") };
        time.parse::<f64>().unwrap();
        size.parse::<u64>().unwrap();
        assert!(name.starts_with("blake3:"), "{said}");
    }
    assert!(lines.is_sorted_by_key(|line| line[0].parse::<f64>().unwrap()), "{said}");

    let said = fail(&["log", "other", "--from", &place.exec()]).await;
    assert_eq!(said, "nothing was ever pushed as `other`");
}

#[tokio::test]
async fn a_log_may_be_longer_than_any_chunk() {
    let place = Place::new();
    let store = Store::open(&place.path("store"), HashClass::Blake3).unwrap();
    let root = entry(Kind::Directory, &"n".repeat(1000));
    let appends = (0..300).map(|time| {
        let entry = RawEntry::from(&Entry { time: time.into(), root: root.clone() });
        store.append("tree".into(), entry)
    });
    within(futures_util::future::try_join_all(appends)).await.unwrap();
    drop(store);
    let said = succeed(&["log", "tree", "--from", &place.exec()]).await;
    assert_eq!(said.lines().count(), 300);
}

#[tokio::test]
async fn a_tree_is_checked_without_a_copy() {
    let place = Place::new();
    place.push(&place.exec()).await;
    let said = succeed(&["check", "tree", "--from", &place.exec()]).await;
    assert_eq!(said, "1 file, 2 directories, 0 links, 7 B\n");
    let said = fail(&["check", "other", "--from", &place.exec()]).await;
    assert_eq!(said, "nothing was ever pushed as `other`");
}

#[tokio::test]
async fn what_is_missing_of_a_tree_is_printed_and_an_error() {
    let place = Place::new();
    let store = Store::open(&place.path("store"), HashClass::Blake3).unwrap();
    let lost = HashClass::Blake3.hash(b"lost");
    let names = ["a\nb", "c"];
    let entries = names.map(|name| file(name, BlockRef::direct(lost, 4)).to_bytes()).concat();
    let block = BlockRef::direct(HashClass::Blake3.hash(&entries), entries.len() as u64);
    within(store.add(entries.into())).await.unwrap();
    let root = Dirent { block: Some(block), ..entry(Kind::Directory, "") };
    let entry = RawEntry::from(&Entry { time: 0.0, root });
    within(store.append("tree".into(), entry)).await.unwrap();
    drop(store);

    let Output { status, stdout, stderr } = run(&["check", "tree", "--from", &place.exec()]).await;
    let lines = format!("{lost}  ./a\\nb\n{lost}  ./c\n2 files, 1 directory, 0 links, 8 B\n");
    assert_eq!(String::from_utf8(stdout).unwrap(), lines);
    assert_eq!(String::from_utf8(stderr).unwrap(), "chunkstore: missing in 2 places of `tree`\n");
    assert_eq!(status.code(), Some(1));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_takes_less_than_128_mib() {
    let place = Place::new();
    let mut noise = vec![0; 32 << 20];
    for number in 0..3 {
        SmallRng::seed_from_u64(number).fill(&mut noise[..]);
        fs::write(place.path(&format!("tree/{number}")), &noise).unwrap();
    }
    let server = Server::start(&place.path("store")).await;
    place.push(&server.address).await;
    place.pull_and_compare(&server.address).await;
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id().unwrap())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u32 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    assert!(kilobytes < 128 << 10, "{kilobytes} KiB");
}

#[tokio::test]
async fn a_missing_store_directory_is_an_error() {
    let said = fail(&["serve", "--store", "/nowhere", "--listen", ANY_PORT]).await;
    assert_eq!(said, "no store directory /nowhere: No such file or directory (os error 2)");
    let file = Place::new().text("tree/directory/file");
    fail(&["serve", "--store", &file, "--listen", ANY_PORT]).await;
}

#[tokio::test]
async fn a_store_keeps_its_hash_class() {
    let place = Place::new();
    let serve = |hash| {
        let store = place.text("store");
        ["serve", "--listen", "stdio:", "--store", &store, "--hash", hash].map(str::to_owned)
    };
    succeed(&serve("sha1")).await;
    succeed(&serve("sha1")).await;
    assert_eq!(fail(&serve("sha256")).await, "the store's hash class is sha1, not sha256");
}

#[tokio::test]
async fn a_store_in_use_is_an_error() {
    let place = Place::new();
    let _server = Server::start(&place.path("store")).await;
    let said = fail(&["serve", "--store", &place.text("store"), "--listen", ANY_PORT]).await;
    assert_eq!(said, format!("the store {} is in use", place.text("store")));
}

#[tokio::test]
async fn an_occupied_port_is_an_error() {
    let (place, taken) = (Place::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = format!("tcp://{}", taken.local_addr().unwrap());
    let said = fail(&["serve", "--store", &place.text("store"), "--listen", &address]).await;
    assert!(said.starts_with(&format!("cannot listen at {address}: Address already in use")), "{said}");
}

#[tokio::test]
async fn an_unreachable_address_is_an_error() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [format!("tcp://{free}"), format!("unix:{}", place.text("socket")), "exec:/nowhere".into()]
    {
        let said = fail(&["push", &place.text("tree"), "--name", "tree", "--to", &address]).await;
        assert!(said.starts_with(&format!("cannot connect to {address}: ")), "{said}");
        let said = fail(&["pull", "tree", &place.text("copy"), "--from", &address]).await;
        assert!(said.starts_with(&format!("cannot connect to {address}: ")), "{said}");
        assert!(!place.path("copy").exists());
        for command in [&["list"][..], &["stat"], &["log", "tree"], &["check", "tree"]] {
            let said = fail(&[command, &["--from", &address]].concat()).await;
            assert!(said.starts_with(&format!("cannot connect to {address}: ")), "{said}");
        }
    }
}

#[tokio::test]
async fn a_peer_that_is_no_store_is_an_error() {
    let place = Place::new();
    for command in ["exec:true", "exec:echo hello", "exec:cat"] {
        let said = fail(&["pull", "tree", &place.text("copy"), "--from", command]).await;
        assert!(said.starts_with("cannot look up `tree`: "), "{said}");
        for query in ["log", "check"] {
            let said = fail(&[query, "tree", "--from", command]).await;
            assert!(said.starts_with("cannot look up `tree`: "), "{said}");
        }
        let said = fail(&["list", "--from", command]).await;
        assert!(said.starts_with("cannot list the names of chunks: "), "{said}");
        let said = fail(&["stat", "--from", command]).await;
        assert!(said.starts_with("cannot count the chunks: "), "{said}");
    }
}

#[tokio::test]
async fn a_name_that_was_never_pushed_is_an_error() {
    let place = Place::new();
    let said = fail(&["pull", "tree\n", &place.text("copy"), "--from", &place.exec()]).await;
    assert_eq!(said, r"nothing was ever pushed as `tree\n`");
    assert!(!place.path("copy").exists());
}

#[tokio::test]
async fn a_destination_that_is_not_empty_is_an_error() {
    let place = Place::new();
    place.push(&place.exec()).await;
    for destination in ["tree", "tree/directory/file"].map(|name| place.text(name)) {
        let said = fail(&["pull", "tree", &destination, "--from", &place.exec()]).await;
        assert_eq!(said, format!("{destination} is not an empty directory"));
    }
}

#[tokio::test]
async fn a_tree_that_is_none_is_an_error() {
    let place = Place::new();
    let push = async |tree: &str| fail(&["push", tree, "--name", "tree", "--to", &place.exec()]).await;
    assert_eq!(push("/nowhere").await, "cannot read /nowhere: No such file or directory (os error 2)");
    let file = place.text("tree/directory/file");
    assert_eq!(push(&file).await, format!("{file} is not a directory"));
    assert!(fail(&["demo", "/nowhere"]).await.starts_with("push failed: cannot read /nowhere: "));
}

#[tokio::test]
async fn an_unreadable_file_is_an_error() {
    let place = Place::new();
    let server = Server::start(&place.path("store")).await;
    let secret = place.path("tree/secret");
    fs::write(&secret, "secret").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o000)).unwrap();
    let mut command = place.program_of_nobody().await;
    command.args(["push", &place.text("tree"), "--name", "tree", "--to", &server.address]);
    let said = complaint(within(command.output()).await.unwrap());
    assert_eq!(said, format!("cannot read {}: Permission denied (os error 13)", secret.display()));
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_is_another_error() {
    for args in
        [&["serve"][..], &["pull", "tree", "copy", "--from", "nowhere"], &["serve", "--hash", "md5"], &[]]
    {
        assert_eq!(run(args).await.status.code(), Some(2), "{args:?}");
    }
}
