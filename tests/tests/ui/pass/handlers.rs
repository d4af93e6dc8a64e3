//! A handler is written in each way that its signature allows.
#![deny(warnings)]

use packetstream::{
    Client, Context, Failure, Fulfil, PacketConnection, Payload, Protocol, Request, RequestError, Stream,
    serve,
};
use std::future::{Future, ready};
use std::sync::Arc;

#[derive(Debug, Request)]
#[request(reply = u64)]
struct Double(u64);

#[derive(Debug, PartialEq, Payload)]
struct Missing(u64);

#[derive(Debug, Request)]
#[request(reply = String, error = Missing)]
struct Find {
    id: u64,
}

#[derive(Debug, Request)]
struct Stop;

#[derive(Debug, Protocol)]
enum Tools {
    #[request(0)]
    Double(Double),
    #[request(1)]
    Find(Find),
    #[request(9)]
    Stop(Stop),
}

struct Server(Arc<str>);

impl Fulfil<Double> for Server {
    async fn fulfil(&self, Double(number): Double, _: Context) -> Result<u64, Failure> {
        number.checked_mul(2).ok_or_else(|| Failure::new("too large"))
    }
}

impl Fulfil<Find> for Server {
    fn fulfil(&self, Find { id }: Find, _: Context) -> impl Future<Output = Result<String, Missing>> + Send {
        ready(if id == 7 { Ok(self.0.to_string()) } else { Err(Missing(id)) })
    }
}

impl Fulfil<Stop> for Server {
    async fn fulfil(&self, _: Stop, context: Context) -> Result<(), Failure> {
        Err(Failure::new(format!("not at flags {}", context.flags())))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (here, there) = Stream::pair(4096);
    let _server = PacketConnection::builder().handler(serve::<Tools, _>(Server("seven".into()))).spawn(there);
    let tools = Client::<Tools>::from(PacketConnection::builder().spawn(here));
    assert_eq!(tools.call(Double(21)).await.unwrap(), 42);
    assert_eq!(tools.call(Find { id: 7 }).await.unwrap(), "seven");
    let Err(RequestError::Failed(missing)) = tools.call(Find { id: 8 }).await else { panic!() };
    assert_eq!(missing, Missing(8));
    let error = tools.call(Stop).await.unwrap_err();
    assert!(error.to_string().ends_with("not at flags 0"), "{error}");
}
