use packetstream::Protocol;

#[derive(Protocol)]
#[packetstream(client = Calc)]
enum Calc {}

fn main() {}
