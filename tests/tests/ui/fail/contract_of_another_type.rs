use packetstream::Request;

#[derive(Request)]
#[request(concurrency = -1)]
struct Get;

fn main() {}
