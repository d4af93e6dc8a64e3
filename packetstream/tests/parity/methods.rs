//! `PacketConnection`: its methods.

use super::*;

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
        assert_eq!((failure.to_string().as_str(), failure.is_unknown_channel()), ("unknown channel 7", true));
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
