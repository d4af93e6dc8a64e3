//! `Carries` and `From` for each request, `Protocol`, `Dispatch` and the client.

use super::client;
use crate::ast::{Carried, Protocol};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

pub(crate) fn protocol(protocol: &Protocol<'_>) -> TokenStream {
    let carries = protocol.requests.iter().map(|request| carries(protocol, request));
    let from = protocol.requests.iter().map(|request| from_request(protocol, request));
    let typed = typed(protocol);
    let dispatch = dispatch(protocol);
    let client = client::client(protocol);
    quote!(#(#carries #from)* #typed #dispatch #client)
}

fn carries(Protocol { krate, ident, .. }: &Protocol<'_>, request: &Carried<'_>) -> TokenStream {
    let Carried { ty, number, .. } = request;
    quote_spanned! {at(request.ty)=>
        #[automatically_derived]
        impl #krate::Carries<#ty> for #ident {
            const REQUEST_TYPE: u64 = #number;
        }
    }
}

pub(super) fn from_request(Protocol { ident, .. }: &Protocol<'_>, request: &Carried<'_>) -> TokenStream {
    let Carried { variant, ty, .. } = request;
    let variant = &variant.ident;
    quote_spanned! {at(request.ty)=>
        #[automatically_derived]
        impl ::core::convert::From<#ty> for #ident {
            fn from(request: #ty) -> Self {
                Self::#variant(request)
            }
        }
    }
}

/// Where the compiler finds a request listed twice, which only it can: these impls conflict.
fn at(ty: &Type) -> Span {
    Span::call_site().located_at(ty.span())
}

/// `Protocol`: numbers to variants and back.
fn typed(Protocol { krate, ident, requests, .. }: &Protocol<'_>) -> TokenStream {
    let parse = requests.iter().map(|Carried { variant, ty, number }| {
        let variant = &variant.ident;
        quote! {
            #number => ::core::result::Result::Ok(Self::#variant(
                <#ty as #krate::BaseRequest>::from_request_payload(flags, payload)?
            ))
        }
    });
    let numbers = requests.iter().map(|Carried { variant, number, .. }| {
        let variant = &variant.ident;
        quote!(Self::#variant(_) => #number)
    });
    quote! {
        #[automatically_derived]
        impl #krate::Protocol for #ident {
            fn from_request(
                rq_type: u64,
                flags: u64,
                payload: #krate::Bytes,
            ) -> ::core::result::Result<Self, #krate::ParseRequestError> {
                match rq_type {
                    #(#parse,)*
                    unknown => ::core::result::Result::Err(
                        #krate::ParseRequestError::UnknownType(unknown)
                    ),
                }
            }

            fn rq_type(&self) -> u64 {
                match *self {
                    #(#numbers,)*
                }
            }
        }
    }
}

fn dispatch(Protocol { krate, ident, requests, .. }: &Protocol<'_>) -> TokenStream {
    let types = requests.iter().map(|request| request.ty);
    let perform = requests.iter().map(|Carried { variant, ty, .. }| {
        let variant = &variant.ident;
        quote!(Self::#variant(request) => #krate::__private::fulfil::<#ty, _>(service, request, cx).await)
    });
    // The service's name is one that no request has: a type parameter hides what is called the same.
    quote! {
        #[automatically_derived]
        impl<__Service> #krate::Dispatch<__Service> for #ident
        where
            __Service: #(#krate::Fulfil<#types> +)* ::core::marker::Sync,
        {
            async fn dispatch(
                self,
                service: &__Service,
                cx: #krate::Context,
            ) -> ::core::result::Result<#krate::Reply, #krate::Failure> {
                match self {
                    #(#perform,)*
                }
            }
        }
    }
}
