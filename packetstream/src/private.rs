//! What the derive macros call; not for people.

/// One bit of the flags, if it is set.
#[must_use]
pub const fn bit(number: u32, is_set: bool) -> u64 {
    (is_set as u64) << number
}

/// `Option`, so that the macros can name the type of its value without understanding how it is spelled.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be there or not as a flag says",
    label = "with `rest`, `big`, `little` or `with`, `flag` is for `Option<T>`"
)]
pub trait Optional {
    /// What there may be.
    type Value;

    /// Whether it is there.
    fn is_some(&self) -> bool;
}

impl<T> Optional for Option<T> {
    type Value = T;

    fn is_some(&self) -> bool {
        Self::is_some(self)
    }
}
