//! Each attack, for a short while. `tests/attacks` runs them for as long as they are meant to.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream_tests::attack::ATTACKS;
use std::process::Command;

/// So much shorter than by themselves.
const SHORTER: u64 = 100;

#[test]
fn every_attack_is_survived_within_its_bound_of_memory() {
    for attack in ATTACKS {
        let times = (attack.times / SHORTER).max(10).to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_attack")).args([attack.name, &times]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("memory grew by"), "{said}");
        print!("{said}");
    }
}

#[test]
fn an_attack_that_does_not_exist_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_attack")).arg("kindness").output().unwrap();
    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "attack: there is no attack `kindness`\n");
}
