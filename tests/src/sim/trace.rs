//! All that happens in a simulation and when: as one number that differs if anything does, and in words if wanted.

use super::random::mix;
use std::fmt::Write;
use tokio::time::Instant;

/// What has happened.
#[derive(Debug)]
pub(super) struct Trace {
    begin: Option<Instant>,
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(super) fn new(is_kept: bool) -> Self {
        Self { begin: None, hash: 0, lines: is_kept.then(Vec::new) }
    }

    /// Something has happened, with these numbers.
    pub(super) fn note(&mut self, what: &'static str, numbers: &[u64]) {
        self.enter(what);
        for number in numbers {
            self.add(*number);
        }
        if let Some(line) = self.line() {
            let _ = write!(line, " {numbers:?}");
        }
    }

    /// An end has written or read these bytes.
    pub(super) fn bytes(&mut self, what: &'static str, end: usize, bytes: &[u8]) {
        self.enter(what);
        self.add(end as u64);
        self.add(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            self.add(chunk.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
        if let Some(line) = self.line() {
            let _ = write!(line, " {end} {}:", bytes.len());
            for byte in bytes.iter().take(64) {
                let _ = write!(line, " {byte:02x}");
            }
        }
    }

    fn enter(&mut self, what: &'static str) {
        let begin = *self.begin.get_or_insert_with(Instant::now);
        let nanos = begin.elapsed().as_nanos();
        self.add(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.add(what.bytes().fold(0, |number, byte| number << 5 ^ u64::from(byte)));
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>14.6} {what}", begin.elapsed().as_secs_f64()));
        }
    }

    fn line(&mut self) -> Option<&mut String> {
        self.lines.as_mut()?.last_mut()
    }

    fn add(&mut self, number: u64) {
        self.hash = mix(self.hash.rotate_left(5) ^ number);
    }

    /// The number, and the lines.
    pub(super) fn finish(&mut self) -> (u64, Vec<String>) {
        (self.hash, self.lines.take().unwrap_or_default())
    }
}
