//! Names of variants to names of methods.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Error, Result};

/// The method for a variant: `HashCodes` is asked with `hash_codes`, `Move` with `r#move`.
pub(super) fn method(variant: &Ident) -> Result<Ident> {
    let name = snake_case(&variant.unraw().to_string());
    // Found where the variant is, but the macro's own: no lint judges it as if a person had written it.
    let span = Span::call_site().located_at(variant.span());
    match name.as_str() {
        "self" | "super" | "crate" | "_" => {
            Err(Error::new(variant.span(), format!("no method can be called `{name}`; rename the variant")))
        }
        // A method of this name would hide one that all clients have.
        "from" | "clone" | "connection" | "conn_submit" | "conn_do_remote" => {
            let message = format!("a client has a method `{name}` of its own; rename the variant");
            Err(Error::new(variant.span(), message))
        }
        // A keyword since the edition of 2024, which syn does not know of.
        "gen" => Ok(Ident::new_raw(&name, span)),
        name if syn::parse_str::<Ident>(name).is_err() => Ok(Ident::new_raw(name, span)),
        name => Ok(Ident::new(name, span)),
    }
}

/// `HTTPServer2Go` to `http_server2_go`: a word begins at a capital after anything else, and at the
/// last capital of a run when a small letter follows.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let small_next = rest.peek().is_some_and(|next| next.is_lowercase());
        let begins =
            before.is_some_and(|before: char| before != '_' && (!before.is_uppercase() || small_next));
        if c.is_uppercase() && begins {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        before = Some(c);
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::format_ident;

    #[test]
    fn words_are_told_apart_by_their_capitals() {
        for (camel, snake) in [
            ("Add", "add"),
            ("HashCodes", "hash_codes"),
            ("A", "a"),
            ("AB", "ab"),
            ("GetURL", "get_url"),
            ("HTTPServer", "http_server"),
            ("GetURLNow", "get_url_now"),
            ("IOf", "i_of"),
            ("Utf8", "utf8"),
            ("Sha256Sum", "sha256_sum"),
            ("SHA1", "sha1"),
            ("V2Get", "v2_get"),
            ("Get_Now", "get_now"),
            ("Get_now", "get_now"),
            ("_Get", "_get"),
            ("already_snake", "already_snake"),
            ("ÄrgerÜber", "ärger_über"),
        ] {
            assert_eq!(snake_case(camel), snake, "{camel}");
        }
    }

    #[test]
    fn keywords_are_raw_and_impossible_names_are_refused() {
        let name = |variant: &str| method(&format_ident!("{variant}")).map(|ident| ident.to_string());
        assert_eq!(name("Move").unwrap(), "r#move");
        assert_eq!(name("Gen").unwrap(), "r#gen");
        assert_eq!(name("Union").unwrap(), "union");
        assert_eq!(name("r#Move").unwrap(), "r#move");
        assert_eq!(
            name("Crate").unwrap_err().to_string(),
            "no method can be called `crate`; rename the variant"
        );
        name("Super").unwrap_err();
        assert_eq!(
            name("From").unwrap_err().to_string(),
            "a client has a method `from` of its own; rename the variant"
        );
    }
}
