/// Adds two numbers.
#[derive(Debug, Request)]
#[request(reply = u64, error = String, max_payload = 64, timeout = "5s", ordered)]
struct Add {
    a: u64,
    b: u64,
}

#[derive(Debug, Request)]
struct Reset;

/// What a calculator does.
#[derive(Debug, Protocol)]
#[packetstream(client = CalcClient)]
pub(crate) enum Calc {
    /// Adds two numbers.
    #[request(0)]
    Add(Add),
    #[request(7)]
    Move(Reset),
}
