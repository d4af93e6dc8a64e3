//! Scenarios of seeds.

use super::random::Random;
use super::scenario::{
    CHANNEL, Cut, Deed, End, Flip, Link, ReaderSees, Request, Scenario, Shutdown, Stall, Step, Then,
    WriterSees,
};

/// Nothing that can end a connection.
const KIND: [Deed; 15] = [
    Deed::Echo,
    Deed::Echo,
    Deed::Echo,
    Deed::Later,
    Deed::Later,
    Deed::Polls,
    Deed::Fail,
    Deed::FailLater,
    Deed::Panic,
    Deed::PanicLater,
    Deed::PanicInDrop,
    Deed::AskBack,
    Deed::AskTwice,
    Deed::AskAndForget,
    Deed::TooLong,
];

/// What all requests and links of a scenario have in common.
struct Taste {
    is_healthy: bool,
    /// The longest payloads.
    size: usize,
    /// How long handlers take at most.
    ms: u64,
    nests: bool,
    deeds: [Deed; 3],
}

impl Scenario {
    /// The scenario of a seed: half of them with nothing wrong but odd settings, the others with anything.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let is_healthy = random.below(20) < 11;
        let links = links(random, is_healthy);
        let narrow = links.iter().map(|link| link.capacity.min(link.read).min(link.write)).min();
        let size = match narrow {
            Some(..16) => random.pick(&[0, 10, 100]),
            Some(..1_000) => random.pick(&[0, 100, 500]),
            _ => random.pick(&[0, 50, 500, 9_000, 30_000, 100_000]),
        };
        let taste = Taste {
            is_healthy,
            size,
            ms: random.pick(&[0, 10, 700, 1_500]),
            nests: random.one_in(2),
            deeds: [(); 3].map(|()| random.pick(&KIND)),
        };
        let patience = if is_healthy || random.one_in(3) {
            End::PATIENT
        } else {
            [(); 3].map(|()| random.pick(&[300, 5_000, 30_000, 3_600_000]))
        };
        let packet = max_packet(random);
        let ends = [(); 2].map(|()| {
            let max_packet = if is_healthy || random.one_in(2) { packet } else { max_packet(random) };
            let [stall, answer, close] = patience;
            End { stall, answer, close, ..end(random, max_packet) }
        });
        let ends = if random.one_in(2) { ends } else { ends.map(|end| End { shuts_down: false, ..end }) };
        let rounds = if random.one_in(3) { 2 } else { 1 };
        let mut steps: Vec<Step> = (0..random.within(1, 30)).map(|_| step(random, &taste)).collect();
        if is_healthy && random.one_in(2) {
            steps.push(Step::Settle);
        }
        Self { seed: random.next(), ends, links, rounds, steps }
    }
}

fn max_packet(random: &mut Random) -> usize {
    random.pick(&[1, 64, 200, 600, 1 << 16, 16 << 20, 16 << 20, 16 << 20])
}

fn end(random: &mut Random, max_packet: usize) -> End {
    let is_default = random.one_in(4);
    let mut pick = |few: &[usize], default| if is_default { default } else { random.pick(few) };
    End {
        max_packet,
        max_calls: pick(&[0, 1, 2, 5, 30, 256], 256),
        max_call_bytes: pick(&[0, 100, 5_000, 16 << 20], 16 << 20),
        max_handlers: pick(&[0, 1, 2, 4, 256], 256),
        max_queued: pick(&[0, 0, 1, 4, 1024], 1024),
        max_request_bytes: pick(&[0, 100, 5_000, 32 << 20], 32 << 20),
        max_unsent_bytes: pick(&[0, 100, 5_000, 4 << 20], 4 << 20),
        stall: 0,
        answer: 0,
        close: 0,
        grace: random.pick(&[0, 0, 0, 1, 10]),
        shuts_down: random.one_in(2),
    }
}

fn links(random: &mut Random, is_healthy: bool) -> [Link; 2] {
    let is_wide = random.one_in(3);
    let link = |random: &mut Random| {
        let sizes: &[usize] =
            if is_wide { &[4_096, 1 << 16] } else { &[1, 3, 16, 100, 4_096, 1 << 16, 1 << 16] };
        let odd = |random: &mut Random| random.pick(&[0, 0, 0, 2, 5, 50]);
        let [capacity, read, write] = [(); 3].map(|()| random.pick(sizes));
        let delay = random.pick(&[0, 0, 0, 1, 20, 300]);
        // All that is asked is to arrive within the hour.
        let most_delay = match capacity.min(read).min(write) {
            0..100 => 1,
            100..4_096 => 20,
            _ => 300,
        };
        Link {
            capacity,
            read,
            write,
            delay: delay.min(most_delay),
            again: odd(random),
            wakes: odd(random),
            holds: random.one_in(2),
            vectored: random.one_in(2),
            stall: random.one_in(6).then(|| Stall { at: place(random), ms: random.below(Link::SHORT_STALL) }),
            flip: None,
            cut: None,
            shutdown: Shutdown::Fine,
        }
    };
    let mut links = [link(random), link(random)];
    if is_healthy {
        return links;
    }
    // Often one direction only, of all that can go wrong often one thing only.
    for link in &mut links {
        if random.one_in(3) {
            link.cut = Some(cut(random));
        }
        if random.one_in(10) {
            link.flip = Some(Flip { at: place(random), bit: random.pick(&[0, 1, 2, 3, 4, 5, 6, 7]) });
        }
        if random.one_in(8) {
            link.stall = Some(Stall { at: place(random), ms: random.below(600_000) });
        }
        if random.one_in(8) {
            link.shutdown = random.pick(&[Shutdown::Fails, Shutdown::Hangs]);
        }
    }
    links
}

fn cut(random: &mut Random) -> Cut {
    let reader = random.pick(&[ReaderSees::StreamEnd, ReaderSees::ReadError, ReaderSees::NothingMore]);
    let writer = random.pick(&[
        WriterSees::WriteError,
        WriterSees::WriteError,
        WriterSees::Zero,
        WriterSees::Lie,
        WriterSees::Success,
        WriterSees::Blocked,
    ]);
    Cut { at: place(random), reader, writer }
}

/// A place in a stream, mostly an early one.
fn place(random: &mut Random) -> u64 {
    let most = random.pick(&[10, 100, 1_000, 20_000]);
    random.below(most)
}

fn step(random: &mut Random, taste: &Taste) -> Step {
    let end = random.within(0, 1);
    let rare = random.below(100);
    match rare {
        0..45 => Step::Ask { end, then: then(random), request: request(random, taste) },
        45..52 => {
            let most = random.pick(&[20, 20, 100, 300]);
            let count = u32::try_from(random.below(most)).unwrap_or(0);
            let then = if random.one_in(2) { Then::Wait } else { then(random) };
            Step::Flood { end, count, then, request: flooding(request(random, taste), count) }
        }
        52..57 => Step::GiveUp { end, nth: random.within(0, 5) },
        57..62 => Step::Barrier(end),
        62..74 => Step::Sleep(random.below(700)),
        74..86 => Step::Yield(u32::try_from(random.below(20)).unwrap_or(0)),
        86..91 => Step::Settle,
        91 => Step::Jump(random.pick(&[1, 40, 3_600])),
        92 => Step::Drain(end),
        93 => Step::Close(end),
        94 => Step::DropHandle(end),
        95 | 96 => Step::Serve { end, channel: random.pick(&[0, CHANNEL, 9, 9]) },
        97 if !taste.is_healthy => Step::Abort(end),
        98 if !taste.is_healthy => Step::DropDriver(end),
        _ => Step::Listen(end),
    }
}

fn then(random: &mut Random) -> Then {
    match random.below(10) {
        0 | 1 => Then::Timeout(random.below(1_000)),
        2 => Then::Forget,
        3 => Then::Poll(u32::try_from(random.below(12)).unwrap_or(0)),
        4 => Then::Reserve,
        _ => Then::Wait,
    }
}

fn request(random: &mut Random, taste: &Taste) -> Request {
    let ends = if taste.is_healthy {
        Deed::Goodbye
    } else {
        random.pick(&[Deed::Hang, Deed::UntilCancelled, Deed::Goodbye])
    };
    let deed = if random.one_in(60) { ends } else { random.pick(&taste.deeds) };
    let size = |random: &mut Random| random.within(0, taste.size);
    Request {
        channel: random.pick(&[0, 0, 0, 0, CHANNEL, CHANNEL, 9]),
        deed: if taste.nests { deed } else { flat(deed) },
        size: size(random),
        reply: size(random),
        ms: random.below(taste.ms + 1),
        depth: if taste.nests { u32::try_from(random.below(6)).unwrap_or(0) } else { 0 },
    }
}

/// The same, without asking back.
fn flat(deed: Deed) -> Deed {
    if deed.asks_back() { Deed::Echo } else { deed }
}

/// What may be asked so many times over without an end: the larger the less there is of it. All of it takes less time
/// than a peer is left unread before that gives up.
fn flooding(request: Request, count: u32) -> Request {
    let most = if count > 50 { 200 } else { 20_000 };
    let ms = request.ms.min(20_000 / u64::from(count.max(1)));
    let depth = if request.deed == Deed::AskTwice { request.depth.min(2) } else { request.depth };
    Request {
        size: request.size.min(most),
        reply: request.reply.min(most),
        depth: depth.min(3),
        ms,
        ..request
    }
}
