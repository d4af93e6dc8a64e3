//! Our side.

use crate::forms;
use crate::stage::{Answer, Work, soon};
use bytes::Bytes;
use packetstream::Stream;
use packetstream_core::{
    Builder, Call, CallError, Driver, Ended, Failure, Incoming, NotSent, Outcome, PacketConnection, Reply,
};
use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A connection of ours, what it has asked, and what it performs.
pub(crate) struct Ours {
    pub(crate) connection: PacketConnection,
    performer: Arc<Performer>,
    calls: VecDeque<Call>,
    driver: JoinHandle<Ended<Stream>>,
}

/// Performs the same as the puppet.
#[derive(Default)]
struct Performer {
    held: watch::Sender<usize>,
    is_released: watch::Sender<bool>,
}

impl Ours {
    pub(crate) fn over<S>(transport: S, builder: Builder) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let performer = Arc::new(Performer::default());
        Self::drive(builder.handler(perform(&performer)).build(Stream::new(transport)), performer)
    }

    /// The same, where nobody performs anything.
    pub(crate) fn without_handler<S>(transport: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        Self::drive(PacketConnection::builder().build(Stream::new(transport)), Arc::default())
    }

    fn drive((connection, driver): (PacketConnection, Driver<Stream>), performer: Arc<Performer>) -> Self {
        Self { connection, performer, calls: VecDeque::new(), driver: tokio::spawn(driver.run()) }
    }

    /// Waits for the end of the connection and begins another over the same transport. Returns how many bytes of
    /// the peer's for that one were there already.
    pub(crate) async fn begin_anew(&mut self) -> usize {
        let ended = soon(&mut self.driver).await.unwrap();
        let unread = ended.unread.len();
        let performer = Arc::new(Performer::default());
        let builder = PacketConnection::builder().handler(perform(&performer));
        *self = Self::drive(ended.reuse(builder), performer);
        unread
    }

    pub(crate) fn ask(&mut self, work: Work, payload: &str) {
        self.calls.push_back(self.connection.submit(work.number(), 0, payload.to_owned()));
    }

    /// What came of the oldest request that this was not asked of.
    pub(crate) async fn answer(&mut self) -> Answer {
        Answer::from(self.calls.pop_front().unwrap().await)
    }

    /// Waits until so many requests are held, or were.
    pub(crate) async fn holds(&self, count: usize) {
        self.performer.held.subscribe().wait_for(|held| *held >= count).await.unwrap();
    }

    pub(crate) fn release(&self) {
        self.performer.is_released.send_replace(true);
    }

    /// Goes away without a word.
    pub(crate) async fn vanish(&mut self) {
        self.driver.abort();
        // It was aborted, or has ended before.
        let _ = (&mut self.driver).await;
    }
}

fn perform(performer: &Arc<Performer>) -> impl Fn(Incoming) -> Performing + use<> {
    let performer = Arc::clone(performer);
    move |request| {
        let performer = Arc::clone(&performer);
        Box::pin(async move { performer.perform(request).await })
    }
}

type Performing = std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl Performer {
    async fn perform(&self, request: Incoming) -> Outcome {
        let work = Work::of(request.rq_type).ok_or_else(|| Failure::new("unknown work"))?;
        if let Work::Held | Work::HeldAskBack = work {
            self.held.send_modify(|held| *held += 1);
            let mut is_released = self.is_released.subscribe();
            is_released.wait_for(|is_released| *is_released).await.map_err(|_| Failure::internal())?;
        }
        if let Work::AskBack | Work::HeldAskBack = work {
            let answer = request.peer().call(Work::Reverse.number(), 0, request.payload).await;
            return answer.map_err(|error| Failure::new(error.to_string()));
        }
        if work == Work::Form {
            return forms::perform(&request.payload);
        }
        let reversed: Bytes = request.payload.iter().rev().copied().collect();
        Ok(Reply::from((Answer::FLAGS, reversed)))
    }
}

impl From<Result<Reply, CallError>> for Answer {
    fn from(result: Result<Reply, CallError>) -> Self {
        match result {
            Ok(Reply { flags, payload }) => Self::Ok(flags, payload.to_vec()),
            Err(CallError::Failed(failure)) => Self::NotOk(failure.reason().into_owned()),
            Err(CallError::NotSent(NotSent::Closed)) => Self::NotSent,
            Err(error) => Self::Lost(error.source().map_or_else(String::new, ToString::to_string)),
        }
    }
}
