use packetstream::Protocol;

#[derive(Protocol)]
struct Calc {
    add: u64,
}

#[derive(Protocol)]
union Store {
    put: u64,
}

fn main() {}
