//! The thread that keeps the deadlines, and ends the connection.

use super::super::builder::Builder;
use super::super::limits::SHUT_DOWN;
use super::super::park::{InsideRuntime, may_block};
use super::super::report::CloseReport;
use super::bell::wait;
use super::{ConnectionError, Inner, Monitor, Transport, Whereabouts, reader, writer};
use crate::blocking::PacketConnection;
use crate::codec::Decoder;
use crate::connection;
use crate::sync::thread::{self, JoinHandle};
use bytes::{BufMut, Bytes};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::time::Instant;

/// Why there is no connection on threads.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The thread is one of an async runtime.
    #[error(transparent)]
    InsideRuntime(#[from] InsideRuntime),
    /// This machine has no thread for it.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// [`Ended::transport`] is empty.
    #[error("the transport of the connection before was not handed back")]
    NoTransport,
}

/// Drives a connection on threads: it keeps the deadlines, and ends the connection. Two threads that read and write
/// work for it from the start; until it runs nobody watches them.
///
/// Dropping it ends the connection: calls then fail with [`ConnectionError::Dropped`].
#[must_use = "a connection has no deadlines unless its driver runs"]
pub struct Driver<T: Transport> {
    monitor: Arc<Monitor>,
    /// Taken at the end.
    threads: Option<Threads<T>>,
}

struct Threads<T: Transport> {
    reader: JoinHandle<Option<(T::Reader, Decoder)>>,
    writer: JoinHandle<Option<T::Writer>>,
    interrupt: Option<Box<dyn FnOnce() + Send>>,
}

/// What the threads have brought back.
struct Returned<T: Transport> {
    reader: Option<(T::Reader, Decoder)>,
    writer: Option<T::Writer>,
}

/// A connection on threads that has ended, with the transport handed back if no thread waits in it any more.
#[derive(Debug)]
pub struct Ended<T> {
    /// How it ended.
    pub report: CloseReport,
    /// The transport, neither shut down nor closed: it can carry another connection. Nothing if the connection has
    /// failed and a thread still waits in a read or a write; then it is left behind with its half. Sockets were shut
    /// down in that case, if they are handed back.
    pub transport: Option<T>,
    /// What was read behind the peer's last packet: the first bytes of whatever comes next.
    pub unread: Bytes,
}

impl<T: Transport> Ended<T> {
    /// Makes another connection over the same transport, which misses no byte that the peer has sent for it.
    ///
    /// # Errors
    ///
    /// As [`build`](crate::blocking::build), and where there is no transport.
    pub fn reuse(self, builder: Builder) -> Result<(PacketConnection, Driver<T>), SpawnError> {
        let transport = self.transport.ok_or(SpawnError::NoTransport)?;
        crate::blocking::build(builder.unread(self.unread), transport)
    }
}

impl<T: Transport> Driver<T> {
    /// Starts the threads that read and write.
    pub(crate) fn new(
        builder: Builder,
        transport: T,
    ) -> Result<(connection::PacketConnection, Self), SpawnError> {
        let (connection, session, carriage) = builder.build_for_threads();
        let mut decoder = Decoder::new(carriage.max_packet);
        decoder.room().put_slice(&carriage.unread);
        let monitor = Arc::new(Monitor::new(session, &carriage));
        let (mut reader, mut writer) = transport.split();
        let interrupt = T::interrupt(&reader, &writer);
        let spawned = (|| {
            let for_reader = Arc::clone(&monitor);
            let reader = spawn("packetstream reader", move || {
                let done = for_reader.watch(|| reader::run(&for_reader, &mut reader, &mut decoder));
                for_reader.leave(|inner| inner.reader = Whereabouts::Near);
                done.map(|()| (reader, decoder))
            })?;
            let for_writer = Arc::clone(&monitor);
            let writer = spawn("packetstream writer", move || {
                let done = for_writer.watch(|| writer::run(&for_writer, &mut writer));
                for_writer.leave(|inner| inner.writer = Whereabouts::Near);
                done.map(|()| writer)
            })?;
            Ok((reader, writer))
        })();
        match spawned {
            Ok((reader, writer)) => {
                let threads = Some(Threads { reader, writer, interrupt });
                Ok((connection, Self { monitor, threads }))
            }
            Err(error) => {
                // The reader may be there already.
                monitor.break_off();
                if let Some(interrupt) = interrupt {
                    interrupt();
                }
                Err(SpawnError::Thread(error))
            }
        }
    }

    /// Runs until the connection has ended, and hands the transport back.
    ///
    /// # Errors
    ///
    /// On a thread of an async runtime; the connection is dropped.
    pub fn run(mut self) -> Result<Ended<T>, InsideRuntime> {
        may_block()?;
        let report = self.drive();
        let Returned { reader, writer } = self.call_back();
        self.monitor.tell(Ok(()));
        let (reader, unread) = match reader {
            Some((reader, decoder)) => (Some(reader), decoder.into_unread()),
            None => (None, Bytes::new()),
        };
        let transport = reader.zip(writer).and_then(|(reader, writer)| T::join(reader, writer));
        Ok(Ended { report, transport, unread })
    }

    /// Runs, then shuts the transport down, and only then says that the connection has ended.
    pub(crate) fn run_and_shut_down(mut self) {
        self.drive();
        let shut_down = self.call_back().shut_down();
        self.monitor.tell(shut_down);
    }

    /// Runs until nothing is left to do.
    fn drive(&self) -> CloseReport {
        let monitor = &self.monitor;
        monitor.watch(|| {
            while monitor.look() {
                monitor.bell.await_driver();
            }
        });
        let jobs = monitor.lock().performers.clear();
        // What is dropped may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(jobs)));
        monitor.end()
    }

    /// Has the threads bring back their halves of the transport, those that wait in it for as long as that may take.
    fn call_back(&mut self) -> Returned<T> {
        let Some(Threads { reader, writer, interrupt }) = self.threads.take() else {
            return Returned { reader: None, writer: None };
        };
        let is_held_up = |inner: &Inner| [inner.reader, inner.writer].contains(&Whereabouts::InTransport);
        let mut inner = self.monitor.lock();
        if is_held_up(&inner)
            && let Some(interrupt) = interrupt
        {
            drop(inner);
            interrupt();
            inner = self.monitor.lock();
            let until = Some(Instant::now() + SHUT_DOWN);
            while is_held_up(&inner) {
                let Some(woken) = wait(&self.monitor.returned, inner, until) else {
                    inner = self.monitor.lock();
                    break;
                };
                inner = woken;
            }
        }
        let left = [inner.reader, inner.writer].map(|place| place == Whereabouts::InTransport);
        let [is_reading, is_writing] = left;
        drop(inner);
        // Whoever is not in the transport is about to end. One that has panicked brings nothing back.
        Returned {
            reader: if is_reading { None } else { reader.join().ok().flatten() },
            writer: if is_writing { None } else { writer.join().ok().flatten() },
        }
    }
}

impl<T: Transport> Returned<T> {
    fn shut_down(self) -> io::Result<()> {
        let left =
            |what| Err(io::Error::new(io::ErrorKind::TimedOut, format!("a thread still waits to {what}")));
        match (self.reader, self.writer) {
            (Some((reader, _)), Some(writer)) => T::join(reader, writer).map_or(Ok(()), T::shut_down),
            (None, _) => left("read"),
            (_, None) => left("write"),
        }
    }
}

impl<T: Transport> Drop for Driver<T> {
    fn drop(&mut self) {
        if self.threads.is_none() {
            return;
        }
        self.monitor.break_off();
        // What is dropped or woken may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| self.monitor.end()));
        self.monitor.tell(Ok(()));
        if let Some(Threads { interrupt: Some(interrupt), .. }) = self.threads.take() {
            interrupt();
        }
    }
}

impl Monitor {
    /// Looks at what is due, and says whether to look again.
    fn look(self: &Arc<Self>) -> bool {
        let mut inner = self.lock();
        inner.alarm = None;
        self.turn(&mut inner);
        !inner.is_over
    }

    /// The reader or the writer goes, in whatever way.
    fn leave(&self, note: impl FnOnce(&mut Inner)) {
        note(&mut self.lock());
        self.returned.notify_all();
    }

    /// Ends the session.
    fn end(&self) -> CloseReport {
        let mut inner = self.lock();
        let Inner { session, wire, is_broken, .. } = &mut *inner;
        if *is_broken {
            session.fail(ConnectionError::Dropped);
        }
        session.end(&wire.transit())
    }

    /// Tells how the connection has ended, and lets go of everything.
    fn tell(&self, shut_down: io::Result<()>) {
        let session = &mut self.lock().session;
        session.tell(shut_down);
        session.leave();
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.into()).spawn(work)
}

impl<T: Transport> fmt::Debug for Driver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
