//! What a protocol says in words: its documentation and its contracts.

use packetstream_core::Contract;
use packetstream_core::description::Docs;

/// The lines of documentation, without the blank that comments begin with and without links to items, which
/// lead nowhere from here.
pub(crate) fn doc_lines(docs: Docs) -> impl Iterator<Item = String> {
    let is_indented = docs.iter().all(|line| line.is_empty() || line.starts_with(' '));
    let line =
        move |line: &&'static str| if is_indented { line.strip_prefix(' ').unwrap_or(line) } else { line };
    docs.iter().map(line).map(without_links)
}

/// ``[`name`]`` and ``[`name`](path::to)`` as `` `name` ``; other links stay.
fn without_links(line: &str) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some((before, (code, after))) =
        rest.split_once("[`").and_then(|(before, link)| Some((before, link.split_once("`]")?)))
    {
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        let (shown, after) = match target {
            Some((target, _)) if target.contains(['/', '#']) => (format!("[`{code}`]"), after),
            _ => (format!("`{code}`"), target.map_or(after, |(_, after)| after)),
        };
        text += before;
        text += &shown;
        rest = after;
    }
    text + rest
}

/// A contract in words; empty if there is none.
pub(crate) fn contract_words(contract: Contract) -> String {
    let Contract { max_payload, concurrency, timeout, ordered, blocking, idempotent } = contract;
    let limits = [
        max_payload.map(|bytes| format!("at most {bytes} bytes")),
        concurrency.map(|count| format!("at most {count} at once")),
        timeout.map(|time| format!("within {time:?}")),
        ordered.then(|| "ordered".to_owned()),
        blocking.then(|| "blocking".to_owned()),
        idempotent.then(|| "idempotent".to_owned()),
    ];
    limits.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_items_are_the_code_they_show() {
        for (docs, text) in [
            ("see [`Meta`](super::meta::Meta) and [`Count`].", "see `Meta` and `Count`."),
            (
                "[`rfc`](https://example.org/rfc) and [`b`](#b)",
                "[`rfc`](https://example.org/rfc) and [`b`](#b)",
            ),
            ("an array [`u8`; 4] [`", "an array [`u8`; 4] [`"),
        ] {
            assert_eq!(without_links(docs), text);
        }
    }
}
