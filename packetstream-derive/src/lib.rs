//! The derive macros of `packetstream`, which exports them next to the traits that they write. Depend
//! on that crate, not on this one.
//!
//! | macro | for | writes |
//! |---|---|---|
//! | [`Payload`](macro@Payload) | structs and enums within requests, replies and failures | `Payload`, `Response`; `Variants` for an enum |
//! | [`Request`](macro@Request) | structs that are requests | `Payload`, `BaseRequest` |
//! | [`Protocol`](macro@Protocol) | enums of requests | `Protocol`, `Dispatch`; for each request `Carries`, `From` and `TryFrom` |
//!
//! They write what could be written by hand: impls whose bodies are calls of the library, and no new
//! names except for the client that a protocol asks for. All mistakes of a declaration are reported at
//! once, each where it is.
//!
//! All attributes, each with an example, are on one page of `packetstream`: its module `attributes`.

mod ast;
mod errors;
mod expand;

use errors::Errors;
use expand::stub;
use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

// Each derive knows the attributes of the others as well: refused by it, they are one mistake, at the right place,
// and not one more to the compiler.

/// Gives a struct or an enum a place in payloads: a struct is its fields, in order, with nothing between; an
/// enum is the number of a variant, and the variant's fields. What is not part of another value but the whole
/// of an ok response, or of a declared failure, is the same there.
///
/// ```
/// use packetstream::{Bytes, Payload};
///
/// #[derive(Debug, PartialEq, Payload)]
/// enum HashCode {
///     Sha1([u8; 20]),
///     Sha256([u8; 32]),
/// }
///
/// #[derive(Debug, PartialEq, Payload)]
/// struct Entry {
///     name: String,
///     #[payload(flag = 0)]
///     size: Option<u64>,
///     #[payload(rest)]
///     chunks: Vec<HashCode>,
/// }
///
/// let entry = Entry { name: "ab".into(), size: Some(300), chunks: vec![HashCode::Sha1([7; 20])] };
/// let bytes = entry.to_bytes();
/// assert_eq!(bytes[..7], [2, b'a', b'b', 1, 0x82, 0x2c, 0]);
/// assert_eq!(Entry::from_bytes(bytes), Ok(entry));
///
/// let error = Entry::from_bytes(Bytes::from_static(b"\x05ab")).unwrap_err();
/// assert_eq!(error.to_string(), "Entry.name: at byte 1 of the payload: 5 bytes needed, 2 left");
/// ```
///
/// A type parameter that is part of a field must be a payload itself; lifetimes are refused, since what is
/// read from the wire has nothing to borrow from. A struct with one unnamed field is what it wraps, under
/// another name.
///
/// # Attributes
///
/// On fields: `#[payload(big)]`, `little`, `rest`, `count = field`, `id = field`, `flag = number`, `flags`,
/// `with = module`, `skip`, `default = value`, `assert(condition, "message")`. On the struct:
/// `#[payload(length)]`, `magic = b".."`, `assert(condition, "message")`. The module `attributes` of
/// `packetstream` has an example of each.
///
/// `#[packetstream(crate = path)]` says where `packetstream` is, for a dependency under another name or
/// behind another crate.
#[proc_macro_derive(Payload, attributes(packetstream, payload, request))]
pub fn payload(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let payload = ast::Payload::read(&input, &mut errors);
    or_stub(errors, || expand::payload(&payload), || stub::payload(&payload))
}

/// Makes a struct a request. Its fields travel as with [`Payload`](macro@Payload).
///
/// ```
/// use packetstream::{BaseRequest, Bytes, Reply, Request};
///
/// #[derive(Request)]
/// #[request(reply = Option<u64>)]
/// struct Divide {
///     dividend: u64,
///     divisor: u64,
/// }
///
/// let request = Divide { dividend: 300, divisor: 7 };
/// assert_eq!(request.transcribe_request(), (0, Bytes::from_static(&[0x82, 0x2c, 7])));
/// assert_eq!(request.decode_response(Reply::from(0)), Ok(None));
/// ```
///
/// The number of the request type is not the request's, which can be in several protocols: see
/// [`Protocol`](macro@Protocol).
///
/// # Attributes
///
/// On the struct: `#[request(reply = Type)]`, what an ok response carries, a type that is a `Response`, `()`
/// without it; `error = Type`, what a failure carries, any `Payload`, words without it; `max_payload`,
/// `concurrency`, `timeout`, `ordered` and `blocking`, what performing it may take; `idempotent`, whether it may
/// be asked twice; `magic` and `assert` as with [`Payload`](macro@Payload). On fields those of [`Payload`](macro@Payload), spelled `#[request(..)]`:
/// flags are those of the request's packet.
///
/// `#[packetstream(crate = path)]` is as with [`Payload`](macro@Payload).
#[proc_macro_derive(Request, attributes(packetstream, payload, request))]
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
/// identifies the request on the wire, so it stays when variants are renamed, moved or removed. A discriminant,
/// `Add(Add) = 3`, says the same, also for the variants after it; where variants have fields Rust asks for a
/// `#[repr(u64)]` or the like then.
///
/// `#[packetstream(client = Name)]` adds a struct `Name`, as visible as the enum, to ask the requests
/// with: a `PacketConnection` that has a method for each. The method for `HashCodes` is `hash_codes` and
/// has its documentation; for names that are keywords it is raw, as `r#move`. It sends the request when it is
/// called, and yields the reply when it is awaited. Without this attribute `Client` asks the requests of any
/// protocol.
///
/// `#[packetstream(crate = path)]` is as with [`Payload`](macro@Payload).
#[proc_macro_derive(Protocol, attributes(packetstream, payload, request))]
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
