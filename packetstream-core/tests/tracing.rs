//! What a connection tells `tracing`, and what it never tells.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{Script, answer, in_time, never, reverse};
use packetstream_core::{Builder, CallError, Failure, Incoming, Limits, Outcome, Packet, PacketConnection};
use rand::RngExt;
use rand::distr::Alphanumeric;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::duplex;
use tracing::span::Id;
use tracing::{Level, Subscriber, info, info_span};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Has what this thread does logged here, until the guard is dropped.
    fn listen(&self, level: Level) -> tracing::subscriber::DefaultGuard {
        let spans = FmtSpan::NEW | FmtSpan::CLOSE;
        let format = tracing_subscriber::fmt().with_max_level(level).with_span_events(spans).without_time();
        let subscriber =
            format.with_ansi(false).with_writer(self.clone()).finish().with(Follows(self.clone()));
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines with all of these in them.
    #[track_caller]
    fn lines(&self, parts: &[&str]) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
        lines.map(|line| line.trim_start().to_owned()).collect()
    }

    /// The only such line.
    #[track_caller]
    fn line(&self, parts: &[&str]) -> String {
        match &self.lines(parts)[..] {
            [line] => line.clone(),
            lines => panic!("{lines:?} with {parts:?} in\n{}", self.text()),
        }
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Writes down which span follows from which.
struct Follows(Log);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Follows {
    fn on_follows_from(&self, span: &Id, follows: &Id, context: Context<'_, S>) {
        let name = |id| context.span(id).unwrap().name();
        writeln!(self.0.clone(), "{} follows from {}", name(span), name(follows)).unwrap();
    }
}

/// Answers later.
async fn slowly(request: Incoming) -> Outcome {
    info!("begun");
    tokio::time::sleep(Duration::from_secs(1)).await;
    info!("done");
    reverse(request).await
}

fn named(name: &str) -> Builder {
    PacketConnection::builder().name(name)
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_span_at_either_end() {
    let log = Log::default();
    let _guard = log.listen(Level::DEBUG);
    let (here, there) = duplex(1 << 12);
    let peer = named("there").handler(slowly).spawn(there);
    let connection = named("here").peer("the other end").spawn(here);
    in_time(async {
        connection.submit(5, 3, "abc").label("first").await.unwrap();
        connection.close();
        connection.closed().await;
        peer.closed().await;
    })
    .await;
    drop((connection, peer));

    let here = "packetstream::connection{connection=\"here\" peer=the other end}";
    assert!(log.line(&[here, "connection opened"]).starts_with("DEBUG"));
    let call = log.line(&["packetstream::call{", "outcome", "close"]);
    let fields = "packetstream::call{connection=\"here\" channel=0 rq_type=5 bytes=3 label=\"first\" tag=2 outcome=\"ok\"}";
    assert_eq!(call, format!("DEBUG {here}:{fields}: packetstream: close"));

    let there = "packetstream::connection{connection=\"there\"}";
    let request = "packetstream::request{connection=\"there\" channel=0 tag=2 rq_type=5 flags=3 bytes=3";
    assert_eq!(log.line(&["begun"]), format!("INFO {there}:{request}}}: tracing: begun"));
    assert_eq!(log.line(&["done"]), format!("INFO {there}:{request}}}: tracing: done"));
    log.line(&[there, request, "outcome=\"ok\"}: packetstream: close"]);

    for span in [here, there] {
        let end = log.line(&[span, "connection ended"]);
        assert!(
            end.starts_with(&format!("DEBUG {span}: packetstream: connection ended report=ended by")),
            "{end}"
        );
        log.line(&[&format!("DEBUG {span}: packetstream: close")]);
    }
    assert!(log.lines(&["packetstream::packet"]).is_empty(), "packets are for those who ask");
}

#[tokio::test]
async fn a_call_within_a_span_is_part_of_it_and_follows_from_the_connection() {
    let log = Log::default();
    let _guard = log.listen(Level::DEBUG);
    let (mut peer, stream) = Script::new();
    let connection = named("here").spawn(stream);
    in_time(async {
        let call = info_span!("caller").in_scope(|| connection.submit(5, 0, ""));
        assert!(log.lines(&["follows from"]) == ["packetstream::call follows from packetstream::connection"]);
        peer.hears().await.unwrap();
        peer.sends(answer(2, b"")).await;
        call.await.unwrap();
    })
    .await;
    let line = log.line(&["outcome=\"ok\"", "close"]);
    assert!(line.starts_with("DEBUG caller:packetstream::call{connection=\"here\""), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_span_of_a_call_says_how_it_has_ended_and_ends_with_it() {
    let log = Log::default();
    let _guard = log.listen(Level::DEBUG);
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_packet: 100, max_call_bytes: 4, ..Limits::default() };
    let connection = named("here").limits(limits).spawn(stream);
    let ends = |outcome: &str| {
        let end = format!("outcome=\"{outcome}\"}}: packetstream: close");
        log.lines(&["packetstream::call{", &end])
    };
    in_time(async {
        let failing = connection.submit(1, 0, "");
        let given_up = connection.submit(2, 0, "");
        let slow = connection.submit(3, 0, "four").timeout(Duration::from_secs(1));
        for _ in 0..3 {
            peer.hears().await.unwrap();
        }
        let failure = Packet::response(0, 2, Err(Failure::new("no"))).unwrap();
        peer.sends(failure).await;
        failing.await.unwrap_err();
        assert_eq!(ends("not ok").len(), 1);
        drop(given_up);
        assert_eq!(ends("given up").len(), 1, "and not when its answer comes");
        log.line(&["rq_type=2", "call given up"]);
        assert!(matches!(slow.await, Err(CallError::Unanswered(_))));
        assert_eq!(ends("unanswered").len(), 1);

        drop(connection.submit(4, 0, ""));
        let lost = connection.submit(5, 0, "");
        peer.hears().await.unwrap();
        log.line(&["call withdrawn"]);
        assert_eq!(ends("given up").len(), 2);
        let unsent = connection.submit(6, 0, "four");
        connection.submit(7, 0, vec![0; 200]).await.unwrap_err();
        assert_eq!(ends("not sent").len(), 1);
        peer.sends(Packet::end_of_stream()).await;
        assert!(matches!(lost.await, Err(CallError::Lost(_))));
        log.line(&["rq_type=5", "call without an answer error=no answer to the request"]);
        assert!(matches!(unsent.await, Err(CallError::NotSent(_))));
        assert_eq!((ends("lost").len(), ends("not sent").len()), (1, 2));
        connection.closed().await;
    })
    .await;
    assert_eq!(log.lines(&["packetstream::call{", ": packetstream: new"]).len(), 7);
    assert_eq!(log.lines(&["packetstream::call{", ": packetstream: close"]).len(), 7);
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_logs_when_it_is_dropped_lies_in_its_span() {
    struct Logs;
    impl Drop for Logs {
        fn drop(&mut self) {
            info!("dropped in the middle");
        }
    }
    let log = Log::default();
    let _guard = log.listen(Level::DEBUG);
    let (mut peer, stream) = Script::new();
    let handler = async |request: Incoming| {
        let _logs = Logs;
        never(request).await
    };
    let connection = named("here").handler(handler).spawn(stream);
    in_time(async {
        peer.asks(2, b"").await;
        while connection.stats().performing < 1 {
            tokio::task::yield_now().await;
        }
        connection.abort();
        connection.closed().await;
        while log.lines(&["dropped in the middle"]).is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let line = log.line(&["dropped in the middle"]);
    assert!(line.contains("packetstream::request{") && line.contains("outcome=\"dropped\"}"), "{line}");
    assert!(log.line(&["connection failed"]).starts_with("WARN"));
    log.line(&["packetstream::request{", "close"]);
}

#[tokio::test]
async fn a_panic_is_an_error_that_says_where_even_where_nothing_else_is_logged() {
    let log = Log::default();
    let _guard = log.listen(Level::ERROR);
    let (mut peer, stream) = Script::new();
    let handler = async |_: Incoming| -> Outcome { panic!("as asked") };
    let _connection = named("here").handler(handler).spawn(stream);
    in_time(async {
        peer.asks(2, b"").await;
        peer.hears().await.unwrap();
    })
    .await;
    let line = "ERROR packetstream: a handler has panicked connection=\"here\" channel=0 tag=2 rq_type=1\n";
    assert_eq!(log.text().trim_start(), line);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_or_makes_no_sense_is_told() {
    let log = Log::default();
    let _guard = log.listen(Level::DEBUG);
    let (mut peer, stream) = Script::new();
    let limits = Limits { max_handlers: 1, max_queued: 1, ..Limits::default() };
    let connection = named("here").limits(limits).handler(never).spawn(stream);
    in_time(async {
        let _call = connection.submit(0, 0, "");
        peer.hears().await.unwrap();
        peer.sends(Packet::request(9, 2, 1, 0, "".into()).unwrap()).await;
        peer.hears().await.unwrap();
        peer.sends(answer(77, b"")).await;
        peer.asks(2, b"").await;
        peer.asks(3, b"").await;
        peer.asks(4, b"").await;
        peer.hears().await.unwrap();
        peer.sends(Packet::end_of_requests()).await;
        peer.asks(5, b"").await;
        peer.hears().await.unwrap();
    })
    .await;
    log.line(&["request refused", "channel=9 tag=2", "unknown channel"]);
    log.line(&["packet without a meaning", "channel=0 tag=77"]);
    log.line(&["request refused", "tag=4", "busy"]);
    log.line(&["request refused", "tag=5", "after its end of requests"]);
}

/// Everything that can come of requests, with `secret` in every payload and every text.
async fn whole_conversation(builder: fn() -> Builder, secret: &'static str) {
    let handler = move |request: Incoming| async move {
        match request.rq_type {
            0 => reverse(request).await,
            1 => Err(Failure::new(secret)),
            2 => Err(Failure { flags: 1, payload: secret.into() }),
            3 => panic!("{secret}"),
            4 => slowly(request).await,
            _ => Err(Failure::unknown_channel(7)),
        }
    };
    let (here, there) = duplex(1 << 12);
    let _peer = builder().handler(handler).spawn(there);
    let connection = builder().spawn(here);
    for rq_type in 0..6 {
        // What comes of it is told to the caller, and to nobody else.
        let _ = connection.submit(rq_type, 0, secret).label("a label is no secret").await;
    }
    drop(connection.submit(4, 0, secret));
    let _ = connection.submit(4, 0, secret).timeout(Duration::from_millis(1)).await;
    let _ = connection.channel(9).submit(0, 0, secret).await;
    connection.abort();
    connection.closed().await;

    let (mut peer, stream) = Script::new();
    let connection = builder().handler(never).spawn(stream);
    peer.sends(Packet::request(9, 2, 1, 0, secret.into()).unwrap()).await;
    peer.sends(answer(77, secret.as_bytes())).await;
    peer.asks(2, secret.as_bytes()).await;
    // A packet of which nothing but the length can be read.
    let malformed =
        [&[u8::try_from(11 + secret.len()).unwrap()][..], &[0xff; 11], secret.as_bytes()].concat();
    peer.says(&malformed).await;
    assert!(connection.closed().await.result.is_err());
}

fn secret() -> &'static str {
    let random = rand::rng().sample_iter(Alphanumeric).take(24);
    String::from_utf8(random.collect()).unwrap().leak()
}

#[tokio::test(start_paused = true)]
async fn no_byte_of_a_payload_is_ever_logged() {
    let secret = secret();
    let log = Log::default();
    let _guard = log.listen(Level::TRACE);
    in_time(whole_conversation(PacketConnection::builder, secret)).await;
    let text = log.text();
    assert!(log.lines(&["TRACE", "packetstream::packet"]).len() > 20, "{text}");
    log.line(&["ERROR", "a handler has panicked"]);
    let backwards: String = secret.chars().rev().collect();
    let [a, b, c, d] = *secret.as_bytes().first_chunk().unwrap();
    let (numbers, digits) = (format!("{a}, {b}, {c}, {d}"), format!("{a:02x}{b:02x}{c:02x}{d:02x}"));
    for shape in [&secret[..8], &backwards[..8], &numbers, &digits] {
        assert!(!text.contains(shape), "{shape} in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn payloads_are_logged_when_asked_for_up_to_as_many_bytes() {
    let secret = secret();
    let log = Log::default();
    let _guard = log.listen(Level::TRACE);
    in_time(whole_conversation(|| PacketConnection::builder().trace_payloads(8), secret)).await;
    let text = log.text();
    let payload = format!("payload={}", &secret[..8]);
    for packet in ["sent kind=\"request\"", "received kind=\"request\"", "received kind=\"response not ok\""]
    {
        let shown = log.lines(&["TRACE", &format!("direction={packet}"), &payload]);
        assert!(!shown.is_empty(), "{packet} in {text}");
    }
    assert!(!text.contains(&secret[..9]), "{text}");
    let elsewhere = text.lines().filter(|line| line.contains(&secret[..8]));
    assert!(elsewhere.clone().all(|line| line.contains("packetstream::packet")));
}
