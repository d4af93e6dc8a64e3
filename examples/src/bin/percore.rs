//! A server that spreads its connections over cores: a thread with a runtime of its own on each, each with a socket of its
//! own on the same port (`SO_REUSEPORT`), among which the system deals out connections. A connection stays on its core,
//! and no core waits for another. `--shared` is the same server with one runtime for all cores, to compare.

use clap::Parser;
use packetstream::{
    Bytes, Context, Failure, Fulfil, Listener, PacketConnection, Payload, Protocol, Request, ServeError,
    serve,
};
use packetstream_examples::error_line::one_line;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

#[derive(Debug, Protocol)]
enum Echoing {
    /// Sends bytes back, and says who did.
    #[request(0)]
    Echo(Echo),
}

#[derive(Debug, Request)]
#[request(reply = Echoed)]
struct Echo(#[request(rest)] Bytes);

#[derive(Debug, Payload)]
struct Echoed {
    /// The number of the socket that the connection came by.
    socket: u64,
    #[payload(rest)]
    bytes: Bytes,
}

/// Sends back whatever it is sent, on all cores.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where to listen: an address and a port, or port 0.
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,

    /// How many threads, each with a socket. Default: one for each core.
    #[arg(long, value_name = "NUMBER")]
    threads: Option<usize>,

    /// One runtime, and one socket, for all threads.
    #[arg(long)]
    shared: bool,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot make a runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot hear of signals")]
    Signal(#[source] io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("a thread has panicked")]
    Panic,
}

/// What answers on one socket.
#[derive(Clone, Copy)]
struct Server {
    socket: u64,
}

impl Fulfil<Echo> for Server {
    async fn fulfil(&self, Echo(bytes): Echo, _: Context) -> Result<Echoed, Failure> {
        Ok(Echoed { socket: self.socket, bytes })
    }
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("percore: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Error> {
    let threads = options.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let main = runtime(&mut Builder::new_current_thread())?;
    let sockets = if options.shared { 1 } else { threads.max(1) };
    // The first finds out the port that the others have too.
    let mut address = options.listen;
    let mut listeners = Vec::with_capacity(sockets);
    for _ in 0..sockets {
        let bound = main.block_on(async { bind(address) });
        let listener = bound.map_err(|source| Error::Listen { address, source })?;
        address = listener.local_addr().map_err(|source| Error::Listen { address, source })?;
        listeners.push(listener);
    }
    let interrupted = main.block_on(async { signal(SignalKind::interrupt()) });
    let mut interrupted = interrupted.map_err(Error::Signal)?;
    eprintln!("listening on tcp://{address}");

    let (stop, stopping) = watch::channel(());
    let (ended, mut end) = mpsc::channel(1);
    let mut running = Vec::with_capacity(sockets);
    for (core, listener) in listeners.into_iter().enumerate() {
        let runtime = if options.shared {
            runtime(Builder::new_multi_thread().worker_threads(threads.max(1)))?
        } else {
            runtime(&mut Builder::new_current_thread())?
        };
        let (mut stopping, ended) = (stopping.clone(), ended.clone());
        let shared = options.shared;
        running.push(thread::spawn(move || {
            if !shared {
                pin(core);
            }
            let stopped = async move {
                // It is dropped, never sent into.
                stopping.changed().await.ok();
            };
            let served = runtime.block_on(listen(listener, Server { socket: core as u64 }, stopped));
            // Full when another has ended before, which is enough.
            ended.try_send(()).ok();
            served
        }));
    }
    main.block_on(async {
        tokio::select! {
            _ = interrupted.recv() => {}
            // One that fails ends all.
            _ = end.recv() => {}
        }
    });
    drop(stop);
    for thread in running {
        thread.join().map_err(|_| Error::Panic)??;
    }
    Ok(())
}

fn runtime(builder: &mut Builder) -> Result<Runtime, Error> {
    builder.enable_all().build().map_err(Error::Runtime)
}

/// A socket of its own on a port that others may have as well.
fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    const BACKLOG: u32 = 1024;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Keeps this thread on one of the cores that the program may be on. It works without, too, only slower.
fn pin(thread: usize) {
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
    if let Some(&core) = cores.get(thread % cores.len().max(1)) {
        let mut only = CpuSet::new();
        only.set(core);
        sched_setaffinity(None, &only).ok();
    }
}

async fn listen(
    listener: std::net::TcpListener,
    server: Server,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let address = listener.local_addr().map_err(ServeError::Accept)?;
    let listener = Listener::from_fd(listener).map_err(|source| Error::Listen { address, source })?;
    let builder = || PacketConnection::builder().handler(serve::<Echoing, _>(server));
    Ok(listener.serve_until(builder, stop).await?)
}
