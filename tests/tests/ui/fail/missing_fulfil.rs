use packetstream::{Context, Failure, Fulfil, Protocol, Request, serve};

#[derive(Request)]
struct Add;

#[derive(Request)]
struct Sub;

#[derive(Protocol)]
enum Calc {
    #[request(0)]
    Add(Add),
    #[request(1)]
    Sub(Sub),
}

struct Server;

impl Fulfil<Add> for Server {
    async fn fulfil(&self, _: Add, _: Context) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {
    let _ = serve::<Calc, _>(Server);
}
