//! The code that generated modules have in common, cut down to what one of them uses.

use std::collections::HashSet;

/// What requests have in common.
pub(super) const REQUEST: &str = include_str!("support/request.py");

/// What reads and writes values: classes and functions with two blank lines between them.
const CODECS: &[&str] = &[
    include_str!("support/packets.py"),
    include_str!("support/scalars.py"),
    include_str!("support/containers.py"),
    include_str!("support/rest.py"),
    include_str!("support/fields.py"),
    include_str!("support/classes.py"),
    include_str!("support/replies.py"),
];

/// The functions for those who keep values, or have them elsewhere than in packets.
pub(super) const OF_VALUES: &str = "to_bytes from_bytes list_from_bytes";

/// The parts of [`CODECS`] that `code` names, and those that these name, in their order.
pub(super) fn codecs_for(code: &str) -> String {
    let parts: Vec<_> = parts().collect();
    let mut needed = HashSet::new();
    let mut to_look_at = vec![code];
    while let Some(code) = to_look_at.pop() {
        let words: HashSet<_> = words(code).collect();
        for part in &parts {
            if words.contains(name(part)) && needed.insert(name(part)) {
                to_look_at.push(part);
            }
        }
    }
    let parts: Vec<_> = parts.into_iter().filter(|part| needed.contains(name(part))).collect();
    parts.join("\n\n\n") + "\n"
}

fn parts() -> impl Iterator<Item = &'static str> {
    CODECS.iter().flat_map(|file| file.trim_end().split("\n\n\n"))
}

/// The class, the function or the variable that a part defines.
fn name(part: &str) -> &str {
    let mut lines = part.lines().filter(|line| !line.starts_with(['#', '@']));
    let line = lines.next().unwrap_or_default();
    let line = line.strip_prefix("class ").or_else(|| line.strip_prefix("def ")).unwrap_or(line);
    words(line).next().unwrap_or_default()
}

/// The words of code, its comments and texts included.
pub(super) fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The names in the shared code that others may have, too.
#[cfg(test)]
pub(super) fn public_names() -> impl Iterator<Item = &'static str> {
    let of_requests = REQUEST.trim_end().split("\n\n\n");
    of_requests.chain(parts()).map(name).filter(|name| !name.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_by_what_is_used_is_there_and_nothing_else() {
        let code = codecs_for("x = _List(_Text())");
        let names: Vec<_> = code.trim_end().split("\n\n\n").map(name).collect();
        assert_eq!(names, ["_Reader", "_Writer", "_Codec", "_Text", "_List"]);
    }

    #[test]
    fn every_part_has_a_name_of_its_own() {
        let mut names: Vec<_> = parts().map(name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
