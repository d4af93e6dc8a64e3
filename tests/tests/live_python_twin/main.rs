//! What [`packetstream::twin`] makes of a protocol, at work in Python: the chunk store's, and one with every encoding.
//!
//! Without the environment that `tests/python/setup` makes the tests are ignored, unless
//! `PACKETSTREAM_PYTHON=required` makes them fail; but not the one that compares the modules with their protocols.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]
#![allow(
    clippy::option_option,
    clippy::struct_field_names,
    clippy::type_complexity,
    reason = "everything there is, this too"
)]

mod conversations;
mod everything;
mod recoding;
mod store;
mod worker;

use everything::Everything;
use libtest_mimic::{Arguments, Trial};
use packetstream::{Protocol, twin};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

/// No trial takes longer.
const LIMIT: Duration = Duration::from_secs(100);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os("PACKETSTREAM_PYTHON").is_some_and(|value| value == "required");
    let ignored = !required && !worker::is_installed();
    if ignored {
        eprintln!("live_python_twin: not run, target/python is not installed; tests/python/setup does it");
    }
    let module = Trial::test("the_module_of_everything_is_of_the_protocol_as_it_is", || {
        twin::check(Everything::DESCRIPTION, "python/everything.py")?;
        Ok(())
    });
    let live = [
        trial("python_writes_what_it_reads_to_the_byte", recoding::values),
        trial("python_refuses_what_is_refused_here_and_nothing_else", recoding::foreign),
        trial("python_asks_everything", conversations::python_asks),
        trial("python_answers_everything", conversations::python_answers),
        trial("python_asks_our_store_what_was_recorded", store::python_asks),
        trial("pythons_store_answers_as_was_recorded", store::python_answers),
        trial("our_client_keeps_a_tree_in_pythons_store", store::keeps_a_tree),
    ];
    let live = live.into_iter().map(|trial| trial.with_ignored_flag(ignored));
    libtest_mimic::run(&arguments, [module].into_iter().chain(live).collect()).exit_code()
}

fn trial<F: Future<Output = ()> + 'static>(name: &str, test: fn() -> F) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { tokio::time::timeout(LIMIT, test()).await.expect("the trial hangs") });
        Ok(())
    })
}
