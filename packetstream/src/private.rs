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

    /// What `read` reads, if it is there.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    fn read_if<E>(is_there: bool, read: impl FnOnce() -> Result<Self::Value, E>) -> Result<Self, E>
    where
        Self: Sized;

    /// The value.
    fn value(&self) -> Option<&Self::Value>;
}

impl<T> Optional for Option<T> {
    type Value = T;

    fn read_if<E>(is_there: bool, read: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        if is_there { read().map(Some) } else { Ok(None) }
    }

    fn value(&self) -> Option<&T> {
        self.as_ref()
    }
}

/// `u64`, so that a field with all flags that is something else can be told so.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold all flags",
    label = "`flags` is for `u64`",
    note = "a single flag is a `bool` or an `Option` with `flag = <number>`"
)]
pub trait AllFlags {
    /// The field.
    fn from_flags(flags: u64) -> Self;

    /// The flags.
    fn flags(&self) -> u64;
}

impl AllFlags for u64 {
    fn from_flags(flags: u64) -> Self {
        flags
    }

    fn flags(&self) -> u64 {
        *self
    }
}
