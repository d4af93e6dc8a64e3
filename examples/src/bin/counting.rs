//! Counting words for a peer that may be Python, and asking back before it counts: the protocol of the
//! README as a program. Its Python half is `examples/python/counting.py`.

use clap::{ArgGroup, Parser};
use packetstream::{
    Address, ConnectError, ConnectionError, Context, Failure, Fulfil, Listener, PacketConnection, Protocol,
    Request, RequestError, ServeError, Stream, serve,
};
use packetstream_examples::error_line::one_line;
use std::io;
use std::process::ExitCode;

/// What the server is asked.
#[derive(Debug, Protocol)]
#[packetstream(client = Counter)]
enum Counting {
    /// How often is a word in a text?
    #[request(0)]
    Count(Count),
}

/// What the client is asked meanwhile. A Python side has one table of requests for both directions, so that its
/// numbers are others.
#[derive(Debug, Protocol)]
#[packetstream(client = Person)]
enum Asking {
    /// Is it all right?
    #[request(1)]
    Confirm(Confirm),
}

#[derive(Debug, Request)]
#[request(reply = u64)]
struct Count {
    word: String,
    text: String,
}

#[derive(Debug, Request)]
#[request(reply = bool)]
struct Confirm {
    question: String,
}

/// Counts words for a peer, or has a peer count them.
#[derive(Debug, Parser)]
#[command(version, group = ArgGroup::new("side").required(true))]
struct Options {
    /// Count at an address: `tcp://host:port`, `unix:/path` or `stdio:`
    #[arg(long, group = "side", value_name = "ADDRESS")]
    listen: Option<Address>,

    /// Have the peer at an address count: `tcp://host:port`, `unix:/path`, `stdio:` or `exec:command`
    #[arg(long, group = "side", value_name = "ADDRESS")]
    connect: Option<Address>,

    /// In what to count.
    #[arg(long, requires = "connect", default_value = "")]
    text: String,

    /// What to count.
    #[arg(requires = "connect", value_name = "WORD")]
    words: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot listen on {address}")]
    Listen { address: Address, source: io::Error },
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("cannot have `{word}` counted")]
    Count { word: String, source: RequestError },
    #[error("the connection did not end well")]
    Goodbye(#[from] ConnectionError),
}

struct Server;

impl Fulfil<Count> for Server {
    async fn fulfil(&self, Count { word, text }: Count, cx: Context) -> Result<u64, Failure> {
        let question = format!("count `{word}`?");
        if !cx.peer::<Person>().confirm(Confirm { question }).await.is_ok_and(|yes| yes) {
            return Err(Failure::new("not confirmed"));
        }
        Ok(text.matches(&word).count() as u64)
    }
}

struct User;

impl Fulfil<Confirm> for User {
    async fn fulfil(&self, Confirm { question }: Confirm, _: Context) -> Result<bool, Failure> {
        println!("asked: {question}");
        Ok(question != "count `not`?")
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let result = match (options.listen, options.connect) {
        (Some(address), _) => listen(address).await,
        (_, Some(address)) => ask(&address, &options.text, options.words).await,
        // Clap has seen to it that there is one.
        (None, None) => Ok(()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("counting: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

async fn listen(address: Address) -> Result<(), Error> {
    let listener = match Listener::bind(&address).await {
        Ok(listener) => listener,
        Err(source) => return Err(Error::Listen { address, source }),
    };
    if address != Address::Stdio {
        eprintln!("listening on {}", listener.local_address());
    }
    Ok(listener.serve(|| PacketConnection::builder().handler(serve::<Counting, _>(Server))).await?)
}

async fn ask(address: &Address, text: &str, words: Vec<String>) -> Result<(), Error> {
    let stream = Stream::connect(address).await?;
    let connection = PacketConnection::builder().handler(serve::<Asking, _>(User)).spawn(stream);
    let counter = Counter::from(connection.clone());
    for word in words {
        match counter.count(Count { word: word.clone(), text: text.to_owned() }).await {
            Ok(count) => println!("{word}: {count}"),
            Err(RequestError::Refused(_)) => println!("{word}: not counted"),
            Err(source) => return Err(Error::Count { word, source }),
        }
    }
    connection.close();
    Ok(connection.closed().await.result?)
}
