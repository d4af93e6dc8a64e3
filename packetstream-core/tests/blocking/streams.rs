//! What a connection may run over.

use super::support::{answer, builder, in_time, reverse, spawn};
use bytes::Bytes;
use packetstream_core::{ConnectionError, Decoder, Packet, blocking};
use std::fs::File;
use std::io::{self, BufWriter, PipeReader, PipeWriter, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

/// Two transports over pipes that hold 4 KiB.
fn pipes() -> ((PipeReader, PipeWriter), (PipeReader, PipeWriter)) {
    let pipe = || {
        let (reader, writer) = io::pipe().unwrap();
        rustix::pipe::fcntl_setpipe_size(&writer, 4096).unwrap();
        (reader, writer)
    };
    let ((read_a, write_b), (read_b, write_a)) = (pipe(), pipe());
    ((read_a, write_a), (read_b, write_b))
}

#[test]
fn two_pipes_of_4_kib_that_are_both_full_stop_nobody() {
    in_time(|| {
        let (here, there) = pipes();
        let a = spawn(builder().handler(reverse), here);
        let b = spawn(builder().handler(reverse), there);
        let payload = Bytes::from(vec![7; 100_000]);
        thread::scope(|scope| {
            for connection in [&a, &b] {
                scope.spawn(|| {
                    let calls: Vec<_> = (0..20).map(|n| connection.submit(n, 0, payload.clone())).collect();
                    for call in calls {
                        assert_eq!(call.wait().unwrap().payload, payload);
                    }
                });
            }
        });
        a.close();
        a.closed().unwrap().result.unwrap();
        b.closed().unwrap().result.unwrap();
    });
}

#[test]
fn pipes_are_handed_back() {
    in_time(|| {
        let (here, there) = pipes();
        let peer = thread::spawn(move || blocking::serve(builder().handler(reverse), there).unwrap());
        let (connection, driver) = blocking::build(builder(), here).unwrap();
        let running = thread::spawn(move || driver.run().unwrap());
        assert_eq!(connection.call(0, 0, "abc").unwrap().payload, "cba");
        drop(connection);
        let (_, mut writer) = running.join().unwrap().transport.unwrap();
        let (mut reader, _) = peer.join().unwrap().transport.unwrap();
        writer.write_all(b"more").unwrap();
        drop(writer);
        let mut more = String::new();
        reader.read_to_string(&mut more).unwrap();
        assert_eq!(more, "more");
    });
}

#[test]
fn tcp() {
    in_time(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (there, _) = listener.accept().unwrap();
        let peer = spawn(builder().handler(reverse), there);
        let connection = spawn(builder(), here);
        assert_eq!(connection.call(0, 0, "abc").unwrap().payload, "cba");
        connection.close();
        for connection in [connection, peer] {
            let report = connection.closed().unwrap();
            assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
        }
    });
}

#[test]
fn a_file_of_requests_is_answered_into_a_file() {
    in_time(|| {
        let mut requests = tempfile::tempfile().unwrap();
        for tag in 2..1_002 {
            let request = Packet::request(0, tag, 1, 0, Bytes::from_static(b"abc")).unwrap();
            requests.write_all(&request.transcribe()).unwrap();
        }
        requests.write_all(&Packet::end_of_stream().transcribe()).unwrap();
        requests.seek(SeekFrom::Start(0)).unwrap();
        let answers = tempfile::tempfile().unwrap();

        let ended = blocking::serve(builder().handler(reverse), (requests, answers)).unwrap();
        assert!(ended.report.result.is_ok(), "{}", ended.report);
        let (_, mut answers): (File, File) = ended.transport.unwrap();
        answers.seek(SeekFrom::Start(0)).unwrap();
        let mut decoder = Decoder::default();
        let mut bytes = Vec::new();
        answers.read_to_end(&mut bytes).unwrap();
        decoder.room().extend_from_slice(&bytes);
        let mut packets: Vec<Packet> = std::iter::from_fn(|| decoder.next_packet().unwrap()).collect();
        assert_eq!(packets.pop(), Some(Packet::end_of_stream()));
        packets.retain(|packet| *packet != Packet::end_of_requests());
        packets.sort_by_key(Packet::tag);
        assert!(packets.into_iter().eq((2..1_002).map(|tag| answer(tag, b"cba"))));
    });
}

#[test]
fn a_buffering_transport_is_flushed() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let buffered = |stream: UnixStream| (stream.try_clone().unwrap(), BufWriter::new(stream));
        let a = spawn(builder(), buffered(here));
        let _b = spawn(builder().handler(reverse), buffered(there));
        assert_eq!(a.call(0, 0, "abc").unwrap().payload, "cba");
    });
}

#[test]
fn the_pipes_of_a_child() {
    in_time(|| {
        // What it is told is what it says: it answers nothing, and its goodbye is ours.
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let connection = spawn(builder(), pipes);
        connection.close();
        connection.closed().unwrap().result.unwrap();
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn a_socket_that_was_not_in_blocking_mode_is_put_into_it() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        for stream in [&here, &there] {
            stream.set_nonblocking(true).unwrap();
        }
        let _peer = spawn(builder().handler(reverse), there);
        assert_eq!(spawn(builder(), here).call(0, 0, "abc").unwrap().payload, "cba");
    });
}

#[test]
fn a_transport_that_panics_ends_its_connection_at_once() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("as the test wants")
        }
    }
    in_time(|| {
        let connection = spawn(builder(), (Broken, Vec::new()));
        let error = connection.closed().unwrap().result.unwrap_err();
        assert!(matches!(error, ConnectionError::Dropped), "{error:?}");
    });
}

/// Waits for ever, as a pipe whose other end says nothing.
struct Silent {
    reader: PipeReader,
    _writer: PipeWriter,
}

impl Silent {
    fn new() -> Self {
        let (reader, writer) = io::pipe().unwrap();
        Self { reader, _writer: writer }
    }
}

impl Read for Silent {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

/// Reads or writes as the function says.
struct Odd<F>(F);

impl<F: FnMut(&[u8]) -> io::Result<usize>> Write for Odd<F> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(&mut [u8]) -> io::Result<usize>> Read for Odd<F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0(buf)
    }
}

#[test]
fn a_writer_that_takes_nothing_or_claims_too_much_is_an_error() {
    fn ends(write: impl FnMut(&[u8]) -> io::Result<usize> + Send + 'static) -> io::ErrorKind {
        in_time(|| {
            let connection = spawn(builder(), (Silent::new(), Odd(write)));
            connection.submit(0, 0, "abc").wait().unwrap_err();
            match connection.closed().unwrap().result.unwrap_err() {
                ConnectionError::Write(error) => error.kind(),
                other => panic!("{other:?}"),
            }
        })
    }
    assert_eq!(ends(|_| Ok(0)), io::ErrorKind::WriteZero);
    assert_eq!(ends(|buf| Ok(buf.len() + 1)), io::ErrorKind::Other);
}

#[test]
fn a_stream_whose_half_was_left_behind_carries_no_other_connection() {
    in_time(|| {
        let (mut silent, (reads, is_read)) = (Silent::new(), mpsc::channel());
        let reader = Odd(move |buf: &mut [u8]| {
            reads.send(()).unwrap();
            silent.read(buf)
        });
        let (connection, driver) = blocking::build(builder(), (reader, io::sink())).unwrap();
        is_read.recv().unwrap();
        connection.abort();
        let ended = driver.run().unwrap();
        assert!(ended.transport.is_none());
        let again = ended.reuse(builder());
        assert!(matches!(again, Err(blocking::SpawnError::NoTransport)), "{again:?}");
    });
}

#[test]
fn a_reader_that_claims_more_than_there_was_room_for_is_an_error() {
    in_time(|| {
        let connection = spawn(builder(), (Odd(|buf: &mut [u8]| Ok(buf.len() + 1)), io::sink()));
        let error = connection.closed().unwrap().result.unwrap_err();
        assert!(matches!(error, ConnectionError::Read(_)), "{error:?}");
    });
}

#[test]
fn interruptions_are_no_errors() {
    in_time(|| {
        let (here, there) = UnixStream::pair().unwrap();
        let (mut from, mut to) = (here.try_clone().unwrap(), here);
        let (mut asked, mut told) = (0, 0);
        let reader = Odd(move |buf: &mut [u8]| {
            asked += 1;
            if asked % 2 == 1 { Err(io::ErrorKind::Interrupted.into()) } else { from.read(buf) }
        });
        let writer = Odd(move |buf: &[u8]| {
            told += 1;
            if told % 2 == 1 { Err(io::ErrorKind::Interrupted.into()) } else { to.write(buf) }
        });
        let peer = spawn(builder().handler(reverse), there);
        let connection = spawn(builder(), (reader, writer));
        for _ in 0..3 {
            assert_eq!(connection.call(0, 0, "abc").unwrap().payload, "cba");
        }
        drop(peer);
        connection.close();
        connection.closed().unwrap().result.unwrap();
    });
}
