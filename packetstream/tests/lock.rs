//! A protocol and its lock file, as a user's test has them.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream::description::{Encoding, Field, Place, Protocol, Reply, Request, Struct};
use packetstream::lock::{LockError, assert_locked, check};
use packetstream::{Contract, Payload, page};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn get() -> Encoding {
    static GET: Struct = Struct {
        name: "Get",
        docs: &[],
        is_delimited: false,
        magic: &[],
        fields: &[Field { name: "start", docs: &[], place: Place::Inline, encoding: u64::encoding }],
    };
    Encoding::Struct(&GET)
}

static STORE: Protocol = Protocol {
    name: "Store",
    docs: &[],
    requests: &[Request {
        rq_type: 0,
        name: "Get",
        docs: &[],
        payload: get,
        reply: || Reply::Nothing,
        failure: || None,
        contract: Contract::NONE,
    }],
};

/// Names the lock file to the test of a user.
const FILE: &str = "LOCK_FILE_OF_THE_TEST";

#[test]
#[ignore = "run by the others, in an environment of its own"]
fn the_test_of_a_user() {
    assert_locked(&STORE, env::var_os(FILE).unwrap());
}

/// Whether the test of a user passes, and what it prints.
fn test_of_a_user(file: &Path, mode: Option<&str>) -> (bool, String) {
    let mut test = Command::new(env::current_exe().unwrap());
    test.args(["--exact", "the_test_of_a_user", "--ignored", "--nocapture"]).env(FILE, file);
    match mode {
        Some(mode) => test.env("PACKETSTREAM_LOCK", mode),
        None => test.env_remove("PACKETSTREAM_LOCK"),
    };
    let output = test.output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_environment_makes_the_file_and_records_what_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.lock");

    let (passed, told) = test_of_a_user(&file, None);
    assert!(!passed && told.contains("make it with PACKETSTREAM_LOCK=write cargo test"), "{told}");
    assert_eq!(test_of_a_user(&file, Some("write")), (true, String::new()));
    assert_eq!(test_of_a_user(&file, None), (true, String::new()));

    let deployed = fs::read_to_string(&file).unwrap().replace("start: uint", "start: string");
    fs::write(&file, deployed).unwrap();
    for mode in [None, Some("write")] {
        let (passed, told) = test_of_a_user(&file, mode);
        assert!(!passed && told.contains("request 0 Get, field start: was string, is uint"), "{told}");
    }
    assert_eq!(test_of_a_user(&file, Some("break")), (true, String::new()));
    assert_eq!(test_of_a_user(&file, None), (true, String::new()));
}

#[test]
fn a_malformed_file_is_told_with_its_line_and_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.lock");
    fs::write(&file, "packetstream lock 1\n\nprotocol Store\n=======\n").unwrap();

    let Err(LockError::Malformed { line: 4, .. }) = check(&STORE, &file) else { panic!() };
    let (_, told) = test_of_a_user(&file, None);
    assert!(told.contains("is malformed in line 4: expected a word"), "{told}");
}

#[test]
fn the_page_of_a_protocol_is_made_of_the_same_description() {
    let page = page::markdown(&STORE);
    assert!(page.starts_with("# `Store`\n") && page.contains("| `start` | uint |"), "{page}");
}
