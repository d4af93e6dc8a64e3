//! What stands in for a declaration with mistakes: the same impls with bodies that never run. With
//! them the compiler reports the mistakes only, not every use of what they would have made.

use super::payload::{base_request, impl_payload, response};
use super::protocol::from_request;
use crate::ast::{Payload, Protocol, Request};
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn payload(payload: &Payload<'_>) -> TokenStream {
    let codec = codec(payload);
    let response = response(payload);
    quote!(#codec #response)
}

pub(crate) fn request(request: &Request<'_>) -> TokenStream {
    let codec = codec(&request.payload);
    let base = base_request(request);
    quote!(#codec #base)
}

fn codec(payload: &Payload<'_>) -> TokenStream {
    let never = quote!(::core::unreachable!());
    impl_payload(payload, &never, &never)
}

/// Carries every request and is served by every service, since not all that it is meant to carry need
/// have been read. Nothing if it is generic, and never a client: beside other mistakes the compiler does
/// not mention names that it cannot find.
pub(crate) fn protocol(protocol: &Protocol<'_>) -> TokenStream {
    let Protocol { krate, ident, generics, requests, .. } = protocol;
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let from = requests.iter().map(|request| from_request(protocol, request));
    quote! {
        #[automatically_derived]
        impl<__Request> #krate::Carries<__Request> for #ident {
            const REQUEST_TYPE: u64 = 0;
        }

        #(#from)*

        #[automatically_derived]
        impl #krate::Protocol for #ident {
            fn from_request(
                _: u64,
                _: u64,
                _: #krate::Bytes,
            ) -> ::core::result::Result<Self, #krate::ParseRequestError> {
                ::core::unreachable!()
            }

            fn rq_type(&self) -> u64 {
                ::core::unreachable!()
            }
        }

        #[automatically_derived]
        impl<__Service: ::core::marker::Sync> #krate::Dispatch<__Service> for #ident {
            async fn dispatch(
                self,
                _: &__Service,
                _: #krate::Context,
            ) -> ::core::result::Result<#krate::Reply, #krate::Failure> {
                ::core::unreachable!()
            }
        }
    }
}
