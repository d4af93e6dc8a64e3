//! The derive macros of `packetstream`, which exports them next to the traits that they write. Depend
//! on that crate, not on this one.
//!
//! | macro | for | writes |
//! |---|---|---|
//! | [`Payload`](macro@Payload) | structs within requests and replies | `Payload`, `Response` |
//! | [`Request`](macro@Request) | structs that are requests | `Payload`, `BaseRequest` |
//! | [`Protocol`](macro@Protocol) | enums of requests | `Protocol`, `Dispatch`; for each request `Carries` and `From` |
//!
//! They write what could be written by hand: impls whose bodies are calls of the library, and no new
//! names except for the client that a protocol asks for. All mistakes of a declaration are reported at
//! once, each where it is.
//!
//! # Attributes
//!
//! | attribute | on | means |
//! |---|---|---|
//! | `#[request(reply = Type)]` | a request | what an ok response carries; `()` without it |
//! | `#[request(3)]` | each variant of a protocol | the number of the request type |
//! | `#[packetstream(client = Name)]` | a protocol | also write a client, with a method for each request |
//! | `#[packetstream(crate = path)]` | any | where `packetstream` is; `::packetstream` without it |

mod ast;
mod errors;
mod expand;

use errors::Errors;
use expand::stub;
use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Gives a struct a place in payloads: its fields, in order, with nothing between. A struct that is not
/// part of another value but the whole of an ok response is its fields there, too.
///
/// ```
/// use packetstream::{Bytes, Payload};
///
/// #[derive(Debug, PartialEq, Payload)]
/// struct HashCode {
///     kind: u64,
///     digest: Bytes,
/// }
///
/// #[derive(Debug, PartialEq, Payload)]
/// struct Page<T>(u64, Vec<T>);
///
/// let page = Page(7, vec![HashCode { kind: 1, digest: Bytes::from_static(b"ab") }]);
/// assert_eq!(page.to_bytes()[..], [7, 1, 1, 2, b'a', b'b']);
/// assert_eq!(Page::from_bytes(page.to_bytes()), Ok(page));
///
/// let error = HashCode::from_bytes(Bytes::from_static(&[1, 2, b'a'])).unwrap_err();
/// assert_eq!(error.to_string(), "HashCode.digest: at byte 2 of the payload: 2 bytes needed, 1 left");
/// ```
///
/// Type parameters must be payloads themselves; lifetimes are refused, since what is read from the wire
/// has nothing to borrow from.
///
/// # Attributes
///
/// `#[packetstream(crate = path)]` says where `packetstream` is, for a dependency under another name or
/// behind another crate:
///
/// ```
/// use packetstream as net;
///
/// #[derive(net::Payload)]
/// #[packetstream(crate = net)]
/// struct Point(u64, u64);
/// ```
#[proc_macro_derive(Payload, attributes(packetstream, payload))]
pub fn payload(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let payload = ast::Payload::read(&input, &mut errors);
    or_stub(errors, || expand::payload(&payload), || stub::payload(&payload))
}

/// Makes a struct a request. Its fields travel as with [`Payload`](macro@Payload).
///
/// ```
/// use packetstream::{BaseRequest, Payload, Reply, Request};
///
/// #[derive(Request)]
/// #[request(reply = Option<u64>)]
/// struct Divide {
///     dividend: u64,
///     divisor: u64,
/// }
///
/// let request = Divide { dividend: 300, divisor: 7 };
/// assert_eq!(request.to_bytes()[..], [0x82, 0x2c, 7]);
/// assert_eq!(request.decode_response(Reply::from(0)), Ok(None));
/// ```
///
/// The number of the request type is not the request's, which can be in several protocols: see
/// [`Protocol`](macro@Protocol).
///
/// # Attributes
///
/// `#[request(reply = Type)]` says what an ok response carries: a type that is a `Response`. Without it
/// that is `()`.
///
/// `#[packetstream(crate = path)]` is as with [`Payload`](macro@Payload).
#[proc_macro_derive(Request, attributes(packetstream, request))]
pub fn request(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let request = ast::Request::read(&input, &mut errors);
    or_stub(errors, || expand::request(&request), || stub::request(&request))
}

/// Makes an enum a protocol: a set of requests with their numbers, of which one side of a connection is
/// asked and the other performs them.
///
/// ```
/// use packetstream::{Context, Failure, Fulfil, PacketConnection, Protocol, Request, RequestError, serve};
///
/// #[derive(Request)]
/// #[request(reply = u64)]
/// struct Add(u64, u64);
///
/// #[derive(Request)]
/// struct Reset;
///
/// #[derive(Protocol)]
/// #[packetstream(client = CalcClient)]
/// enum Calc {
///     /// Adds two numbers.
///     #[request(0)]
///     Add(Add),
///     #[request(1)]
///     Reset(Reset),
/// }
///
/// struct Server;
///
/// impl Fulfil<Add> for Server {
///     async fn fulfil(&self, Add(a, b): Add, _: Context) -> Result<u64, Failure> {
///         a.checked_add(b).ok_or_else(|| Failure::new("too large"))
///     }
/// }
///
/// impl Fulfil<Reset> for Server {
///     async fn fulfil(&self, _: Reset, _: Context) -> Result<(), Failure> {
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), RequestError> {
/// let (here, there) = tokio::io::duplex(4096);
/// let _server = PacketConnection::builder().handler(serve::<Calc, _>(Server)).spawn(there);
///
/// let calc = CalcClient::from(PacketConnection::builder().spawn(here));
/// assert_eq!(calc.add(Add(1, 2)).await?, 3);
/// calc.reset(Reset).await?;
/// # Ok(())
/// # }
/// ```
///
/// Each variant has one unnamed field, the request, and a number of its own. An enum without variants
/// is a protocol, too, for a side that only asks. A protocol says nothing about how its requests are
/// performed: whatever implements `Fulfil` for each of them can be served.
///
/// # Attributes
///
/// `#[request(<number>)]` on a variant is the request type, a number from 0 to 2^64 - 2. It is what
/// identifies the request on the wire, so it stays when variants are renamed, moved or removed.
///
/// `#[packetstream(client = Name)]` adds a struct `Name`, as visible as the enum, to ask the requests
/// with: a `PacketConnection` that has a method for each. The method for `HashCodes` is `hash_codes` and
/// has its documentation; for names that are keywords it is raw, as `r#move`. Like every
/// `HasPacketConnection` the client can also submit a request without waiting for its reply. Without
/// this attribute `Client` asks the requests of any protocol.
///
/// `#[packetstream(crate = path)]` is as with [`Payload`](macro@Payload).
#[proc_macro_derive(Protocol, attributes(packetstream, request))]
pub fn protocol(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let protocol = ast::Protocol::read(&input, &mut errors);
    or_stub(errors, || expand::protocol(&protocol), || stub::protocol(&protocol))
}

/// What was asked for or, when there are mistakes, these and the `stub`.
fn or_stub(
    errors: Errors,
    expansion: impl FnOnce() -> proc_macro2::TokenStream,
    stub: impl FnOnce() -> proc_macro2::TokenStream,
) -> TokenStream {
    match errors.finish() {
        Ok(()) => expansion().into(),
        Err(error) => {
            [error.into_compile_error(), stub()].into_iter().collect::<proc_macro2::TokenStream>().into()
        }
    }
}
