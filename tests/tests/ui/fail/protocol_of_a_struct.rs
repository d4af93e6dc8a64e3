use packetstream::Protocol;

#[derive(Protocol)]
struct Calc {
    add: u64,
}

#[derive(Protocol)]
enum Store<T> {
    #[request(0)]
    Put(T),
}

fn main() {}
