//! The life of a connection between us and `cs.packetstream`, the Python that this protocol comes from: every
//! timeline of its end, whichever side is the client, as a tap between the two hears it.
//!
//! Without the environment that `tests/python/setup` makes the tests are ignored, unless
//! `PACKETSTREAM_PYTHON=required` makes them fail.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod channels;
mod children;
mod explicit;
mod forms;
mod goodbyes;
mod grace;
mod losses;
mod nested;
mod ours;
mod puppet;
mod reuse;
mod stage;
mod tape;
mod verbs;

use libtest_mimic::{Arguments, Trial};
use stage::Party;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

/// No trial takes longer.
const LIMIT: Duration = Duration::from_secs(50);

fn main() -> ExitCode {
    let mut trials = Trials::default();
    goodbyes::add_to(&mut trials);
    nested::add_to(&mut trials);
    verbs::add_to(&mut trials);
    explicit::add_to(&mut trials);
    losses::add_to(&mut trials);
    channels::add_to(&mut trials);
    forms::add_to(&mut trials);
    grace::add_to(&mut trials);
    reuse::add_to(&mut trials);
    children::add_to(&mut trials);

    let arguments = Arguments::from_args();
    let required = std::env::var_os("PACKETSTREAM_PYTHON").is_some_and(|value| value == "required");
    let ignored = !required && !puppet::is_installed();
    if ignored {
        eprintln!(
            "live_python_lifecycle: not run, target/python is not installed; tests/python/setup does it"
        );
    }
    let trials = trials.0.into_iter().map(|trial| trial.with_ignored_flag(ignored)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What is to be tried.
#[derive(Default)]
struct Trials(Vec<Trial>);

impl Trials {
    /// Adds a test that has no roles.
    fn one<F: Future<Output = ()>>(&mut self, name: &str, test: impl FnOnce() -> F + Send + 'static) {
        self.0.push(Trial::test(name, move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                tokio::time::timeout(LIMIT, test()).await.expect("the trial hangs");
            });
            Ok(())
        }));
    }

    /// Adds a test with us as the client, and one with us as the server.
    fn both<F: Future<Output = ()> + 'static>(&mut self, name: &str, test: fn(Party) -> F) {
        for ours in [Party::Client, Party::Server] {
            self.one(&format!("{name}, we are the {ours}"), move || test(ours));
        }
    }
}
