//! The typed layer allocates nothing but what values themselves hold. Allocations are counted for this thread
//! only, in which both ends of a connection run.

use allocation_counter::measure;
use packetstream::{
    BaseRequest, Bytes, Client, Context, Failure, Fulfil, Incoming, PacketConnection, Payload, Protocol,
    Reply, Request, Response, Stream, serve,
};

#[derive(Debug, Request)]
#[request(reply = Moved)]
struct Move {
    #[request(flag = 0)]
    fast: bool,
    #[request(flag = 1)]
    axis: Option<u64>,
    to: [u8; 8],
    #[request(big)]
    steps: u32,
    data: Bytes,
}

#[derive(Clone, Debug, Payload)]
struct Moved {
    #[payload(flag = 0)]
    at_end: bool,
    position: (u64, u64),
    data: Bytes,
}

#[derive(Debug, Protocol)]
enum Machine {
    #[request(0)]
    Move(Move),
}

struct Service;

impl Fulfil<Move> for Service {
    async fn fulfil(&self, Move { fast, axis, steps, data, .. }: Move, _: Context) -> Result<Moved, Failure> {
        Ok(Moved { at_end: fast, position: (axis.unwrap_or(0), u64::from(steps)), data })
    }
}

fn request(number: u32) -> Move {
    Move { fast: true, axis: Some(1), to: [7; 8], steps: number, data: Bytes::from_static(b"data") }
}

/// The allocations of each of many repetitions, once all buffers are there.
fn each(mut repeated: impl FnMut()) -> u64 {
    const TIMES: u64 = 1000;
    (0..TIMES).for_each(|_| repeated());
    measure(|| (0..TIMES).for_each(|_| repeated())).count_total / TIMES
}

#[test]
fn requests_and_replies_are_written_and_read_without_an_allocation() {
    let asked = request(300);
    assert_eq!(each(|| drop(asked.transcribe_request())), 0);
    let (flags, payload) = asked.transcribe_request();
    assert_eq!(each(|| drop(Move::from_request_payload(flags, payload.clone()).unwrap())), 0);

    let moved = Moved { at_end: true, position: (1, 300), data: Bytes::from_static(b"data") };
    assert_eq!(each(|| drop(moved.clone().into_reply())), 0);
    let reply = moved.into_reply();
    assert_eq!(each(|| drop(asked.decode_response(reply.clone()).unwrap())), 0);
}

#[test]
fn what_a_value_holds_is_allocated_once() {
    let text = "a text".to_owned().to_bytes();
    assert_eq!(each(|| drop(String::from_bytes(text.clone()).unwrap())), 1);
    assert_eq!(each(|| drop(Box::<u64>::from_bytes(Bytes::from_static(&[5])).unwrap())), 1);
}

/// What the raw calls are answered: the bytes of what [`Service`] answers, which cost nothing.
async fn answer(_: Incoming) -> Result<Reply, Failure> {
    Ok(Reply { flags: 1, payload: Bytes::from_static(b"\x01\x82\x2c\x04data") })
}

#[test]
fn a_typed_call_allocates_no_more_than_a_raw_one_that_is_given_all_payloads() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _guard = runtime.enter();
    let connect = |typed: bool| {
        let (here, there) = Stream::pair(4096);
        let builder = PacketConnection::builder();
        let server =
            if typed { builder.handler(serve::<Machine, _>(Service)) } else { builder.handler(answer) };
        (PacketConnection::builder().spawn(here), server.spawn(there))
    };

    let (connection, _server) = connect(true);
    let client = Client::<Machine>::from(connection);
    let typed = each(|| drop(runtime.block_on(client.call(request(300))).unwrap()));

    let (connection, _server) = connect(false);
    let (flags, payload) = request(300).transcribe_request();
    let raw = each(|| drop(runtime.block_on(connection.submit(0, flags, payload.clone())).unwrap()));

    assert_eq!(typed, raw);
}
