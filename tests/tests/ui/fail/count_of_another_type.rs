use packetstream::Payload;

#[derive(Payload)]
struct Table {
    rows: u64,
    #[payload(count = rows)]
    cells: Option<u64>,
}

fn main() {}
