//! Calls, and answers that nobody waits for.

use super::memory::Memory;
use super::peers::{Endless, runtime};
use packetstream::{
    Bytes, ConnectionError, Failure, Incoming, Limits, Outcome, Packet, PacketConnection, Reply,
};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, duplex, join};
use tokio::net::unix::pipe;

async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from(request.payload))
}

pub(super) fn strangers(times: u64, memory: &mut Memory) {
    let answers = (1_000..2_000).map(|tag| Packet::response(0, tag, Ok(Reply::default())).expect("it fits"));
    let said: Bytes = answers.flat_map(|packet| packet.transcribe()).collect();
    runtime().block_on(async {
        let (mut taken, mut warm) = (0, times / 20);
        while taken < times {
            let connection = PacketConnection::builder().spawn(Endless::of(said.clone()));
            let report = connection.closed().await;
            let error = report.result.expect_err("too many answers that nobody waits for");
            assert!(matches!(error, ConnectionError::Protocol(_)), "{error:?}");
            assert!(report.stats.packets_received < 200, "{}", report.stats.packets_received);
            taken += report.stats.packets_received;
            if taken >= warm {
                memory.is_warm();
                warm = u64::MAX;
            }
        }
    });
}

/// Counts what is performed at once.
#[derive(Clone, Default)]
struct Crowd(Arc<(AtomicUsize, AtomicUsize)>);

impl Crowd {
    async fn perform(self, request: Incoming) -> Outcome {
        let (now, most) = &*self.0;
        most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(1)).await;
        now.fetch_sub(1, Ordering::Relaxed);
        Ok(Reply::from(request.payload))
    }
}

pub(super) fn storm(times: u64, memory: &mut Memory) {
    runtime().block_on(async {
        let (here, there) = duplex(64 << 10);
        let crowd = Crowd::default();
        let seen = crowd.clone();
        let limits = Limits { max_handlers: 4096, max_queued: 65_536, ..Limits::default() };
        let peer = PacketConnection::builder()
            .limits(limits)
            .handler(move |request| crowd.clone().perform(request))
            .spawn(there);
        let connection = PacketConnection::builder().spawn(here);
        for done in 0..times {
            let call = connection.submit(1, 0, Bytes::from_static(b"never mind"));
            if done.is_multiple_of(3) {
                // By now it is on its way, or waits for its turn.
                tokio::task::yield_now().await;
            }
            drop(call);
            if done == times / 20 {
                memory.is_warm();
            }
        }
        connection.close();
        connection.closed().await.result.expect("a goodbye in good order");
        let report = peer.closed().await;
        let most = seen.0.1.load(Ordering::Relaxed);
        assert!(most <= Limits::default().max_calls, "{most} at once");
        println!("{} of them left, {most} at once at most", report.stats.requests);
    });
}

/// Calls of 64 KiB in both directions, as many as may be in flight, over a stream of each side.
async fn crowd<S>(times: u64, memory: &mut Memory, streams: (S, S))
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let sides = [streams.0, streams.1].map(|stream| PacketConnection::builder().handler(echo).spawn(stream));
    let payload = Bytes::from(vec![7; 64 << 10]);
    memory.is_warm();
    let asking: Vec<_> = sides
        .iter()
        .map(|side| {
            let (side, payload) = (side.clone(), payload.clone());
            tokio::spawn(async move {
                let calls: Vec<_> =
                    (0..times).map(|number| side.submit(number, 0, payload.clone())).collect();
                for call in calls {
                    assert_eq!(call.await.expect("an answer").payload, payload);
                }
                side.close();
            })
        })
        .collect();
    for asking in asking {
        asking.await.expect("every call is answered");
    }
    for side in sides {
        side.closed().await.result.expect("a goodbye in good order");
    }
}

/// A pipe of 4 KiB.
fn narrow_pipe() -> (pipe::Receiver, pipe::Sender) {
    let (reader, writer) = io::pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).expect("Linux sets the size of a pipe");
    let receiver = pipe::Receiver::from_owned_fd(reader.into()).expect("a pipe");
    (receiver, pipe::Sender::from_owned_fd(writer.into()).expect("a pipe"))
}

pub(super) fn pipes(times: u64, memory: &mut Memory) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let ((from_a, to_b), (from_b, to_a)) = (narrow_pipe(), narrow_pipe());
        crowd(times, memory, (join(from_b, to_b), join(from_a, to_a))).await;
    });
}

pub(super) fn narrow(times: u64, memory: &mut Memory) {
    runtime().block_on(crowd(times, memory, duplex(16)));
}

/// Asks the other side for one level less, and says how many there were.
async fn nested(request: Incoming) -> Outcome {
    let peer = request.peer().clone();
    let Some(less) = request.rq_type.checked_sub(1) else { return Ok(Reply::from(0)) };
    let reply = peer.submit(less, 0, "").await.map_err(|error| Failure::new(error.to_string()))?;
    Ok(Reply::from(reply.flags + 1))
}

pub(super) fn depth(times: u64, memory: &mut Memory) {
    runtime().block_on(async {
        let (here, there) = duplex(4096);
        let [connection, _peer] =
            [here, there].map(|stream| PacketConnection::builder().handler(nested).spawn(stream));
        for done in 0..times {
            let depth = done % 200 + 1;
            let reply = connection.submit(depth, 0, "").await.expect("an answer");
            assert_eq!(reply.flags, depth);
            if done == times / 2 {
                memory.is_warm();
            }
        }
    });
}
