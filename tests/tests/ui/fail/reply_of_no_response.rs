use packetstream::Request;

struct Sum(u64);

#[derive(Request)]
#[request(reply = Sum)]
struct Add(u64, u64);

#[derive(Request)]
#[request(reply = u32)]
struct Count;

fn main() {}
