//! `PacketConnection`: its parameters.

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
        tokio::spawn(PacketConnection::builder().handler(serve::<Store, _>(Chunks::default())).serve(peer));
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
    itself.args(["--exact", "parameters::tick_fd_2", "--nocapture"]).env(WITHIN, "").kill_on_drop(true);
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

// Rules: R-5
#[tokio::test]
async fn request_handler_none() {
    assert_eq!(seen(()).await, (true, 0, Bytes::new()));
}

// Rules: R-5
#[tokio::test]
async fn request_handler_int() {
    assert_eq!(seen(0x11).await, (true, 0x11, Bytes::new()));
}

// Rules: R-5
#[tokio::test]
async fn request_handler_bytes() {
    assert_eq!(seen(Bytes::from_static(b"payload")).await, (true, 0, "payload".into()));
}

// Rules: R-5
#[tokio::test]
async fn request_handler_str_is_utf_8() {
    assert_eq!(seen("größe".to_owned()).await, (true, 0, Bytes::from_static("größe".as_bytes())));
}

// Rules: R-5
#[tokio::test]
async fn request_handler_int_and_bytes() {
    assert_eq!(seen((0x11, Bytes::from_static(b"payload"))).await, (true, 0x11, "payload".into()));
}

// Rules: R-6
#[tokio::test]
async fn request_handler_exception() {
    assert_eq!(seen_outcome(Err(Failure::new("no such chunk"))).await, (false, 0, "no such chunk".into()));
    let (connection, _peer) = asking(async |_: Incoming| panic!("as a handler may"));
    let error = in_time(connection.submit(0, 0, Bytes::new())).await.unwrap_err();
    assert_eq!(error.to_string(), "the peer answered not-ok: exception during handler");
}

// Rules: R-7
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
