//! What the derive macros accept, and how they refuse the rest: `ui/pass` compiles and runs, `ui/fail`
//! fails with exactly the text beside it.
//!
//! After a change of the texts, `TRYBUILD=overwrite cargo test -p packetstream-tests --test derive_ui`
//! writes them anew; read the difference before committing it. With `-- declarations trybuild=NAME` behind
//! it only files with that in their names are tried.

use std::sync::mpsc;
use std::time::Duration;
use std::{panic, thread};

/// Building the library once more for these tests takes most of it.
const LIMIT: Duration = Duration::from_mins(15);

#[test]
fn declarations_compile_or_fail_as_said() {
    within(LIMIT, || {
        let cases = trybuild::TestCases::new();
        cases.pass("tests/ui/pass/*.rs");
        cases.compile_fail("tests/ui/fail/*.rs");
    });
}

/// Runs a test that fails rather than hang.
fn within(limit: Duration, test: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel::<()>();
    let running = thread::spawn(move || {
        let _done = done;
        test();
    });
    assert_ne!(
        finished.recv_timeout(limit),
        Err(mpsc::RecvTimeoutError::Timeout),
        "not done within {limit:?}"
    );
    running.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
}
