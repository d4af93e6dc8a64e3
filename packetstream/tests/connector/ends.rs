//! When connections and links end.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_is_let_go() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.idle(10 * SECOND).link();
    let call = asked(store.call(Get(1)));
    let peer = door.knock().await.serve(async |request: Incoming| {
        tokio::time::sleep(30 * SECOND).await;
        echo(request).await
    });
    in_time(call).await.unwrap().unwrap();
    let answered = Instant::now();
    in_time(ends_well(&peer)).await;
    let idle = answered.elapsed();
    assert!(10 * SECOND <= idle && idle <= 20 * SECOND, "{idle:?}, and 30 s for the answer");
    assert_eq!(store.state().borrow().phase, LinkPhase::Idle);

    // It comes back without a wait.
    let (start, call) = (Instant::now(), asked(store.call(Get(2))));
    let _peer = door.knock().await.serve(echo);
    assert_eq!(in_time(call).await.unwrap().unwrap(), 2);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_given_out_keeps_its_connection() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.idle(SECOND).link();
    let getting = tokio::spawn({
        let store = store.clone();
        async move { store.get::<Client<Store>>().await }
    });
    let peer = door.knock().await.serve(echo);
    let client = in_time(getting).await.unwrap().unwrap();
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Idle, "the link has let go");
    assert_eq!(in_time(client.call(Get(3))).await.unwrap(), 3);
    drop(client);
    in_time(ends_well(&peer)).await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_link_is_closed_for_good_and_for_all() {
    let (store, mut door) = store();
    let call = asked(store.call(Get(4)));
    let (arrives, arrival) = oneshot::channel();
    let arrives = std::sync::Mutex::new(Some(arrives));
    let peer = door.knock().await.serve(move |request: Incoming| {
        arrives.lock().unwrap().take().unwrap().send(()).unwrap();
        async move {
            tokio::time::sleep(SECOND).await;
            echo(request).await
        }
    });
    in_time(arrival).await.unwrap();
    store.clone().close();
    for error in
        [in_time(store.call(Get(1))).await.unwrap_err(), in_time(store.call(Add(1))).await.unwrap_err()]
    {
        assert!(matches!(error, RequestError::NotSent(NotSent::Closed)), "{error:?}");
    }
    let error = in_time(store.get::<PacketConnection>()).await.unwrap_err();
    assert!(matches!(error, LinkError::Closed), "{error:?}");
    assert_eq!(in_time(call).await.unwrap().unwrap(), 4, "what is on its way is answered");
    in_time(store.closed()).await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Closed);
    in_time(ends_well(&peer)).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_goodbye_of_a_closed_link() {
    let (store, mut door) = store();
    let call = asked(store.call(Add(4)));
    let start = Instant::now();
    let peer = door.knock().await.serve(async |_: Incoming| std::future::pending().await);
    // It is answered never, so the goodbye takes as long as it may.
    tokio::time::sleep(SECOND).await;
    store.close();
    let late = in_time(store.get::<PacketConnection>()).await.unwrap_err();
    assert!(matches!(late, LinkError::Closed) && start.elapsed() == SECOND, "{late:?}");
    in_time(store.closed()).await;
    assert_eq!(start.elapsed(), SECOND + Limits::default().answer_timeout);
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Lost(ConnectionError::CloseTimedOut { .. })), "{error:?}");
    drop(peer);
}

#[tokio::test]
async fn closing_tells_those_who_wait_for_a_connection() {
    let (store, mut door) = store();
    let call = asked(store.call(Get(4)));
    let _attempt = door.knock().await;
    store.close();
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::Closed)), "{error:?}");
    in_time(store.closed()).await;
}

#[tokio::test]
async fn a_connection_ends_with_the_last_handle_and_the_last_call() {
    let (store, mut door) = store();
    let (go, goes) = oneshot::channel::<()>();
    let goes = std::sync::Mutex::new(Some(goes));
    let call = asked(store.call(Get(4)));
    let state = store.state();
    drop(store);
    let peer = door.knock().await.serve(move |request: Incoming| {
        let goes = goes.lock().unwrap().take().unwrap();
        async move {
            goes.await.unwrap();
            echo(request).await
        }
    });
    go.send(()).unwrap();
    in_time(async {
        assert_eq!(call.await.unwrap().unwrap(), 4);
        ends_well(&peer).await;
    })
    .await;
    assert_eq!(state.borrow().phase, LinkPhase::Closed);
}

#[tokio::test]
async fn an_opener_that_panics_closes_the_link() {
    let panics =
        || async { if std::hint::black_box(true) { panic!("as told") } else { Err::<Stream, _>("no") } };
    let store: Link<Store> = Connector::new(panics).link();
    let error = in_time(store.call(Get(4))).await.unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::Closed)), "{error:?}");
    assert_eq!(store.state().borrow().phase, LinkPhase::Closed);
}

#[tokio::test]
async fn a_connection_that_comes_when_the_link_is_closed_does_not_open_it_again() {
    // Which of the two the link learns first is left to chance.
    for _ in 0..50 {
        let (store, mut door) = store();
        let call = asked(store.call(Get(4)));
        let attempt = door.knock().await;
        let peer = attempt.serve(echo);
        store.close();
        in_time(async {
            store.closed().await;
            assert!(matches!(store.get::<PacketConnection>().await, Err(LinkError::Closed)));
            // Answered if the connection came first.
            let _ = call.await.unwrap();
            peer.close();
            let _ = peer.closed().await;
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_used_now_and_then_is_kept() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.idle(10 * SECOND).link();
    let call = asked(store.call(Get(0)));
    let _peer = door.knock().await.serve(echo);
    in_time(call).await.unwrap().unwrap();
    for n in 1..20 {
        // Never while the link looks whether it is used.
        tokio::time::sleep(9 * SECOND).await;
        assert_eq!(in_time(store.call(Get(n))).await.unwrap(), n);
    }
    assert_eq!(store.state().borrow().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_peer_has_said_goodbye_is_given_to_nobody() {
    let (connector, mut door) = connector();
    let never = async |_: Incoming| std::future::pending().await;
    let store: Link<Store> = connector.builder(move || PacketConnection::builder().handler(never)).link();
    let getting = tokio::spawn({
        let store = store.clone();
        async move { store.get::<PacketConnection>().await }
    });
    let mut peer = door.knock().await.open();
    let connection = in_time(getting).await.unwrap().unwrap();
    in_time(async {
        // A request that is never answered, so that the connection does not end; no more requests; no more at all.
        let bytes = [3, 2, 2, 1, 3, 1, 2, 0, 3, 0, 2, 0];
        tokio::io::AsyncWriteExt::write_all(&mut peer, &bytes).await.unwrap();
        while connection.is_open() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let getting = tokio::spawn(async move { store.get::<PacketConnection>().await });
    let _peer = door.knock().await.serve(echo);
    assert!(in_time(getting).await.unwrap().unwrap().is_open());
}
