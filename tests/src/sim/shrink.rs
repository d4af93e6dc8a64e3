//! Makes a scenario that fails smaller, for as long as it still does.

use super::invariant::Invariant;
use super::run::run;
use super::scenario::{Deed, End, Link, Request, Scenario, Shutdown, Step, Then};
use std::time::{Duration, Instant};

/// How long one search takes.
const SEARCH: Duration = Duration::from_secs(20);

impl Scenario {
    /// The smallest scenario found within 20 s that violates the same invariant as this one does first; the same if it
    /// violates none.
    #[must_use]
    pub fn shrunk(&self) -> Self {
        let Some(invariant) = broken(self) else { return self.clone() };
        let begin = Instant::now();
        let mut smallest = self.clone();
        loop {
            let smaller = candidates(&smallest)
                .into_iter()
                .take_while(|_| begin.elapsed() < SEARCH)
                .find(|candidate| *candidate != smallest && broken(candidate) == Some(invariant));
            match smaller {
                Some(smaller) => smallest = smaller,
                None => return smallest,
            }
        }
    }
}

fn broken(scenario: &Scenario) -> Option<Invariant> {
    run(scenario, false).violations.first().map(|violation| violation.invariant)
}

/// Smaller scenarios, the smallest first.
fn candidates(scenario: &Scenario) -> Vec<Scenario> {
    let mut candidates = Vec::new();
    let mut len = scenario.steps.len();
    while len > 0 {
        for begin in (0..scenario.steps.len()).step_by(len) {
            let mut steps = scenario.steps.clone();
            steps.drain(begin..(begin + len).min(scenario.steps.len()));
            candidates.push(Scenario { steps, ..scenario.clone() });
        }
        len /= 2;
    }
    candidates.push(Scenario { rounds: 1, ..scenario.clone() });
    for end in 0..2 {
        let link = scenario.links[end];
        candidates.extend(simpler_links(&link).into_iter().map(|link| {
            let mut links = scenario.links;
            links[end] = link;
            Scenario { links, ..scenario.clone() }
        }));
        candidates.extend(simpler_ends(&scenario.ends[end]).into_iter().map(|settings| {
            let mut ends = scenario.ends;
            ends[end] = settings;
            Scenario { ends, ..scenario.clone() }
        }));
    }
    for (index, step) in scenario.steps.iter().enumerate() {
        for simpler in simpler_steps(step) {
            let mut steps = scenario.steps.clone();
            steps[index] = simpler;
            candidates.push(Scenario { steps, ..scenario.clone() });
        }
    }
    candidates
}

fn simpler_links(link: &Link) -> Vec<Link> {
    let simplest = Link {
        capacity: 1 << 16,
        read: 1 << 16,
        write: 1 << 16,
        delay: 0,
        again: 0,
        wakes: 0,
        holds: false,
        vectored: false,
        stall: None,
        flip: None,
        cut: None,
        shutdown: Shutdown::Fine,
    };
    vec![
        simplest,
        Link { capacity: simplest.capacity, ..*link },
        Link { read: simplest.read, ..*link },
        Link { write: simplest.write, ..*link },
        Link { delay: 0, ..*link },
        Link { again: 0, ..*link },
        Link { wakes: 0, ..*link },
        Link { holds: false, ..*link },
        Link { vectored: false, ..*link },
        Link { stall: None, ..*link },
        Link { flip: None, ..*link },
        Link { cut: None, ..*link },
        Link { shutdown: Shutdown::Fine, ..*link },
    ]
}

fn simpler_ends(end: &End) -> Vec<End> {
    let [stall, answer, close] = End::PATIENT;
    vec![
        End { stall, answer, close, ..*end },
        End { max_packet: 16 << 20, ..*end },
        End { max_calls: 256, ..*end },
        End { max_call_bytes: 16 << 20, ..*end },
        End { max_handlers: 256, ..*end },
        End { max_queued: 1024, ..*end },
        End { max_request_bytes: 32 << 20, ..*end },
        End { max_unsent_bytes: 4 << 20, ..*end },
        End { grace: 0, ..*end },
        End { shuts_down: false, ..*end },
    ]
}

fn simpler_steps(step: &Step) -> Vec<Step> {
    match *step {
        Step::Ask { end, then, request } => {
            let mut simpler = vec![Step::Ask { end, then: Then::Wait, request }];
            simpler.extend(simpler_requests(&request).map(|request| Step::Ask { end, then, request }));
            simpler
        }
        Step::Flood { end, count, then, request } => {
            let mut simpler =
                vec![Step::Ask { end, then, request }, Step::Flood { end, count, then: Then::Wait, request }];
            let counts = [count / 2, count - count / 4, count.saturating_sub(1)];
            simpler.extend(counts.map(|count| Step::Flood { end, count, then, request }));
            let simpler_requests = simpler_requests(&request);
            simpler.extend(simpler_requests.map(|request| Step::Flood { end, count, then, request }));
            simpler
        }
        Step::Yield(times) => vec![Step::Yield(times / 2)],
        Step::Sleep(ms) => vec![Step::Yield(1), Step::Sleep(ms / 2)],
        _ => Vec::new(),
    }
}

fn simpler_requests(request: &Request) -> impl Iterator<Item = Request> + use<> {
    let request = *request;
    [
        Request { deed: Deed::Echo, ..request },
        Request { channel: 0, ..request },
        Request { size: 0, ..request },
        Request { size: request.size / 2, ..request },
        Request { reply: 0, ..request },
        Request { reply: request.reply / 2, ..request },
        Request { ms: 0, ..request },
        Request { depth: 0, ..request },
        Request { depth: request.depth.saturating_sub(1), ..request },
    ]
    .into_iter()
    .filter(move |simpler| *simpler != request)
}
