//! A peer to test against: answers every request with its payload reversed, or asks such a peer.

use clap::{ArgGroup, Parser};
use packetstream::{
    Address, Call, CallError, ConnectError, ConnectionError, Incoming, Limits, Listener, Outcome,
    PacketConnection, Reply, ServeError, Stream,
};
use packetstream_examples::error_line::one_line;
use rand::RngExt;
use std::collections::VecDeque;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The flags of every answer.
const FLAGS: u64 = 0x11;
/// How long what is asked may take to be answered when a server ends, and the goodbye of a peer.
const GOODBYE: Duration = Duration::from_secs(5);

/// Answers every request of any type with flags 0x11 and the payload reversed, or asks a peer that does.
#[derive(Debug, Parser)]
#[command(version, group = ArgGroup::new("side").required(true))]
struct Options {
    /// Serve at an address: `tcp://host:port`, `unix:/path`, `stdio:`, `fd:number` or `systemd:name`
    #[arg(long, group = "side", value_name = "ADDRESS")]
    listen: Option<Address>,

    /// Ask the peer at an address: `tcp://host:port`, `unix:/path`, `stdio:`, `exec:command`,
    /// `ssh://user@host:port/command` or `fd:number`
    #[arg(long, group = "side", value_name = "ADDRESS")]
    connect: Option<Address>,

    /// How many requests to ask.
    #[arg(long, default_value_t = 1_000, requires = "connect")]
    count: u64,

    /// How many of them at once.
    #[arg(long, default_value_t = 16, requires = "connect", value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: u16,

    /// Make all requests the first one: type 1, flags 0x55, payload 02 03.
    #[arg(long, requires = "connect")]
    same: bool,

    /// How long one answer may take, and the goodbye.
    #[arg(long, default_value_t = 20, conflicts_with = "listen", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot listen on {address}")]
    Listen { address: Address, source: io::Error },
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("request {number} failed")]
    Call { number: u64, source: CallError },
    #[error("request {number} was not answered within {patience:?}")]
    Slow { number: u64, patience: Duration },
    #[error("request {number} was answered with flags {flags:#x}, not {FLAGS:#x}")]
    Flags { number: u64, flags: u64 },
    #[error("request {number} was not answered with its payload reversed")]
    Payload { number: u64 },
    #[error("the connection did not end well")]
    Goodbye(#[from] ConnectionError),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let result = match (options.listen, options.connect) {
        (Some(address), _) => serve(address).await,
        (_, Some(address)) => {
            let patience = Duration::from_secs(options.patience);
            let requests = Requests { count: options.count, same: options.same };
            ask(&address, requests, options.in_flight.into(), patience).await
        }
        // Clap has seen to it that there is one.
        (None, None) => Ok(()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reverse: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// What is done for a peer, also while it is asked.
async fn reverse(request: Incoming) -> Outcome {
    let reversed = request.payload.iter().rev().copied().collect();
    Ok(Reply { flags: FLAGS, payload: reversed })
}

async fn serve(address: Address) -> Result<(), Error> {
    let listener = match Listener::bind(&address).await {
        Ok(listener) => listener,
        Err(source) => return Err(Error::Listen { address, source }),
    };
    // Before anybody is told that it can be interrupted.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    if address != Address::Stdio {
        eprintln!("listening on {}", listener.local_address());
    }
    let limits = Limits { answer_timeout: GOODBYE, close_timeout: GOODBYE, ..Limits::default() };
    let builder = || PacketConnection::builder().limits(limits).handler(reverse);
    let interrupted = async {
        interrupt.recv().await;
    };
    Ok(listener.serve_until(builder, interrupted).await?)
}

/// What is asked.
#[derive(Clone, Copy)]
struct Requests {
    count: u64,
    /// Whether all are the first one.
    same: bool,
}

async fn ask(
    address: &Address,
    requests: Requests,
    in_flight: usize,
    patience: Duration,
) -> Result<(), Error> {
    let Requests { count, same } = requests;
    let limits = Limits { max_calls: in_flight, close_timeout: patience, ..Limits::default() };
    let stream = Stream::connect(address).await?;
    let peer = PacketConnection::builder().limits(limits).handler(reverse).spawn(stream);
    let mut asked = VecDeque::with_capacity(in_flight);
    for number in 0..count {
        if asked.len() == in_flight
            && let Some(oldest) = asked.pop_front()
        {
            check(oldest, patience).await?;
        }
        asked.push_back(Asked::new(&peer, number, same || number == 0));
    }
    for rest in asked {
        check(rest, patience).await?;
    }
    peer.close();
    peer.closed().await.result?;
    eprintln!("{count} requests, {in_flight} in flight: all answered");
    Ok(())
}

/// A request on its way, and what should come of it.
struct Asked {
    number: u64,
    call: Call,
    reversed: Vec<u8>,
}

impl Asked {
    /// The known request is the one of the protocol's description, others are random.
    fn new(peer: &PacketConnection, number: u64, is_known: bool) -> Self {
        let mut random = rand::rng();
        let (rq_type, flags, payload) = if is_known {
            (1, 0x55, vec![2, 3])
        } else {
            // Mostly small, now and then beyond the sizes of buffers.
            let longest = if number.is_multiple_of(100) { 100_000 } else { 300 };
            let payload = (0..random.random_range(0..longest)).map(|_| random.random()).collect();
            (random.random_range(0..1 << 20), random.random_range(0..1 << 40), payload)
        };
        let reversed = payload.iter().rev().copied().collect();
        Self { number, call: peer.submit(rq_type, flags, payload), reversed }
    }
}

async fn check(Asked { number, call, reversed }: Asked, patience: Duration) -> Result<(), Error> {
    let Ok(answer) = tokio::time::timeout(patience, call).await else {
        return Err(Error::Slow { number, patience });
    };
    let Reply { flags, payload } = answer.map_err(|source| Error::Call { number, source })?;
    if flags != FLAGS {
        return Err(Error::Flags { number, flags });
    }
    if payload != reversed {
        return Err(Error::Payload { number });
    }
    Ok(())
}
