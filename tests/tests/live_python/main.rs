//! We and `cs.packetstream` ask each other the same: each deed in both roles, over TCP, a Unix socket and the standard
//! input and output of a child.
//!
//! Without the environment that `tests/python/setup` makes the tests are ignored, unless `PACKETSTREAM_PYTHON=required`
//! makes them fail. `examples/tests/live_python.rs` has the programs of the examples do it, and
//! `live_python_lifecycle` is about how connections end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod deeds;
mod party;
mod protocol;

use libtest_mimic::{Arguments, Trial};
use party::{Medium, Side};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

/// No trial takes longer, not even 70,000 requests of Python's on a machine that is busy.
const LIMIT: Duration = Duration::from_mins(6);

fn main() -> ExitCode {
    let mut trials = Trials::default();
    deeds::add_to(&mut trials);
    protocol::add_to(&mut trials);

    let arguments = Arguments::from_args();
    let required = std::env::var_os("PACKETSTREAM_PYTHON").is_some_and(|value| value == "required");
    let ignored = !required && !party::is_installed();
    if ignored {
        eprintln!("live_python: not run, target/python is not installed; tests/python/setup does it");
    }
    let trials = trials.0.into_iter().map(|trial| trial.with_ignored_flag(ignored)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What is to be tried.
#[derive(Default)]
struct Trials(Vec<Trial>);

impl Trials {
    /// Adds a test.
    fn one<F: Future<Output = ()>>(&mut self, name: &str, test: impl FnOnce() -> F + Send + 'static) {
        self.0.push(Trial::test(name, move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                tokio::time::timeout(LIMIT, test()).await.expect("the trial hangs");
            });
            Ok(())
        }));
    }

    /// Adds a test for each way to be connected.
    fn everywhere<F: Future<Output = ()> + 'static>(
        &mut self,
        name: &str,
        asker: Side,
        test: fn(Medium) -> F,
    ) {
        for medium in [Medium::Tcp, Medium::Unix, Medium::Stdio] {
            self.one(&format!("{name}, {asker} asks, over {medium}"), move || test(medium));
        }
    }
}
