use packetstream::Request;

#[derive(Request)]
#[request(reply = 5, error)]
struct Get;

#[derive(Request)]
#[request(reply(u64), error = "Full")]
struct Put;

fn main() {}
