use packetstream::Request;

#[derive(Request)]
#[request(blocking, timeout = "5s")]
struct Compress(Vec<u8>);

fn main() {}
