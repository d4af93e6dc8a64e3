use packetstream::{Client, Context, Failure, Fulfil, PacketConnection, Protocol, Request, serve};

#[derive(Request)]
struct Add;

#[derive(Request)]
#[request(replay = u64, reply = u64, reply = bool)]
#[packetstream(crate)]
struct Sub<'a> {
    #[request(flag = 0)]
    from: &'a u64,
}

#[derive(Request)]
struct Neg;

#[derive(Protocol)]
#[packetstream(klient = Other, client = CalcClient)]
enum Calc {
    Add(Add),
    #[request(1)]
    Neg(Neg),
    #[request(1)]
    #[packetstream(crate = rpc)]
    Mul(Neg, Neg),
    #[request(one)]
    Div,
}

struct Server;

impl Fulfil<Add> for Server {
    async fn fulfil(&self, _: Add, _: Context) -> Result<(), Failure> {
        Ok(())
    }
}

mod user {
    // Uses of what would have been made: none is an error of its own.
    pub(crate) use super::CalcClient;
}

async fn ask(connection: PacketConnection) {
    let _ = serve::<Calc, _>(Server);
    let stub = CalcClient::from(connection.clone());
    let _: Result<(), _> = stub.add(Add).await;
    let _: Result<(), _> = stub.neg(Neg).await;
    let _ = Client::<Calc>::from(connection).call(Add).await;
    let _ = Calc::from(Add);
}

fn main() {
    let _ = ask;
}
