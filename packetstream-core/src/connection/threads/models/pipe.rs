//! Streams in memory that hold few bytes, and make whoever reads or writes wait.

use super::super::Transport;
use crate::sync::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;

/// One direction of a stream.
struct Pipe {
    held: Mutex<Held>,
    changed: Condvar,
    room: usize,
}

#[derive(Default)]
struct Held {
    bytes: VecDeque<u8>,
    is_closed: bool,
}

impl Pipe {
    fn new(room: usize) -> Arc<Self> {
        Arc::new(Self { held: Mutex::new(Held::default()), changed: Condvar::new(), room })
    }

    fn close(&self) {
        self.held.lock().unwrap().is_closed = true;
        self.changed.notify_all();
    }
}

pub(super) struct Reader(Arc<Pipe>);

pub(super) struct Writer(Arc<Pipe>);

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut held = self.0.held.lock().unwrap();
        while held.bytes.is_empty() && !held.is_closed {
            held = self.0.changed.wait(held).unwrap();
        }
        let count = into.len().min(held.bytes.len());
        held.bytes.read_exact(&mut into[..count])?;
        self.0.changed.notify_all();
        Ok(count)
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let pipe = &self.0;
        let mut held = pipe.held.lock().unwrap();
        while held.bytes.len() == pipe.room && !held.is_closed {
            held = pipe.changed.wait(held).unwrap();
        }
        if held.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(pipe.room - held.bytes.len());
        held.bytes.extend(&bytes[..count]);
        pipe.changed.notify_all();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Two pipes, which are closed to call back whoever waits in them.
pub(super) struct Stream(Reader, Writer);

impl Transport for Stream {
    type Reader = Reader;
    type Writer = Writer;

    fn split(self) -> (Reader, Writer) {
        (self.0, self.1)
    }

    fn join(reader: Reader, writer: Writer) -> Option<Self> {
        Some(Self(reader, writer))
    }

    fn interrupt(reader: &Reader, writer: &Writer) -> Option<Box<dyn FnOnce() + Send>> {
        let pipes = [Arc::clone(&reader.0), Arc::clone(&writer.0)];
        Some(Box::new(move || pipes.iter().for_each(|pipe| pipe.close())))
    }
}

/// Both ends of a stream that holds so many bytes in each direction.
pub(super) fn streams(room: usize) -> [Stream; 2] {
    let (there, back) = (Pipe::new(room), Pipe::new(room));
    [Stream(Reader(Arc::clone(&back)), Writer(Arc::clone(&there))), Stream(Reader(there), Writer(back))]
}
