use packetstream::Payload;

#[derive(Payload)]
enum Body {
    Text(String),
}

#[derive(Payload)]
struct Table {
    rows: u64,
    #[payload(count = rows)]
    names: Vec<String>,
    #[payload(count = rows)]
    cells: Vec<u64>,
    #[payload(id = rows)]
    body: Body,
}

fn main() {}
