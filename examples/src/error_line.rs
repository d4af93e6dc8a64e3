//! Errors as people read them.

use std::error::Error;

/// An error and its causes, joined by `: `, on one line whatever they quote.
#[must_use]
pub fn one_line(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    printable(&causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}")))
}

/// A text that stays on its line and does nothing to a terminal: control characters are spelled out.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot {0}")]
    struct Cannot(&'static str, #[source] Option<Box<Cannot>>);

    #[test]
    fn an_error_is_one_line_with_all_its_causes() {
        let error = Cannot("push", Some(Box::new(Cannot("read a\nb\u{1b}", None))));
        assert_eq!(one_line(&error), r"cannot push: cannot read a\nb\u{1b}");
    }
}
