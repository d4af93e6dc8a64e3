//! When streams are opened, and what becomes of attempts that fail.

use super::*;

#[tokio::test]
async fn nothing_is_opened_before_something_is_asked() {
    let (store, mut door) = store();
    tokio::task::yield_now().await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Idle);
    drop(store.call(Get(1)));
    tokio::task::yield_now().await;
    assert!(door.is_quiet(), "a call that is not polled asks nothing");
    let call = asked(store.call(Get(7)));
    let attempt = door.knock().await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Connecting { attempt: 1 });
    let _peer = attempt.serve(echo);
    assert_eq!(in_time(call).await.unwrap().unwrap(), 7);
    assert_eq!(store.state().borrow().phase, LinkPhase::Connected);
}

#[tokio::test]
async fn all_who_ask_share_one_attempt_and_one_connection() {
    let (store, mut door) = store();
    let calls: Vec<_> = (0..100).map(|n| asked(store.clone().call(Get(n)))).collect();
    let attempt = door.knock().await;
    tokio::task::yield_now().await;
    let _peer = attempt.serve(echo);
    in_time(async {
        for (n, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap().unwrap(), n);
        }
        assert_eq!(store.call(Get(5)).await.unwrap(), 5);
    })
    .await;
    assert!(door.is_quiet());
    assert_eq!(store.state().borrow().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_repeated_after_a_wait_that_grows() {
    let (store, mut door) = store();
    let call = asked(store.call(Add(3)));
    let start = Instant::now();
    for (attempt, seconds) in [(1, 0), (2, 1), (3, 3), (4, 7)] {
        let knock = door.knock().await;
        assert_eq!(start.elapsed(), seconds * SECOND);
        assert_eq!(store.state().borrow().phase, LinkPhase::Connecting { attempt });
        knock.refuse("not yet");
        let mut state = store.state();
        let state =
            in_time(state.wait_for(|state| matches!(state.phase, LinkPhase::Waiting { .. }))).await.unwrap();
        let until = start + [SECOND, 3 * SECOND, 7 * SECOND, 15 * SECOND][attempt as usize - 1];
        assert_eq!(state.phase, LinkPhase::Waiting { attempt: attempt + 1, until });
        assert_eq!(state.last_error.as_ref().unwrap().to_string(), "not yet");
    }
    let _peer = door.knock().await.serve(echo);
    assert_eq!(in_time(call).await.unwrap().unwrap(), 3);
    assert!(store.state().borrow().last_error.is_some(), "it stays to be looked at");
}

#[tokio::test(start_paused = true)]
async fn enough_failed_attempts_are_the_answer_but_nobody_elses() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.attempts(2).link();
    let first = asked(store.call(Add(1)));
    door.knock().await.refuse("closed for lunch");
    // It comes between the attempts of another: two of its own have to fail.
    tokio::time::sleep(SECOND / 2).await;
    let second = asked(store.call(Add(2)));
    door.knock().await.refuse("still at lunch");

    let error = in_time(first).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "request not sent");
    let LinkError::Unreachable { attempts: 2, source: Outage::NotOpened(_) } = no_connection(&error) else {
        panic!("{error:?}")
    };
    let chain: Vec<_> =
        std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string).collect();
    assert_eq!(chain, ["no connection to send it over", "no connection in 2 attempts", "still at lunch"]);

    let _peer = door.knock().await.serve(echo);
    assert_eq!(in_time(second).await.unwrap().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_kept_for_those_who_come_later() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.attempts(1).link();
    let start = Instant::now();
    let failed = asked(store.call(Add(1)));
    door.knock().await.refuse("down");
    in_time(failed).await.unwrap().unwrap_err();
    // The next comes at once, and still does not hammer.
    let late = asked(store.call(Add(2)));
    let attempt = door.knock().await;
    assert_eq!(start.elapsed(), SECOND);
    let _peer = attempt.serve(echo);
    assert_eq!(in_time(late).await.unwrap().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_made_for_nobody() {
    let (store, mut door) = store();
    let start = Instant::now();
    let error = store.call(Add(1)).timeout(SECOND / 2);
    let call = asked(error);
    door.knock().await.refuse("down");
    let error = in_time(call).await.unwrap().unwrap_err();
    assert!(matches!(no_connection(&error), LinkError::TimedOut { source: Some(_), .. }), "{error:?}");
    let mut state = store.state();
    in_time(state.wait_for(|state| state.phase == LinkPhase::Idle)).await.unwrap();
    assert_eq!(start.elapsed(), SECOND);
    assert!(door.is_quiet());

    let call = asked(store.call(Add(1)));
    let attempt = door.knock().await;
    assert_eq!(store.state().borrow().phase, LinkPhase::Connecting { attempt: 2 }, "it remembers");
    let _peer = attempt.serve(echo);
    in_time(call).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up_and_so_is_the_wait_for_it() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.patience(5 * SECOND).link();
    let start = Instant::now();
    let call = asked(store.call(Add(1)));
    let _hangs = door.knock().await;
    tokio::time::sleep(SECOND).await;
    let second = asked(store.call(Add(2)));
    let error = in_time(call).await.unwrap().unwrap_err();
    assert_eq!(start.elapsed(), 5 * SECOND);
    let LinkError::TimedOut { limit, .. } = no_connection(&error) else { panic!("{error:?}") };
    assert_eq!(*limit, 5 * SECOND);
    let mut state = store.state();
    let state = in_time(state.wait_for(|state| state.last_error.is_some())).await.unwrap().clone();
    assert_eq!(state.last_error.unwrap().to_string(), "no stream within 5s");
    let error = in_time(second).await.unwrap().unwrap_err();
    assert_eq!(start.elapsed(), 6 * SECOND);
    assert!(matches!(
        no_connection(&error),
        LinkError::TimedOut { source: Some(Outage::OpenTimedOut(_)), .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_connections_and_drops_them_is_not_hammered() {
    let (connector, mut door) = connector();
    let store: Link<Store> = connector.tries(4).link();
    let start = Instant::now();
    let call = asked(store.call(Get(1)));
    for seconds in [0, 1, 3, 7] {
        let attempt = door.knock().await;
        assert_eq!(start.elapsed(), seconds * SECOND);
        drop(attempt.open());
    }
    in_time(call).await.unwrap().unwrap_err();
    // One that lasts longer than the next wait ends that.
    let call = asked(store.call(Get(1)));
    let peer = door.knock().await.serve(echo);
    in_time(call).await.unwrap().unwrap();
    tokio::time::sleep(8 * SECOND).await;
    peer.close();
    let mut state = store.state();
    in_time(state.wait_for(|state| state.phase == LinkPhase::Idle)).await.unwrap();
    let (start, call) = (Instant::now(), asked(store.call(Get(1))));
    let _peer = door.knock().await.serve(echo);
    in_time(call).await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_request_that_no_connection_would_take_opens_none() {
    #[derive(Debug, Payload)]
    struct Large(Vec<u8>);

    impl BaseRequest for Large {
        type Reply = ();
        type Error = Failure;
        const CONTRACT: Contract = Contract { max_payload: Some(1), ..Contract::NONE };
    }

    protocol!(Odd { 0 => Large });

    let (connector, mut door) = connector();
    let odd: Link<Odd> = connector.link();
    let error = in_time(odd.call(Large(vec![1, 2]))).await.unwrap_err();
    assert!(matches!(error, RequestError::NotSent(NotSent::TooLong { payload: 3, limit: 1 })), "{error:?}");
    assert!(door.is_quiet());
}
