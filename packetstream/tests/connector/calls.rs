//! What becomes of calls.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_lost_request_is_asked_again_only_if_that_does_no_harm() {
    let (store, mut door) = store();
    let (add, get) = (asked(store.call(Add(1))), asked(store.call(Get(2))));
    let (arrives, mut arrival) = mpsc::unbounded_channel();
    let peer = PacketConnection::builder().handler(move |_: Incoming| {
        arrives.send(()).unwrap();
        std::future::pending()
    });
    let (_connection, driver) = peer.build(door.knock().await.open());
    let driver = tokio::spawn(driver.run());
    in_time(async {
        arrival.recv().await.unwrap();
        arrival.recv().await.unwrap();
    })
    .await;
    driver.abort();
    let error = in_time(add).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Lost(ConnectionError::NoGoodbye)), "{error:?}");
    let _peer = door.knock().await.serve(echo);
    assert_eq!(in_time(get).await.unwrap().unwrap(), 2);
    let state = store.state().borrow().clone();
    assert!(matches!(state.last_error, Some(Outage::Ended(ConnectionError::NoGoodbye))), "{state:?}");
    assert_eq!(state.connections, 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_is_asked_over_the_next_connection() {
    let (connector, mut door) = connector();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let store: Link<Store> = connector.builder(move || PacketConnection::builder().limits(limits)).link();
    let first = asked(store.call(Get(1)));
    let ask = Arc::new(Semaphore::new(0));
    let asked_for = Arc::clone(&ask);
    let peer = door.knock().await.serve(move |_: Incoming| {
        asked_for.add_permits(1);
        std::future::pending()
    });
    in_time(ask.acquire()).await.unwrap().forget();
    let waits_its_turn = asked(store.call(Add(2)));
    tokio::task::yield_now().await;
    peer.close();
    let next = door.knock().await;
    let _peer = next.serve(echo);
    assert_eq!(in_time(waits_its_turn).await.unwrap().unwrap(), 2);
    drop((first, peer));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_tried_so_often_and_no_more() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.tries(2).link();
    let call = asked(store.call(Get(1)));
    for _ in 0..2 {
        let mut stream = door.knock().await.open();
        in_time(tokio::io::AsyncReadExt::read_u8(&mut stream)).await.unwrap();
    }
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Lost(_)), "{error:?}");
    assert!(door.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_try_that_was_lost_is_not_forgotten_for_one_that_was_not_sent() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.attempts(1).link();
    for is_busy in [false, true] {
        let call = asked(store.call(Get(1)));
        let mut stream = door.knock().await.open();
        in_time(tokio::io::AsyncReadExt::read_u8(&mut stream)).await.unwrap();
        drop(stream);
        let attempt = door.knock().await;
        let _peer = if is_busy {
            Some(attempt.serve(async |_: Incoming| Err(Failure::busy(""))))
        } else {
            attempt.refuse("down");
            None
        };
        let error = in_time(call).await.unwrap().unwrap_err();
        assert!(matches!(error, RequestError::Lost(_)) && !error.is_retryable(), "{error:?}");
    }
}

/// Is busy so many times, then echoes.
fn busy(times: u32) -> (impl packetstream::Handler, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let handler = move |request: Incoming| {
        let is_busy = count.fetch_add(1, Ordering::Relaxed) < times;
        async move { if is_busy { Err(Failure::busy("")) } else { echo(request).await } }
    };
    (handler, asked)
}

#[tokio::test(start_paused = true)]
async fn a_busy_peer_is_asked_again_after_a_while_over_the_same_connection() {
    let (store, mut door) = store();
    let call = asked(store.call(Add(6)));
    let (handler, times) = busy(2);
    let _peer = door.knock().await.serve(handler);
    let start = Instant::now();
    assert_eq!(in_time(call).await.unwrap().unwrap(), 6);
    assert_eq!((start.elapsed(), times.load(Ordering::Relaxed)), (3 * SECOND, 3));
    assert_eq!(store.state().borrow().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_busy_peer_is_not_waited_for_in_vain() {
    let (store, mut door) = store();
    let call = asked(store.call(Add(6)));
    let (handler, times) = busy(u32::MAX);
    let _peer = door.knock().await.serve(handler);
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(error.refusal().unwrap().is_busy());
    assert_eq!(times.load(Ordering::Relaxed), 3, "the default");
    let start = Instant::now();
    let error = in_time(store.call(Add(6)).timeout(2 * SECOND)).await.unwrap_err();
    assert!(error.refusal().unwrap().is_busy(), "the second wait would take longer than there is time");
    assert_eq!((start.elapsed(), times.load(Ordering::Relaxed)), (SECOND, 5));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_other_words_is_final() {
    let (store, mut door) = store();
    let call = asked(store.call(Get(6)));
    let _peer = door.knock().await.serve(async |_: Incoming| Err(Failure::new("no")));
    let error = in_time(call).await.unwrap().unwrap_err();
    assert_eq!(error.refusal().unwrap().reason(), "no");
}

#[tokio::test(start_paused = true)]
async fn a_time_out_tells_whether_the_request_is_on_its_way() {
    let (connector, mut door) = connector();
    let limits = Limits { max_calls: 1, ..Limits::default() };
    let store: Link<Store> = connector.builder(move || PacketConnection::builder().limits(limits)).link();

    let start = Instant::now();
    let call = asked(store.call(Add(1)).timeout(SECOND));
    let attempt = door.knock().await;
    let error = in_time(call).await.unwrap().unwrap_err();
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(no_connection(&error).to_string(), "no connection within 1s");

    let _peer = attempt.serve(async |_: Incoming| std::future::pending().await);
    let error = in_time(store.call(Add(1)).timeout(SECOND)).await.unwrap_err();
    assert!(matches!(error, RequestError::Unanswered(SECOND)), "{error:?}");
    let error = in_time(store.call(Add(1)).timeout(SECOND)).await.unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::NoTurn(SECOND))), "{error:?}");
    assert_eq!(start.elapsed(), 3 * SECOND);
}

#[test]
fn a_request_may_be_asked_again_as_its_error_and_its_contract_say() {
    use packetstream::Outgoing;
    let get = Outgoing::of::<Store, _>(&Get(1)).unwrap();
    let add = Outgoing::of::<Store, _>(&Add(1)).unwrap();
    assert_eq!((get.rq_type, &get.payload[..], get.idempotent), (1, &[1][..], true));
    let of = |error: CallError| (add.may_be_asked_again(&error), get.may_be_asked_again(&error));
    assert_eq!(of(CallError::Lost(ConnectionError::NoGoodbye)), (false, true));
    assert_eq!(of(CallError::NotSent(NotSent::Closed)), (true, true));
    assert_eq!(of(CallError::NotSent(NotSent::Unwritable)), (false, false));
    assert_eq!(of(CallError::Failed(Failure::busy("2 at once"))), (true, true));
    assert_eq!(of(CallError::Failed(Failure::new("no"))), (false, false));
    let boxed: Box<dyn Error + Send + Sync> = Box::new(CallError::Lost(ConnectionError::NoGoodbye));
    assert!(get.may_be_asked_again(&*boxed));
    assert!(!get.may_be_asked_again(&std::fmt::Error));
    assert!(!format!("{get:?}").contains("[1]"), "no payload is shown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_is_answered_though_connections_die_all_the_time() {
    const CALLS: u64 = 2000;
    const LIFE: u32 = 25;

    let deaths = Arc::new(AtomicU32::new(0));
    let died = Arc::clone(&deaths);
    let open = move || {
        let (here, there) = Stream::pair(1 << 16);
        let (died, asked, over) = (Arc::clone(&died), AtomicU32::new(0), Arc::new(Notify::new()));
        let end = Arc::clone(&over);
        let handler = move |request: Incoming| {
            if asked.fetch_add(1, Ordering::Relaxed) == LIFE {
                died.fetch_add(1, Ordering::Relaxed);
                end.notify_one();
            }
            async move { Ok(Reply::from(Get::from_request_payload(0, request.payload).unwrap().0)) }
        };
        tokio::spawn(async move {
            tokio::select! {
                _ = PacketConnection::builder().handler(handler).serve(there) => {}
                // With answers of its own on their way, or not.
                () = over.notified() => {}
            }
        });
        async move { Ok::<_, String>(here) }
    };
    let backoff =
        Backoff { first: Duration::from_millis(1), most: Duration::from_millis(1), ..Backoff::default() };
    let store: Link<Store> = Connector::new(open).backoff(backoff).tries(u32::MAX).link();
    let calls: Vec<_> = (0..CALLS).map(|n| (n, tokio::spawn(store.call(Get(n))))).collect();
    in_time(async {
        for (n, call) in calls {
            assert_eq!(call.await.unwrap().unwrap(), n);
        }
        store.close();
        store.closed().await;
    })
    .await;
    let deaths = u64::from(deaths.load(Ordering::Relaxed));
    assert!(deaths > 0);
    assert!(store.state().borrow().connections <= deaths + 1, "each died before there was another");
}
