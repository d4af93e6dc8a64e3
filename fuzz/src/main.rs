//! libFuzzer's program: does what the target does that `PACKETSTREAM_FUZZ` names, with bytes that cover more and more.
//!
//! The targets are in `tests/src/fuzz/`; `fuzz/run` builds this with the counters that libFuzzer wants.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("PACKETSTREAM_FUZZ").expect("PACKETSTREAM_FUZZ names a target"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| packetstream_tests::fuzz::run(&TARGET, bytes));
