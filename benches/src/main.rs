//! packetstream and its peers at the same work, in one run: interleaved, every echo compared with what was sent.

mod busy;
mod contenders;
mod contestants;
mod goals;
mod idle;
mod overtake;
mod page;
mod plan;
mod plot;
mod python;
mod results;
mod stage;
mod work;

use clap::Parser;
use std::path::PathBuf;

/// Measures packetstream, its peers and what there is without either.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    plan: plan::Options,
    #[command(flatten)]
    only: plan::Only,
    /// Where to write `results.json`, a page and its plots.
    #[arg(long)]
    results: Option<PathBuf>,
    /// Only prints the KiB for each of so many idle connections of one contender; for this program's own children.
    #[arg(long, num_args = 2, value_names = ["CONTENDER", "CONNECTIONS"], hide = true)]
    weigh: Option<Vec<String>>,
}

fn main() {
    let options = Options::parse();
    stage::raise_file_limit();
    if let Some([contender, connections]) = options.weigh.as_deref() {
        let found = contestants::CONTESTANTS.iter().find(|one| one.name == contender);
        let library = found.and_then(|one| one.library.as_ref()).expect("its parent knows the names");
        let connections = connections.parse().expect("its parent knows numbers");
        println!("{}", (library.weigh)(options.plan.stage(), connections));
        return;
    }
    let results = plan::measure(options.plan, &options.only);
    let goals = goals::goals(&results);
    println!("\n{}", goals::table(&goals));
    if let Some(folder) = options.results {
        page::write(&folder, options.plan, &results, &goals).expect("results can be written");
    }
}
