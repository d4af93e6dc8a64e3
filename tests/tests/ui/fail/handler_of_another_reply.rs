use packetstream::{Context, Failure, Fulfil, Payload, Request};

#[derive(Payload)]
struct TooLarge(u64);

#[derive(Request)]
#[request(reply = u64)]
struct Add(u64, u64);

#[derive(Request)]
#[request(error = TooLarge)]
struct Reset;

struct Server;

impl Fulfil<Add> for Server {
    async fn fulfil(&self, Add(a, b): Add, _: Context) -> Result<String, Failure> {
        Ok((a + b).to_string())
    }
}

impl Fulfil<Reset> for Server {
    async fn fulfil(&self, _: Reset, _: Context) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
