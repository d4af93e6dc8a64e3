//! What only the release notes tell.

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
            deeper.map(|reply| Reply::from(reply.flags + 1)).map_err(|error| Failure::new(error.to_string()))
        }
    };
    let (here, there) = Stream::pair(16);
    let connection = PacketConnection::builder().handler(asks_back).spawn(here);
    let _peer = PacketConnection::builder().handler(asks_back).spawn(there);
    assert_eq!(in_time(connection.call(50, 0, Bytes::new())).await.unwrap(), Reply::from(50));
}
