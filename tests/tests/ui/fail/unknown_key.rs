use packetstream::{Protocol, Request};

#[derive(Request)]
#[request(response = u64)]
#[packetstream(client = Stub)]
struct Add;

#[derive(Protocol)]
#[packetstream(stub = Stub, client = Client, client = Client2)]
enum Calc {
    #[request(0)]
    Add(Add),
}

fn main() {}
