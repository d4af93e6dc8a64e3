use packetstream::Request;

const AFTER: u32 = 0;

#[derive(Request)]
struct Names {
    #[request(flag = AFTER)]
    after: bool,
    #[request(flag)]
    before: bool,
    #[request(flag = -1)]
    start: bool,
    #[request(flag = 1u8)]
    end: bool,
}

fn main() {}
