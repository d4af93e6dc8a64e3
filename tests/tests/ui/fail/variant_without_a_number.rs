use packetstream::{Client, Protocol, Request};

#[derive(Request)]
struct Add;

#[derive(Protocol)]
enum Calc {
    Add(Add),
}

fn main() {
    let _ = async |client: Client<Calc>| client.call(Add).await;
}
