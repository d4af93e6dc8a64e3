//! W5: what connections weigh that do nothing, in a process of their own.

use crate::contenders::Contender;
use crate::stage::Stage;
use crate::work::warm_up;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

/// How long memory may still be given back.
const SETTLED: Duration = Duration::from_millis(500);
const NEVER_SETTLED: Duration = Duration::from_secs(10);

pub(crate) type Weigh = fn(Stage, usize) -> f64;

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is told");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Resident memory once no more is given back.
async fn settled() -> u64 {
    let begun = Instant::now();
    let (mut least, mut since) = (resident(), Instant::now());
    while since.elapsed() < SETTLED && begun.elapsed() < NEVER_SETTLED {
        tokio::time::sleep(SETTLED / 10).await;
        if resident() < least {
            (least, since) = (resident(), Instant::now());
        }
    }
    least
}

/// KiB for each of so many connections, both ends, after one call on each.
pub(crate) fn weigh<C: Contender>(stage: Stage, connections: usize) -> f64 {
    let ends: Vec<_> = (0..=connections).map(|_| stage.ends()).collect();
    let (here, there): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
    let serve = move || async move {
        let servers: Vec<_> = there.into_iter().map(|end| tokio::spawn(C::serve(end.enter()))).collect();
        for server in servers {
            server.await.expect("the server does not panic");
        }
    };
    let ask = move || async move {
        let mut clients = Vec::with_capacity(connections + 1);
        let mut empty = 0;
        // The first sets up what all share.
        for end in here {
            let client = C::connect(end.enter()).await;
            warm_up::<C>(&client).await;
            clients.push(client);
            if clients.len() == 1 {
                empty = settled().await;
            }
        }
        let full = settled().await;
        full.saturating_sub(empty) as f64 / connections as f64
    };
    stage.perform(serve, ask)
}

/// The same in a child, since memory is that of a process.
pub(crate) fn weigh_apart(contender: &str, connections: usize) -> Option<f64> {
    let program = env::current_exe().expect("this program");
    let child = Command::new(program).args(["--weigh", contender, &connections.to_string()]).output();
    let output = child.expect("this program runs");
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
