//! Serving a store: each request performed, each connection looked after.

use super::hash::{HashClass, HashCode};
use super::protocol::{
    Add, ArchiveLast, ArchiveList, ArchiveUpdate, ChunkStore, Contains, ContainsIndirect, Count, Flush, Get,
    HashCodes, HashOfHashCodes, Length, Sum,
};
use super::store::{
    CodeRange, CodesError, EntriesError, HasAllError, HashOfCodesError, OpenError, Store, StoreError,
};
use super::tree::dirent::RawEntry;
use crate::error_line::one_line;
use packetstream::{
    Address, Builder, Bytes, ConnectionError, Context, Failure, Fulfil, Limits, Listener, PacketConnection,
    ServeError, Stream, serve,
};
use std::error::Error;
use std::future::Future;
use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinError;

/// How long a peer may take to say goodbye when the server ends.
const GOODBYE: Duration = Duration::from_secs(5);

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no store.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The address is taken, or not ours.
    #[error("cannot listen at {address}")]
    Listen {
        /// Where.
        address: Address,
        /// Why not.
        source: io::Error,
    },
    /// The signals that end it cannot be waited for.
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    /// No more connections can be had.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Opening the store has panicked.
    #[error("the store was not opened")]
    Lost(#[from] JoinError),
}

/// Serves the store in `directory` at `address` until SIGINT or SIGTERM, or the end of the only peer.
/// Says on standard error where it listens, once it does.
///
/// # Errors
///
/// See [`RunError`].
pub async fn run(directory: PathBuf, class: HashClass, address: Address) -> Result<(), RunError> {
    let opening = tokio::task::spawn_blocking(move || Store::open(&directory, class));
    let store = opening.await??;
    let (mut interrupt, mut terminate) = signals().map_err(RunError::Signals)?;
    let listening = Listener::bind(&address).await;
    let listener = listening.map_err(|source| RunError::Listen { address: address.clone(), source })?;
    if address != Address::Stdio {
        eprintln!("listening on {}", listener.local_address());
    }
    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(Server::new(store).listen(listener, stop).await?)
}

fn signals() -> io::Result<(Signal, Signal)> {
    // A file may not grow beyond the process's limit: that is an error of the write then, not the end.
    let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
    Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
}

/// Performs the requests of [`ChunkStore`] on a store.
#[derive(Clone, Debug)]
pub struct Server {
    store: Store,
    told: Arc<Told>,
}

impl Server {
    /// A server for `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, told: Arc::default() }
    }

    /// Serves one peer, over a stream of any kind.
    #[must_use = "the connection closes when its last handle is dropped"]
    pub fn serve(&self, stream: Stream) -> PacketConnection {
        self.builder().spawn(stream)
    }

    fn builder(&self) -> Builder {
        let limits = Limits { answer_timeout: GOODBYE, close_timeout: GOODBYE, ..Limits::default() };
        PacketConnection::builder().limits(limits).handler(serve::<ChunkStore, _>(self.clone()))
    }

    /// Serves every peer that comes, until `stop` is ready or no more peer can come; then finishes what
    /// was asked already. A connection that fails is reported on standard error and ends no other.
    ///
    /// # Errors
    ///
    /// When no connection can be accepted any more.
    pub async fn listen(&self, listener: Listener, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let listener = listener.on_failed(|_, report| match &report.result {
            // Peers do vanish, and lose nothing that was acknowledged.
            Ok(()) | Err(ConnectionError::NoGoodbye) => {}
            Err(error) => eprintln!("chunkstore: a connection failed: {}", one_line(error)),
        });
        match listener.serve_until(|| self.builder(), stop).await {
            // The only one there could be, and reported like the others.
            Err(ServeError::Connection(_)) => Ok(()),
            result => result,
        }
    }
}

impl Fulfil<Add> for Server {
    async fn fulfil(&self, Add { class, chunk }: Add, _: Context) -> Result<HashCode, Failure> {
        if class != self.store.class() {
            return Err(Failure::new(format!("the store's hash class is {}", self.store.class())));
        }
        let code = self.store.add(chunk).await.map_err(|error| self.failed(&error))?;
        self.told.forget();
        Ok(code)
    }
}

impl Fulfil<Get> for Server {
    async fn fulfil(&self, Get(code): Get, _: Context) -> Result<Option<Bytes>, Failure> {
        self.store.get(code).await.map_err(|error| self.failed(&error))
    }
}

impl Fulfil<Contains> for Server {
    async fn fulfil(&self, Contains(code): Contains, _: Context) -> Result<bool, Failure> {
        self.store.contains(code).await.map_err(|error| self.failed(&error))
    }
}

impl Fulfil<Flush> for Server {
    async fn fulfil(&self, Flush: Flush, _: Context) -> Result<(), Failure> {
        self.store.flush().await.map_err(|error| self.failed(&error))
    }
}

impl Fulfil<HashCodes> for Server {
    async fn fulfil(&self, codes: HashCodes, _: Context) -> Result<Vec<HashCode>, Failure> {
        self.store.codes(range(&codes)?).await.map_err(|error| match error {
            CodesError::Store(error) => self.failed(&error),
            error => refused(&error),
        })
    }
}

impl Fulfil<HashOfHashCodes> for Server {
    async fn fulfil(&self, HashOfHashCodes(codes): HashOfHashCodes, _: Context) -> Result<Sum, Failure> {
        if codes.count == 0 {
            return Err(Failure::new("how many names? ask with a count of at least 1"));
        }
        let sum = self.store.hash_of_codes(range(&codes)?).await.map_err(|error| match error {
            HashOfCodesError::Store(error) => self.failed(&error),
            error @ HashOfCodesError::OtherClass(_) => refused(&error),
        });
        sum.map(|(sum, last)| Sum { sum, last })
    }
}

/// The names that are asked for.
fn range(codes: &HashCodes) -> Result<CodeRange, Failure> {
    let class = HashClass::from_name(&codes.hash_name)
        .ok_or_else(|| Failure::new(format!("unknown hash class `{}`", codes.hash_name.escape_debug())))?;
    let from = match codes.start {
        None => Bound::Unbounded,
        Some(start) if start.class() != class => {
            return Err(Failure::new(format!("the start is of {}, not {class}", start.class())));
        }
        Some(start) if codes.after => Bound::Excluded(start),
        Some(start) => Bound::Included(start),
    };
    Ok(CodeRange { from, count: codes.count })
}

impl Fulfil<ArchiveLast> for Server {
    async fn fulfil(&self, last: ArchiveLast, _: Context) -> Result<Option<RawEntry>, Failure> {
        self.store.last(last.archive).await.map_err(|error| self.failed(&error))
    }
}

impl Fulfil<ArchiveUpdate> for Server {
    async fn fulfil(&self, update: ArchiveUpdate, _: Context) -> Result<(), Failure> {
        self.store.append(update.archive, update.entry).await.map_err(|error| self.failed(&error))
    }
}

impl Fulfil<ArchiveList> for Server {
    async fn fulfil(&self, list: ArchiveList, _: Context) -> Result<Vec<RawEntry>, Failure> {
        self.store.entries(list.archive).await.map_err(|error| match error {
            EntriesError::Store(error) => self.failed(&error),
            error @ EntriesError::TooLong { .. } => refused(&error),
        })
    }
}

impl Fulfil<Length> for Server {
    async fn fulfil(&self, Length: Length, _: Context) -> Result<Count, Failure> {
        self.store.count().await.map(Count).map_err(|error| self.failed(&error))
    }
}

impl Fulfil<ContainsIndirect> for Server {
    async fn fulfil(&self, ContainsIndirect(code): ContainsIndirect, _: Context) -> Result<bool, Failure> {
        self.store.has_all(code).await.map_err(|error| match error {
            HasAllError::Store(error) => self.failed(&error),
            error => refused(&error),
        })
    }
}

/// Tells the peer what is wrong with its request.
fn refused(error: &dyn Error) -> Failure {
    Failure::new(one_line(error))
}

impl Server {
    /// Tells people here what went wrong with the disk, and the peer what it can understand of it.
    fn failed(&self, error: &StoreError) -> Failure {
        if self.told.is_news(error) {
            eprintln!("chunkstore: {}", one_line(error));
        }
        match error {
            StoreError::Full(_) | StoreError::Damaged(_) | StoreError::DamagedEntry(_) => {
                Failure::new(error.to_string())
            }
            StoreError::Database(_) | StoreError::Open(_) => Failure::internal(),
        }
    }
}

/// What was told last of the disk: what fails a thousand requests is one line.
#[derive(Debug, Default)]
struct Told(Mutex<Option<String>>);

impl Told {
    fn is_news(&self, error: &StoreError) -> bool {
        // How much room there is changes all the time, and says nothing new.
        let news = if let StoreError::Full(_) = error { error.to_string() } else { one_line(error) };
        let mut last = self.last();
        let is_news = last.as_ref() != Some(&news);
        *last = Some(news);
        is_news
    }

    /// After a success the same failure is news again.
    fn forget(&self) {
        *self.last() = None;
    }

    fn last(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str) -> StoreError {
        StoreError::Full(Arc::new(io::Error::new(io::ErrorKind::StorageFull, text)))
    }

    #[test]
    fn what_fails_a_thousand_requests_is_told_once() {
        let told = Told::default();
        let damaged = StoreError::Damaged(HashClass::Sha1.hash(b""));
        assert!(told.is_news(&full("1 byte is free")));
        assert!(!told.is_news(&full("2 bytes are free")));
        assert!(told.is_news(&damaged));
        assert!(!told.is_news(&damaged));
        assert!(told.is_news(&StoreError::Damaged(HashClass::Sha1.hash(b"other"))));
        assert!(told.is_news(&damaged));
        told.forget();
        assert!(told.is_news(&damaged));
    }
}
