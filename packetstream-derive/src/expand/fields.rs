//! A list of fields: reading, writing and describing it.

use crate::ast::{Assert, Bit, Field, Fields, Form, Role};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Member, Path, Type};

/// A list of fields, and what the code for it needs to know besides.
pub(super) struct Code<'a> {
    /// The path of the facade.
    pub(super) krate: &'a Path,
    /// `Struct` or `Enum::Variant`, for errors.
    pub(super) owner: String,
    /// Whether the only field is the whole value.
    pub(super) is_newtype: bool,
    pub(super) fields: &'a Fields<'a>,
}

/// What reads, writes and describes a value.
struct Functions {
    parse: TokenStream,
    transcribe: TokenStream,
    encoding: TokenStream,
}

/// A variable of the macro's own, which no field can be mistaken for.
pub(super) fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Where this is, for what is made of it.
pub(super) fn at(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}

impl Code<'_> {
    /// Statements that read every field into a variable of its name.
    pub(super) fn parse(&self) -> TokenStream {
        let mut are_flags_read = false;
        let statements = self.fields.0.iter().map(|field| {
            let flags = (field.is_of_flags() && !std::mem::replace(&mut are_flags_read, true))
                .then(|| self.parse_flags());
            let parse = self.parse_field(field);
            quote!(#flags #parse)
        });
        quote!(#(#statements)*)
    }

    fn parse_flags(&self) -> TokenStream {
        let (reader, flags, owner) = (own("reader"), own("flags"), &self.owner);
        let known = self.fields.known_flags();
        quote!(let #flags = #reader.flags(#known, #owner)?;)
    }

    fn parse_field(&self, field: &Field<'_>) -> TokenStream {
        let Field { binding, ty, role, asserts, .. } = field;
        let (krate, reader, flags, name) = (self.krate, own("reader"), own("flags"), self.name(field));
        let is_set = |Bit { number, is_set }: &Bit| {
            let mask = 1_u64 << number;
            if *is_set { quote!(#flags & #mask != 0) } else { quote!(#flags & #mask == 0) }
        };
        let value = match role {
            Role::Bytes(form) => {
                let read = self.read(form, &quote!(#ty), &name);
                quote!(#read?)
            }
            Role::Flag(bit) => {
                let is_set = is_set(bit);
                quote!(<#ty as #krate::Flagged>::parse_flagged(#is_set, #name, #reader)?)
            }
            Role::IfFlag(bit, form) => {
                let (is_set, read) = (is_set(bit), self.read(form, &self.value_type(ty), &name));
                let read = quote!(<#ty as #krate::__private::Optional>::read_if(#is_set, || #read));
                quote!(#read?)
            }
            Role::Flags => quote!(<#ty as #krate::__private::AllFlags>::from_flags(#flags)),
            Role::Skip(Some(default)) => quote!(#default),
            Role::Skip(None) => quote!(<#ty as ::core::default::Default>::default()),
        };
        let of_type = matches!(role, Role::Skip(Some(_))).then(|| quote!(: #ty));
        let start = own("field_start");
        let starts = (!asserts.is_empty()).then(|| quote!(let #start = #reader.offset();));
        let checks = checks(asserts, &start, &name);
        quote!(#starts let #binding #of_type = #value; #checks)
    }

    /// What the `Option` of type `ty` may have in it.
    fn value_type(&self, ty: &Type) -> TokenStream {
        let krate = self.krate;
        quote_spanned!(ty.span()=> <#ty as #krate::__private::Optional>::Value)
    }

    /// A call that reads a value of type `ty`.
    fn read(&self, form: &Form, ty: &TokenStream, name: &str) -> TokenStream {
        let (krate, reader, parse) = (self.krate, own("reader"), self.functions(form, ty).parse);
        let number = |earlier: &Ident| {
            let ty = self.fields.0.iter().find(|field| field.binding == *earlier).map(|field| field.ty);
            quote!(<#ty as #krate::Count>::number(&#earlier))
        };
        let read = match form {
            Form::Counted(earlier) => {
                let count = number(earlier);
                quote!(#parse(#count, #reader))
            }
            Form::Chosen(earlier) => {
                let id = number(earlier);
                quote!(#reader.chosen(|#reader| #parse(#id, #reader)))
            }
            Form::With(module) => quote_spanned!(at(module)=> #parse(#reader)),
            _ => quote!(#parse(#reader)),
        };
        match form {
            Form::Own if self.is_newtype => quote!(#reader.newtype(#name, |#reader| #read)),
            Form::Own => quote!(<#ty as #krate::Payload>::parse_field(#reader, #name)),
            _ => quote!(#reader.field_with(#name, |#reader| #read)),
        }
    }

    /// What reads, writes and describes a value of type `ty`.
    ///
    /// Named in full at each use, so that all uses of a type that has none of them are one mistake to the
    /// compiler, at the type.
    fn functions(&self, form: &Form, ty: &TokenStream) -> Functions {
        let krate = self.krate;
        let of = |[implemented, parse, transcribe, encoding]: [&str; 4]| {
            let name = |name: &str| format_ident!("{name}");
            let (implemented, parse) = (name(implemented), name(parse));
            let (transcribe, encoding) = (name(transcribe), name(encoding));
            let implementation = quote!(<#ty as #krate::#implemented>);
            Functions {
                parse: quote!(#implementation::#parse),
                transcribe: quote!(#implementation::#transcribe),
                encoding: quote!(#implementation::#encoding),
            }
        };
        match form {
            Form::Own => of(["Payload", "parse", "transcribe", "encoding"]),
            Form::Big => of(["Fixed", "parse_big", "transcribe_big", "big_encoding"]),
            Form::Little => of(["Fixed", "parse_little", "transcribe_little", "little_encoding"]),
            Form::Rest => of(["Rest", "parse_rest", "transcribe_rest", "rest_encoding"]),
            Form::Counted(_) => of(["Counted", "parse_counted", "transcribe_counted", "counted_encoding"]),
            Form::Chosen(_) => of(["Variants", "parse_variant", "transcribe_variant", "variant_encoding"]),
            Form::With(module) => {
                let words: Vec<_> = module.segments.iter().map(|segment| segment.ident.to_string()).collect();
                let words = words.join("::");
                Functions {
                    parse: quote_spanned!(module.span()=> #module::parse),
                    transcribe: quote_spanned!(module.span()=> #module::transcribe),
                    encoding: quote!(|| #krate::description::Encoding::Custom(#words)),
                }
            }
        }
    }

    /// Statements that write every field; `value` is where a field is.
    pub(super) fn transcribe(&self, value: impl Fn(&Field<'_>) -> TokenStream) -> TokenStream {
        let mut are_flags_written = false;
        // A field that tells the length or variant of a later one is what that says, whatever it holds.
        let tell = self.fields.0.iter().filter_map(|field| {
            let later = self.fields.told_by(&field.binding)?;
            Some(self.tell(field, later, &value(later)))
        });
        let tell: Vec<_> = tell.collect();
        let value = |field: &Field<'_>| match self.fields.told_by(&field.binding) {
            Some(_) => told(&field.binding).into_token_stream(),
            None => value(field),
        };
        let statements = self.fields.0.iter().map(|field| {
            let flags = (field.is_of_flags() && !std::mem::replace(&mut are_flags_written, true))
                .then(|| self.transcribe_flags(&value));
            let transcribe = self.transcribe_field(field, &value(field));
            quote!(#flags #transcribe)
        });
        quote!(#(#tell)* #(#statements)*)
    }

    fn tell(
        &self,
        Field { binding, ty, .. }: &Field<'_>,
        later: &Field<'_>,
        value: &TokenStream,
    ) -> TokenStream {
        let (krate, out, later_ty) = (self.krate, own("out"), later.ty);
        let number = if let Role::Bytes(Form::Counted(_)) = later.role {
            quote!(<#later_ty as #krate::Counted>::count(#value))
        } else {
            quote!(<#later_ty as #krate::Variants>::id(#value))
        };
        let told = told(binding);
        quote!(let #told = &<#ty as #krate::Count>::told(#number, #out);)
    }

    fn transcribe_flags(&self, value: &impl Fn(&Field<'_>) -> TokenStream) -> TokenStream {
        let (krate, out) = (self.krate, own("out"));
        let bits = self.fields.0.iter().filter_map(|field| {
            let place = value(field);
            let bit = |bit: &Bit, is_set: TokenStream| {
                let Bit { number, is_set: when } = bit;
                let not = (!when).then(|| quote!(!));
                quote!(#krate::__private::bit(#number, #not #is_set))
            };
            let ty = field.ty;
            match &field.role {
                Role::Flag(which) => Some(bit(which, quote!(<#ty as #krate::Flagged>::is_set(#place)))),
                Role::IfFlag(which, _) => {
                    let value = quote!(<#ty as #krate::__private::Optional>::value(#place));
                    Some(bit(which, quote!(#value.is_some())))
                }
                Role::Flags => Some(quote!(<#ty as #krate::__private::AllFlags>::flags(#place))),
                Role::Bytes(_) | Role::Skip(_) => None,
            }
        });
        quote!(#out.flags(#(#bits)|*);)
    }

    fn transcribe_field(&self, field: &Field<'_>, value: &TokenStream) -> TokenStream {
        let (krate, out, ty) = (self.krate, own("out"), field.ty);
        match &field.role {
            Role::Bytes(form) => self.write(form, &quote!(#ty), value),
            Role::Flag(_) => quote!(<#ty as #krate::Flagged>::transcribe_flagged(#value, #out);),
            Role::IfFlag(_, form) => {
                let inner = own("value");
                let write = self.write(form, &self.value_type(ty), &quote!(#inner));
                let value = quote!(<#ty as #krate::__private::Optional>::value(#value));
                quote!(if let ::core::option::Option::Some(#inner) = #value { #write })
            }
            Role::Flags | Role::Skip(_) => TokenStream::new(),
        }
    }

    /// A statement that writes the value of type `ty` behind a reference.
    fn write(&self, form: &Form, ty: &TokenStream, value: &TokenStream) -> TokenStream {
        let (krate, out, transcribe) = (self.krate, own("out"), self.functions(form, ty).transcribe);
        match form {
            Form::Own if self.is_newtype => quote!(#transcribe(#value, #out);),
            Form::Own => quote!(<#ty as #krate::Payload>::transcribe_field(#value, #out);),
            _ => quote!(#out.part(|#out| #transcribe(#value, #out));),
        }
    }

    /// Descriptions of the fields that travel.
    pub(super) fn describe(&self) -> TokenStream {
        let fields = self.fields.0.iter().filter(|field| !field.is_skipped());
        let fields = fields.map(|field| self.describe_field(field));
        quote!(&[#(#fields),*])
    }

    fn describe_field(&self, Field { member, ty, docs, role, .. }: &Field<'_>) -> TokenStream {
        let krate = self.krate;
        let name = member_name(member);
        let field = quote!(#krate::description::Field);
        let flag = |Bit { number, is_set }: &Bit| {
            let polarity = if *is_set { format_ident!("set") } else { format_ident!("clear") };
            quote!(#krate::description::Flag::#polarity(#number))
        };
        let docs = describe_docs(docs);
        match role {
            Role::Flags => quote!(#field::flags(#name, #docs)),
            Role::Flag(bit) => {
                let flag = flag(bit);
                quote!(#field::flag(#name, #docs, #flag, <#ty as #krate::Flagged>::VALUE))
            }
            Role::IfFlag(bit, form) => {
                let (flag, encoding) = (flag(bit), self.functions(form, &self.value_type(ty)).encoding);
                quote!(#field::if_flag(#name, #docs, #flag, #encoding))
            }
            Role::Bytes(form) => {
                let encoding = self.functions(form, &quote!(#ty)).encoding;
                match form {
                    Form::Counted(earlier) => {
                        let earlier = self.sent_as(earlier);
                        quote!(#field::counted(#name, #docs, #earlier, #encoding))
                    }
                    Form::Chosen(earlier) => {
                        let earlier = self.sent_as(earlier);
                        quote!(#field::chosen(#name, #docs, #earlier, #encoding))
                    }
                    _ if self.is_newtype => quote!(#field::whole(#name, #docs, #encoding)),
                    _ => quote!(#field::inline(#name, #docs, #encoding)),
                }
            }
            Role::Skip(_) => TokenStream::new(),
        }
    }

    /// What a description calls the field with this variable.
    fn sent_as(&self, binding: &Ident) -> String {
        let field = self.fields.0.iter().find(|field| field.binding == *binding);
        field.map_or_else(String::new, |field| member_name(&field.member))
    }

    /// Where an error is: `Struct.field`.
    fn name(&self, field: &Field<'_>) -> String {
        format!("{}.{}", self.owner, member_name(&field.member))
    }

    /// `member: variable` of each field, to make the value, or to take it apart.
    pub(super) fn members(&self, is_wanted: impl Fn(&Field<'_>) -> bool) -> TokenStream {
        let fields = self.fields.0.iter().filter(|field| is_wanted(field));
        let members = fields.map(|Field { member, binding, .. }| match member {
            Member::Named(_) => quote!(#binding),
            Member::Unnamed(index) => quote!(#index: #binding),
        });
        quote!(#(#members),*)
    }
}

/// The variable for what is written in place of a field that tells something of a later one.
fn told(binding: &Ident) -> Ident {
    format_ident!("told_{}", binding.unraw(), span = Span::mixed_site())
}

fn member_name(member: &Member) -> String {
    match member {
        Member::Named(ident) => ident.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// Statements that check what has to hold of what began at `start`.
pub(super) fn checks(asserts: &[Assert], start: &Ident, name: &str) -> TokenStream {
    let reader = own("reader");
    let checks = asserts
        .iter()
        .map(|Assert { condition, message }| quote!(#reader.check(#condition, #start, #name, #message)?;));
    quote!(#(#checks)*)
}

/// Documentation, a line each.
pub(super) fn describe_docs(docs: &[&Expr]) -> TokenStream {
    quote!(&[#(#docs),*])
}
