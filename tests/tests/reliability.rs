//! The page of threats has a row for each, and each row a test.
#![allow(clippy::panic, reason = "in a test that is the report")]

use std::fs;

const PAGE: &str = include_str!("../../docs/reliability.md");
const THREATS: usize = 47;

/// The rows of the table of threats: the cells.
fn rows() -> Vec<Vec<&'static str>> {
    let (_, page) = PAGE.split_once("## What may happen").unwrap_or_default();
    let table = page.lines().filter(|line| line.starts_with("| T"));
    table.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn every_threat_has_a_row_and_every_row_a_test_that_exists() {
    let rows = rows();
    let mut wrong = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let [number, from, what, behaviour, _, test] = row[..] else { panic!("{row:?}") };
        assert_eq!(number, format!("T{}", index + 1));
        assert!(![from, what, behaviour, test].contains(&""), "{number}");
        let Some((file, name)) = test.split_once(": ") else { panic!("{number}: {test}") };
        let (file, name) = (file.trim_matches('`'), name.trim_matches('`'));
        let code = fs::read_to_string(format!("../{file}")).unwrap_or_default();
        if !code.contains(&format!("fn {name}(")) {
            wrong.push(format!("{number}: {file} has no {name}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows.len(), THREATS);
}
