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
use libtest_mimic::{Arguments, Failed, Trial};
use packetstream::{Protocol, twin};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

/// No trial takes longer.
const LIMIT: Duration = Duration::from_secs(100);

fn main() -> ExitCode {
    let mut trials = Trials::default();
    // Rules: none: a file that is made
    trials.here("the_module_of_everything_is_of_the_protocol_as_it_is", || {
        twin::check(Everything::DESCRIPTION, "python/everything.py")?;
        Ok(())
    });

    // Rules: P-1, P-2, P-3, P-4, P-6, P-7, P-11, P-13, P-14, P-16, P-19, P-21, P-22, P-23, P-25
    trials.python("python_writes_what_it_reads_to_the_byte", recoding::values);

    // Rules: P-3, P-8, P-9, P-10, P-12, P-13, P-15, P-17, P-18, P-20, P-25
    trials.python("python_refuses_what_is_refused_here_and_nothing_else", recoding::foreign);

    // Rules: P-1, P-12, P-13, P-17
    trials.python("python_refuses_what_is_almost_right", recoding::almost_right);

    // Rules: P-5
    trials.python("python_reads_the_floats_that_are_read_here_and_no_others", recoding::floats);

    // Rules: P-24
    trials.python("python_reads_as_deep_as_is_read_here", recoding::depths);

    // Rules: P-7, P-23, P-25, R-18
    trials.python("python_asks_everything", conversations::python_asks);
    trials.python("python_answers_everything", conversations::python_answers);
    trials.python("python_asks_our_store_what_was_recorded", store::python_asks);
    trials.python("pythons_store_answers_as_was_recorded", store::python_answers);
    trials.python("our_client_keeps_a_tree_in_pythons_store", store::keeps_a_tree);

    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials.0).exit_code()
}

/// What is to be tried.
#[derive(Default)]
struct Trials(Vec<Trial>);

impl Trials {
    /// Adds a test that needs no Python.
    fn here(&mut self, name: &str, test: fn() -> Result<(), Failed>) {
        self.0.push(Trial::test(name, test));
    }

    /// Adds a test with live Python.
    fn python<F: Future<Output = ()> + 'static>(&mut self, name: &str, test: fn() -> F) {
        let required = std::env::var_os("PACKETSTREAM_PYTHON").is_some_and(|value| value == "required");
        let trial = Trial::test(name, move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { tokio::time::timeout(LIMIT, test()).await.expect("the trial hangs") });
            Ok(())
        });
        self.0.push(trial.with_ignored_flag(!required && !worker::is_installed()));
    }
}
