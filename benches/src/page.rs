//! The page of a run: the table, plots, and all figures; and the same as JSON.

use crate::goals::{Goal, number};
use crate::plan::{BUSY, CALLS, CONNECTIONS, IDLE, IN_FLIGHT, OVERTAKING, Options, POOL};
use crate::plot;
use crate::results::{Figure, Results};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

/// Begins the names of those whose page it is.
const OURS: &str = "packetstream";
/// Files that are linked, with what they depend on that is not in them.
const LOCK: &str = include_str!("../Cargo.lock");

/// When, where and with what.
struct Circumstances {
    date: String,
    machine: String,
    versions: String,
    stage: String,
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn version(package: &str) -> Option<String> {
    let after = LOCK.split_once(&format!("name = \"{package}\"\nversion = \""))?.1;
    Some(format!("{package} {}", after.split_once('"')?.0))
}

impl Circumstances {
    fn now(options: Options) -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let models = cpus.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let models: Vec<&str> = models.map(|(_, model)| model).collect();
        let kernel = said_by("uname", &["-sr"]);
        let packages = ["tokio", "tarpc", "ttrpc", "capnp-rpc", "tonic", "remoc"];
        let mut versions: Vec<String> = packages.into_iter().filter_map(version).collect();
        versions.insert(0, said_by("rustc", &["--version"]));
        Self {
            date: said_by("date", &["-u", "+%Y-%m-%d"]),
            machine: format!("{} x {}, {kernel}", models.len(), models.first().unwrap_or(&"unknown")),
            versions: versions.join(", "),
            stage: format!("{:?}", options.stage()),
        }
    }
}

pub(crate) fn write(folder: &Path, options: Options, results: &Results, goals: &[Goal]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let now = Circumstances::now(options);
    let all = json!({
        "date": now.date,
        "machine": now.machine,
        "versions": now.versions,
        "stage": now.stage,
        "goals": goals.iter().map(Goal::json).collect::<Vec<_>>(),
        "figures": results.json(),
    });
    fs::write(folder.join("results.json"), format!("{all:#}\n"))?;
    let mut plots = Vec::new();
    for (group, more_is_better) in
        [(CALLS, true), (POOL, true), (IDLE, false), (OVERTAKING, false), (BUSY, true)]
    {
        for (work, figures) in results.works(group) {
            let name = file_name(group, work);
            fs::write(folder.join(&name), bars(group, work, &figures, more_is_better))?;
            plots.push((name, format!("{group} {work}")));
        }
    }
    for group in [CONNECTIONS, IN_FLIGHT] {
        if !results.works(group).is_empty() {
            let name = file_name(group, "");
            fs::write(folder.join(&name), lines(group, results))?;
            plots.push((name, group.into()));
        }
    }
    fs::write(folder.join("index.html"), page(&now, results, goals, &plots))
}

fn file_name(group: &str, work: &str) -> String {
    let name = format!("{group} {work}").trim().to_lowercase().replace(' ', "-");
    format!("{name}.svg")
}

fn bars(group: &str, work: &str, figures: &[&Figure], more_is_better: bool) -> String {
    let mut values: Vec<(&str, f64)> =
        figures.iter().filter_map(|figure| Some((figure.contender, figure.median()?))).collect();
    values.sort_by(
        |one, other| if more_is_better { other.1.total_cmp(&one.1) } else { one.1.total_cmp(&other.1) },
    );
    let unit = figures.first().map_or("", |figure| figure.unit);
    plot::bars(&title(group, work, unit), OURS, &values)
}

fn title(group: &str, work: &str, unit: &str) -> String {
    match group {
        CALLS => format!("{work}: {unit}, more is better"),
        POOL => format!("{work} on a runtime with 2 workers: {unit}, more is better"),
        BUSY => format!("W7: {work} busy connections to a server on all cores: {unit}, more is better"),
        IDLE => format!("W5: {unit} for each of {work} idle connections, less is better"),
        _ => format!("W6: what 99 of 100 small calls take beside 16 MiB, in {unit}, less is better"),
    }
}

fn lines(group: &str, results: &Results) -> String {
    let works = results.works(group);
    let mut series: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for figure in works.iter().flat_map(|(_, figures)| figures) {
        let Some((size, rate)) = figure.work.parse().ok().zip(figure.median()) else { continue };
        let point = (size, 1e9 / rate);
        match series.iter_mut().find(|(name, _)| *name == figure.contender) {
            Some((_, points)) => points.push(point),
            None => series.push((figure.contender, vec![point])),
        }
    }
    let across =
        if group == CONNECTIONS { "connections, one call in flight on each" } else { "calls in flight" };
    plot::lines("W7: nanoseconds of a core for a call, both ends", across, &series)
}

fn page(now: &Circumstances, results: &Results, goals: &[Goal], plots: &[(String, String)]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>packetstream: performance</title>\n\
         <style>body{{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}table{{border-collapse:collapse}}\
         td,th{{border-bottom:1px solid #ddd;padding:3px 10px;text-align:right}}td:first-child,th:first-child{{text-align:left}}\
         img{{width:100%}}</style>\n<h1>packetstream: performance</h1>\n\
         <p>{}. {}. {}. {}.</p>\n<h2>What is to be reached</h2>\n<table><tr><th>what<th>must<th>aim<th>reached<th>verdict\n",
        now.date, now.machine, now.versions, now.stage
    );
    for goal in goals {
        let reached = goal.reached.map_or("-".into(), number);
        let (what, must, aim, verdict) = (&goal.what, number(goal.must), number(goal.aim), goal.verdict());
        page += &format!("<tr><td>{what}<td>{must}<td>{aim}<td>{reached}<td>{verdict}\n");
    }
    page += "</table>\n<h2>Plots</h2>\n";
    for (file, what) in plots {
        page += &format!("<img src=\"{file}\" alt=\"{what}\">\n");
    }
    page += "<h2>All figures</h2>\n<table><tr><th>work<th>contender<th>median<th>unit\n";
    for Figure { group, work, contender, unit, rounds } in &results.figures {
        let median = crate::results::median(rounds.iter().copied()).map_or("-".into(), number);
        page += &format!("<tr><td>{group} {work}<td>{contender}<td>{median}<td>{unit}\n");
    }
    page + "</table>\n"
}
