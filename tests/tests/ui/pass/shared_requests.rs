use packetstream::{Bytes, Carries, Protocol, Request};

mod calc {
    #[derive(packetstream::Request)]
    #[request(reply = u64)]
    pub struct Add(pub u64, pub u64);
}

#[derive(Request)]
struct Ping;

#[derive(Protocol)]
enum Calc {
    #[request(0)]
    Ping(Ping),
    #[request(1)]
    Add(calc::Add),
}

#[derive(Protocol)]
enum Health {
    #[request(0x10)]
    Alive(Ping),
}

fn main() {
    assert_eq!((<Calc as Carries<Ping>>::REQUEST_TYPE, <Calc as Carries<calc::Add>>::REQUEST_TYPE), (0, 1));
    assert_eq!(<Health as Carries<Ping>>::REQUEST_TYPE, 16);
    assert!(matches!(Calc::from_request(0, 0, Bytes::new()), Ok(Calc::Ping(Ping))));
    assert!(matches!(Health::from_request(16, 0, Bytes::new()), Ok(Health::Alive(Ping))));
    assert!(Health::from_request(0, 0, Bytes::new()).is_err());
}
