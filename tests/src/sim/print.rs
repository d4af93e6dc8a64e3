//! A scenario as a test to paste.

use super::run::run;
use super::scenario::Scenario;
use std::fmt::Debug;

impl Scenario {
    /// A test that runs it, to paste into `tests/tests/simulator/pasted.rs`; its names are those of [`words`](super::words).
    #[must_use]
    pub fn as_test(&self) -> String {
        let Self { seed, ends: [a, b], links: [there, back], rounds, steps } = self;
        let lines = |items: &[&dyn Debug]| {
            let lines: Vec<String> = items.iter().map(|item| format!("            {item:?},\n")).collect();
            lines.concat()
        };
        let steps: Vec<&dyn Debug> = steps.iter().map(|step| step as &dyn Debug).collect();
        format!(
            "#[test]\n#[rustfmt::skip]\nfn scenario_{seed:x}() {{\n    Scenario {{\n        \
             seed: {seed:#x},\n        rounds: {rounds},\n        ends: [\n{}        ],\n        \
             links: [\n{}        ],\n        steps: vec![\n{}        ],\n    }}\n    .check();\n}}\n",
            lines(&[a, b]),
            lines(&[there, back]),
            lines(&steps),
        )
    }

    /// Runs it, and panics if anything does not hold.
    ///
    /// # Panics
    ///
    /// With all that does not hold.
    #[allow(clippy::panic, reason = "it is for tests")]
    pub fn check(&self) {
        let violations = run(self, false).violations;
        if !violations.is_empty() {
            let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
            panic!("{}", all.join("\n"));
        }
    }
}
