//! What performing a request may take.

use std::time::Duration;

/// What performing a request may take: limits that whoever serves it enforces on each connection, before its
/// payload is decoded. What exceeds them is answered not-ok with the reason.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Contract {
    /// The longest payload in bytes. Whoever asks is told without asking; see
    /// [`NotSent::TooLong`](crate::NotSent::TooLong). No limit but that of packets if `None`.
    pub max_payload: Option<usize>,
    /// How many such requests may be performed at once; more are answered `busy`, which is safe to ask again.
    /// No limit but that of the connection if `None`.
    pub concurrency: Option<usize>,
    /// How long performing one may take, waiting for its turn included. No limit if `None`.
    pub timeout: Option<Duration>,
    /// Performed one at a time, in the order of arrival, together with all other ordered requests of the
    /// connection. A handler that asks the peer something whose answer takes an ordered request of the peer waits
    /// for its own turn: give such requests a `timeout`.
    pub ordered: bool,
    /// Performed by a thread that may block. It cannot be stopped: with a `timeout` there must be a `concurrency`,
    /// or an order, so that those which were given up and still run are not without number.
    pub blocking: bool,
    /// Performed twice it does no more than once. It limits nothing: it tells whoever asks that a request whose
    /// answer was lost with its connection may be asked again over another one.
    pub idempotent: bool,
}

impl Contract {
    /// No limits of its own.
    pub const NONE: Self = Self {
        max_payload: None,
        concurrency: None,
        timeout: None,
        ordered: false,
        blocking: false,
        idempotent: false,
    };

    /// Checks that the contract lets something be performed, and not without bound. Whoever serves a request does
    /// so when it is compiled.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub const fn check(&self) {
        assert!(
            !matches!(self.concurrency, Some(0)),
            "a request with a `concurrency` of 0 would never be performed"
        );
        assert!(
            !(self.blocking && self.timeout.is_some() && self.concurrency.is_none() && !self.ordered),
            "a `blocking` request with a `timeout` needs a `concurrency`, or is `ordered`: one that is given up goes on"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMED: Contract = Contract { blocking: true, timeout: Some(Duration::ZERO), ..Contract::NONE };

    #[test]
    fn a_contract_that_bounds_what_goes_on_is_right() {
        Contract::NONE.check();
        Contract { blocking: true, ..Contract::NONE }.check();
        Contract { blocking: false, ..TIMED }.check();
        Contract { concurrency: Some(1), ..TIMED }.check();
        Contract { ordered: true, ..TIMED }.check();
    }

    #[test]
    #[should_panic(expected = "`concurrency` of 0")]
    fn a_contract_that_lets_nothing_be_performed_is_wrong() {
        Contract { concurrency: Some(0), ..Contract::NONE }.check();
    }

    #[test]
    #[should_panic(expected = "needs a `concurrency`")]
    fn a_contract_that_leaves_threads_behind_without_number_is_wrong() {
        TIMED.check();
    }
}
