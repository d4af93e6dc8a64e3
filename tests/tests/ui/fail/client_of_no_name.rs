use packetstream::Protocol;

#[derive(Protocol)]
#[packetstream(client)]
enum Calc {}

#[derive(Protocol)]
#[packetstream(client = "Client", crate = "packetstream")]
enum Store {}

fn main() {}
