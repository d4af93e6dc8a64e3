//! Where two ends of a connection work: on which cores, in which runtimes, over what.

use std::net;
use std::os::unix;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio_util::either::Either;

/// One end of a connection.
pub(crate) type Socket = Either<UnixStream, TcpStream>;

/// After so long something hangs.
const TOO_LONG: Duration = Duration::from_mins(2);

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Cores {
    /// Both ends on the same one: what is counted is the work of both, and no core wakes another.
    One,
    /// One for each end.
    Two,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Threads {
    /// One for each end, with a `current_thread` runtime.
    Own,
    /// Two workers of one `multi_thread` runtime, for both ends, not pinned.
    Pool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Transport {
    Unix,
    Tcp,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    pub(crate) cores: Cores,
    pub(crate) threads: Threads,
    pub(crate) transport: Transport,
}

/// What some work took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    /// By the clock on the wall.
    pub(crate) wall: Duration,
    /// Of processors, by all threads of this process.
    pub(crate) cpu: Duration,
}

/// Times work.
pub(crate) struct Watch(Instant, Duration);

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("it is not negative")
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self(Instant::now(), cpu_time())
    }

    pub(crate) fn took(&self) -> Took {
        Took { wall: self.0.elapsed(), cpu: cpu_time().saturating_sub(self.1) }
    }
}

/// Lets this process have as many sockets as W7 takes, or as the system allows.
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let enough = Some(1 << 16);
    let allowed = getrlimit(Resource::Nofile).maximum;
    if setrlimit(Resource::Nofile, Rlimit { current: enough, maximum: enough }).is_err() {
        setrlimit(Resource::Nofile, Rlimit { current: allowed, maximum: allowed }).expect("it is allowed");
    }
}

/// Whether this process may have both ends of so many connections.
pub(crate) fn has_room_for(connections: usize) -> bool {
    const OTHERS: u64 = 64;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.is_none_or(|limit| 2 * connections as u64 + OTHERS <= limit)
}

/// Keeps this thread, and those it starts, on one of the cores that the program may be on: never the main thread, which
/// starts those that are not to be pinned.
fn pin(place: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None).expect("a thread knows its cores");
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
    let mut only = CpuSet::new();
    only.set(cores.nth(place).expect("there are as many cores"));
    sched_setaffinity(None, &only).expect("it may be on each of them");
}

/// One for the thread that it is made in.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Two ends that are connected.
enum Pair {
    Unix([unix::net::UnixStream; 2]),
    Tcp([net::TcpStream; 2]),
}

impl Transport {
    fn pair(self) -> Pair {
        match self {
            Self::Unix => {
                let (here, there) = unix::net::UnixStream::pair().expect("a pair of sockets");
                Pair::Unix([here, there])
            }
            Self::Tcp => {
                let listener = net::TcpListener::bind("127.0.0.1:0").expect("a port");
                let here = net::TcpStream::connect(listener.local_addr().expect("an address"))
                    .expect("a connection");
                let (there, _) = listener.accept().expect("a connection");
                for end in [&here, &there] {
                    end.set_nodelay(true).expect("a socket");
                }
                Pair::Tcp([here, there])
            }
        }
    }
}

/// An end that no runtime knows yet.
pub(crate) enum End {
    Unix(unix::net::UnixStream),
    Tcp(net::TcpStream),
}

impl End {
    /// Of the runtime that it is called in.
    pub(crate) fn enter(self) -> Socket {
        match self {
            Self::Unix(stream) => {
                stream.set_nonblocking(true).expect("a socket");
                Either::Left(UnixStream::from_std(stream).expect("a socket"))
            }
            Self::Tcp(stream) => {
                stream.set_nonblocking(true).expect("a socket");
                Either::Right(TcpStream::from_std(stream).expect("a socket"))
            }
        }
    }
}

impl Stage {
    pub(crate) fn ends(self) -> (End, End) {
        match self.transport.pair() {
            Pair::Unix([here, there]) => (End::Unix(here), End::Unix(there)),
            Pair::Tcp([here, there]) => (End::Tcp(here), End::Tcp(there)),
        }
    }

    /// Runs the two ends until the one that asks is done, and says what came of it.
    pub(crate) fn perform<S, A>(
        self,
        serve: impl FnOnce() -> S + Send + 'static,
        ask: impl FnOnce() -> A + Send + 'static,
    ) -> A::Output
    where
        S: Future<Output = ()> + Send + 'static,
        A: Future<Output: Send + 'static> + Send + 'static,
    {
        match self.threads {
            Threads::Pool => {
                let runtime =
                    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
                let server = runtime.spawn(async { serve().await });
                let asking = runtime.spawn(async { ask().await });
                let answer = runtime.block_on(async { tokio::time::timeout(TOO_LONG, asking).await });
                server.abort();
                answer.expect("whatever hangs is a defect").expect("all goes well")
            }
            Threads::Own => {
                let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
                let theirs = usize::from(self.cores == Cores::Two);
                let server = thread::spawn(move || {
                    pin(theirs);
                    runtime().block_on(async {
                        let mut server = tokio::spawn(async { serve().await });
                        tokio::select! {
                            done = &mut server => done.expect("the server does not panic"),
                            _ = stopped => {}
                        }
                    });
                });
                // No timer of this program is in the runtimes that are measured.
                let (done, answer) = mpsc::channel();
                let client = thread::spawn(move || {
                    pin(0);
                    let answer = runtime().block_on(async { tokio::spawn(async { ask().await }).await });
                    done.send(answer.expect("all goes well")).ok();
                });
                let answer = answer.recv_timeout(TOO_LONG).expect("whatever hangs or panics is a defect");
                client.join().expect("a client that ends");
                drop(stop);
                server.join().expect("a server that ends");
                answer
            }
        }
    }

    /// Runs two threads that block.
    pub(crate) fn perform_blocking<T: Send + 'static>(
        self,
        serve: impl FnOnce(unix::net::UnixStream) + Send + 'static,
        ask: impl FnOnce(unix::net::UnixStream) -> T + Send + 'static,
    ) -> T {
        let (here, there) = unix::net::UnixStream::pair().expect("a pair of sockets");
        for end in [&here, &there] {
            end.set_read_timeout(Some(TOO_LONG)).expect("a socket");
        }
        let theirs = usize::from(self.cores == Cores::Two);
        let server = thread::spawn(move || {
            pin(theirs);
            serve(there);
        });
        let client = thread::spawn(move || {
            pin(0);
            ask(here)
        });
        let answer = client.join().expect("a client that ends well");
        server.join().expect("a server that ends");
        answer
    }
}
