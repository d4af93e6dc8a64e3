//! The program `conformance`: what it says and how it ends. Whom it holds to the cases is `cat` here, which sends back what
//! it gets.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::process::Command;

/// No run takes longer.
const LIMIT: Duration = Duration::from_mins(1);

/// The status with which the program ends, and what it says on both outputs.
async fn conformance(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    command.args(["exec:cat", "--patience", "300"]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output()).await.expect("it does not end").unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// A file of deviations.
fn deviations(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[tokio::test]
async fn who_passes_every_case_is_told_so_in_one_line() {
    let (status, said) = conformance(&["--only", "128,129"]).await;
    assert_eq!((status, &*said), (0, "2 cases: 2 passed, 0 deviate as is known, 0 failed\n"));
}

#[tokio::test]
async fn a_case_that_fails_is_a_line_with_all_that_one_needs_to_know() {
    let (status, said) = conformance(&["--only", "35,128"]).await;
    let line = "case 35 (W-6, W-7, W-9, W-10, W-11, W-12, W-13; packets.cases): The request of the specification is \
        answered with the answer of the specification: failed: line 6: sent 06 02 82 56 02 02 03; expected \
        05 02 81 0c 03 02; came 06 02 82 56 02 02 03\n";
    assert_eq!(
        (status, &*said),
        (1, &*format!("{line}2 cases: 1 passed, 0 deviate as is known, 1 failed\n"))
    );
}

#[tokio::test]
async fn a_deviation_is_listed_or_a_failure_and_one_that_is_none_is_a_failure_too() {
    let known = deviations("35 sends back what it gets\n");
    let path = known.path().to_str().unwrap();
    let (status, said) = conformance(&["--only", "35,128", "--deviations", path]).await;
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("deviates, as is known (sends back what it gets): line 6"), "{said}");
    assert!(said.ends_with("2 cases: 1 passed, 1 deviate as is known, 0 failed\n"), "{said}");

    let mended = deviations("128 does not end\n");
    let path = mended.path().to_str().unwrap();
    let (status, said) = conformance(&["--only", "128,129", "--deviations", path]).await;
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("no longer deviates: take it from the list"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_run_is_told_from_what_fails() {
    let none = deviations("100000 is no case\n");
    let torn = deviations("35\n");
    for (option, value, why) in [
        ("--only", "100000", "conformance: there is no case 100000\n"),
        ("--deviations", none.path().to_str().unwrap(), "conformance: there is no case 100000\n"),
        (
            "--deviations",
            torn.path().to_str().unwrap(),
            "conformance: line 1 of the deviations is neither `NUMBER reason` nor `NUMBER varies: reason`\n",
        ),
    ] {
        assert_eq!(conformance(&[option, value]).await, (2, why.to_owned()));
    }
    let (status, said) = conformance(&["--deviations", "/nowhere/deviations"]).await;
    assert!(status == 2 && said.starts_with("conformance: /nowhere/deviations: "), "{said}");
}

#[tokio::test]
async fn who_has_no_case_to_pass_does_not_pass() {
    let (status, said) = conformance(&["--only", "178"]).await;
    assert_eq!(
        (status, &*said),
        (1, "0 cases: 0 passed, 0 deviate as is known, 0 failed; 1 for the other role\n")
    );
}
