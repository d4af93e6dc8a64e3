//! A pool of three servers, each a process of its own, balanced by `tower`: one is slow, one is killed in the middle
//! of the work and started again, and nothing is lost.

use clap::Parser;
use futures_util::{StreamExt, TryStreamExt, stream};
use packetstream::tower::{Layered, LayeredError};
use packetstream::{
    Address, Backoff, Connector, Context, Failure, Fulfil, Link, Listener, Outgoing, PacketConnection,
    Payload, Protocol, Reply, Request, serve,
};
use packetstream_examples::error_line::one_line;
use std::error::Error;
use std::future;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PendingRequests};
use tower::retry::Policy;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceBuilder};

/// Has three servers do some work, of which one is slow and one is killed meanwhile; without options.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Be one of the servers, at an address
    #[arg(long, value_name = "ADDRESS", requires = "name")]
    listen: Option<Address>,

    /// Which of the servers
    #[arg(long, requires = "listen")]
    name: Option<u64>,

    /// How long each answer takes
    #[arg(long, default_value_t = 0, requires = "listen", value_name = "MILLISECONDS")]
    takes: u64,
}

/// What the servers are asked.
#[derive(Debug, Protocol)]
enum Work {
    /// Squares a number.
    #[request(0)]
    Square(Square),
}

/// Done twice it is done once, so it may be asked again when a server is lost.
#[derive(Debug, Request)]
#[request(reply = Squared, idempotent)]
struct Square(u64);

#[derive(Debug, Payload)]
struct Squared {
    square: u64,
    /// Which server has done it.
    by: u64,
}

struct Server {
    name: u64,
    takes: Duration,
}

impl Fulfil<Square> for Server {
    async fn fulfil(&self, Square(n): Square, _: Context) -> Result<Squared, Failure> {
        tokio::time::sleep(self.takes).await;
        let square = n.checked_mul(n).ok_or_else(|| Failure::new("too large"))?;
        Ok(Squared { square, by: self.name })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match Options::parse() {
        Options { listen: Some(address), name: Some(name), takes } => {
            be_server(&address, name, Duration::from_millis(takes)).await
        }
        _ => show().await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pool: {}", one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Serves until it is killed.
async fn be_server(address: &Address, name: u64, takes: Duration) -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind(address).await?;
    println!("{}", listener.local_address());
    listener.serve(|| PacketConnection::builder().handler(serve::<Work, _>(Server { name, takes }))).await?;
    Ok(())
}

/// A server that runs.
struct Running {
    child: Child,
    address: Address,
}

impl Running {
    async fn start(name: u64, address: &Address) -> Result<Self, Box<dyn Error>> {
        let takes = if name == SLOW { "50" } else { "0" };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--listen", &address.to_string(), "--name", &name.to_string(), "--takes", takes]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        let line = BufReader::new(stdout).lines().next_line().await?.ok_or("the server says nothing")?;
        Ok(Self { child, address: line.parse()? })
    }
}

/// The server that is slow.
const SLOW: u64 = 1;
/// The server that is killed.
const MORTAL: u64 = 2;

/// How much is asked each time.
const CALLS: u64 = 400;
/// How much of it at once.
const AT_ONCE: usize = 32;

async fn show() -> Result<(), Box<dyn Error>> {
    let anywhere: Address = "tcp://127.0.0.1:0".parse()?;
    let mut servers = Vec::new();
    for name in [0, SLOW, MORTAL] {
        servers.push(Running::start(name, &anywhere).await?);
    }
    let work = pool(servers.iter().map(|server| server.address.clone()));

    let answered = ask(&work, async || Ok(())).await?;
    println!("3 servers: {CALLS} asked, {} answered", total(answered));
    let [first, slow, mortal] = answered;
    if slow == 0 || slow >= first.min(mortal) / 2 {
        return Err(format!("the slow server has answered {slow}, the others {first} and {mortal}").into());
    }
    println!("the slow one was asked, and less than half as often as each other");

    let Running { child, address } = &mut servers[2];
    let answered = ask(&work, async || child.kill().await).await?;
    println!("one killed half-way: {CALLS} asked, {} answered", total(answered));
    let answered = ask(&work, async || Ok(())).await?;
    println!("2 servers: {CALLS} asked, {} answered, {} by the dead", total(answered), answered[2]);

    servers[2] = Running::start(MORTAL, address).await?;
    // The pool tries it now and then: it is there when it is asked, whatever that takes.
    while ask(&work, async || Ok(())).await?[2] == 0 {}
    println!("started again, and asked again");
    for mut server in servers {
        server.child.kill().await?;
    }
    Ok(())
}

type Pool = Layered<Work, BoxCloneSyncService<Outgoing, Reply, BoxError>>;

/// A pool of links to these addresses. Each call goes to the one of two with fewer calls in flight.
fn pool(addresses: impl Iterator<Item = Address>) -> Pool {
    let backoff = Backoff { most: Duration::from_millis(500), ..Backoff::default() };
    let members = addresses.map(|address| -> PendingRequests<Link<Work>> {
        PendingRequests::new(Connector::to(address).backoff(backoff).link(), CompleteOnResponse::default())
    });
    let members = ServiceList::new(members.collect::<Vec<_>>());
    let stack = ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(2 * AT_ONCE)
        .timeout(Duration::from_secs(20))
        .retry(Again(5))
        .buffer(2 * AT_ONCE)
        .service(Balance::new(members));
    Layered::new(BoxCloneSyncService::new(stack))
}

/// Asks up to so many more times, where that does no harm.
#[derive(Clone, Debug)]
struct Again(u32);

impl Policy<Outgoing, Reply, BoxError> for Again {
    type Future = future::Ready<()>;

    fn retry(&mut self, asked: &mut Outgoing, result: &mut Result<Reply, BoxError>) -> Option<Self::Future> {
        let error = result.as_ref().err()?;
        self.0 = self.0.checked_sub(1)?;
        asked.may_be_asked_again(&**error).then(|| future::ready(()))
    }

    fn clone_request(&mut self, asked: &Outgoing) -> Option<Outgoing> {
        Some(asked.clone())
    }
}

/// Asks, many at once, and does something when half of it is answered. Says how many each server has answered, all
/// of them rightly.
async fn ask(
    work: &Pool,
    half_way: impl AsyncFnOnce() -> std::io::Result<()>,
) -> Result<[u64; 3], Box<dyn Error>> {
    let calls = stream::iter(1..=CALLS).map(async |n| {
        let Squared { square, by } = work.call(Square(n)).await?;
        Ok::<_, LayeredError>((n, square, by))
    });
    let mut calls = calls.buffer_unordered(AT_ONCE);
    let (mut answered, mut half_way) = ([0; 3], Some(half_way));
    while let Some((n, square, by)) = calls.try_next().await? {
        if square != n * n {
            return Err(format!("{n} times {n} is not {square}").into());
        }
        *answered.get_mut(usize::try_from(by)?).ok_or("there is no such server")? += 1;
        if total(answered) == CALLS / 2
            && let Some(half_way) = half_way.take()
        {
            half_way().await?;
        }
    }
    Ok(answered)
}

fn total(answered: [u64; 3]) -> u64 {
    answered.iter().sum()
}
