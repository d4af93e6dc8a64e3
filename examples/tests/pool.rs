//! The program `pool`, seen from outside.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use std::time::Duration;
use tokio::process::Command;

/// No run takes longer.
const LIMIT: Duration = Duration::from_mins(2);

#[tokio::test]
async fn nothing_is_lost_when_one_of_three_servers_is_killed() {
    let mut pool = Command::new(env!("CARGO_BIN_EXE_pool"));
    let output = tokio::time::timeout(LIMIT, pool.kill_on_drop(true).output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = [
        "3 servers: 400 asked, 400 answered",
        "the slow one was asked, and less than half as often as each other",
        "one killed half-way: 400 asked, 400 answered",
        "2 servers: 400 asked, 400 answered, 0 by the dead",
        "started again, and asked again",
    ];
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), lines);
}
