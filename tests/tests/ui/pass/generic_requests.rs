//! One generic request for several types is several requests of a protocol.

use packetstream::{
    Be, Bytes, Carries, Context, Failure, Fulfil, Payload, Protocol, Request, Response, serve,
};

#[derive(Debug, PartialEq, Request)]
#[request(reply = Got<T>, error = Missing<T>)]
struct Get<T: Response + Payload>(T);

#[derive(Debug, PartialEq, Payload)]
struct Got<T>(T);

#[derive(Debug, PartialEq, Payload)]
struct Missing<T> {
    key: T,
}

#[derive(Debug, PartialEq, Request)]
struct Forget<T>(Vec<T>);

#[derive(Debug, PartialEq, Protocol)]
#[packetstream(client = StoreClient)]
enum Store {
    #[request(0)]
    GetText(Get<String>),
    #[request(1)]
    GetMany(Get<Vec<u64>>),
    #[request(2)]
    Forget(Forget<Be<u32>>),
}

struct Server;

impl<T: Response + Payload + Send> Fulfil<Get<T>> for Server {
    async fn fulfil(&self, Get(key): Get<T>, _: Context) -> Result<Got<T>, Missing<T>> {
        Err(Missing { key })
    }
}

impl<T: Payload + Send> Fulfil<Forget<T>> for Server {
    async fn fulfil(&self, _: Forget<T>, _: Context) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {
    let _ = serve::<Store, _>(Server);
    assert_eq!(<Store as Carries<Get<Vec<u64>>>>::REQUEST_TYPE, 1);
    let read = |number, bytes| Store::from_request(number, 0, Bytes::from_static(bytes));
    assert_eq!(read(0, b"\x01k"), Ok(Store::GetText(Get("k".into()))));
    assert_eq!(read(1, b"\x02\x05\x06"), Ok(Store::GetMany(Get(vec![5, 6]))));
    assert_eq!(read(2, b"\x01\x00\x00\x00\x07"), Ok(Store::Forget(Forget(vec![Be(7)]))));
    let _ = (StoreClient::get_text, StoreClient::get_many);
}
