use packetstream::Request;

#[derive(Request)]
union Word {
    number: u64,
    bytes: [u8; 8],
}

fn main() {}
