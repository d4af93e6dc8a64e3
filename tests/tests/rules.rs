//! Every rule of `packetstream-core/docs/wire.md` is cited by a test that shows it, and every test of the protocol cites
//! a rule.
//!
//! A test cites with a line `// Rules: W-3, L-7` directly above its attribute. In a program of trials (`live_python*`)
//! the line stands above the statement that adds a trial, and holds for those that follow up to an empty line. A test
//! of the implementation alone says so: `// Rules: none: <why>`. A conformance case has a line `rules: W-3, L-7`.
#![allow(clippy::unwrap_used, reason = "in a test that is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../packetstream-core/docs/wire.md");

/// The files, and folders with all that is in them, in which each test cites.
const OF_THE_PROTOCOL: &[&str] = &[
    "packetstream-core/src/codec/",
    "packetstream-core/src/float.rs",
    "packetstream-core/src/outcome.rs",
    "packetstream-core/src/packet/",
    "packetstream-core/src/payload/",
    "packetstream-core/src/request.rs",
    "packetstream-core/src/request/",
    "packetstream-core/src/state/",
    "packetstream-core/src/varint.rs",
    "packetstream-core/tests/blocking/conversation.rs",
    "packetstream-core/tests/blocking/lifecycle.rs",
    "packetstream-core/tests/blocking/limits.rs",
    "packetstream-core/tests/cancellation.rs",
    "packetstream-core/tests/channels.rs",
    "packetstream-core/tests/conversation.rs",
    "packetstream-core/tests/deaf_peer.rs",
    "packetstream-core/tests/fairness.rs",
    "packetstream-core/tests/hostile_peer.rs",
    "packetstream-core/tests/lifecycle.rs",
    "packetstream-core/tests/limits.rs",
    "packetstream-core/tests/model.rs",
    "packetstream-core/tests/nesting.rs",
    "packetstream-core/tests/not_sent.rs",
    "packetstream-core/tests/reports.rs",
    "packetstream-core/tests/reuse.rs",
    "tests/tests/cancel_safety/",
    "tests/tests/chunkstore.rs",
    "tests/tests/fields.rs",
    "tests/tests/golden/",
    "tests/tests/live_python/",
    "tests/tests/live_python_lifecycle/",
    "tests/tests/live_python_twin/",
    "tests/tests/reuse.rs",
    "tests/tests/simulator.rs",
    "tests/tests/simulator/",
];
/// Where tests may cite.
const SOURCES: &[&str] = &["packetstream", "packetstream-core", "packetstream-derive", "examples", "tests"];
const CASES: &str = "tests/conformance/";

/// The name of a rule.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Rule {
    letter: char,
    number: usize,
}

impl Rule {
    /// Reads `W-3`, and nothing else.
    fn read(name: &str) -> Option<Self> {
        let (letter, number) = name.split_once('-')?;
        let letter = ['W', 'R', 'L', 'P'].into_iter().find(|known| letter == known.to_string())?;
        let rule = Self { letter, number: number.parse().ok()? };
        // Not `W-03`, nor `W-+3`.
        (rule.to_string() == name).then_some(rule)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.letter, self.number)
    }
}

/// The rules of a page that are in force, and what is wrong with its numbers.
fn rules_of(page: &str) -> (BTreeSet<Rule>, Vec<String>) {
    let (mut in_force, mut all, mut faults) =
        (BTreeSet::new(), BTreeMap::<_, BTreeSet<_>>::new(), Vec::new());
    for line in page.lines() {
        let Some((name, text)) = line.strip_prefix("**").and_then(|line| line.split_once(".**")) else {
            continue;
        };
        let Some(rule) = Rule::read(name) else {
            faults.push(format!("wire.md: {name} is no name of a rule"));
            continue;
        };
        if !all.entry(rule.letter).or_default().insert(rule.number) {
            faults.push(format!("wire.md: {rule} stands there twice"));
        }
        if !text.starts_with(" Withdrawn") {
            in_force.insert(rule);
        }
    }
    for (letter, numbers) in all {
        let last = numbers.last().copied().unwrap_or_default();
        let gaps = (1..last).filter(|number| !numbers.contains(number));
        faults.extend(gaps.map(|number| format!("wire.md: there is no {letter}-{number}")));
    }
    (in_force, faults)
}

/// What a line of citation says: rules, or why there are none.
fn cited(list: &str) -> Result<Vec<Rule>, String> {
    let list = list.trim();
    if let Some(why) = list.strip_prefix("none") {
        let why = why.strip_prefix(':').map_or("", str::trim);
        return if why.is_empty() { Err("`none` without a reason".into()) } else { Ok(Vec::new()) };
    }
    let names = list.split(',').map(str::trim);
    names.map(|name| Rule::read(name).ok_or_else(|| format!("`{name}` is no name of a rule"))).collect()
}

/// What tests cite, and what is wrong with that.
#[derive(Default)]
struct Citations {
    rules: BTreeSet<Rule>,
    faults: Vec<String>,
}

impl Citations {
    fn take(&mut self, place: &str, list: &str) {
        match cited(list) {
            Ok(rules) => {
                let (known, _) = rules_of(PAGE);
                let unknown = rules.iter().filter(|rule| !known.contains(rule));
                self.faults.extend(unknown.map(|rule| format!("{place}: {rule} is no rule in force")));
                self.rules.extend(rules);
            }
            Err(fault) => self.faults.push(format!("{place}: {fault}")),
        }
    }

    /// Looks through a file with tests, each of which cites if `all_cite`. Returns how many there are.
    fn read_tests(&mut self, path: &str, text: &str, all_cite: bool) -> usize {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let has_trials = path.contains("/live_python");
        let (mut tests, mut holds) = (0, false);
        for (index, line) in lines.iter().enumerate() {
            let place = format!("{path}:{}", index + 1);
            let next = lines.get(index + 1).copied().unwrap_or_default();
            if let Some(list) = line.strip_prefix("// Rules:") {
                self.take(&place, list);
                holds = true;
                let is_code = !next.is_empty() && !next.starts_with("//");
                let has_test = is_test(next) || has_trials && is_code;
                if !has_test {
                    self.faults.push(format!("{place}: stands above no test"));
                }
            } else if is_test(line) {
                tests += 1;
                let cites = index > 0 && lines[index - 1].starts_with("// Rules:");
                if all_cite && !cites {
                    self.faults.push(format!("{place}: {} cites no rule", name_below(&lines[index..])));
                }
            } else if has_trials && is_trial(line) {
                tests += 1;
                if all_cite && !holds {
                    self.faults.push(format!("{place}: the trial cites no rule: {line}"));
                }
            } else if line.is_empty() {
                holds = false;
            }
        }
        tests
    }

    /// Looks through a file with conformance cases.
    fn read_cases(&mut self, path: &str, text: &str) {
        let mut cases = 0;
        for (index, line) in text.lines().enumerate() {
            if let Some(list) = line.trim().strip_prefix("rules:") {
                self.take(&format!("{path}:{}", index + 1), list);
                cases += 1;
            }
        }
        if cases == 0 {
            self.faults.push(format!("{path}: no case cites a rule"));
        }
    }
}

fn is_test(line: &str) -> bool {
    line == "#[test]" || line.starts_with("#[tokio::test]") || line.starts_with("#[tokio::test(")
}

/// Whether a line adds a trial: `trials.both(`.
fn is_trial(line: &str) -> bool {
    let verb = line.strip_prefix("trials.").and_then(|rest| rest.split_once('('));
    verb.is_some_and(|(verb, _)| !verb.is_empty() && verb.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

/// The name of the test whose attribute comes first.
fn name_below<'a>(lines: &[&'a str]) -> &'a str {
    let name = lines.iter().find_map(|line| line.split_once("fn ")?.1.split_once('('));
    name.map_or("a test", |(name, _)| name)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files in a folder and those within that have this ending, as paths from the root.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{}/{}", folder.trim_end_matches('/'), entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "target" {
                found.extend(files(&path, ending));
            }
        } else if path.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn is_in(path: &str, listed: &str) -> bool {
    if listed.ends_with('/') { path.starts_with(listed) } else { path == listed }
}

#[test]
fn every_rule_has_a_test_and_every_test_of_the_protocol_a_rule() {
    let (rules, faults) = rules_of(PAGE);
    let mut citations = Citations { faults, ..Citations::default() };
    let mut tests: BTreeMap<&str, usize> = BTreeMap::new();
    let sources: Vec<String> = SOURCES.iter().flat_map(|folder| files(folder, ".rs")).collect();
    for path in &sources {
        let listed = OF_THE_PROTOCOL.iter().find(|listed| is_in(path, listed));
        let text = fs::read_to_string(root().join(path)).unwrap();
        let count = citations.read_tests(path, &text, listed.is_some());
        if let Some(listed) = listed {
            *tests.entry(listed).or_default() += count;
        }
    }
    for path in files(CASES, ".cases") {
        citations.read_cases(&path, &fs::read_to_string(root().join(&path)).unwrap());
    }

    let Citations { rules: cited, mut faults } = citations;
    for listed in OF_THE_PROTOCOL {
        if tests.get(listed).is_none_or(|count| *count == 0) {
            faults.push(format!("{listed}: no tests there"));
        }
    }
    faults.extend(rules.difference(&cited).map(|rule| format!("wire.md: no test cites {rule}")));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What is wrong with a file of tests at this path.
fn faults_of(path: &str, text: &str) -> Vec<String> {
    let mut citations = Citations::default();
    citations.read_tests(path, text, true);
    citations.faults
}

#[test]
fn a_test_that_cites_nothing_or_no_rule_is_reported_with_its_name() {
    let faults = |text: &str| faults_of("a.rs", text);
    assert_eq!(faults("// Rules: W-1, P-2\n#[test]\nfn fine() {}"), [""; 0]);
    assert_eq!(
        faults("// Rules: none: memory\n#[tokio::test(start_paused = true)]\nasync fn fine() {}"),
        [""; 0]
    );
    assert_eq!(faults("#[test]\nfn lonely() {}"), ["a.rs:1: lonely cites no rule"]);
    assert_eq!(
        faults("proptest! {\n    #[test]\n    fn lonely(x in 0..1) {}"),
        ["a.rs:2: lonely cites no rule"]
    );
    let far = "// Rules: W-1\n\n#[test]\nfn far() {}";
    assert_eq!(faults(far), ["a.rs:1: stands above no test", "a.rs:3: far cites no rule"]);
    assert_eq!(faults("// Rules: W-1\nfn helper() {}"), ["a.rs:1: stands above no test"]);
    assert_eq!(faults("// Rules: W-999\n#[test]\nfn t() {}"), ["a.rs:1: W-999 is no rule in force"]);
    assert_eq!(faults("// Rules: none\n#[test]\nfn t() {}"), ["a.rs:1: `none` without a reason"]);
    for name in ["", "W3", "W-03", "W-+3", "X-1", "W-1 P-2"] {
        let fault = format!("a.rs:1: `{name}` is no name of a rule");
        assert_eq!(faults(&format!("// Rules: {name}\n#[test]\nfn t() {{}}")), [fault]);
    }
}

#[test]
fn a_citation_above_a_trial_holds_up_to_an_empty_line() {
    let path = "tests/tests/live_python/a.rs";
    let text = "// Rules: L-5\ntrials.both(\"a\", a);\ntrials.one(\"b\", b);\n\ntrials.one(\"c\", c);";
    assert_eq!(faults_of(path, text), [format!("{path}:5: the trial cites no rule: trials.one(\"c\", c);")]);
    assert_eq!(faults_of(path, "// Rules: L-5\n\ntrials.list();").len(), 2);
    assert_eq!(faults_of("other.rs", "// Rules: L-5\ntrials.one(\"a\", a);").len(), 1);
}

#[test]
fn numbers_of_rules_are_unique_and_have_no_gaps() {
    let faults = |page: &str| rules_of(page).1;
    assert_eq!(faults("**W-1.** One.\n\n**W-2.** Two.\n\n**L-1.** One."), [""; 0]);
    assert_eq!(faults("**W-1.** One.\n**W-1.** Again."), ["wire.md: W-1 stands there twice"]);
    assert_eq!(faults("**W-2.** Two."), ["wire.md: there is no W-1"]);
    assert_eq!(faults("**W-1a.** One."), ["wire.md: W-1a is no name of a rule"]);
    let (in_force, faults) = rules_of("**R-1.** Withdrawn.\n**R-2.** Two.");
    assert_eq!((in_force.len(), faults), (1, vec![]));
}

#[test]
fn a_case_cites_rules_there_are_and_a_file_of_cases_has_some() {
    let mut citations = Citations::default();
    citations.read_cases("a.cases", "17  a title\nrules: W-1, W-999\n");
    assert_eq!(citations.rules.len(), 2);
    citations.read_cases("b.cases", "18  a title\n");
    assert_eq!(citations.faults, ["a.cases:2: W-999 is no rule in force", "b.cases: no case cites a rule"]);
}
