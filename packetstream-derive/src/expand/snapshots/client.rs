/// Adds two numbers.
#[derive(Debug, Request)]
#[request(reply = u64, error = String, max_payload = 64, timeout = "5s", ordered)]
pub struct Add {
    a: u64,
    b: u64,
}

#[derive(Debug, Request)]
pub struct Reset;

/// What a calculator does.
#[derive(Debug, Protocol)]
#[packetstream(client = CalcClient)]
pub enum Calc {
    /// Adds two numbers.
    #[request(0)]
    Add(Add),
    #[request(7)]
    Move(Reset),
}
