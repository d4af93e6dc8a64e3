use packetstream::Payload;

#[derive(Payload)]
struct Table {
    rows: String,
    #[payload(count = rows)]
    cells: Vec<u64>,
}

fn main() {}
