use packetstream::{Client, Protocol, Request};

#[derive(Request)]
struct Add;

#[derive(Request)]
struct Neg;

#[derive(Request)]
struct Sub;

#[derive(Protocol)]
enum Calc {
    #[request(0)]
    Add(Add),
    #[request(1)]
    Neg(Neg),
}

fn ask(client: &Client<Calc>) {
    let _ = client.call(Sub);
}

fn main() {
    let _ = ask;
}
