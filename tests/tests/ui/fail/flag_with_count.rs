use packetstream::Payload;

#[derive(Payload)]
struct Table {
    rows: u64,
    #[payload(flag = 0, count = rows)]
    cells: Option<Vec<u64>>,
}

fn main() {}
