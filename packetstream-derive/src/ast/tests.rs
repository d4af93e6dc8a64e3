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
    let Request { payload, reply, error, contract } = Request::read(&input, &mut errors);
    errors.finish().unwrap();
    assert_eq!(text(reply), "Option<HashCode>");
    assert!(error.is_none() && contract.is_none());
    assert_eq!(text(payload.krate), "crate::rpc");
    let Body::Struct(body) = payload.body else { panic!() };
    let fields: Vec<_> = body.fields.0.iter().map(|field| (text(&field.member), text(field.ty))).collect();
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
fn unions_have_no_payload_and_only_structs_are_requests() {
    let input = parse_quote!(union U { a: u64 });
    assert_eq!(payload_mistakes(&input), ["only structs and enums have a payload"]);
    assert_eq!(request_mistakes(&input), ["a request is a struct"]);
    let input = parse_quote!(
        enum E {
            A,
        }
    );
    let structs =
        "a request is a struct; an enum of requests derives `Protocol`, one within a request `Payload`";
    assert_eq!(request_mistakes(&input), [structs]);
    assert!(payload_mistakes(&input).is_empty());
}

#[test]
fn a_payload_borrows_nothing() {
    let borrows = "a payload read from the wire has nothing to borrow from: write `String`, `Bytes` or `Vec<T>`, \
                   without lifetimes";
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
    assert_eq!(protocol_mistakes(&input)[1..], [wrong, wrong]);
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
        "unknown key, expected `reply`, `error`, `max_payload`, `concurrency`, `timeout`, `ordered`, `blocking`, \
         `idempotent`, `magic` or `assert`",
        "`reply` is given already",
        "expected a path: `crate = path`",
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
        #[payload(length)]
        struct S {
            #[payload(flag = 0)]
            a: bool,
            #[packetstream(crate = b)]
            b: u64,
        }
    );
    let packetstream = "`packetstream` has no meaning here; it goes in front of the struct or enum";
    let instead = "`payload` has no meaning here; in a request write `request`";
    assert_eq!(request_mistakes(&input), [instead, instead, packetstream]);
    let input = parse_quote! {
        #[request(reply = u64)]
        enum P {
            #[request(0)] #[packetstream(client = A)] A(#[request(1)] A),
            #[request(1)] #[payload(rest)] B(B),
        }
    };
    let expected = [
        "`request` has no meaning here; it goes on the requests, and as `#[request(<number>)]` on each variant",
        packetstream,
        "`request` has no meaning here; it goes in the declaration of the request",
        "`payload` has no meaning here; a variant has `#[request(<number>)]`",
    ];
    assert_eq!(protocol_mistakes(&input), expected);
    let input = parse_quote! {
        #[payload(length)]
        enum E { #[payload(rest)] A(u64), #[request(1)] B }
    };
    let variant =
        "has no meaning here; a variant's number is its discriminant, and attributes are those of its fields";
    let expected = [
        "`payload` has no meaning here; the fields of an enum have attributes, not the enum".to_owned(),
        format!("`payload` {variant}"),
        format!("`request` {variant}"),
    ];
    assert_eq!(payload_mistakes(&input), expected);
}

#[test]
fn a_key_without_a_value_has_none() {
    let input = parse_quote! {
        #[payload(length = 4)]
        struct S { #[payload(rest(all), flag)] a: Option<u64>, #[payload(skip = true, default)] b: u64 }
    };
    let flag = "expected the number of a flag, 0 to 60, or `!` and it for one that is clear";
    let expected = ["`length` takes no value", "`rest` takes no value", flag, "`skip` takes no value"];
    let mistakes = payload_mistakes(&input);
    assert_eq!(mistakes[..4], expected);
    assert_eq!(mistakes[4..], ["expected a value: `default = ..`"]);
}

#[test]
fn all_mistakes_of_a_declaration_are_reported() {
    let input = parse_quote! {
        #[packetstream(klient = Stub)]
        enum P { A { a: u64 }, #[request(-1)] B, #[request(2)] C(C), #[request(2)] D(D) }
    };
    assert_eq!(protocol_mistakes(&input).len(), 6);
}

#[test]
fn a_variant_has_the_number_that_rust_counts() {
    let input = parse_quote! {
        enum P { A(A) = 3, B(B), #[request(9)] C(C), D(D) = 0x10, E(E) }
    };
    let mut errors = Errors::default();
    let numbers: Vec<_> =
        Protocol::read(&input, &mut errors).requests.iter().map(|request| request.number).collect();
    errors.finish().unwrap();
    assert_eq!(numbers, [3, 4, 9, 16, 17]);

    let input = parse_quote! {
        enum P {
            #[request(1)] A(A),
            B(B),
            C(C) = 1,
            #[request(2)] D(D) = 2,
            E(E) = ONE,
            F(F) = 18446744073709551615,
        }
    };
    let expected = [
        "`B` needs a request type: `#[request(<number>)]`",
        "request type 1 is `A` already",
        "`D` has a number of its own: write either this or `= <number>`",
        "expected a plain number, from 0 to 18446744073709551615",
        "the largest request type is 18446744073709551614",
    ];
    assert_eq!(protocol_mistakes(&input), expected);
}

#[test]
fn flags_are_bits_of_their_own_that_fit() {
    let input = parse_quote! {
        struct S {
            #[request(flag = 0)] a: bool,
            #[request(flag = !0)] b: bool,
            #[request(flag = 62)] c: bool,
            #[request(flag = one)] d: bool,
            #[request(flags)] e: u64,
            #[request(flag = 61)] f: bool,
        }
    };
    let usage = "expected the number of a flag, 0 to 61, or `!` and it for one that is clear";
    let expected = [
        "flag 0 is `a` already",
        "flag 62 is too high: a request has flags 0 to 61",
        usage,
        "`flags` takes all of them, but flag 0 is `a`",
    ];
    assert_eq!(request_mistakes(&input), expected);
    let input = parse_quote! {
        struct S(#[payload(flags)] u64, #[payload(flag = 1)] bool, #[payload(flags)] u64, #[payload(flag = 61)] bool);
    };
    let all = "`0` takes all flags already";
    let high = "flag 61 is too high: a payload has flags 0 to 60";
    assert_eq!(payload_mistakes(&input), [all, all, high]);
}

#[test]
fn a_field_has_one_form() {
    let input = parse_quote! {
        struct S {
            n: u64,
            #[payload(big, little)] a: u16,
            #[payload(flags, big)] b: u64,
            #[payload(skip, big)] c: u64,
            #[payload(default = 5)] d: u64,
            #[payload(flag = 1, count = n)] e: Option<String>,
            #[payload(big, big)] f: u16,
            #[payload(with = "module")] g: u16,
        }
    };
    let expected = [
        "`big` and `little` exclude each other",
        "`flags` and `big` exclude each other",
        "`skip` and `big` exclude each other",
        "`default` is for a field that is not sent: write `skip, default = ..`",
    ];
    let mistakes = payload_mistakes(&input);
    assert_eq!(mistakes[..4], expected);
    assert_eq!(
        mistakes[4..],
        [
            "`b` takes all flags already",
            "`flag` and `count` exclude each other",
            "`big` is given already",
            "expected a module: `with = path`",
        ]
    );
}

#[test]
fn a_count_names_a_field_before_that_counts_nothing_else() {
    let input = parse_quote! {
        struct S {
            #[payload(count = later)] a: String,
            later: u64,
            #[payload(skip)] skipped: u64,
            #[payload(count = skipped)] b: String,
            #[payload(count = later)] c: String,
            #[payload(id = later)] d: Shape,
            #[payload(count = "later")] e: String,
        }
    };
    let expected = [
        "no field `later` is sent before this one",
        "no field `skipped` is sent before this one",
        "`later` is the count or id of `c` already",
        "expected the name of a field before this one",
    ];
    assert_eq!(payload_mistakes(&input), expected);
}

#[test]
fn nothing_follows_the_rest() {
    let input = parse_quote! {
        struct S { #[payload(rest)] a: String, b: u64, #[payload(skip)] c: u64, #[payload(rest)] d: String }
    };
    let follows = "nothing can follow `a`, which takes the rest of the payload";
    assert_eq!(payload_mistakes(&input), [follows, follows]);
}

#[test]
fn an_assert_is_a_condition_and_what_the_peer_is_told() {
    let input = parse_quote! {
        #[payload(assert(a > 1), assert, assert(a > 2, text), assert(a > 3, "b", c), magic = 5)]
        struct S { a: u64 }
    };
    let usage = "expected `assert(condition, \"what the peer is told\")`";
    let mistakes = payload_mistakes(&input);
    assert_eq!(mistakes[..4], [usage; 4]);
    assert_eq!(mistakes[4..], ["expected bytes: `magic = b\"..\"`"]);
    let input = parse_quote!(
        #[payload(magic = b"")]
        struct S;
    );
    let empty = "an empty constant says nothing: write at least one byte, or no `magic`";
    assert_eq!(payload_mistakes(&input), [empty]);
}

#[test]
fn a_contract_has_limits_that_let_something_through() {
    let input = parse_quote! {
        #[request(concurrency = 0, max_payload = 0, timeout = "0s")]
        struct S;
    };
    let usage = "expected a time: a whole number and `ms`, `s`, `m` or `h`, as in \"500ms\" or \"5s\"";
    let concurrency = "expected a number of at least 1: `concurrency = <number>`";
    let max_payload = "expected a number of at least 1: `max_payload = <number>`";
    assert_eq!(request_mistakes(&input), [concurrency, max_payload, usage]);
    for (text, milliseconds) in [("500ms", 500), ("5s", 5000), ("2m", 120_000), ("1h", 3_600_000)] {
        let input = parse_quote!(
            #[request(timeout = #text)]
            struct S;
        );
        let mut errors = Errors::default();
        let timeout = Request::read(&input, &mut errors).contract.timeout.unwrap();
        errors.finish().unwrap();
        assert_eq!(timeout.as_millis(), milliseconds);
    }
    let given_up = "a `blocking` request that is given up goes on: with `timeout` it needs a `concurrency`, or \
                    `ordered`";
    let input = parse_quote!(
        #[request(blocking, timeout = "5s")]
        struct S;
    );
    assert_eq!(request_mistakes(&input), [given_up]);
    for text in ["5", "s", "5 s", "-5s", "5d", "99999999999999999999s", "18446744073709551615h"] {
        let input = parse_quote!(
            #[request(timeout = #text)]
            struct S;
        );
        assert_eq!(request_mistakes(&input), [usage], "{text}");
    }
}
