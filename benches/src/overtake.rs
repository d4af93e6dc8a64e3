//! W6: how long small calls take on a connection whose other calls are 16 MiB long.

use crate::contenders::Contender;
use crate::stage::Stage;
use crate::work::{LONGEST, bulk, warm_up};
use std::time::{Duration, Instant};

pub(crate) type Overtake = fn(Stage, Duration) -> Option<Duration>;

/// Large calls at a time.
const LARGE: usize = 2;

/// What 99 of 100 small calls take at most.
pub(crate) fn overtake<C: Contender>(stage: Stage, time: Duration) -> Option<Duration> {
    if C::LONGEST < LONGEST {
        return None;
    }
    let (here, there) = stage.ends();
    let ask = move || async move {
        let client = C::connect(here.enter()).await;
        warm_up::<C>(&client).await;
        let until = Instant::now() + time;
        let large: Vec<_> = (0..LARGE)
            .map(|caller| tokio::spawn(bulk::<C>(client.clone(), caller, LONGEST, until)))
            .collect();
        let mut took = Vec::new();
        while Instant::now() < until {
            let begun = Instant::now();
            warm_up::<C>(&client).await;
            took.push(begun.elapsed());
        }
        for caller in large {
            caller.await.expect("every call is answered");
        }
        took.sort();
        took.get(took.len().saturating_sub(1) * 99 / 100).copied()
    };
    stage.perform(move || C::serve(there.enter()), ask)
}
