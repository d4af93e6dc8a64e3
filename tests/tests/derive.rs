//! What the derive macros write, at work: bytes, errors, and conversations over a stream.

use packetstream::{
    BaseRequest, Be, Bytes, Carries, Client, Context, Failure, Fulfil, HasPacketConnection, PacketConnection,
    ParseRequestError, Payload, Protocol, Reply, Request, RequestError, Response, serve,
};
use std::fmt::Debug;

/// A value with each encoding that Python has, too (rules P-1 to P-4).
#[derive(Clone, Debug, PartialEq, Payload)]
struct Example {
    n: u64,
    d: Bytes,
    s: String,
    f: f64,
}

impl Example {
    fn of_each_encoding() -> Self {
        Self { n: 300, d: Bytes::from_static(b"abc"), s: "hello".into(), f: 0.1 }
    }
}

/// Its bytes: 822c 03616263 0568656c6c6f 03302e31.
const EXAMPLE: &[u8] = b"\x82\x2c\x03abc\x05hello\x030.1";

#[derive(Debug, PartialEq, Payload)]
struct Pair<T>(T, Be<u16>);

#[derive(Clone, Copy, Debug, PartialEq, Payload)]
struct Nothing;

/// Repeats a text.
#[derive(Debug, PartialEq, Request)]
#[request(reply = String)]
struct Repeat {
    r#type: u64,
    text: String,
}

/// Has an example changed.
#[derive(Debug, PartialEq, Request)]
#[request(reply = Example)]
struct Grow(Example);

#[derive(Debug, PartialEq, Request)]
struct Reset;

#[derive(Debug, PartialEq, Protocol)]
#[packetstream(client = TextClient)]
enum Text {
    #[request(0)]
    Repeat(Repeat),
    #[request(7)]
    Grow(Grow),
    #[request(18_446_744_073_709_551_614)]
    Move(Reset),
}

fn travels<T: Payload + Debug + PartialEq>(value: &T, bytes: &[u8]) {
    assert_eq!(value.to_bytes(), bytes);
    assert_eq!(T::from_bytes(Bytes::copy_from_slice(bytes)).as_ref(), Ok(value));
}

fn refusal<T: Payload + Debug>(bytes: &'static [u8]) -> String {
    match T::from_bytes(Bytes::from_static(bytes)) {
        Ok(value) => panic!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

fn parse(rq_type: u64, payload: &'static [u8]) -> Result<Text, ParseRequestError> {
    Text::from_request(rq_type, 0, Bytes::from_static(payload))
}

// Rules: P-7
#[test]
fn a_struct_is_its_fields_with_nothing_between() {
    let example = Example::of_each_encoding();
    travels(&example, EXAMPLE);
    travels(&Grow(example), EXAMPLE);
    travels(&Pair(Nothing, Be(258)), &[1, 2]);
    travels(&Pair(vec![Pair(true, Be(3))], Be(4)), &[1, 1, 0, 3, 0, 4]);
    travels(&Nothing, b"");
    travels(&Reset, b"");
    travels(&Repeat { r#type: 2, text: "x".into() }, b"\x02\x01x");
}

// Rules: P-8
#[test]
fn an_error_names_struct_and_field_and_place() {
    assert_eq!(
        refusal::<Example>(b"\x82\x2c\x03ab"),
        "Example.d: at byte 3 of the payload: 3 bytes needed, 2 left"
    );
    assert_eq!(refusal::<Pair<u64>>(b"\x07\x01"), "Pair.1: at byte 1 of the payload: 2 bytes needed, 1 left");
    assert_eq!(refusal::<Repeat>(b""), "Repeat.type: at byte 0 of the payload: number cut short");
    // The innermost field, with the place in the whole payload.
    assert_eq!(
        refusal::<Grow>(b"\x01\x00\x01\xff"),
        "Example.s: at byte 2 of the payload: text is not UTF-8"
    );
    assert_eq!(refusal::<Reset>(b"ab"), "at byte 0 of the payload: 2 bytes left over behind the last field");
}

// Rules: P-25
#[test]
fn a_payload_is_a_reply_without_flags() {
    let example = Example::of_each_encoding();
    let reply = example.clone().into_reply();
    assert_eq!(reply, Reply { flags: 0, payload: Bytes::from_static(EXAMPLE) });
    assert_eq!(Grow(example.clone()).decode_response(reply.clone()), Ok(example));
    Example::from_reply(Reply { flags: 1, ..reply }).unwrap_err();
    Nothing::from_reply(Reply::from(Bytes::from_static(b"x"))).unwrap_err();
}

#[test]
fn a_request_is_read_by_its_number() {
    assert_eq!(parse(0, b"\x02\x01x"), Ok(Text::Repeat(Repeat { r#type: 2, text: "x".into() })));
    assert_eq!(parse(7, EXAMPLE), Ok(Text::Grow(Grow(Example::of_each_encoding()))));
    assert_eq!(parse(u64::MAX - 1, b""), Ok(Text::Move(Reset)));
}

#[test]
fn numbers_are_those_of_the_declaration() {
    assert_eq!(<Text as Carries<Repeat>>::REQUEST_TYPE, 0);
    assert_eq!(<Text as Carries<Grow>>::REQUEST_TYPE, 7);
    assert_eq!(<Text as Carries<Reset>>::REQUEST_TYPE, u64::MAX - 1);
    assert_eq!(
        Text::REQUESTS.iter().map(|request| request.rq_type).collect::<Vec<_>>(),
        [0, 7, u64::MAX - 1]
    );
}

#[test]
fn requests_and_the_protocol_convert_into_each_other() {
    let text = Text::from(Reset);
    assert_eq!(text, Text::Move(Reset));
    assert_eq!(Reset::try_from(text), Ok(Reset));
    assert_eq!(Repeat::try_from(Text::Move(Reset)), Err(Text::Move(Reset)));
}

// Rules: R-8
#[test]
fn what_is_no_request_is_refused() {
    assert_eq!(parse(1, b""), Err(ParseRequestError::UnknownType(1)));
    let refusal = |rq_type, payload| parse(rq_type, payload).unwrap_err().to_string();
    assert_eq!(refusal(u64::MAX, b""), "unknown request type 18446744073709551615");
    assert_eq!(
        refusal(0, b"\x02\x05x"),
        "malformed request: Repeat.text: at byte 2 of the payload: 5 bytes needed, 1 left"
    );
    assert_eq!(
        refusal(0, b"\x02\x01xyz"),
        "malformed request: Repeat.text: at byte 3 of the payload: 2 bytes left over behind the last field"
    );
}

/// Performs [`Text`], and asks whoever resets it to repeat something.
struct Server;

impl Fulfil<Repeat> for Server {
    async fn fulfil(&self, Repeat { r#type, text }: Repeat, _: Context) -> Result<String, Failure> {
        let times = usize::try_from(r#type).ok().filter(|times| *times < 1000);
        Ok(text.repeat(times.ok_or_else(|| Failure::new("too often"))?))
    }
}

impl Fulfil<Grow> for Server {
    async fn fulfil(&self, Grow(example): Grow, _: Context) -> Result<Example, Failure> {
        tokio::task::yield_now().await;
        Ok(Example { n: example.n + 1, ..example })
    }
}

impl Fulfil<Reset> for Server {
    async fn fulfil(&self, _: Reset, cx: Context) -> Result<(), Failure> {
        let asker: TextClient = cx.peer();
        let text = asker.repeat(Repeat { r#type: 2, text: "ping".into() }).await;
        match text.map_err(|error| Failure::new(error.to_string()))?.as_str() {
            "pingping" => Ok(()),
            other => Err(Failure::new(other)),
        }
    }
}

/// Two ends of a stream that takes `buffer` bytes at a time, both serving [`Text`].
fn pair(buffer: usize) -> (PacketConnection, PacketConnection) {
    let (here, there) = tokio::io::duplex(buffer);
    let end = |stream| PacketConnection::builder().handler(serve::<Text, _>(Server)).spawn(stream);
    (end(here), end(there))
}

// Rules: R-18
#[tokio::test(start_paused = true)]
async fn both_sides_ask_and_answer() {
    for buffer in [1, 16, 65_536] {
        let (here, there) = pair(buffer);
        let (here, there) = (TextClient::from(here), TextClient::from(there));
        let example = Example::of_each_encoding();
        let (grown, reset, repeated) = tokio::join!(
            here.grow(Grow(example.clone())),
            there.r#move(Reset),
            there.repeat(Repeat { r#type: 3, text: "ab".into() }),
        );
        assert_eq!(grown.unwrap(), Example { n: 301, ..example });
        reset.unwrap();
        assert_eq!(repeated.unwrap(), "ababab");
    }
}

#[tokio::test(start_paused = true)]
async fn any_client_of_the_protocol_asks_the_same() {
    let (here, _there) = pair(64);
    let client = Client::<Text>::from(here.clone());
    client.call(Reset).await.unwrap();
    let stub = TextClient::from(here);
    let several: Vec<_> = (0..4).map(|n| stub.conn_submit(Repeat { r#type: n, text: "x".into() })).collect();
    for (n, call) in several.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), "x".repeat(n));
    }
}

// Rules: R-8
#[tokio::test(start_paused = true)]
async fn a_refusal_reaches_the_caller_and_the_connection_lives_on() {
    let (here, _there) = pair(64);
    let client = TextClient::from(here.clone());
    let too_often = client.repeat(Repeat { r#type: 1000, text: "x".into() }).await.unwrap_err();
    assert_eq!(too_often.refusal().unwrap().reason(), "too often");

    let unknown = here.submit(3, 0, "").await.unwrap_err();
    assert_eq!(unknown.to_string(), "the peer answered not-ok: unknown request type 3");
    let malformed = here.submit(0, 0, "\u{2}\u{5}x").await.unwrap_err();
    assert_eq!(
        malformed.to_string(),
        "the peer answered not-ok: malformed request: Repeat.text: at byte 2 of the payload: \
         5 bytes needed, 1 left"
    );

    assert_eq!(client.repeat(Repeat { r#type: 1, text: "x".into() }).await.unwrap(), "x");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_none_is_an_error_of_the_call() {
    let (here, there) = tokio::io::duplex(64);
    let nonsense = async |_: packetstream::Incoming| Ok(Reply::from(Bytes::from_static(b"\x01\x05")));
    let _peer = PacketConnection::builder().handler(nonsense).spawn(there);
    let client = TextClient::from(PacketConnection::builder().spawn(here));
    let error = client.grow(Grow(Example::of_each_encoding())).await.unwrap_err();
    let RequestError::Undecodable(cause) = error else { panic!("{error:?}") };
    assert_eq!(cause.to_string(), "Example.d: at byte 2 of the payload: 5 bytes needed, 0 left");
}
