//! Expansions as a person reads them: `snapshots/NAME.rs` is a declaration, `snapshots/NAME.expanded.rs` the
//! same written by hand. That it compiles is seen in the package `packetstream-tests`.
//!
//! After a change, `PACKETSTREAM_SNAPSHOTS=write cargo test -p packetstream-derive` writes them anew; read the
//! difference before committing it.

use crate::ast;
use crate::errors::Errors;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use std::path::{Path, PathBuf};
use std::{env, fs};
use syn::{Attribute, DeriveInput, File, Meta, Token, parse_quote};

/// What the derives of ours that an item has make of it.
fn expansion(item: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let mut expanded = TokenStream::new();
    for derive in derives(&item.attrs) {
        expanded.extend(match derive.as_str() {
            "Payload" => super::payload(&ast::Payload::read(item, &mut errors)),
            "Request" => super::request(&ast::Request::read(item, &mut errors)),
            "Protocol" => super::protocol(&ast::Protocol::read(item, &mut errors)),
            _ => continue,
        });
    }
    errors.finish().unwrap();
    expanded
}

fn derives(attrs: &[Attribute]) -> Vec<String> {
    let derive = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    let paths = |attr: &Attribute| {
        attr.parse_args_with(syn::punctuated::Punctuated::<syn::Path, Token![,]>::parse_terminated)
    };
    derive.flat_map(|attr| paths(attr).unwrap()).map(|path| path.to_token_stream().to_string()).collect()
}

/// The item without anything that only our derives understand.
fn bare(mut item: DeriveInput) -> DeriveInput {
    strip(&mut item.attrs);
    match &mut item.data {
        syn::Data::Struct(data) => data.fields.iter_mut().for_each(|field| strip(&mut field.attrs)),
        syn::Data::Enum(data) => {
            for variant in &mut data.variants {
                strip(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| strip(&mut field.attrs));
            }
        }
        syn::Data::Union(_) => {}
    }
    item
}

fn strip(attrs: &mut Vec<Attribute>) {
    let others: Vec<_> = derives(attrs)
        .into_iter()
        .filter(|derive| !["Payload", "Request", "Protocol"].contains(&derive.as_str()))
        .map(|derive| syn::parse_str::<syn::Path>(&derive).unwrap())
        .collect();
    let ours = ["derive", "payload", "request", "packetstream"];
    attrs.retain(|attr| !ours.iter().any(|name| attr.path().is_ident(name)));
    if !others.is_empty() {
        attrs.push(parse_quote!(#[derive(#(#others),*)]));
    }
    // So that it is printed as it was written, and not as an attribute.
    debug_assert!(
        attrs.iter().all(|attr| !matches!(attr.meta, Meta::Path(_)) || !attr.path().is_ident("doc"))
    );
}

fn formatted(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2::<File>(tokens).unwrap())
}

/// The declarations in a snapshot.
fn items(path: &Path) -> Vec<DeriveInput> {
    let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
    file.items.iter().map(|item| syn::parse2(item.to_token_stream()).unwrap()).collect()
}

fn snapshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/expand/snapshots")
}

#[test]
fn declarations_expand_to_what_one_would_write() {
    let is_declaration = |path: &PathBuf| !path.to_string_lossy().ends_with(".expanded.rs");
    let paths = fs::read_dir(snapshots()).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for path in paths.filter(is_declaration) {
        let code = items(&path).into_iter().map(|item| {
            let (expanded, item) = (expansion(&item), bare(item));
            quote!(#item #expanded)
        });
        let code = formatted(code.collect());
        let expected = path.with_extension("expanded.rs");
        if env::var_os("PACKETSTREAM_SNAPSHOTS").is_some_and(|mode| mode == "write") {
            fs::write(&expected, &code).unwrap();
        }
        let text = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(code, text, "{} has changed", expected.display());
        seen += 1;
    }
    assert!(seen >= 4, "{seen} snapshots");
}

#[test]
fn a_protocol_of_one_request_is_less_than_40_lines() {
    let items = items(&snapshots().join("protocol.rs"));
    let calc = items.iter().find(|item| item.ident == "Calc").unwrap();
    let code = formatted(expansion(calc));
    assert!(code.lines().count() < 40, "{} lines:\n{code}", code.lines().count());
}
