use packetstream::Request;

#[derive(Request)]
#[request(concurrency = 0, max_payload = 0)]
struct Get;

#[derive(Request)]
#[request(concurrency, ordered = true)]
struct Put;

fn main() {}
