//! The program `device`, seen from outside.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use std::time::Duration;
use tokio::process::Command;

/// No run takes longer.
const LIMIT: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_controller_learns_what_came_of_each_telegram() {
    let mut device = Command::new(env!("CARGO_BIN_EXE_device"));
    let output = tokio::time::timeout(LIMIT, device.kill_on_drop(true).output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = [
        "device 0xc0ffee, firmware 0x0102, up for 60 min",
        "wrote 32 bytes at 0x0010",
        "device asks: may I erase page 1?",
        "wrote 32 bytes at 0x0100",
        "device asks: may I erase page 2?",
        "not written: the controller would not have page 2 erased",
        "not written: nothing is at 0xfff0",
        "not even sent: payload of 5004 bytes exceeds the limit of 4096",
        "the bus answers \"hello\" with registers 0x55",
    ];
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), lines);
}
