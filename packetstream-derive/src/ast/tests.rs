use super::*;
use crate::errors::Errors;
use quote::ToTokens;
use syn::{DeriveInput, parse_quote};

/// The mistakes in a declaration, in the order in which they are reported.
fn mistakes<T>(input: &DeriveInput, read: impl FnOnce(&DeriveInput, &mut Errors) -> T) -> Vec<String> {
    let mut errors = Errors::default();
    read(input, &mut errors);
    errors.finish().err().into_iter().flatten().map(|error| error.to_string()).collect()
}

fn payload_mistakes(input: &DeriveInput) -> Vec<String> {
    mistakes(input, |input, errors| drop(Payload::read(input, errors)))
}

fn request_mistakes(input: &DeriveInput) -> Vec<String> {
    mistakes(input, |input, errors| drop(Request::read(input, errors)))
}

fn protocol_mistakes(input: &DeriveInput) -> Vec<String> {
    mistakes(input, |input, errors| drop(Protocol::read(input, errors)))
}

fn text(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

#[test]
fn a_request_is_its_fields_and_its_reply() {
    let input = parse_quote! {
        #[request(reply = Option<HashCode>)]
        #[packetstream(crate = crate::rpc)]
        struct Add { kind: u64, data: Bytes }
    };
    let mut errors = Errors::default();
    let Request { payload, reply } = Request::read(&input, &mut errors);
    errors.finish().unwrap();
    assert_eq!(text(reply), "Option<HashCode>");
    assert_eq!(text(payload.krate), "crate::rpc");
    let fields: Vec<_> = payload.fields.iter().map(|field| (text(&field.member), text(field.ty))).collect();
    assert_eq!(fields, [("kind".into(), "u64".into()), ("data".into(), "Bytes".into())]);
}

#[test]
fn what_is_not_said_has_a_default() {
    let input = parse_quote!(
        struct Ping;
    );
    let request = Request::read(&input, &mut Errors::default());
    assert_eq!(text(request.reply), "()");
    assert_eq!(text(request.payload.krate), "::packetstream");
}

#[test]
fn a_protocol_is_its_requests_with_their_numbers() {
    let input = parse_quote! {
        #[packetstream(client = Stub)]
        enum Store {
            /// Adds.
            #[request(0)] Add(Add),
            #[request(0x10)] HashCodes(chunks::HashCodes),
            #[request(18_446_744_073_709_551_614)] Move(Move),
        }
    };
    let mut errors = Errors::default();
    let Protocol { requests, client, .. } = Protocol::read(&input, &mut errors);
    errors.finish().unwrap();
    let numbers: Vec<_> = requests.iter().map(|request| (request.number, text(request.ty))).collect();
    let expected = [(0, "Add"), (16, "chunks::HashCodes"), (u64::MAX - 1, "Move")];
    assert_eq!(numbers, expected.map(|(number, ty)| (number, ty.to_owned())));

    let Client { ident, methods } = client.unwrap();
    assert_eq!(ident, "Stub");
    let methods: Vec<_> = methods.iter().map(|method| (text(&method.ident), method.docs.len())).collect();
    assert_eq!(methods, [("add".into(), 1), ("hash_codes".into(), 0), ("r#move".into(), 0)]);
}

#[test]
fn only_structs_have_a_payload() {
    let only = "only structs have a payload";
    assert_eq!(payload_mistakes(&parse_quote!(union U { a: u64 })), [only]);
    let input = parse_quote!(
        enum E {
            A,
        }
    );
    assert_eq!(request_mistakes(&input), [format!("{only}; an enum of requests derives `Protocol`")]);
}

#[test]
fn a_payload_borrows_nothing() {
    let borrows = "a payload read from the wire has nothing to borrow from: no lifetimes here";
    let input = parse_quote!(
        struct Two<'a, 'b, T>(&'a T, &'b T);
    );
    assert_eq!(payload_mistakes(&input), [borrows, borrows]);
}

#[test]
fn a_protocol_is_an_enum_without_generics() {
    let input = parse_quote!(
        struct S;
    );
    assert_eq!(protocol_mistakes(&input), ["a protocol is an enum, with one variant for each request"]);
    let input = parse_quote!(
        enum P<T> {
            #[request(0)]
            A(A<T>),
        }
    );
    assert_eq!(protocol_mistakes(&input), ["a protocol cannot be generic"]);
}

#[test]
fn each_variant_needs_a_number_of_its_own() {
    let input = parse_quote! {
        enum P {
            A(A),
            #[request(5)] B(B),
            #[request(0)] C(C),
            #[request(0x5)] D(D),
            #[request(6)] #[request(7)] E(E),
        }
    };
    let expected = [
        "`A` needs a request type: `#[request(<number>)]`",
        "request type 5 is `B` already",
        "`E` has a request type already",
    ];
    assert_eq!(protocol_mistakes(&input), expected);
}

#[test]
fn a_number_is_one_that_fits_the_wire() {
    let input = parse_quote! {
        enum P {
            #[request(18446744073709551615)] A(A),
            #[request(99999999999999999999)] B(B),
            #[request(-1)] C(C),
            #[request("1")] D(D),
            #[request(1u8)] E(E),
            #[request(reply = u64)] F(F),
        }
    };
    let wrong = "expected a request type, a plain number from 0 to 18446744073709551614";
    assert_eq!(protocol_mistakes(&input), [wrong; 6]);
    let input = parse_quote!(
        enum P {
            #[request]
            A(A),
            #[request()]
            B(B),
            #[request(1, 2)]
            C(C),
        }
    );
    assert_eq!(protocol_mistakes(&input)[1..], [wrong, "unexpected token"]);
}

#[test]
fn each_variant_has_one_unnamed_field() {
    let input = parse_quote! {
        enum P {
            #[request(0)] A,
            #[request(1)] B(),
            #[request(2)] C(C, C),
            #[request(3)] D { d: D },
        }
    };
    let expected = ["A", "B", "C", "D"];
    let expected = expected.map(|name| format!("expected one unnamed field, the request: `{name}({name})`"));
    assert_eq!(protocol_mistakes(&input), expected);
}

#[test]
fn a_clients_methods_have_names_of_their_own() {
    let input = parse_quote! {
        #[packetstream(client = Stub)]
        enum P { #[request(0)] GetURL(A), #[request(1)] GetUrl(B), #[request(2)] Crate(C) }
    };
    let expected = [
        "the client's method `get_url` is that of `GetURL` already",
        "no method can be called `crate`; rename the variant",
    ];
    assert_eq!(protocol_mistakes(&input), expected);
    let without_client = parse_quote!(
        enum P {
            #[request(0)]
            GetURL(A),
            #[request(1)]
            GetUrl(B),
        }
    );
    assert!(protocol_mistakes(&without_client).is_empty());
}

#[test]
fn a_key_is_known_and_given_once() {
    let input = parse_quote! {
        #[request(replay = u64, reply = u64, reply = bool)]
        #[packetstream(crate, client = Stub)]
        struct S;
    };
    let expected = [
        "unknown key, expected `reply`",
        "`reply` is given already",
        "expected `=`",
        "unknown key, expected `crate`",
    ];
    assert_eq!(request_mistakes(&input), expected);
    let input = parse_quote!(
        #[packetstream(server = S)]
        enum P {}
    );
    assert_eq!(protocol_mistakes(&input), ["unknown key, expected `crate` or `client`"]);
}

#[test]
fn an_attribute_that_does_nothing_is_refused() {
    let input = parse_quote!(
        struct S {
            #[request(flag = 0)]
            a: bool,
            #[packetstream(crate = b)]
            b: u64,
        }
    );
    let (request, packetstream) = ("`request` has no meaning here", "`packetstream` has no meaning here");
    assert_eq!(request_mistakes(&input), [request, packetstream]);
    let input = parse_quote! {
        #[request(reply = u64)]
        enum P {
            #[request(0)] #[packetstream(client = A)] A(#[request(1)] A),
        }
    };
    assert_eq!(protocol_mistakes(&input), [request, packetstream, request]);
}

#[test]
fn all_mistakes_of_a_declaration_are_reported() {
    let input = parse_quote! {
        #[packetstream(klient = Stub)]
        enum P { A { a: u64 }, #[request(-1)] B, #[request(2)] C(C), #[request(2)] D(D) }
    };
    assert_eq!(protocol_mistakes(&input).len(), 6);
}
