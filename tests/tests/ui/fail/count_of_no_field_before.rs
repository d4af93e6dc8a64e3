use packetstream::Payload;

#[derive(Payload)]
struct Table {
    #[payload(count = rows)]
    cells: Vec<u64>,
    rows: u64,
    #[payload(count = names)]
    name: String,
    #[payload(skip)]
    hidden: u64,
    #[payload(count = hidden)]
    raw: Vec<u8>,
    #[payload(count = "rows")]
    text: String,
}

#[derive(Payload)]
struct Pair(#[payload(count = 0)] Vec<u64>, #[payload(count = 2)] Vec<u64>);

fn main() {}
