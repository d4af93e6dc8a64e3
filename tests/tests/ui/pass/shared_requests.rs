use packetstream::{Carries, Protocol, Request};

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
    assert_eq!((<Calc as Carries<Ping>>::REQUEST_TYPE, Calc::from(Ping).rq_type()), (0, 0));
    assert_eq!((<Health as Carries<Ping>>::REQUEST_TYPE, Health::from(Ping).rq_type()), (16, 16));
    assert_eq!(Calc::Add(calc::Add(1, 2)).rq_type(), 1);
}
