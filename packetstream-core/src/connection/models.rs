//! What threads of a connection may do at the same time, for a model checker to run: `models/` is the program.
//!
//! Time stands still: no wait is ended by its time-out, so that whoever is not called is found to wait for ever.

/// Some threads, and what has to hold of them in whichever order they run.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// What holds, in a few words.
    pub name: &'static str,
    /// Runs them in one order.
    pub run: fn(),
}

/// Few threads, so that there is time for all of their orders.
#[cfg(model = "loom")]
pub fn models() -> impl Iterator<Item = Model> {
    use super::threads::bell;
    use super::{inbox, park};

    [park::models::MODELS, bell::models::MODELS, inbox::models::MODELS].into_iter().flatten().copied()
}

/// All threads of a connection, and those of its handles.
#[cfg(model = "shuttle")]
pub fn models() -> impl Iterator<Item = Model> {
    use super::{call, threads};

    [call::models::MODELS, threads::models::MODELS].into_iter().flatten().copied()
}
