//! packetstream and its peers at the same work, in one run: interleaved, every echo compared with what was sent.

mod contenders;
mod rounds;
mod stage;
mod work;

use clap::Parser;

fn main() {
    rounds::Options::parse().run();
}
