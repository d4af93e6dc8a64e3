use packetstream::{Bytes, Payload, Request};

#[derive(Clone, Debug, PartialEq, Payload)]
struct HashCode {
    kind: u64,
    r#type: Bytes,
}

#[derive(Debug, PartialEq, Request)]
#[request(reply = Option<HashCode>)]
struct Get {
    codes: Vec<HashCode>,
    alone: HashCode,
}

fn main() {
    let code = HashCode { kind: 1, r#type: Bytes::from_static(b"ab") };
    let get = Get { codes: vec![code.clone()], alone: code };
    let bytes = get.to_bytes();
    assert_eq!(bytes[..], [1, 1, 2, b'a', b'b', 1, 2, b'a', b'b']);
    assert_eq!(Get::from_bytes(bytes), Ok(get));
}
