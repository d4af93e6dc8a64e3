//! Limits are constant expressions of whatever is in scope.

use packetstream::{BaseRequest, Contract, Protocol, Request};
use std::time::Duration;

const BLOCK: usize = 1 << 10;

const fn double(value: usize) -> usize {
    value * 2
}

#[derive(Request)]
#[request(max_payload = 64 * BLOCK, concurrency = double(2), timeout = "1500ms", ordered, blocking, idempotent)]
struct All {
    data: Vec<u8>,
}

#[derive(Request)]
#[request(max_payload = { let limit = usize::MAX; limit })]
#[request(timeout = "2h")]
struct Some;

#[derive(Request)]
#[request(concurrency = N)]
struct Wide<const N: usize>;

#[derive(Request)]
#[request(idempotent)]
struct Again;

#[derive(Request)]
struct None;

#[derive(Protocol)]
enum Limits {
    #[request(0)]
    All(All),
    #[request(1)]
    Some(Some),
    #[request(2)]
    Wide(Wide<9>),
    #[request(3)]
    Again(Again),
    #[request(4)]
    None(None),
}

fn main() {
    let all = Contract {
        max_payload: Option::Some(65_536),
        concurrency: Option::Some(4),
        timeout: Option::Some(Duration::from_millis(1500)),
        ordered: true,
        blocking: true,
        idempotent: true,
    };
    let some = Contract {
        max_payload: Option::Some(usize::MAX),
        timeout: Option::Some(Duration::from_secs(7200)),
        ..Contract::NONE
    };
    let wide = Contract { concurrency: Option::Some(9), ..Contract::NONE };
    let again = Contract { idempotent: true, ..Contract::NONE };
    assert_eq!(All::CONTRACT, all);
    let contracts = Limits::REQUESTS.iter().map(|request| request.contract);
    assert_eq!(contracts.collect::<Vec<_>>(), [all, some, wide, again, Contract::NONE]);
}
