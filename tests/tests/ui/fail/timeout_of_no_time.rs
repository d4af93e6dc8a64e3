use packetstream::Request;

#[derive(Request)]
#[request(timeout = "5 seconds")]
struct Get;

#[derive(Request)]
#[request(timeout = 5)]
struct Put;

#[derive(Request)]
#[request(timeout = "0s")]
struct Stat;

#[derive(Request)]
#[request(timeout)]
struct Drop;

fn main() {}
