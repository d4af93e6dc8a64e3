//! What is logged while a test runs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::format::FmtSpan;

/// The events of the thread that has made it: of all tasks, where a runtime has but one thread.
#[derive(Debug)]
pub struct Log {
    lines: Lines,
    _guard: DefaultGuard,
}

#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn new() -> Self {
        Self::with(Level::DEBUG, FmtSpan::NONE)
    }

    /// Of events up to a level, and of the ends of spans.
    pub fn with_spans(level: Level) -> Self {
        Self::with(level, FmtSpan::CLOSE)
    }

    fn with(level: Level, spans: FmtSpan) -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_span_events(spans);
        let subscriber = subscriber.without_time().with_ansi(false).with_writer(move || writer.clone());
        Self { lines, _guard: tracing::subscriber::set_default(subscriber.finish()) }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }

    /// The only line with all of these in it.
    #[track_caller]
    pub fn line(&self, parts: &[&str]) -> String {
        let text = self.text();
        let lines = text.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
        match &lines.collect::<Vec<_>>()[..] {
            [line] => line.trim_start().to_owned(),
            lines => panic!("{lines:?} with {parts:?} in\n{text}"),
        }
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
