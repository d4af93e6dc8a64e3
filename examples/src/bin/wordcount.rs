//! Counts the words of files in a child process, which asks for them piece by piece: both ways over one pipe pair, on
//! plain threads, without a runtime.
//!
//! The child never sees the files. In earnest it would be `exec:ssh host wordcount --serve`.

use clap::Parser;
use packetstream::blocking::{Child, Listener, spawn};
use packetstream::{
    Address, Bytes, Context, Failure, Fulfil, PacketConnection, Protocol, Reply, Request, serve,
};
use packetstream_examples::error_line::one_line;
use std::env;
use std::error::Error;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Counts the words of files in a child process.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Be the child.
    #[arg(long, conflicts_with = "files")]
    serve: bool,

    /// Files to count the words of.
    #[arg(required_unless_present = "serve")]
    files: Vec<PathBuf>,
}

/// What the child is asked.
#[derive(Debug, Protocol)]
#[packetstream(client = Counter)]
enum Counting {
    /// Counts the words of a file.
    #[request(0)]
    Count(Count),
}

/// What the child asks.
#[derive(Debug, Protocol)]
#[packetstream(client = Library)]
enum Reading {
    /// Reads a piece of a file; an empty one is its end.
    #[request(0)]
    Read(Read),
}

/// The file's place among those that were named.
#[derive(Debug, Request)]
#[request(reply = u64)]
struct Count {
    file: u64,
}

#[derive(Debug, Request)]
#[request(reply = Reply)]
struct Read {
    file: u64,
    offset: u64,
}

/// Bytes that are asked for at a time.
const PIECE: usize = 16 << 10;

/// The child. A thread for each file blocks until it has the next piece.
struct Words;

impl Fulfil<Count> for Words {
    async fn fulfil(&self, Count { file }: Count, cx: Context) -> Result<u64, Failure> {
        let library = cx.peer::<Library>();
        let (mut words, mut offset, mut within) = (0, 0, false);
        loop {
            let read = library.read(Read { file, offset }).wait();
            let piece = read.map_err(|error| Failure::new(error.to_string()))?.payload;
            if piece.is_empty() {
                return Ok(words);
            }
            for byte in &piece {
                let starts = !within && !byte.is_ascii_whitespace();
                words += u64::from(starts);
                within = !byte.is_ascii_whitespace();
            }
            offset += piece.len() as u64;
        }
    }
}

/// The parent. Its handlers read with blocking calls.
struct Files(Vec<File>);

impl Fulfil<Read> for Files {
    async fn fulfil(&self, Read { file, offset }: Read, _: Context) -> Result<Reply, Failure> {
        let file = usize::try_from(file).ok().and_then(|file| self.0.get(file));
        let file = file.ok_or_else(|| Failure::new("no such file"))?;
        let mut piece = vec![0; PIECE];
        let length = file.read_at(&mut piece, offset).map_err(|error| Failure::new(error.to_string()))?;
        piece.truncate(length);
        Ok(Reply::from(Bytes::from(piece)))
    }
}

fn main() -> ExitCode {
    let Options { serve, files } = Options::parse();
    match if serve { count() } else { ask(&files) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wordcount: {}", one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

fn count() -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind(&Address::Stdio)?;
    Ok(listener.serve(|| PacketConnection::builder().handler(serve::<Counting, _>(Words)))?)
}

fn ask(names: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    let open = |name: &PathBuf| {
        File::open(name).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", name.display())))
    };
    let files = Files(names.iter().map(open).collect::<Result<_, _>>()?);
    let mut child = Command::new(env::current_exe()?);
    child.arg("--serve");
    let (stream, _) = Child::spawn(child)?;
    let connection = spawn(PacketConnection::builder().handler(serve::<Reading, _>(files)), stream)?;

    let counter = connection.client::<Counter>();
    // All are on their way before the first is waited for.
    let calls = (0..).zip(names).map(|(file, name)| (name, counter.count(Count { file })));
    let mut total = 0;
    for (name, call) in calls.collect::<Vec<_>>() {
        let words = call.wait()?;
        println!("{words} {}", name.display());
        total += words;
    }
    println!("{total} in all");
    connection.close();
    let report = connection.closed()?;
    report.result?;
    Ok(report.shut_down.map_or(Ok(()), Err)?)
}
