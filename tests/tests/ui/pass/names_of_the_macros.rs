//! Names that the macros have for something of their own.

use packetstream::{BaseRequest, Bytes, Payload, Protocol, Request};

#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(length, assert(reader + out + start + u64::from(id) + field_0 < 1000, "too much"))]
struct Variables {
    reader: u64,
    out: u64,
    #[payload(flag = 0, assert(flags != Some(9), "nine"))]
    flags: Option<u64>,
    #[payload(big)]
    id: u8,
    #[payload(count = out)]
    value: Vec<u64>,
    start: u64,
    field_start: u64,
    field_0: u64,
    number: u64,
    name: Name,
    protocol: u64,
    request: u64,
}

#[derive(Clone, Debug, PartialEq, Payload)]
enum Name {
    Reader { reader: u64, out: u64, id: u64, this: u64 },
    Ok(u64),
    Err { value: u64 },
}

#[derive(Clone, Debug, PartialEq, Payload)]
#[payload(assert(field_0 < field_1, "order"))]
struct Tuple(u64, #[payload(assert(field_1 > 0, "zero"))] u64);

/// A request whose type parameter is called as those of the impls, and a constant as a variable.
#[derive(Clone, Debug, PartialEq, Request)]
struct Params<S, T, R, const N: usize>(S, [T; N], R);

#[derive(Clone, Debug, PartialEq, Request)]
struct Arrival;

#[derive(Clone, Debug, PartialEq, Request)]
struct Fulfil;

#[derive(Clone, Debug, PartialEq, Request)]
struct Outcome;

#[derive(Debug, PartialEq, Protocol)]
#[packetstream(client = Client)]
enum Carries {
    #[request(0)]
    Arrival(Arrival),
    #[request(1)]
    Protocol(Fulfil),
    #[request(2)]
    Request(Params<u64, bool, String, 2>),
    #[request(3)]
    Dispatch(Outcome),
}

/// Methods that are called as those of traits.
mod methods {
    use packetstream::{PacketConnection, Protocol, Request};

    macro_rules! requests {
        ($($name:ident $number:literal),*) => {
            $(#[derive(Debug, Request)] pub struct $name;)*

            #[derive(Debug, Protocol)]
            #[packetstream(client = Client)]
            pub enum Methods { $(#[request($number)] $name($name)),* }
        };
    }

    requests!(Into 0, Fmt 1, Request 2, Drop 3, Sync 4, Send 5);

    pub fn all(client: &Client, connection: PacketConnection) {
        let _ = (client.request(Request), client.drop(Drop), client.into(Into));
        let _: &PacketConnection = packetstream::HasPacketConnection::connection(client);
        let _ = Client::from(connection);
    }
}

fn main() {
    let name = Name::Reader { reader: 1, out: 2, id: 3, this: 4 };
    let value = Variables {
        reader: 1,
        out: 1,
        flags: Some(3),
        id: 1,
        value: vec![5],
        start: 6,
        field_start: 7,
        field_0: 8,
        number: 9,
        name,
        protocol: 10,
        request: 11,
    };
    let bytes = value.to_bytes();
    assert_eq!(bytes[..], [17, 1, 1, 1, 3, 1, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 10, 11]);
    assert_eq!(Variables::from_bytes(bytes), Ok(value));
    assert_eq!(Name::from_bytes(Name::Err { value: 1 }.to_bytes()), Ok(Name::Err { value: 1 }));
    assert_eq!(Tuple::from_bytes(Bytes::from_static(&[2, 1])).unwrap_err().field, "Tuple");
    let request = Params(7_u64, [true, false], "s".to_owned());
    assert_eq!(request.transcribe_request(), (0, Bytes::from_static(b"\x07\x01\x00\x01s")));
    assert_eq!(Carries::from_request(2, 0, request.to_bytes()), Ok(Carries::Request(request)));
    let _ = (methods::all, Client::protocol);
}
