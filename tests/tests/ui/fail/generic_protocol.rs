use packetstream::{Protocol, Request};

#[derive(Request)]
struct Put<T>(T);

#[derive(Protocol)]
enum Store<T> {
    #[request(0)]
    Put(Put<T>),
}

#[derive(Protocol)]
enum Empty<const N: usize> {}

fn main() {}
