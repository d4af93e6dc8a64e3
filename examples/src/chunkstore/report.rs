//! What people read: counts while something runs, and figures afterwards.

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use std::fmt;
use std::future::Future;
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a terminal shows new counts.
const TICK: Duration = Duration::from_millis(100);
/// How often they are written when there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// A number that grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// What it is now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// What it counts so far: `one` if one, else so many `many`.
    #[must_use]
    pub fn of(&self, one: &str, many: &str) -> String {
        let count = self.get();
        format!("{} {}", HumanCount(count), if count == 1 { one } else { many })
    }
}

/// What a push or a pull has done so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Files.
    pub files: Count,
    /// Directories.
    pub directories: Count,
    /// Symbolic links.
    pub links: Count,
    /// Sockets, pipes and devices, which are left out.
    pub special: Count,
    /// Bytes of the files' content.
    pub bytes: Count,
    /// Chunks cut or fetched, of directories and of block references too.
    pub chunks: Count,
    /// Bytes of those that were cut.
    pub chunk_bytes: Count,
    /// Chunks that had to be sent: the server did not have them.
    pub sent: Count,
    /// Bytes of those.
    pub sent_bytes: Count,
    /// Requests answered.
    pub calls: Count,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, directories, links, special, bytes, .. } = self;
        write!(f, "{}, ", files.of("file", "files"))?;
        write!(f, "{}, ", directories.of("directory", "directories"))?;
        write!(f, "{}, {}", links.of("link", "links"), HumanBytes(bytes.get()))?;
        if special.get() == 0 {
            return Ok(());
        }
        write!(f, "; {} left out", special.of("special file", "special files"))
    }
}

/// What was done within which time.
#[derive(Debug)]
pub struct Figures<'a> {
    /// What was done.
    pub tally: &'a Tally,
    /// How long it took.
    pub time: Duration,
}

impl Figures<'_> {
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.time.as_secs_f64().max(1e-9)
    }
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { bytes, chunks, calls, .. } = self.tally;
        let megabytes = self.per_second(bytes.get()) / 1e6;
        let calls = self.per_second(calls.get());
        write!(f, "{} in {:.2} s", chunks.of("chunk", "chunks"), self.time.as_secs_f64())?;
        write!(f, ", {calls:.0} calls/s, {megabytes:.1} MB/s")
    }
}

/// Waits for `work` and shows meanwhile, on standard error, what it does: on a terminal in place,
/// elsewhere as a line now and then. The result is that of `work`, and how long it took.
pub async fn watched<T>(label: &str, tally: &Tally, work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let bar = stderr().is_terminal().then(|| spinner(label));
    let mut ticks = tokio::time::interval(if bar.is_some() { TICK } else { LINE });
    // The first comes at once.
    ticks.tick().await;
    tokio::pin!(work);
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = ticks.tick() => match &bar {
                Some(bar) => bar.set_message(tally.to_string()),
                None => eprintln!("{label}: {tally}"),
            },
        }
    };
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    (result, start.elapsed())
}

fn spinner(label: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_prefix(label.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed}: {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_shown_with_what_was_left_out() {
        let tally = Tally::default();
        tally.files.add(12_345);
        tally.directories.add(1);
        tally.bytes.add(3 << 20);
        assert_eq!(tally.to_string(), "12,345 files, 1 directory, 0 links, 3.00 MiB");
        tally.special.add(2);
        assert_eq!(
            tally.to_string(),
            "12,345 files, 1 directory, 0 links, 3.00 MiB; 2 special files left out"
        );
    }

    #[test]
    fn figures_are_per_second() {
        let tally = Tally::default();
        tally.chunks.add(1000);
        tally.calls.add(3000);
        tally.bytes.add(5_000_000);
        let figures = Figures { tally: &tally, time: Duration::from_secs(2) };
        assert_eq!(figures.to_string(), "1,000 chunks in 2.00 s, 1500 calls/s, 2.5 MB/s");
    }
}
