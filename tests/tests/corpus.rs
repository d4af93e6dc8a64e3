//! What the fuzzers found worth keeping is done again, without them.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream_tests::fuzz::TARGETS;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// The folder of a target's corpus, which `fuzz/run` writes.
const CORPUS: &str = "../fuzz/corpus";

#[test]
fn what_fuzzers_have_found_still_holds() {
    for target in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(Path::new(CORPUS).join(target.name)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(catch_unwind(|| (target.run)(&bytes)).is_ok(), "{}: {bytes:02x?}", path.display());
            count += 1;
        }
        eprintln!("corpus: {}: {count} inputs", target.name);
        assert!(count >= 10, "{}: {count} inputs", target.name);
    }
}

#[test]
fn there_is_no_corpus_without_a_target() {
    for entry in fs::read_dir(CORPUS).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(TARGETS.iter().any(|target| name == *target.name), "{}", name.display());
    }
}
