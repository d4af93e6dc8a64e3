//! The power fails at any point: of what was not synced yet some sectors are on the disk and others not.

use super::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redb::{Database, StorageBackend};
use std::sync::Mutex;
use writer::{Job, commit};

const GROUPS: u64 = 40;
const CUTS: usize = 200;
/// What a disk writes in one step.
const SECTOR: usize = 512;

/// What the database does to its file, and when it has told that a group is on the disk.
#[derive(Clone, Debug)]
enum Event {
    Write(u64, Vec<u8>),
    Length(u64),
    Sync,
    Acknowledged(u64),
}

/// A file in memory, which remembers.
#[derive(Clone, Debug, Default)]
struct Recorder {
    file: Arc<Mutex<Vec<u8>>>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Recorder {
    fn take_note(&self, event: Event) {
        apply(&mut self.file.lock().unwrap(), &event);
        self.events.lock().unwrap().push(event);
    }
}

impl StorageBackend for Recorder {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let file = self.file.lock().unwrap();
        let bytes = file.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.take_note(Event::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.take_note(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.take_note(Event::Write(offset, data.to_vec()));
        Ok(())
    }
}

fn apply(file: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write(offset, data) => {
            let offset = usize::try_from(*offset).unwrap();
            file.resize(file.len().max(offset + data.len()), 0);
            file[offset..offset + data.len()].copy_from_slice(data);
        }
        Event::Length(length) => file.resize(usize::try_from(*length).unwrap(), 0),
        Event::Sync | Event::Acknowledged(_) => {}
    }
}

/// Writes some sectors of what was not synced, and not others.
fn apply_in_part(file: &mut Vec<u8>, event: &Event, random: &mut StdRng) {
    match event {
        Event::Write(offset, data) => {
            for (number, sector) in data.chunks(SECTOR).enumerate() {
                if random.random() {
                    apply(file, &Event::Write(offset + (number * SECTOR) as u64, sector.to_vec()));
                }
            }
        }
        event if random.random() => apply(file, event),
        _ => {}
    }
}

/// The chunks of a group: some short, one long.
fn group(number: u64) -> Vec<Bytes> {
    let long = Bytes::from(format!("{number} ").repeat(3000));
    (0..5).map(|chunk| Bytes::from(format!("chunk {chunk} of group {number}"))).chain([long]).collect()
}

fn jobs(chunks: Vec<Bytes>) -> Vec<Job> {
    let write = |chunk: Bytes| Write::Chunk { code: CLASS.hash(&chunk), chunk };
    chunks.into_iter().map(|chunk| Job { write: write(chunk), done: oneshot::channel().0 }).collect()
}

/// A database's file, from an empty store on, through some groups.
fn record() -> Vec<Event> {
    let recorder = Recorder::default();
    let open = || Database::builder().create_with_backend(recorder.clone()).unwrap();
    // Until it is closed again it has another name.
    disk::make_tables(&open(), CLASS).unwrap();
    let made = recorder.file.lock().unwrap().clone();
    *recorder.events.lock().unwrap() = vec![Event::Write(0, made), Event::Sync];
    let database = open();
    for number in 0..GROUPS {
        commit(&database, &jobs(group(number))).unwrap();
        recorder.take_note(Event::Acknowledged(number));
    }
    recorder.events.lock().unwrap().clone()
}

#[test]
fn what_was_acknowledged_survives_a_power_failure_at_any_point() {
    let seed =
        std::env::var("PACKETSTREAM_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let mut random = StdRng::seed_from_u64(seed);
    let events = record();
    for _ in 0..CUTS {
        let (before, _) = events.split_at(random.random_range(2..=events.len()));
        let synced = before.iter().rposition(|event| matches!(event, Event::Sync)).unwrap();
        let mut file = Vec::new();
        before[..synced].iter().for_each(|event| apply(&mut file, event));
        before[synced..].iter().for_each(|event| apply_in_part(&mut file, event, &mut random));

        let recorder = Recorder { file: Arc::new(Mutex::new(file)), events: Arc::default() };
        let mut builder = Database::builder();
        builder.set_repair_callback(redb::RepairSession::abort);
        let database = builder.create_with_backend(recorder);
        let database = database.unwrap_or_else(|error| panic!("{error}, PACKETSTREAM_SEED={seed}"));
        let snapshot = database.begin_read().unwrap();
        let (codes, chunks) = (snapshot.open_table(CODES).unwrap(), snapshot.open_table(CHUNKS).unwrap());
        for number in 0..GROUPS {
            let acknowledged =
                before.iter().any(|event| matches!(event, Event::Acknowledged(n) if *n == number));
            let there = group(number).into_iter().map(|chunk| {
                let number = codes.get(CLASS.hash(&chunk).digest()).unwrap();
                let stored = number.map(|number| chunks.get(number.value()).unwrap().unwrap());
                assert!(
                    stored.as_ref().is_none_or(|stored| stored.value() == chunk),
                    "PACKETSTREAM_SEED={seed}"
                );
                stored.is_some()
            });
            let there: Vec<_> = there.collect();
            assert!(!acknowledged || there.iter().all(|there| *there), "lost, PACKETSTREAM_SEED={seed}");
            assert!(there.iter().all(|one| *one == there[0]), "half a group, PACKETSTREAM_SEED={seed}");
        }
    }
}
