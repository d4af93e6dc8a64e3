//! packetstream and its peers at the same work, in one run: interleaved, every echo compared with what was sent.

mod contenders;
mod run;

use clap::Parser;

fn main() {
    run::Options::parse().run();
}
