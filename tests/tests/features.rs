//! The page of the facade's features: what each is for, and what it costs in dependencies.
//!
//! `PACKETSTREAM_PAGE=write cargo test -p packetstream-tests --test features` writes it anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;
use std::{env, fs};

const PAGE: &str = "../packetstream/docs/features.md";

/// What `cargo tree` says of the facade on one kind of machine, so that all say the same.
fn tree<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "packetstream", "-e", "normal", "--target", "x86_64-unknown-linux-gnu"])
        .args(["--locked", "--offline", "--color", "never"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    // Where the workspace is on this machine is nobody's business.
    let lines = said.lines().map(|line| line.find(" (/").map_or(line, |path| &line[..path]));
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// The names of all that the facade depends on with some features.
fn dependencies(features: &str) -> BTreeSet<String> {
    let list = tree(["--prefix", "none", "--features", features]);
    list.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

/// The features, each with the comment before it.
fn features(manifest: &str) -> Vec<(String, String)> {
    let (_, section) = manifest.split_once("\n[features]\n").unwrap();
    let section = section.split("\n[").next().unwrap();
    let mut features = Vec::new();
    let mut comment = String::new();
    for line in section.lines() {
        if let Some(text) = line.strip_prefix("# ") {
            let gap = if comment.is_empty() { "" } else { " " };
            comment = comment + gap + text;
        } else if let Some((name, _)) = line.split_once(" = ") {
            let purpose = std::mem::take(&mut comment);
            if name != "default" {
                assert!(!purpose.is_empty(), "no comment says what `{name}` is for");
                features.push((name.to_owned(), purpose));
            }
        }
    }
    features
}

fn page() -> String {
    let mut page = String::from(
        "Features are additive: each adds names and changes nothing that is there without it. None is on by default.\n\n\
         | feature | for | crates it adds |\n|---|---|---|\n",
    );
    let base = dependencies("");
    for (feature, purpose) in features(&fs::read_to_string("../packetstream/Cargo.toml").unwrap()) {
        let added =
            dependencies(&feature).difference(&base).map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let added = if added.is_empty() { "none".into() } else { added.join(", ") };
        writeln!(page, "| `{feature}` | {purpose} | {added} |").unwrap();
    }
    let tree = tree([]);
    write!(
        page,
        "\n`cargo tree -p packetstream -e normal`, with the default features on Linux:\n\n```text\n{tree}```\n"
    )
    .unwrap();
    page
}

#[test]
fn the_page_tells_of_the_features_as_they_are() {
    let page = page();
    if env::var_os("PACKETSTREAM_PAGE").is_some_and(|mode| mode == "write") {
        fs::write(PAGE, &page).unwrap();
    }
    assert!(page == fs::read_to_string(PAGE).unwrap_or_default(), "out of date; it should be:\n{page}");
}

#[test]
fn the_default_set_stays_small() {
    // The three of the core, what the facade needs of the system, and what is ours.
    let list = tree(["--depth", "1", "--prefix", "none"]);
    let direct = list.lines().map(|line| line.split_whitespace().next().unwrap()).collect::<BTreeSet<_>>();
    let expected = [
        "bytes",
        "listenfd",
        "packetstream",
        "packetstream-core",
        "packetstream-derive",
        "rustix",
        "shlex",
        "thiserror",
        "tokio",
    ];
    assert_eq!(direct, expected.into());
}
