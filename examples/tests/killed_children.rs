//! A thousand children, killed while they are talked to; some that are stopped.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream::{
    Call, CallError, Child, ChildEnded, ConnectionError, Limits, NotSent, PacketConnection, Stderr,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;
use std::{fs, process};
use tokio::process::Command;
use tokio::task::JoinSet;

const CHILDREN: u64 = 1000;
/// How many live at once.
const AT_ONCE: usize = 32;
/// No conversation with one child takes longer.
const LIMIT: Duration = Duration::from_mins(1);

/// Those that end a program that does not handle them, without a core file.
const SIGNALS: [(Signal, &str); 5] = [
    (Signal::KILL, "SIGKILL"),
    (Signal::TERM, "SIGTERM"),
    (Signal::ALARM, "SIGALRM"),
    (Signal::USR1, "SIGUSR1"),
    (Signal::USR2, "SIGUSR2"),
];

#[test]
fn a_thousand_children_killed_at_random_points_leave_no_zombie_and_say_which_signal_it_was() {
    let seed = match std::env::var("PACKETSTREAM_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => rand::random(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut pids = Vec::new();
    runtime.block_on(async {
        let mut lives = JoinSet::new();
        for number in 0..CHILDREN {
            if lives.len() == AT_ONCE {
                pids.push(well(lives.join_next().await, seed));
            }
            lives.spawn(async move { tokio::time::timeout(LIMIT, live_and_die(seed, number)).await });
        }
        while let Some(ended) = lives.join_next().await {
            pids.push(well(Some(ended), seed));
        }
    });
    assert_eq!(pids.len() as u64, CHILDREN);
    // Neither a child nor a zombie, however late one might come about.
    let left: Vec<u32> = pids.into_iter().filter(|pid| is_our_child(*pid)).collect();
    assert!(left.is_empty(), "still there: {left:?}, PACKETSTREAM_SEED={seed}");
    // The runtime has some of its own: its input of signals, its polls.
    let descriptors = open_descriptors();
    drop(runtime);
    assert!(descriptors < AT_ONCE, "{descriptors} descriptors are open, PACKETSTREAM_SEED={seed}");
}

type Ended = Result<Result<u32, tokio::time::error::Elapsed>, tokio::task::JoinError>;

/// The child of a conversation that went as it should.
fn well(ended: Option<Ended>, seed: u64) -> u32 {
    match ended {
        Some(Ok(Ok(pid))) => pid,
        other => panic!("{other:?}, PACKETSTREAM_SEED={seed}"),
    }
}

/// Children that are stopped, at once.
const STOPPED: u64 = 8;
/// For how long those are stopped that go on.
const STOP: Duration = Duration::from_secs(1);
/// How long those are waited for that do not.
const STALL: Duration = Duration::from_secs(1);

#[test]
fn a_child_that_is_stopped_for_a_while_is_waited_for_and_one_that_stays_so_is_given_up_and_reaped() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut lives = JoinSet::new();
        for number in 0..STOPPED {
            lives.spawn(tokio::time::timeout(LIMIT, async move {
                if number.is_multiple_of(2) { stop_for_a_while().await } else { stop_for_good().await }
            }));
        }
        while let Some(ended) = lives.join_next().await {
            let pid = ended.unwrap().unwrap();
            assert!(!is_our_child(pid), "{pid} is still there");
        }
    });
}

/// A child that is stopped, a connection to it, and more requests than pipes take.
async fn stopped(limits: Limits) -> (PacketConnection, Child, Vec<Call>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reverse"));
    command.args(["--listen", "stdio:"]);
    let (stream, child) = Child::spawn(command).unwrap();
    let connection = PacketConnection::builder().limits(limits).spawn(stream);
    connection.submit(0, 0, "ready").await.unwrap();
    signal(child.id(), Signal::STOP);
    while state(child.id()) != Some('T') {
        tokio::task::yield_now().await;
    }
    let calls = (0..8).map(|_| connection.submit(7, 0, vec![b'x'; 200_000])).collect();
    (connection, child, calls)
}

async fn stop_for_a_while() -> u32 {
    let (connection, child, calls) = stopped(Limits::default()).await;
    tokio::time::sleep(STOP).await;
    assert_eq!(connection.stats().calls_ok, 1, "it was stopped");
    signal(child.id(), Signal::CONT);
    for call in calls {
        assert_eq!(call.await.unwrap().payload.len(), 200_000);
    }
    connection.close();
    connection.closed().await.result.unwrap();
    let pid = child.id();
    assert!(child.wait().await.unwrap().success());
    pid
}

async fn stop_for_good() -> u32 {
    let (connection, child, calls) = stopped(Limits { stall_timeout: STALL, ..Limits::default() }).await;
    for call in calls {
        let error = call.await.unwrap_err();
        let (CallError::Lost(cause) | CallError::NotSent(NotSent::Lost(cause))) = error else {
            panic!("{error:?}");
        };
        assert!(matches!(cause, ConnectionError::WriteStalled { .. }), "{cause:?}");
    }
    connection.closed().await.result.unwrap_err();
    let pid = child.id();
    // It cannot heed anything else.
    assert_eq!(child.wait().await.unwrap().signal(), Some(Signal::KILL.as_raw()));
    pid
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// Has a conversation with a child, kills it somewhere in between, and checks what is said of it.
async fn live_and_die(seed: u64, number: u64) -> u32 {
    let mut random = StdRng::seed_from_u64(seed.wrapping_add(number));
    let mut command = Command::new(env!("CARGO_BIN_EXE_reverse"));
    command.args(["--listen", "stdio:"]);
    let stderr = if random.random() { Stderr::Keep(100) } else { Stderr::Inherit };
    let (stream, child) = Child::spawn_with(command, stderr).unwrap();
    let pid = child.id();
    let connection = PacketConnection::builder().spawn(stream);

    let (signal, name) = SIGNALS[random.random_range(0..SIGNALS.len())];
    let mut calls = converse(&connection, &mut random).await;
    self::signal(pid, signal);
    // It may be asked when it is dead already.
    if random.random() {
        calls.push_back(connection.submit(0, 0, "still there?"));
    }

    let expected = format!("child {pid} was ended by signal {} ({name})", signal.as_raw());
    let error = connection.closed().await.result.unwrap_err();
    let ended = ChildEnded::find_in(&error).unwrap_or_else(|| panic!("{error:?}, not {expected}"));
    assert_eq!((ended.to_string(), ended.status.signal()), (expected, Some(signal.as_raw())));
    for call in calls {
        match call.await {
            // Before it was killed.
            Ok(_) => {}
            Err(CallError::Lost(error)) => assert!(ChildEnded::find_in(&error).is_some(), "{error:?}"),
            Err(CallError::NotSent(error)) => assert!(ChildEnded::find_in(&error).is_some(), "{error:?}"),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(!is_our_child(pid), "a connection has ended when its child has, and that is no zombie");
    assert_eq!(child.wait().await.unwrap().signal(), Some(signal.as_raw()));
    pid
}

/// Asks for a while, and returns what is in flight then.
async fn converse(connection: &PacketConnection, random: &mut StdRng) -> VecDeque<Call> {
    let in_flight = random.random_range(0..16);
    let answers = random.random_range(0..30);
    let mut calls = VecDeque::new();
    for _ in 0..answers + in_flight {
        // Some are longer than a pipe takes at once.
        let longest = if random.random_range(0..8) == 0 { 200_000 } else { 1_000 };
        calls.push_back(connection.submit(7, 0, vec![b'x'; random.random_range(0..longest)]));
        if calls.len() > in_flight
            && let Some(call) = calls.pop_front()
        {
            call.await.unwrap();
        }
    }
    // Anywhere between two turns of the connection.
    for _ in 0..random.random_range(0..64) {
        tokio::task::yield_now().await;
    }
    calls
}

/// Whether there is a process of this number whose parent is this one, be it a zombie.
fn is_our_child(pid: u32) -> bool {
    stat(pid).is_some_and(|(_, parent)| parent == process::id())
}

/// A letter.
fn state(pid: u32) -> Option<char> {
    stat(pid).map(|(state, _)| state)
}

/// The state of a process, and its parent.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which is in brackets.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
