//! A tap between the two sides, which writes down what each says, passes it on, and may hold it back.

use crate::stage::{PATIENCE, Party};
use bytes::BufMut;
use packetstream_core::{Decoder, Kind, Packet};
use std::future::Future;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};

/// What was heard.
#[derive(Clone)]
pub(crate) struct Tape {
    log: watch::Sender<Log>,
    client: watch::Sender<Gate>,
    server: watch::Sender<Gate>,
}

#[derive(Debug, Default)]
struct Log {
    /// `> ERQ`, `< ok 2`: who, what, and the tag of a request.
    lines: Vec<String>,
    client: Heard,
    server: Heard,
}

/// How much one party has said.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Heard {
    packets: u64,
    bytes: u64,
}

/// What happens to what a party says.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Gate {
    Passes,
    Waits,
    /// The other party sees the end of the stream, and nothing else from then on.
    Cut,
}

impl Tape {
    /// Connects the two, each given as the tap's end of its transport.
    pub(crate) fn between(
        client: impl AsyncRead + AsyncWrite + Send + 'static,
        server: impl AsyncRead + AsyncWrite + Send + 'static,
    ) -> Self {
        let gate = || watch::Sender::new(Gate::Passes);
        let tape = Self { log: watch::Sender::new(Log::default()), client: gate(), server: gate() };
        let (from_client, to_client) = tokio::io::split(client);
        let (from_server, to_server) = tokio::io::split(server);
        tape.carry(Party::Client, from_client, to_server);
        tape.carry(Party::Server, from_server, to_client);
        tape
    }

    fn carry(
        &self,
        party: Party,
        mut from: impl AsyncRead + Send + Unpin + 'static,
        mut to: impl AsyncWrite + Send + Unpin + 'static,
    ) {
        // Without a bound: also what is not passed on is written down.
        let (written_down, mut to_pass) = mpsc::unbounded_channel::<Vec<u8>>();
        let tape = self.clone();
        tokio::spawn(async move {
            let mut decoder = Decoder::new(1 << 24);
            let mut bytes = [0; 1 << 14];
            // An error is the end too.
            while let Ok(count @ 1..) = from.read(&mut bytes).await {
                tape.write_down(party, &mut decoder, &bytes[..count]);
                // Whoever is not there to pass it on has nobody to pass it on to.
                let _ = written_down.send(bytes[..count].to_vec());
            }
        });
        let mut gate = self.gate(party).subscribe();
        tokio::spawn(async move {
            loop {
                let bytes = tokio::select! {
                    bytes = to_pass.recv() => bytes,
                    _ = gate.wait_for(|gate| *gate == Gate::Cut) => None,
                };
                let passes = *gate.wait_for(|gate| *gate != Gate::Waits).await.unwrap() == Gate::Passes;
                let Some(mut bytes) = bytes.filter(|_| passes) else { break };
                // What was held back arrives at once.
                while let Ok(more) = to_pass.try_recv() {
                    bytes.extend(more);
                }
                if to.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            // One that is gone needs not to be told.
            let _ = to.shutdown().await;
        });
    }

    fn write_down(&self, party: Party, decoder: &mut Decoder, bytes: &[u8]) {
        decoder.room().put_slice(bytes);
        let packets: Vec<_> = std::iter::from_fn(|| decoder.next_packet().unwrap()).collect();
        self.log.send_modify(|log| {
            log.lines.extend(packets.iter().map(|packet| format!("{} {}", party.sign(), describe(packet))));
            let heard = log.of_mut(party);
            heard.packets += packets.len() as u64;
            heard.bytes += bytes.len() as u64;
        });
    }

    fn gate(&self, party: Party) -> &watch::Sender<Gate> {
        match party {
            Party::Client => &self.client,
            Party::Server => &self.server,
        }
    }

    /// Keeps what a party says from the other.
    pub(crate) fn hold(&self, party: Party) {
        self.gate(party).send_replace(Gate::Waits);
    }

    /// Passes it on.
    pub(crate) fn pass(&self, party: Party) {
        self.gate(party).send_replace(Gate::Passes);
    }

    /// Ends what a party says, for the other.
    pub(crate) fn cut(&self, party: Party) {
        self.gate(party).send_replace(Gate::Cut);
    }

    /// Waits until both have said `lines`, and nothing else.
    pub(crate) async fn reads<L: AsRef<str>>(&self, lines: &[L]) {
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        let enough =
            self.when(|log| log.lines.len() >= lines.len() || log.lines[..] != lines[..log.lines.len()]);
        enough.await;
        assert_eq!(self.lines(), lines);
    }

    /// Waits until one party has said `lines`, and nothing else.
    pub(crate) async fn reads_of<L: AsRef<str>>(&self, party: Party, lines: &[L]) {
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        let of = |log: &Log| -> Vec<String> {
            log.lines.iter().filter(|line| line.starts_with(party.sign())).cloned().collect()
        };
        self.when(|log| of(log).len() >= lines.len()).await;
        assert_eq!(of(&self.log.borrow()), lines);
    }

    /// Waits until `count` packets were said by both.
    pub(crate) async fn has(&self, count: usize) {
        self.when(|log| log.lines.len() >= count).await;
    }

    /// What was said so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.log.borrow().lines.clone()
    }

    /// Waits until a party has said so many packets and bytes, and nothing else.
    pub(crate) async fn hears(&self, party: Party, packets: u64, bytes: u64) {
        self.when(|log| log.of(party).bytes >= bytes).await;
        assert_eq!(self.log.borrow().of(party), Heard { packets, bytes }, "{:#?}", self.lines());
    }

    fn when(&self, is_so: impl FnMut(&Log) -> bool) -> impl Future<Output = ()> {
        let mut log = self.log.subscribe();
        let soon = tokio::time::timeout(PATIENCE, async move { drop(log.wait_for(is_so).await.unwrap()) });
        async { assert!(soon.await.is_ok(), "waited in vain, heard: {:#?}", self.lines()) }
    }
}

impl Log {
    fn of(&self, party: Party) -> Heard {
        match party {
            Party::Client => self.client,
            Party::Server => self.server,
        }
    }

    fn of_mut(&mut self, party: Party) -> &mut Heard {
        match party {
            Party::Client => &mut self.client,
            Party::Server => &mut self.server,
        }
    }
}

fn describe(packet: &Packet) -> String {
    let what = match packet.kind() {
        Kind::Control if *packet == Packet::end_of_requests() => return "ERQ".into(),
        Kind::Control if *packet == Packet::end_of_stream() => return "EOF".into(),
        Kind::Control => "unknown",
        Kind::Request(_) => "request",
        Kind::Response { ok: true } => "ok",
        Kind::Response { ok: false } => "not-ok",
    };
    let channel = match packet.channel() {
        0 => String::new(),
        other => format!(" on channel {other}"),
    };
    format!("{what} {}{channel}", packet.tag())
}
