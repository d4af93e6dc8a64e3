//! Connections on threads leave none behind. One test alone in its process, since it counts the threads of it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use packetstream_core::{Incoming, PacketConnection, Reply, blocking};
use std::fs;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

fn entries(directory: &str) -> usize {
    fs::read_dir(directory).unwrap().count()
}

fn threads() -> usize {
    entries("/proc/self/task")
}

#[test]
fn a_thousand_connections_leave_no_thread_and_no_descriptor_behind() {
    let (threads_before, files_before) = (threads(), entries("/proc/self/fd"));
    let start = Instant::now();
    for life in 0..1_000 {
        let (here, there) = UnixStream::pair().unwrap();
        let echo = async |request: Incoming| Ok(Reply::from(request.payload));
        let peer = blocking::spawn(PacketConnection::builder().handler(echo), there).unwrap();
        let connection = blocking::spawn(PacketConnection::builder(), here).unwrap();
        assert_eq!(connection.call(0, 0, "abc").unwrap().payload, "abc");
        match life % 4 {
            0 => connection.close(),
            1 => connection.abort(),
            2 => peer.abort(),
            _ => peer.close(),
        }
        connection.closed().unwrap();
        peer.closed().unwrap();
    }
    // They have said their last, and may still be about to go.
    while threads() > threads_before || entries("/proc/self/fd") > files_before {
        let left = (threads(), entries("/proc/self/fd"));
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "left: {left:?}, before: {threads_before}, {files_before}"
        );
        thread::yield_now();
    }
}
