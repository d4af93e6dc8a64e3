//! Holds a program that serves `reverse`, or asks it, to the rules of the protocol.
//!
//! `tests/conformance/README.md` tells what such a program does.

use clap::Parser;
use packetstream::Address;
use packetstream_tests::conformance::{Deviations, Report, Target, cases};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Holds a program to the rules of the packet stream protocol, case by case.
#[derive(Debug, Parser)]
struct Options {
    /// Where it serves `reverse`: `tcp://host:port`, `unix:/path`, or `exec:command` to start it for each case
    #[arg(required_unless_present = "asker")]
    address: Option<Address>,

    /// The command that asks a server at `{address}` for `{count}` answers at once.
    #[arg(long, value_name = "COMMAND")]
    asker: Option<String>,

    /// How long each step may take.
    #[arg(long, default_value_t = 5000, value_name = "MILLISECONDS")]
    patience: u64,

    /// Send all bytes in pieces of so many.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u16).range(1..))]
    piece: Option<u16>,

    /// A file of the cases that it is known to fail, a line each: the number, the reason.
    #[arg(long, value_name = "FILE")]
    deviations: Option<PathBuf>,

    /// Only these cases.
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    only: Vec<u32>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match hold(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing came as a surprise.
async fn hold(options: Options) -> Result<bool, Box<dyn Error>> {
    let deviations = match &options.deviations {
        None => Deviations::default(),
        Some(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Deviations::parse(&text)?
        }
    };
    let mut cases = cases()?;
    let named = options.only.iter().copied().chain(deviations.numbers());
    for number in named {
        if !cases.iter().any(|case| case.number == number) {
            return Err(format!("there is no case {number}").into());
        }
    }
    if !options.only.is_empty() {
        cases.retain(|case| options.only.contains(&case.number));
    }
    let target = Target {
        server: options.address,
        asker: options.asker,
        patience: Duration::from_millis(options.patience),
        piece: options.piece.map(usize::from),
    };
    let report = Report::of(&cases, &target, &deviations).await;
    println!("{report}");
    let tally = report.tally();
    Ok(tally.failed == 0 && tally.passed + tally.deviated > 0)
}
