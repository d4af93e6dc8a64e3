//! One test for each row of `docs/python.md`: what the Python original's documentation has, here.
//!
//! Each is named after its row. What a row's own page or programs test more closely is elsewhere; here it is that the
//! feature is there, spelled as the row says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test that is the report")]

mod common;

use common::{asking, in_time};
use packetstream::{
    BaseRequest, Builder, Bytes, CallError, Client, Connector, Context, EndedBy, Failure, Fulfil,
    HasPacketConnection, Incoming, NotSent, Outcome, Packet, PacketConnection, Payload, PayloadError,
    PayloadReader, PayloadWriter, Protocol, Reply, Request, RequestError, Stream, Tick, serve,
};
use packetstream_core::{ConnectionState, Decoder, Event, Kind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// The peer: raw bytes.
struct Raw {
    stream: Stream,
    decoder: Decoder,
}

impl Raw {
    fn pair() -> (Self, Stream) {
        let (stream, ours) = Stream::pair(1 << 16);
        (Self { stream, decoder: Decoder::new(1 << 20) }, ours)
    }

    async fn hears(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.decoder.next_packet().unwrap() {
                return packet;
            }
            assert_ne!(self.stream.read_buf(self.decoder.room()).await.unwrap(), 0, "the stream has ended");
        }
    }

    async fn says(&mut self, packet: Packet) {
        self.stream.write_all(&packet.transcribe()).await.unwrap();
    }
}

fn response(tag: u64, outcome: Outcome) -> Packet {
    Packet::response(0, tag, outcome).unwrap()
}

fn request(rq_type: u64, payload: &'static str) -> Packet {
    Packet::request(0, 2, rq_type, 0, payload.into()).unwrap()
}

/// Answers with what it was asked.
async fn echo(request: Incoming) -> Outcome {
    Ok(Reply::from((request.flags, request.payload)))
}

/// What a peer sees of a handler's result.
async fn seen(result: impl Into<Reply> + Clone + Send + Sync + 'static) -> (bool, u64, Bytes) {
    seen_outcome(Ok(result.into())).await
}

async fn seen_outcome(outcome: Outcome) -> (bool, u64, Bytes) {
    let (mut peer, stream) = Raw::pair();
    let handler = move |_: Incoming| std::future::ready(outcome.clone());
    let _connection = PacketConnection::builder().handler(handler).spawn(stream);
    in_time(async {
        peer.says(request(0, "")).await;
        let packet = peer.hears().await;
        let Kind::Response { ok } = packet.kind() else { panic!("{packet}") };
        (ok, packet.flags(), packet.into_payload())
    })
    .await
}

mod packet {
    use super::*;

    #[test]
    fn packet_fields() {
        let packet = Packet::request(7, 300, 1, 0x55, Bytes::from_static(&[2, 3])).unwrap();
        assert_eq!((packet.channel(), packet.tag(), packet.flags()), (7, 300, 0x55));
        assert_eq!((packet.kind(), &packet.payload()[..]), (Kind::Request(1), &[2, 3][..]));
        assert_eq!(response(2, Ok(Reply::from(()))).kind(), Kind::Response { ok: true });
    }

    #[test]
    fn packet_str() {
        let shown = request(1, "some text").to_string();
        assert!(shown.ends_with("9 bytes: 736f6d652074657874"), "{shown}");
        let debugged = format!("{:?}", request(1, "some text"));
        assert!(!debugged.contains("some text"), "no log shows a payload unless it is asked to: {debugged}");
    }

    #[test]
    fn packet_parse() {
        let mut bytes = Bytes::from_static(&[6, 2, 0x82, 0x56, 2, 2, 3, 0xff]);
        let packet = Packet::parse(&mut bytes).unwrap();
        assert_eq!((packet.tag(), packet.flags(), packet.kind()), (2, 0x55, Kind::Request(1)));
        assert_eq!(&bytes[..], [0xff], "what follows stays");
    }

    #[test]
    fn packet_transcribe() {
        let packet = Packet::request(0, 2, 1, 0x55, Bytes::from_static(&[2, 3])).unwrap();
        assert_eq!(packet.transcribe()[..], [6, 2, 0x82, 0x56, 2, 2, 3]);
    }

    #[test]
    fn packet_write() {
        let mut file = tempfile::tempfile().unwrap();
        request(1, "x").write(&mut file, true).unwrap();
        assert_eq!(file.metadata().unwrap().len(), request(1, "x").transcribe().len() as u64);
    }

    #[test]
    fn packet_eq() {
        let padded = Packet::parse(&mut Bytes::from_static(&[4, 0x80, 0, 2, 0])).unwrap();
        assert_eq!(padded, Packet::end_of_stream());
        // A response has no request type at all: there is none to compare by mistake.
        assert_eq!(response(2, Ok(Reply::from(1))), response(2, Ok(Reply::from(1))));
        assert_ne!(request(1, ""), request(2, ""));
    }
}

mod connection {
    use super::*;

    /// That the other ends of a stream's descriptors see a request, and its answer arrives.
    async fn converses(
        stream: Stream,
        recv: &mut (impl std::io::Write + Send),
        send: &mut (impl std::io::Read + Send),
    ) {
        let connection = PacketConnection::builder().spawn(stream);
        let call = connection.submit(1, 0, "x");
        let mut asked = [0; 5];
        in_time(async {
            while connection.stats().bytes_sent < 5 {
                tokio::task::yield_now().await;
            }
            send.read_exact(&mut asked).unwrap();
            assert_eq!(asked[..], [4, 2, 2, 2, b'x']);
            recv.write_all(&response(2, Ok(Reply::from("y".to_owned()))).transcribe()).unwrap();
            assert_eq!(call.await.unwrap().payload, "y");
        })
        .await;
    }

    #[tokio::test]
    async fn recv_and_send_as_descriptors() {
        let (recv, mut into_recv) = std::io::pipe().unwrap();
        let (mut from_send, send) = std::io::pipe().unwrap();
        converses(Stream::from_fds(recv, send).unwrap(), &mut into_recv, &mut from_send).await;
    }

    #[tokio::test]
    async fn recv_and_send_as_files() {
        let (mut recv, mut send) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        request(1, "from a file").write(&mut recv, true).unwrap();
        Packet::end_of_stream().write(&mut recv, true).unwrap();
        std::io::Seek::rewind(&mut recv).unwrap();
        let stream = Stream::from_fds(recv, send.try_clone().unwrap()).unwrap();
        let connection = PacketConnection::builder().handler(echo).spawn(stream);
        assert!(in_time(connection.closed()).await.result.is_ok());
        let mut said = Vec::new();
        std::io::Seek::rewind(&mut send).unwrap();
        std::io::Read::read_to_end(&mut send, &mut said).unwrap();
        let answer = Packet::response(0, 2, Ok(Reply::from("from a file".to_owned()))).unwrap().transcribe();
        let text = [&answer[..], &[3, 1, 2, 0, 3, 0, 2, 0]].concat();
        let other_order = [&[3, 1, 2, 0], &answer[..], &[3, 0, 2, 0]].concat();
        assert!(said == text || said == other_order, "{said:?}");
    }

    #[tokio::test]
    async fn one_descriptor_for_both() {
        let (ours, mut peer) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut also = peer.try_clone().unwrap();
        converses(Stream::from_fd(ours).unwrap(), &mut peer, &mut also).await;
    }

    #[tokio::test]
    async fn a_callable_opens_the_streams_and_its_shutdown_is_called() {
        let calls = Arc::new(AtomicUsize::new(0));
        let (peer, ours) = Stream::pair(1 << 10);
        let _peer = PacketConnection::builder().handler(serve::<Store, _>(Chunks::default())).spawn(peer);
        let once = Mutex::new(Some(ours));
        let counter = Arc::clone(&calls);
        let open = move || {
            let (recv, send) = tokio::io::split(once.lock().unwrap().take().unwrap());
            let counter = Arc::clone(&counter);
            let shutdown = move || {
                counter.fetch_add(1, Ordering::Relaxed);
            };
            // In the order of the documentation: receive, send, shutdown.
            std::future::ready(Ok::<_, std::io::Error>(Stream::from_parts(recv, send, shutdown)))
        };
        let link = Connector::new(open).link::<Store>();
        in_time(async {
            assert!(link.call(add("chunk")).await.unwrap().new);
            assert_eq!(calls.load(Ordering::Relaxed), 0);
            link.close();
            link.closed().await;
            while calls.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn streams_are_opened_on_demand() {
        let opened = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&opened);
        let open = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            let (ours, peer) = Stream::pair(1 << 10);
            tokio::spawn(
                PacketConnection::builder().handler(serve::<Store, _>(Chunks::default())).serve(peer),
            );
            std::future::ready(Ok::<_, std::io::Error>(ours))
        };
        let link = Connector::new(open).link::<Store>();
        assert_eq!(opened.load(Ordering::Relaxed), 0, "nobody has asked yet");
        in_time(async {
            link.call(add("chunk")).await.unwrap();
            link.call(add("chunk")).await.unwrap();
        })
        .await;
        assert_eq!(opened.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn recv_as_a_buffer_that_holds_bytes_already() {
        let (mut peer, stream) = Raw::pair();
        let read_before = request(1, "abc").transcribe();
        let _connection = PacketConnection::builder().unread(read_before).handler(echo).spawn(stream);
        let answer = in_time(peer.hears()).await;
        assert_eq!(answer.payload(), "abc");
        // A buffered reader is a reader like others.
        let (mut peer, stream) = Raw::pair();
        let (reader, writer) = tokio::io::split(stream);
        let buffered = tokio::io::join(tokio::io::BufReader::new(reader), writer);
        let _connection = PacketConnection::builder().handler(echo).spawn(buffered);
        in_time(peer.says(request(1, "abc"))).await;
        assert_eq!(in_time(peer.hears()).await.payload(), "abc");
    }

    #[tokio::test]
    async fn supplied_handles_are_not_closed() {
        let (mut peer, mut stream) = Raw::pair();
        in_time(async {
            let (connection, driver) = PacketConnection::builder().build(&mut stream);
            connection.close();
            peer.says(Packet::end_of_stream()).await;
            assert!(driver.run().await.report.result.is_ok());
            assert_eq!(
                (peer.hears().await, peer.hears().await),
                (Packet::end_of_requests(), Packet::end_of_stream())
            );
            stream.write_all(b"still ours").await.unwrap();
            let mut said = [0; 10];
            peer.stream.read_exact(&mut said).await.unwrap();
            assert_eq!(&said, b"still ours");
        })
        .await;
    }

    #[tokio::test]
    async fn streams_are_reused_and_no_byte_is_lost() {
        let (mut peer, stream) = Raw::pair();
        in_time(async {
            let (_first, driver) = PacketConnection::builder().build(stream);
            // The next conversation begins in the same write as the end of the first.
            let both = [Packet::end_of_stream().transcribe(), request(1, "again").transcribe()].concat();
            peer.stream.write_all(&both).await.unwrap();
            let ended = driver.run().await;
            let (_second, driver) = ended.reuse(PacketConnection::builder().handler(echo));
            tokio::spawn(driver.run());
            assert_eq!(
                (peer.hears().await, peer.hears().await),
                (Packet::end_of_requests(), Packet::end_of_stream())
            );
            assert_eq!(peer.hears().await.payload(), "again");
        })
        .await;
    }

    #[tokio::test]
    async fn name() {
        let (_peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().name("to the store").spawn(stream);
        assert!(format!("{connection:?}").contains("to the store"));
    }

    #[tokio::test(start_paused = true)]
    async fn packet_grace() {
        for (grace, late) in [(Duration::ZERO, 0), (Builder::PYTHON_PACKET_GRACE, 10)] {
            let (mut peer, stream) = Raw::pair();
            let connection = PacketConnection::builder().packet_grace(grace).spawn(stream);
            let start = Instant::now();
            let _call = connection.submit(0, 0, Bytes::new());
            in_time(peer.hears()).await;
            assert_eq!(start.elapsed().as_millis(), late);
        }
    }

    async fn observed(observed: Builder) {
        let (connection, _peer) = {
            let (here, there) = Stream::pair(1 << 10);
            let peer = PacketConnection::builder().handler(echo).spawn(there);
            (observed.spawn(here), peer)
        };
        in_time(connection.submit(1, 0, "seen")).await.unwrap();
    }

    #[tokio::test]
    async fn tick() {
        let count = Arc::new(AtomicUsize::new(0));
        let ticks = Arc::clone(&count);
        let builder = PacketConnection::builder().on_packet(move |_, _| {
            ticks.fetch_add(1, Ordering::Relaxed);
        });
        observed(builder).await;
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn tick_fd_2() {
        // One byte for each packet on standard error: of another process, where nobody else writes there.
        const WITHIN: &str = "PACKETSTREAM_TEST_TICKS";
        if std::env::var_os(WITHIN).is_some() {
            observed(PacketConnection::builder().observer(Tick)).await;
            return;
        }
        let mut itself = tokio::process::Command::new(std::env::current_exe().unwrap());
        itself.args(["--exact", "connection::tick_fd_2", "--nocapture"]).env(WITHIN, "").kill_on_drop(true);
        let output = in_time(itself.output()).await.unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "><");
    }

    #[tokio::test]
    async fn trace_log() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let builder = PacketConnection::builder()
            .on_packet(move |direction, packet| lines.lock().unwrap().push(format!("{direction} {packet}")));
        observed(builder).await;
        let lines = log.lock().unwrap();
        assert!(lines[0].starts_with("sent ") && lines[1].starts_with("received "), "{lines:?}");
        assert!(lines.iter().all(|line| line.contains("7365656e")), "{lines:?}");
    }

    #[tokio::test]
    async fn request_handler_arguments() {
        let handler = async |request: Incoming| {
            let Incoming { rq_type, flags, payload, .. } = request;
            Ok(Reply::from(format!("{rq_type} {flags} {payload:?}")))
        };
        let (connection, _peer) = asking(handler);
        let reply = in_time(connection.submit(3, 0x55, "abc")).await.unwrap();
        assert_eq!(reply.payload, r#"3 85 b"abc""#);
    }

    #[tokio::test]
    async fn request_handler_none() {
        assert_eq!(seen(()).await, (true, 0, Bytes::new()));
    }

    #[tokio::test]
    async fn request_handler_int() {
        assert_eq!(seen(0x11).await, (true, 0x11, Bytes::new()));
    }

    #[tokio::test]
    async fn request_handler_bytes() {
        assert_eq!(seen(Bytes::from_static(b"payload")).await, (true, 0, "payload".into()));
    }

    #[tokio::test]
    async fn request_handler_str_is_utf_8() {
        assert_eq!(seen("größe".to_owned()).await, (true, 0, Bytes::from_static("größe".as_bytes())));
    }

    #[tokio::test]
    async fn request_handler_int_and_bytes() {
        assert_eq!(seen((0x11, Bytes::from_static(b"payload"))).await, (true, 0x11, "payload".into()));
    }

    #[tokio::test]
    async fn request_handler_exception() {
        assert_eq!(
            seen_outcome(Err(Failure::new("no such chunk"))).await,
            (false, 0, "no such chunk".into())
        );
        let (connection, _peer) = asking(async |_: Incoming| panic!("as a handler may"));
        let error = in_time(connection.submit(0, 0, Bytes::new())).await.unwrap_err();
        assert_eq!(error.to_string(), "the peer answered not-ok: exception during handler");
    }

    #[tokio::test]
    async fn request_handler_missing() {
        let (_peer, stream) = Raw::pair();
        let (here, there) = Stream::pair(64);
        let _other = PacketConnection::builder().spawn(there);
        let connection = PacketConnection::builder().spawn(here);
        let error = in_time(connection.submit(0, 0, Bytes::new())).await.unwrap_err();
        assert_eq!(error.to_string(), "the peer answered not-ok: no request handler");
        drop(stream);
    }

    #[tokio::test]
    async fn call_is_synchronous() {
        let (connection, _peer) = asking(echo);
        let reply = in_time(connection.call(1, 7, "abc")).await.unwrap();
        assert_eq!(reply, Reply::from((7, "abc".into())));
    }

    #[tokio::test]
    async fn submit_returns_before_the_answer() {
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().spawn(stream);
        in_time(async {
            let results = [1, 2, 3].map(|rq_type| connection.submit(rq_type, 0, Bytes::new()));
            for (index, rq_type) in [1, 2, 3].into_iter().enumerate() {
                assert_eq!(peer.hears().await.kind(), Kind::Request(rq_type));
                peer.says(response(index as u64 + 2, Ok(Reply::from(rq_type)))).await;
            }
            for (result, flags) in results.into_iter().zip(1..) {
                assert_eq!(result.await.unwrap().flags, flags);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn submit_flags_and_payload() {
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().spawn(stream);
        let _call = connection.submit(1, 0x55, vec![2, 3]);
        assert_eq!(in_time(peer.hears()).await.transcribe()[..], [6, 2, 0x82, 0x56, 2, 2, 3]);
    }

    #[tokio::test]
    async fn submit_decode_response() {
        let (connection, _peer) = asking(echo);
        let call = connection.submit(1, 0, "17");
        let decoded =
            async { call.await.map(|reply| std::str::from_utf8(&reply.payload).unwrap().parse::<u64>()) };
        assert_eq!(in_time(decoded).await.unwrap(), Ok(17));
    }

    #[tokio::test]
    async fn submit_channel() {
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().spawn(stream);
        let call = connection.channel(7).submit(1, 0, Bytes::new());
        in_time(async {
            assert_eq!(peer.hears().await.channel(), 7);
            peer.says(Packet::response(7, 0, Err(Failure::new("unknown channel %d"))).unwrap()).await;
            let Err(CallError::Failed(failure)) = call.await else { panic!() };
            assert_eq!(
                (failure.to_string().as_str(), failure.is_unknown_channel()),
                ("unknown channel 7", true)
            );
        })
        .await;
    }

    #[tokio::test]
    async fn submit_label() {
        let (connection, _peer) = asking(echo);
        let call = connection.submit(1, 0, Bytes::new()).label("first chunk");
        assert!(format!("{call:?}").contains("first chunk"));
        in_time(call).await.unwrap();
    }

    #[tokio::test]
    async fn result_ok_flags_payload() {
        let handler = async |request: Incoming| match request.rq_type {
            0 => Ok(Reply::from((1, Bytes::from_static(b"fine")))),
            _ => Err(Failure { flags: 2, payload: Bytes::from_static(b"not so") }),
        };
        let (connection, _peer) = asking(handler);
        let reply = in_time(connection.submit(0, 0, Bytes::new())).await.unwrap();
        assert_eq!((reply.flags, &reply.payload[..]), (1, &b"fine"[..]));
        let error = in_time(connection.submit(1, 0, Bytes::new())).await.unwrap_err();
        let CallError::Failed(failure) = error else { panic!("{error}") };
        assert_eq!((failure.flags, &failure.payload[..]), (2, &b"not so"[..]));
    }

    #[tokio::test]
    async fn requests_on_a_closed_connection_are_refused() {
        let (connection, _peer) = asking(echo);
        connection.close();
        assert!(!connection.is_open());
        let error = in_time(connection.submit(0, 0, Bytes::new())).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(NotSent::Closed)), "{error:?}");
    }

    #[tokio::test]
    async fn join() {
        let (connection, peer) = asking(echo);
        peer.close();
        let report = in_time(connection.closed()).await;
        assert!(report.result.is_ok());
        assert_eq!(report.ended_by, EndedBy::Peer);
    }

    #[tokio::test]
    async fn join_recv() {
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().spawn(stream);
        in_time(async {
            peer.says(Packet::end_of_stream()).await;
            connection.peer_closed().await;
        })
        .await;
    }

    #[tokio::test]
    async fn send_erq() {
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().handler(echo).spawn(stream);
        in_time(async {
            connection.drain();
            assert_eq!(peer.hears().await, Packet::end_of_requests());
            peer.says(request(1, "still answered")).await;
            assert_eq!(peer.hears().await.payload(), "still answered");
        })
        .await;
    }

    #[tokio::test]
    async fn send_eof() {
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().handler(echo).spawn(stream);
        in_time(async {
            peer.says(request(1, "owed")).await;
            assert_eq!(peer.hears().await.payload(), "owed");
            connection.close();
            assert_eq!(peer.hears().await, Packet::end_of_requests());
            assert_eq!(peer.hears().await, Packet::end_of_stream());
        })
        .await;
    }

    #[tokio::test]
    async fn shutdown_block_or_not() {
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().spawn(stream);
        in_time(async {
            let call = connection.submit(1, 0, Bytes::new());
            connection.close(); // Not blocking.
            let (report, ()) = tokio::join!(connection.closed(), async {
                peer.hears().await;
                peer.says(response(2, Ok(Reply::from("outstanding".to_owned())))).await;
                peer.says(Packet::end_of_stream()).await;
            });
            assert!(report.result.is_ok());
            assert_eq!(call.await.unwrap().payload, "outstanding");
        })
        .await;
    }

    #[tokio::test]
    async fn opened_more_than_once_it_closes_with_the_last() {
        let (connection, peer) = asking(echo);
        let again = connection.clone();
        drop(connection);
        in_time(async {
            again.call(1, 0, "open").await.unwrap();
            drop(again);
            assert!(peer.closed().await.result.is_ok());
        })
        .await;
    }

    #[tokio::test]
    async fn progress_of_requests_in_and_out() {
        let (connection, peer) = asking(echo);
        in_time(async {
            for _ in 0..3 {
                connection.call(1, 0, Bytes::new()).await.unwrap();
            }
            connection.barrier().await;
            let (ours, theirs) = (connection.stats(), peer.stats());
            assert_eq!((ours.calls, ours.calls_ok, ours.in_flight), (3, 3, 0));
            assert_eq!((theirs.requests, theirs.requests_answered), (3, 3));
        })
        .await;
    }
}

mod request_state {
    use super::*;

    #[test]
    fn request_state_fields() {
        // What is kept for a request is whatever the caller wants back with its answer.
        let mut state = ConnectionState::default();
        let decode: fn(&[u8]) -> usize = <[u8]>::len;
        state.submit(0, 1, 0, Bytes::new(), (decode, "result")).unwrap();
        let answer = response(2, Ok(Reply::from(Bytes::from_static(b"four"))));
        let Some(Event::Answered { waiter: (decode, result), outcome }) =
            state.handle_packet(answer).unwrap()
        else {
            panic!()
        };
        assert_eq!((decode(&outcome.unwrap().payload), result), (4, "result"));
    }

    #[tokio::test]
    async fn request_state_cancel() {
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().spawn(stream);
        drop(connection.submit(1, 0, Bytes::new()));
        let kept = connection.submit(2, 0, Bytes::new());
        assert_eq!(in_time(peer.hears()).await.kind(), Kind::Request(2), "the first was taken back");
        drop(kept);
        assert_eq!(connection.stats().abandoned, 1, "what was sent is parked until its answer");
    }

    #[test]
    fn request_state_complete() {
        let mut state = ConnectionState::default();
        state.submit(0, 1, 0, Bytes::new(), "waiter").unwrap();
        let event = state.handle_packet(response(2, Ok(Reply::from(7)))).unwrap();
        assert_eq!(event, Some(Event::Answered { waiter: "waiter", outcome: Ok(Reply::from(7)) }));
    }

    #[test]
    fn request_state_fail() {
        let mut state = ConnectionState::default();
        state.submit(0, 1, 0, Bytes::new(), "waiter").unwrap();
        let failure = Failure { flags: 7, payload: Bytes::from_static(b"no") };
        let event = state.handle_packet(response(2, Err(failure.clone()))).unwrap();
        assert_eq!(event, Some(Event::Answered { waiter: "waiter", outcome: Err(failure) }));
    }
}

/// Adds to a store; the answer tells what it has.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(reply = Added)]
struct Add {
    #[request(flag = 0)]
    twice: bool,
    hashenum: u64,
    data: Bytes,
}

#[derive(Debug, PartialEq, Payload)]
struct Added {
    #[payload(flag = 0)]
    new: bool,
    length: u64,
}

/// A request whose payload is that of another type.
#[derive(Clone, Debug, PartialEq, Request)]
#[request(reply = bool)]
struct Contains(HashCode);

#[derive(Clone, Debug, PartialEq, Payload)]
struct HashCode {
    hashenum: u64,
    #[payload(rest)]
    digest: Bytes,
}

/// A request that is parsed and transcribed by hand.
#[derive(Clone, Debug, PartialEq)]
struct Backwards(String);

impl Payload for Backwards {
    fn parse(reader: &mut PayloadReader) -> Result<Self, PayloadError> {
        Ok(Self(String::parse(reader)?.chars().rev().collect()))
    }

    fn transcribe(&self, writer: &mut PayloadWriter) {
        self.0.chars().rev().collect::<String>().transcribe(writer);
    }
}

impl BaseRequest for Backwards {
    type Reply = String;
    type Error = Failure;
}

#[derive(Debug, PartialEq, Protocol)]
#[packetstream(client = StoreClient)]
enum Store {
    #[request(0)]
    Add(Add),
    #[request(2)]
    Contains(Contains),
    #[request(5)]
    Backwards(Backwards),
}

/// What requests are performed with.
#[derive(Default)]
struct Chunks(Mutex<HashMap<u64, Vec<Bytes>>>);

impl Fulfil<Add> for Chunks {
    async fn fulfil(&self, Add { twice, hashenum, data }: Add, _: Context) -> Result<Added, Failure> {
        if data.is_empty() {
            return Err(Failure::new("nothing to add"));
        }
        let mut chunks = self.0.lock().unwrap();
        let list = chunks.entry(hashenum).or_default();
        let new = !list.contains(&data);
        let length = data.len() as u64 * if twice { 2 } else { 1 };
        list.push(data);
        Ok(Added { new, length })
    }
}

impl Fulfil<Contains> for Chunks {
    async fn fulfil(&self, Contains(code): Contains, _: Context) -> Result<bool, Failure> {
        let chunks = self.0.lock().unwrap();
        Ok(chunks.get(&code.hashenum).is_some_and(|list| list.contains(&code.digest)))
    }
}

impl Fulfil<Backwards> for Chunks {
    async fn fulfil(&self, Backwards(text): Backwards, _: Context) -> Result<String, Failure> {
        Ok(text)
    }
}

fn add(data: &'static str) -> Add {
    Add { twice: false, hashenum: 1, data: data.into() }
}

/// A class of the application that has a connection.
struct StreamStore {
    connection: PacketConnection,
    added: AtomicUsize,
}

impl HasPacketConnection for StreamStore {
    type Protocol = Store;

    fn connection(&self) -> &PacketConnection {
        &self.connection
    }
}

fn stream_store() -> (StreamStore, PacketConnection) {
    let (connection, peer) = asking(serve::<Store, _>(Chunks::default()));
    (StreamStore { connection, added: AtomicUsize::new(0) }, peer)
}

mod base_request {
    use super::*;

    #[tokio::test]
    async fn base_request_flags() {
        let (mut peer, stream) = Raw::pair();
        let client = StoreClient::from(PacketConnection::builder().spawn(stream));
        let _call = client.add(Add { twice: true, ..add("x") });
        let packet = in_time(peer.hears()).await;
        assert_eq!(
            (packet.kind(), packet.flags(), &packet.payload()[..]),
            (Kind::Request(0), 1, &[1, 1, b'x'][..])
        );
    }

    #[tokio::test]
    async fn base_request_fulfil() {
        let (client, _peer) = asking(serve::<Store, _>(Chunks::default()));
        let client = StoreClient::from(client);
        in_time(async {
            assert_eq!(client.add(add("chunk")).await.unwrap(), Added { new: true, length: 5 });
            assert_eq!(client.add(add("chunk")).await.unwrap(), Added { new: false, length: 5 });
            let error = client.add(add("")).await.unwrap_err();
            assert_eq!(error.refusal().unwrap().reason(), "nothing to add");
        })
        .await;
    }

    #[test]
    fn base_request_from_request_payload() {
        let rq = Add::from_request_payload(1, Bytes::from_static(&[3, 1, b'x'])).unwrap();
        assert_eq!(rq, Add { twice: true, hashenum: 3, data: "x".into() });
        assert!(Add::from_request_payload(0, Bytes::from_static(&[3, 2, b'x'])).is_err(), "cut short");
    }

    #[test]
    fn base_request_decode_response_payload() {
        let reply = add("x").decode_response(Reply::from((1, Bytes::from_static(&[7])))).unwrap();
        assert_eq!(reply, Added { new: true, length: 7 });
    }

    #[test]
    fn base_request_of_an_existing_type() {
        let code = HashCode { hashenum: 1, digest: "digest".into() };
        let (flags, payload) = Contains(code.clone()).transcribe_request();
        assert_eq!((flags, &payload[..]), (0, &b"\x01digest"[..]));
        assert_eq!(Contains::from_request_payload(0, payload).unwrap(), Contains(code));
    }

    #[test]
    fn base_request_parse_and_transcribe() {
        let (flags, payload) = Backwards("abc".into()).transcribe_request();
        assert_eq!((flags, &payload[..]), (0, &b"\x03cba"[..]));
        assert_eq!(Backwards::from_request_payload(0, payload).unwrap(), Backwards("abc".into()));
    }
}

mod has_packet_connection {
    use super::*;

    #[tokio::test]
    async fn rq_type_map() {
        assert_eq!(Store::REQUESTS.iter().map(|request| request.rq_type).collect::<Vec<_>>(), [0, 2, 5]);
        let (mut peer, stream) = Raw::pair();
        let connection = PacketConnection::builder().name("store").spawn(stream);
        let store = StreamStore { connection, added: AtomicUsize::new(0) };
        let _call = store.conn_submit(Backwards("abc".into()));
        assert_eq!(in_time(peer.hears()).await.kind(), Kind::Request(5));
    }

    #[tokio::test]
    async fn conn_do_remote() {
        let (store, _peer) = stream_store();
        in_time(async {
            let added = store.conn_do_remote(add("chunk")).await.unwrap();
            store.added.fetch_add(1, Ordering::Relaxed);
            assert!(added.new);
            let error = store.conn_do_remote(add("")).await.unwrap_err();
            assert!(matches!(error, RequestError::Refused(_)), "not ok is an error: {error:?}");
        })
        .await;
        assert_eq!(store.added.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn conn_submit() {
        let (store, _peer) = stream_store();
        let results = ["a", "bb", "ccc"].map(|data| store.conn_submit(add(data)).label(data));
        for (result, length) in results.into_iter().zip(1..) {
            assert_eq!(in_time(result).await.unwrap().length, length);
        }
    }

    #[tokio::test]
    async fn conn_submit_channel() {
        let (here, there) = Stream::pair(1 << 10);
        let chunks = serve::<Store, _>(Chunks::default());
        let _peer = PacketConnection::builder().channel(3, chunks).spawn(there);
        let client = Client::<Store>::from(PacketConnection::builder().spawn(here).channel(3));
        assert!(in_time(client.call(add("chunk"))).await.unwrap().new);
    }

    #[tokio::test]
    async fn conn_handle_request() {
        let (mut peer, stream) = Raw::pair();
        let _connection =
            PacketConnection::builder().handler(serve::<Store, _>(Chunks::default())).spawn(stream);
        in_time(async {
            peer.says(Packet::request(0, 2, 0, 0, Bytes::from_static(b"\x01\x01x")).unwrap()).await;
            let answer = peer.hears().await;
            assert_eq!(
                (answer.kind(), answer.flags(), &answer.payload()[..]),
                (Kind::Response { ok: true }, 1, &[1][..])
            );
            peer.says(Packet::request(0, 3, 1, 0, Bytes::new()).unwrap()).await;
            assert_eq!(peer.hears().await.kind(), Kind::Response { ok: false }, "there is no request 1");
        })
        .await;
    }
}

mod files {
    use super::*;
    use std::io;
    use std::pin::Pin;
    use std::task::{self, Poll};
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    /// A file of the application's own, which counts what is asked of it.
    #[derive(Default)]
    struct File {
        incoming: Bytes,
        outgoing: Arc<Mutex<(Vec<u8>, usize)>>,
    }

    impl AsyncRead for File {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut task::Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let count = buf.remaining().min(self.incoming.len());
            buf.put_slice(&self.incoming.split_to(count));
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for File {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut task::Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.outgoing.lock().unwrap().0.extend(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
            self.outgoing.lock().unwrap().1 += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn readable_file_read() {
        let incoming = [request(1, "x").transcribe(), Packet::end_of_stream().transcribe()].concat().into();
        let file = File { incoming, ..File::default() };
        let connection = PacketConnection::builder().handler(echo).spawn(file);
        let report = in_time(connection.closed()).await;
        assert_eq!((report.stats.requests, report.stats.packets_received), (1, 2));
    }

    #[tokio::test]
    async fn sendable_file_write_and_flush() {
        let file = File { incoming: Packet::end_of_stream().transcribe(), ..File::default() };
        let outgoing = Arc::clone(&file.outgoing);
        let connection = PacketConnection::builder().spawn(file);
        in_time(connection.closed()).await;
        let (written, flushes) = &*outgoing.lock().unwrap();
        assert_eq!(written[..], [3, 1, 2, 0, 3, 0, 2, 0]);
        assert!(*flushes > 0);
    }
}

mod release_notes {
    use super::*;

    #[tokio::test]
    async fn an_orderly_shutdown_says_erq_then_what_is_owed_then_eof() {
        let (mut peer, stream) = Raw::pair();
        let released = Arc::new(tokio::sync::Notify::new());
        let release = Arc::clone(&released);
        let handler = move |request: Incoming| {
            let released = Arc::clone(&released);
            async move {
                released.notified().await;
                Ok(Reply::from(request.payload))
            }
        };
        let connection = PacketConnection::builder().handler(handler).spawn(stream);
        in_time(async {
            peer.says(request(1, "owed")).await;
            while connection.stats().performing == 0 {
                tokio::task::yield_now().await;
            }
            connection.close();
            assert_eq!(peer.hears().await, Packet::end_of_requests());
            release.notify_one();
            assert_eq!(peer.hears().await.payload(), "owed");
            assert_eq!(peer.hears().await, Packet::end_of_stream());
            peer.says(Packet::end_of_stream()).await;
            assert!(connection.closed().await.result.is_ok());
        })
        .await;
    }

    #[tokio::test]
    async fn both_sides_may_wait_for_each_other_without_a_deadlock() {
        let asks_back = async |request: Incoming| match request.rq_type {
            0 => Ok(Reply::from(0)),
            depth => {
                let deeper = request.peer().call(depth - 1, 0, Bytes::new()).await;
                deeper
                    .map(|reply| Reply::from(reply.flags + 1))
                    .map_err(|error| Failure::new(error.to_string()))
            }
        };
        let (here, there) = Stream::pair(16);
        let connection = PacketConnection::builder().handler(asks_back).spawn(here);
        let _peer = PacketConnection::builder().handler(asks_back).spawn(there);
        assert_eq!(in_time(connection.call(50, 0, Bytes::new())).await.unwrap(), Reply::from(50));
    }
}
