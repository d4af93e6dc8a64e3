//! Connections in sequence over one pair of pipes: what remains of each.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use bytes::Bytes;
use packetstream_core::{
    Builder, CloseReport, Driver, Ended, EndedBy, Incoming, Outcome, PacketConnection, Reply,
};
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;

const LIVES: usize = 1_000;
const LIMIT: Duration = Duration::from_mins(1);

// The only test of its program: another one would have descriptors of its own.
// Rules: L-16
#[test]
fn a_thousand_connections_over_one_pair_of_pipes_leave_no_descriptor_no_task_and_no_byte() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = descriptors();
    lead_lives(&runtime);
    assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    assert_eq!(descriptors(), before);
}

fn lead_lives(runtime: &Runtime) {
    let (from_a, to_b) = io::pipe().unwrap();
    let (from_b, to_a) = io::pipe().unwrap();
    // Another hand on what each side reads, for what nobody has read in the end.
    let rests = [from_a.try_clone().unwrap(), from_b.try_clone().unwrap()];
    let lives = async {
        let (a, b) = (Side::over(from_b, to_b), Side::over(from_a, to_a));
        tokio::time::timeout(LIMIT, live(a, b)).await.unwrap();
    };
    runtime.block_on(lives);
    for mut rest in rests {
        // Its writers are gone, so that there is an end.
        assert_eq!(rest.read_to_end(&mut Vec::new()).unwrap(), 0);
    }
}

/// In each life one side closes, and what the other says last is written together with its request of the next.
async fn live(mut first: Side, mut second: Side) {
    let open = descriptors();
    let mut call = second.connection.submit(1, 0, "life 0");
    for life in 0..LIVES {
        let reply = call.await.unwrap();
        assert_eq!(reply.payload, format!("life {life}").chars().rev().collect::<String>());
        second.hold_back(true);
        first.connection.close();
        let report_of_second = second.begin_anew("").await;
        let next = format!("life {}", life + 1);
        call = second.connection.submit(1, 0, next.clone());
        second.hold_back(false);
        let request = [&[u8::try_from(next.len()).unwrap() + 3, 2, 2, 2], next.as_bytes()].concat();
        let report_of_first = first.begin_anew(&request).await;
        assert_eq!((report_of_first.ended_by, report_of_second.ended_by), (EndedBy::Us, EndedBy::Peer));
        agree(&report_of_first, &report_of_second);
        assert_eq!(descriptors(), open);
        assert!(Handle::current().metrics().num_alive_tasks() <= 2);
        std::mem::swap(&mut first, &mut second);
    }
    call.await.unwrap();
    first.connection.close();
    let (first, second) = (first.end().await, second.end().await);
    agree(&first.report, &second.report);
    assert!(first.unread.is_empty() && second.unread.is_empty());
}

/// That each side has got what the other has sent, to the byte.
fn agree(one: &CloseReport, other: &CloseReport) {
    assert!(one.result.is_ok() && other.result.is_ok(), "{one}, {other}");
    let said = |report: &CloseReport| (report.stats.packets_sent, report.stats.bytes_sent);
    let heard = |report: &CloseReport| (report.stats.packets_received, report.stats.bytes_received);
    assert_eq!((said(one), heard(one)), (heard(other), said(other)));
}

/// The descriptors of this process, one that counts them included.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// One side, in its present life.
struct Side {
    connection: PacketConnection,
    driver: JoinHandle<Ended<Pipes>>,
    holds_back: Arc<AtomicBool>,
}

impl Side {
    fn over(from: io::PipeReader, to: io::PipeWriter) -> Self {
        let from = pipe::Receiver::from_owned_fd(from.into()).unwrap();
        let to = pipe::Sender::from_owned_fd(to.into()).unwrap();
        let holds_back = Arc::new(AtomicBool::new(false));
        let pipes = Pipes { from, to, held: Vec::new(), holds_back: Arc::clone(&holds_back) };
        Self::drive(builder().build(pipes), holds_back)
    }

    fn drive((connection, driver): (PacketConnection, Driver<Pipes>), holds_back: Arc<AtomicBool>) -> Self {
        Self { connection, driver: tokio::spawn(driver.run()), holds_back }
    }

    /// Whether what it says waits for what it says next, to be written at once.
    fn hold_back(&self, holds_back: bool) {
        self.holds_back.store(holds_back, Ordering::Relaxed);
    }

    async fn end(self) -> Ended<Pipes> {
        self.driver.await.unwrap()
    }

    /// Waits for the end of this life, behind which there is `unread`, and begins the next.
    async fn begin_anew(&mut self, unread: impl AsRef<[u8]>) -> CloseReport {
        let ended = (&mut self.driver).await.unwrap();
        assert_eq!(ended.unread, unread.as_ref());
        let report = ended.report.clone();
        *self = Self::drive(ended.reuse(builder()), Arc::clone(&self.holds_back));
        report
    }
}

fn builder() -> Builder {
    PacketConnection::builder().handler(reverse)
}

async fn reverse(request: Incoming) -> Outcome {
    Ok(Reply::from(request.payload.iter().rev().copied().collect::<Bytes>()))
}

/// A transport that can keep what it is to write until there is more.
struct Pipes {
    from: pipe::Receiver,
    to: pipe::Sender,
    held: Vec<u8>,
    holds_back: Arc<AtomicBool>,
}

impl AsyncRead for Pipes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.from).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipes {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.held.extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while !this.held.is_empty() && !this.holds_back.load(Ordering::Relaxed) {
            let written = ready!(Pin::new(&mut this.to).poll_write(cx, &this.held))?;
            this.held.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.to).poll_shutdown(cx)
    }
}
