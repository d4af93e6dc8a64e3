use super::*;
use crate::outline::example::STORE;

#[test]
fn the_page_tells_a_whole_protocol() {
    assert_eq!(markdown(&STORE), include_str!("tests/store.md"));
}

#[test]
fn every_link_of_the_page_leads_to_a_heading() {
    let page = markdown(&STORE);
    let headings: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches(['#', ' '])))
        .collect();
    let links: Vec<_> =
        page.split("](#").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link).collect();
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        assert_eq!(headings.iter().filter(|heading| *heading == link).count(), 1, "{link} in {headings:?}");
    }
}

#[test]
fn docs_keep_their_code_and_their_headings_go_below_ours() {
    let mut out = String::new();
    write_docs(&mut out, &[" # Example", " ```", " # no heading", "     indented", " ```"], 3).unwrap();
    assert_eq!(out, "\n#### Example\n```\n# no heading\n    indented\n```\n");
}

#[test]
fn a_bar_in_a_cell_is_escaped_once() {
    assert_eq!(in_cell(&[" a | b \\| c", " d", "", " e"]), "a \\| b \\| c d");
    assert_eq!(plain("Vec<[T]> | `x`"), r"Vec\<\[T\]\> \| \`x\`");
}
