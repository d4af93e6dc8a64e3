//! The client stub: a named connection with a method for each request.

use crate::ast::{Client, Method, Protocol};
use proc_macro2::TokenStream;
use quote::quote;

/// Nothing, unless a client is asked for.
pub(super) fn client(protocol: &Protocol<'_>) -> Option<TokenStream> {
    let client = protocol.client.as_ref()?;
    let Protocol { krate, vis, ident: protocol_ident, .. } = protocol;
    let Client { ident, methods } = client;
    let doc = format!(" Asks the requests of [`{protocol_ident}`] over a connection, each with a method.");
    let methods = methods.iter().map(|request| method(protocol, request));
    Some(quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #ident(#krate::PacketConnection);

        #[automatically_derived]
        impl ::core::convert::From<#krate::PacketConnection> for #ident {
            fn from(connection: #krate::PacketConnection) -> Self {
                Self(connection)
            }
        }

        #[automatically_derived]
        impl #krate::HasPacketConnection for #ident {
            type Protocol = #protocol_ident;

            fn connection(&self) -> &#krate::PacketConnection {
                &self.0
            }
        }

        #[allow(dead_code, reason = "not every program asks everything")]
        impl #ident {
            #(#methods)*
        }
    })
}

fn method(Protocol { krate, vis, ident: protocol, .. }: &Protocol<'_>, method: &Method<'_>) -> TokenStream {
    let Method { ident, variant, ty, docs } = method;
    let default_doc = docs.is_empty().then(|| {
        let doc =
            format!(" Sends the request [`{variant}`]({protocol}::{variant}); await the call for its reply.");
        quote!(#[doc = #doc])
    });
    quote! {
        #(#docs)*
        #default_doc
        #vis fn #ident(&self, request: #ty) -> #krate::TypedCall<#ty> {
            #krate::HasPacketConnection::conn_submit(self, request)
        }
    }
}
