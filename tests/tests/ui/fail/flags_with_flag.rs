use packetstream::Request;

#[derive(Request)]
struct Forward {
    #[request(flags)]
    flags: u64,
    #[request(flag = 0)]
    urgent: bool,
}

#[derive(Request)]
struct Send {
    #[request(flag = 3)]
    urgent: bool,
    #[request(flags)]
    flags: u64,
}

fn main() {}
