//! `HasPacketConnection`.

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
    let _connection = PacketConnection::builder().handler(serve::<Store, _>(Chunks::default())).spawn(stream);
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
