//! A request becomes a value of its protocol, and back.

use packetstream::{Protocol, Request};

#[derive(Clone, Debug, PartialEq, Request)]
struct Add(u64);

#[derive(Clone, Debug, PartialEq, Request)]
struct Reset;

#[derive(Clone, Debug, PartialEq, Request)]
struct Put<T>(T);

#[derive(Clone, Debug, PartialEq, Protocol)]
enum Calc {
    #[request(0)]
    Add(Add),
    #[request(1)]
    Reset(Reset),
    #[request(2)]
    PutText(Put<String>),
    #[request(3)]
    PutNumber(Put<u64>),
}

/// With one request every value is that request.
#[derive(Debug, PartialEq, Protocol)]
enum Only {
    #[request(5)]
    Add(Add),
}

fn main() {
    assert_eq!(Calc::from(Add(1)), Calc::Add(Add(1)));
    assert_eq!(Calc::from(Put(1)), Calc::PutNumber(Put(1)));
    assert_eq!(Put::<String>::try_from(Calc::from(Put("t".to_owned()))), Ok(Put("t".to_owned())));
    assert_eq!(Reset::try_from(Calc::Add(Add(1))), Err(Calc::Add(Add(1))));
    assert_eq!(Add::try_from(Only::from(Add(1))), Ok(Add(1)));
    let any: Calc = Reset.into();
    let reset: Result<Reset, Calc> = any.try_into();
    assert_eq!(reset, Ok(Reset));
}
