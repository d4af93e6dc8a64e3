//! What stands in for a declaration with mistakes: the same impls with bodies that never run. With
//! them the compiler reports the mistakes only, not every use of what they would have made.

use super::payload::{Codec, Variants, base_request, impl_payload, impl_variants, response};
use super::protocol::conversions;
use crate::ast::{Body, Payload, Protocol, Request};
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn payload(payload: &Payload<'_>) -> TokenStream {
    let codec = codec(payload);
    let variants = matches!(payload.body, Body::Enum(_))
        .then(|| impl_variants(payload, &Variants { parse: never(), transcribe: never(), id: never() }));
    let response = response(payload);
    quote!(#codec #variants #response)
}

pub(crate) fn request(request: &Request<'_>) -> TokenStream {
    let codec = codec(&request.payload);
    let base = base_request(request);
    quote!(#codec #base)
}

fn codec(payload: &Payload<'_>) -> TokenStream {
    impl_payload(payload, &Codec { parse: never(), transcribe: never(), encoding: never() })
}

fn never() -> TokenStream {
    quote!(::core::unreachable!())
}

/// Carries every request and is served by every service, since not all that it is meant to carry need
/// have been read. Nothing if it is generic, and never a client: beside other mistakes the compiler does
/// not mention names that it cannot find.
pub(crate) fn protocol(protocol: &Protocol<'_>) -> TokenStream {
    let Protocol { krate, ident, generics, requests, .. } = protocol;
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let conversions = requests.iter().map(|request| conversions(protocol, request));
    quote! {
        impl<__Request> #krate::Carries<__Request> for #ident {
            const REQUEST_TYPE: u64 = 0;
        }

        #(#conversions)*

        impl #krate::Protocol for #ident {
            const NAME: &'static str = "";
            const REQUESTS: &'static [#krate::description::Request] = &[];
            const PARSERS: &'static [#krate::Parser<Self>] = &[];
        }

        impl<__Service: ::core::marker::Send + ::core::marker::Sync> #krate::Dispatch<__Service> for #ident {
            async fn dispatch(_: #krate::Arrival<'_, Self, __Service>) -> #krate::Outcome {
                ::core::unreachable!()
            }
        }
    }
}
