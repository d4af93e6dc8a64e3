//! What a child says on its standard error.

use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio::sync::watch;

/// How long the last words of a child that has ended are waited for: children of its own may hold its standard error.
const DRAIN: Duration = Duration::from_millis(100);

/// What becomes of what a child says on its standard error.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Stderr {
    /// It goes where the command says, which is this program's standard error by default.
    #[default]
    Inherit,
    /// Its last bytes, so many, are kept for [`ChildEnded`](super::ChildEnded), which shows the last line of them.
    Keep(usize),
    /// Each line becomes an event of `tracing` at level `INFO`, of the target `packetstream::child`, with the `pid` of the
    /// child. A line is cut behind 4,096 bytes, and its control characters are escaped. The last 1,024 bytes are kept as with
    /// [`Keep`](Self::Keep).
    #[cfg(feature = "tracing")]
    Trace,
}

impl Stderr {
    /// Listens until nobody can say any more.
    pub(super) fn hear(self, pid: u32, mut said: ChildStderr) -> Heard {
        let (ears, heard) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut listener = Listener::new(self, pid);
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = said.read(&mut bytes).await {
                ears.send_modify(|tail| listener.hear(&bytes[..count], tail));
            }
            listener.end();
        });
        Heard(heard)
    }
}

/// The end of what a child has said so far.
pub(super) struct Heard(watch::Receiver<Vec<u8>>);

impl Heard {
    /// What a child that has ended has said last.
    pub(super) async fn last_words(mut self) -> String {
        // An error means that all is heard; otherwise what was heard so far has to do.
        let _ = tokio::time::timeout(DRAIN, self.0.wait_for(|_| false)).await;
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

struct Listener {
    kept: usize,
    #[cfg(feature = "tracing")]
    lines: Option<trace::Lines>,
}

impl Listener {
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "only events name the child"))]
    fn new(stderr: Stderr, pid: u32) -> Self {
        Self {
            kept: match stderr {
                Stderr::Inherit => 0,
                Stderr::Keep(bytes) => bytes,
                #[cfg(feature = "tracing")]
                Stderr::Trace => trace::KEPT,
            },
            #[cfg(feature = "tracing")]
            lines: (stderr == Stderr::Trace).then(|| trace::Lines::of(pid)),
        }
    }

    fn hear(&mut self, bytes: &[u8], tail: &mut Vec<u8>) {
        tail.extend_from_slice(bytes);
        let excess = tail.len().saturating_sub(self.kept);
        tail.drain(..excess);
        #[cfg(feature = "tracing")]
        if let Some(lines) = &mut self.lines {
            lines.hear(bytes);
        }
    }

    #[cfg_attr(
        not(feature = "tracing"),
        expect(clippy::unused_self, reason = "nothing waits for the end of its line")
    )]
    fn end(self) {
        #[cfg(feature = "tracing")]
        if let Some(lines) = self.lines {
            lines.end();
        }
    }
}

#[cfg(feature = "tracing")]
mod trace {
    use super::super::ended::Printable;

    /// The last bytes that are kept for the error.
    pub(super) const KEPT: usize = 1024;
    /// The longest line that is shown whole, in bytes.
    const LONGEST: usize = 4096;

    /// What is said, line by line.
    pub(super) struct Lines {
        pid: u32,
        /// The line so far; never longer than the longest that is shown, and one more.
        line: Vec<u8>,
    }

    impl Lines {
        pub(super) const fn of(pid: u32) -> Self {
            Self { pid, line: Vec::new() }
        }

        pub(super) fn hear(&mut self, bytes: &[u8]) {
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                let (text, is_end) = match piece.strip_suffix(b"\n") {
                    Some(text) => (text, true),
                    None => (piece, false),
                };
                let room = (LONGEST + 1).saturating_sub(self.line.len());
                self.line.extend_from_slice(&text[..text.len().min(room)]);
                if is_end {
                    self.tell();
                }
            }
        }

        /// What was said without an end of line is said, too.
        pub(super) fn end(mut self) {
            if !self.line.is_empty() {
                self.tell();
            }
        }

        fn tell(&mut self) {
            let is_cut = self.line.len() > LONGEST;
            self.line.truncate(LONGEST);
            let text = String::from_utf8_lossy(&self.line);
            let text = Printable { text: text.strip_suffix('\r').unwrap_or(&text), longest: LONGEST };
            let more = if is_cut { "…" } else { "" };
            tracing::info!(target: "packetstream::child", pid = self.pid, "{text}{more}");
            self.line.clear();
        }
    }
}
