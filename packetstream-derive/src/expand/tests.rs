use crate::ast;
use crate::errors::Errors;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_quote};

/// What `#[derive(Protocol)]` makes of a declaration without mistakes.
fn protocol_of(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let protocol = ast::Protocol::read(input, &mut errors);
    errors.finish().unwrap();
    super::protocol(&protocol)
}

/// Tokens as text, whatever their spacing.
fn text(tokens: &TokenStream) -> String {
    tokens.to_string().replace(' ', "").replace("=r\"", "=\"")
}

#[test]
fn a_protocol_is_five_impls() {
    let input = parse_quote!(
        enum Calc {
            #[request(7)]
            Add(Add),
        }
    );
    let expected = quote! {
        #[automatically_derived]
        impl ::packetstream::Carries<Add> for Calc { const REQUEST_TYPE: u64 = 7u64; }
        #[automatically_derived]
        impl ::core::convert::From<Add> for Calc {
            fn from(request: Add) -> Self { Self::Add(request) }
        }
        #[automatically_derived]
        impl ::packetstream::Protocol for Calc {
            fn from_request(rq_type: u64, flags: u64, payload: ::packetstream::Bytes,)
                -> ::core::result::Result<Self, ::packetstream::ParseRequestError>
            {
                match rq_type {
                    7u64 => ::core::result::Result::Ok(Self::Add(
                        <Add as ::packetstream::BaseRequest>::from_request_payload(flags, payload)?
                    )),
                    unknown => ::core::result::Result::Err(
                        ::packetstream::ParseRequestError::UnknownType(unknown)
                    ),
                }
            }
            fn rq_type(&self) -> u64 { match *self { Self::Add(_) => 7u64, } }
        }
        #[automatically_derived]
        impl<__Service> ::packetstream::Dispatch<__Service> for Calc
        where __Service: ::packetstream::Fulfil<Add> + ::core::marker::Sync,
        {
            async fn dispatch(self, service: &__Service, cx: ::packetstream::Context,)
                -> ::core::result::Result<::packetstream::Reply, ::packetstream::Failure>
            {
                match self {
                    Self::Add(request) => ::packetstream::__private::fulfil::<Add, _>(service, request, cx).await,
                }
            }
        }
    };
    assert_eq!(text(&protocol_of(&input)), text(&expected));
}

#[test]
fn a_client_has_a_documented_method_for_each_request() {
    let input = parse_quote! {
        #[packetstream(crate = rpc, client = Stub)]
        pub(crate) enum Calc {
            /// Adds two numbers.
            #[request(0)] Add(Add),
            #[request(1)] Move(Move),
        }
    };
    let expansion = text(&protocol_of(&input));
    let client = expansion.split_once("implStub").unwrap().1;
    let methods = quote! {{
        /// Adds two numbers.
        pub(crate) async fn add(&self, request: Add,)
            -> ::core::result::Result<<Add as rpc::BaseRequest>::Reply, rpc::RequestError>
        {
            rpc::HasPacketConnection::conn_do_remote(self, request).await
        }
        /// Sends the request [`Move`](Calc::Move) and waits for its reply.
        pub(crate) async fn r#move(&self, request: Move,)
            -> ::core::result::Result<<Move as rpc::BaseRequest>::Reply, rpc::RequestError>
        {
            rpc::HasPacketConnection::conn_do_remote(self, request).await
        }
    }};
    assert_eq!(client, text(&methods));
}

#[test]
fn a_payload_is_its_fields_in_order() {
    let input = parse_quote!(
        struct Page<T: Debug> {
            r#type: u64,
            items: Vec<T>,
        }
    );
    let payload = super::payload(&ast::Payload::read(&input, &mut Errors::default()));
    let expected = quote! {
        #[automatically_derived]
        impl<T: Debug> ::packetstream::Payload for Page<T> where T: ::packetstream::Payload {
            fn parse(reader: &mut ::packetstream::PayloadReader,)
                -> ::core::result::Result<Self, ::packetstream::PayloadError>
            {
                ::core::result::Result::Ok(Self {
                    r#type: reader.field::<u64>("Page.type")?,
                    items: reader.field::<Vec<T>>("Page.items")?
                })
            }
            fn transcribe(&self, out: &mut ::packetstream::__private::BytesMut) {
                <u64 as ::packetstream::Payload>::transcribe(&self.r#type, out);
                <Vec<T> as ::packetstream::Payload>::transcribe(&self.items, out);
            }
        }
        #[automatically_derived]
        impl<T: Debug> ::packetstream::Response for Page<T> where T: ::packetstream::Payload {
            fn into_reply(self) -> ::packetstream::Reply {
                ::core::convert::From::from(::packetstream::Payload::to_bytes(&self))
            }
            fn from_reply(reply: ::packetstream::Reply,)
                -> ::core::result::Result<Self, ::packetstream::PayloadError>
            {
                ::packetstream::Payload::from_bytes(reply.without_flags()?)
            }
        }
    };
    assert_eq!(text(&payload), text(&expected));
}

#[test]
fn a_request_is_a_payload_with_a_reply() {
    let input = parse_quote!(
        #[request(reply = u64)]
        struct Double(u64);
    );
    let request = super::request(&ast::Request::read(&input, &mut Errors::default()));
    let base = quote! {
        #[automatically_derived]
        impl ::packetstream::BaseRequest for Double { type Reply = u64; }
    };
    assert!(text(&request).ends_with(&text(&base)), "{request}");
    assert!(text(&request).contains(r#"reader.field::<u64>("Double.0")"#), "{request}");
}
