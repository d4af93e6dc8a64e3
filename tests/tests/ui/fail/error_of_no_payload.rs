use packetstream::Request;

struct TooLarge;

#[derive(Request)]
#[request(reply = u64, error = TooLarge)]
struct Add(u64, u64);

fn main() {}
