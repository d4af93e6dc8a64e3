//! The program `wordcount`, seen from outside.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use std::ffi::OsStr;
use std::fs;
use std::process::Output;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// No run takes longer.
const LIMIT: Duration = Duration::from_mins(1);

async fn wordcount(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wordcount"));
    let output = command.args(arguments).kill_on_drop(true).output();
    tokio::time::timeout(LIMIT, output).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_child_counts_the_words_of_files_that_only_the_parent_reads() {
    let directory = TempDir::new().unwrap();
    // Words lie across the pieces in which the files are read.
    let texts = [String::new(), "to be or not to be".into(), "word ".repeat(100_000), "x".repeat(50_000)];
    let files: Vec<_> =
        (0..).zip(&texts).map(|(n, text)| (directory.path().join(format!("{n}")), text)).collect();
    for (path, text) in &files {
        fs::write(path, text).unwrap();
    }
    let output = wordcount(files.iter().map(|(path, _)| path)).await;
    assert!(output.status.success(), "{output:?}");
    let counts: Vec<_> = texts.iter().map(|text| text.split_whitespace().count()).collect();
    let mut lines: Vec<_> =
        counts.iter().zip(&files).map(|(count, (path, _))| format!("{count} {}", path.display())).collect();
    lines.push(format!("{} in all", counts.iter().sum::<usize>()));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), lines);
    assert!(output.stderr.is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let output = wordcount(["/nowhere/text"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("wordcount: /nowhere/text: No such file"), "{said}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_told_by_the_child() {
    let output = wordcount(["/"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the peer answered not-ok") && said.contains("Is a directory"), "{said}");
}
