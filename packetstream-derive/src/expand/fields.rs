//! A list of fields: reading, writing and describing it.

use crate::ast::{Assert, Bit, Field, Fields, Form, Role};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Expr, Member, Path};

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

/// A variable of the macro's own, which no field can be mistaken for.
pub(super) fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
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
                quote!(#reader.flagged::<#ty>(#is_set, #name)?)
            }
            Role::IfFlag(bit, form) => {
                let is_set = is_set(bit);
                let read = self.read(form, &quote!(<#ty as #krate::__private::Optional>::Value), &name);
                quote!(if #is_set {
                    ::core::option::Option::Some(#read?)
                } else {
                    ::core::option::Option::None
                })
            }
            Role::Flags => quote!(#flags),
            Role::Skip(Some(default)) => quote!(#default),
            Role::Skip(None) => quote!(::core::default::Default::default()),
        };
        // What a reader yields has its type; what else there is needs to be told.
        let of_type = matches!(role, Role::IfFlag(..) | Role::Flags | Role::Skip(_)).then(|| quote!(: #ty));
        let start = own("field_start");
        let starts = (!asserts.is_empty()).then(|| quote!(let #start = #reader.offset();));
        let checks = checks(asserts, &start, &name);
        quote!(#starts let #binding #of_type = #value; #checks)
    }

    /// A call that reads a value of type `ty`.
    fn read(&self, form: &Form, ty: &TokenStream, name: &str) -> TokenStream {
        let (krate, reader) = (self.krate, own("reader"));
        match form {
            Form::Own if self.is_newtype => quote!(#reader.newtype::<#ty>(#name)),
            Form::Own => quote!(#reader.field::<#ty>(#name)),
            Form::Big => quote!(#reader.field::<#krate::Be<#ty>>(#name).map(|#krate::Be(number)| number)),
            Form::Little => quote!(#reader.field::<#krate::Le<#ty>>(#name).map(|#krate::Le(number)| number)),
            Form::With(module) => quote!(#reader.field_with::<#ty>(#name, #module::parse)),
            Form::Rest => quote!(#reader.field_with(#name, <#ty as #krate::Rest>::parse_rest)),
            Form::Counted(earlier) => {
                let count = quote!(#krate::Count::number(&#earlier));
                let read = quote!(<#ty as #krate::Counted>::parse_counted(#count, #reader));
                quote!(#reader.field_with(#name, |#reader| #read))
            }
            Form::Chosen(earlier) => {
                let id = quote!(#krate::Count::number(&#earlier));
                quote!(#reader.field_with(#name, |#reader| #reader.chosen::<#ty>(#id)))
            }
        }
    }

    /// Statements that write every field; `value` is where a field is.
    pub(super) fn transcribe(&self, value: impl Fn(&Field<'_>) -> TokenStream) -> TokenStream {
        let mut are_flags_written = false;
        // A field that tells the length or variant of a later one is what that says, whatever it holds.
        let told = self.fields.0.iter().filter_map(|field| {
            let later = self.fields.told_by(&field.binding)?;
            Some(self.tell(field, later, &value(later)))
        });
        let told: Vec<_> = told.collect();
        let value = |field: &Field<'_>| match self.fields.told_by(&field.binding) {
            Some(_) => own_binding(field),
            None => value(field),
        };
        let statements = self.fields.0.iter().map(|field| {
            let flags = (field.is_of_flags() && !std::mem::replace(&mut are_flags_written, true))
                .then(|| self.transcribe_flags(&value));
            let transcribe = self.transcribe_field(field, &value(field));
            quote!(#flags #transcribe)
        });
        quote!(#(#told)* #(#statements)*)
    }

    fn tell(&self, Field { ty, .. }: &Field<'_>, later: &Field<'_>, value: &TokenStream) -> TokenStream {
        let krate = self.krate;
        let number = if let Role::Bytes(Form::Counted(_)) = later.role {
            quote!(#krate::Counted::count(#value))
        } else {
            quote!(#krate::Variants::id(#value))
        };
        let told =
            later.refers_to().map(|earlier| format_ident!("{}", earlier.unraw(), span = Span::mixed_site()));
        quote!(let #told = &<#ty as #krate::Count>::from_number(#number);)
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
            match &field.role {
                Role::Flag(which) => Some(bit(which, quote!(#krate::Flagged::is_set(#place)))),
                Role::IfFlag(which, _) => {
                    Some(bit(which, quote!(#krate::__private::Optional::is_some(#place))))
                }
                Role::Flags => Some(quote!(*#place)),
                Role::Bytes(_) | Role::Skip(_) => None,
            }
        });
        quote!(#out.flags(#(#bits)|*);)
    }

    fn transcribe_field(&self, field: &Field<'_>, value: &TokenStream) -> TokenStream {
        let (krate, out) = (self.krate, own("out"));
        match &field.role {
            Role::Bytes(form) => self.write(form, value),
            Role::Flag(_) => {
                quote!(#krate::Flagged::transcribe_flagged(#value, #out);)
            }
            Role::IfFlag(_, form) => {
                let inner = own("value");
                let write = self.write(form, &quote!(#inner));
                quote!(if let ::core::option::Option::Some(#inner) = #value { #write })
            }
            Role::Flags | Role::Skip(_) => TokenStream::new(),
        }
    }

    /// A statement that writes the value behind a reference.
    fn write(&self, form: &Form, value: &TokenStream) -> TokenStream {
        let (krate, out) = (self.krate, own("out"));
        match form {
            Form::Own if self.is_newtype => quote!(#krate::Payload::transcribe(#value, #out);),
            Form::Own => quote!(#out.field(#value);),
            Form::Big => quote!(#out.field(&#krate::Be(*#value));),
            Form::Little => quote!(#out.field(&#krate::Le(*#value));),
            Form::With(module) => quote!(#out.part(|#out| #module::transcribe(#value, #out));),
            Form::Rest | Form::Counted(_) => {
                quote!(#out.part(|#out| #krate::Rest::transcribe_rest(#value, #out));)
            }
            Form::Chosen(_) => {
                quote!(#out.part(|#out| #krate::Variants::transcribe_variant(#value, #out));)
            }
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
                quote!(#field::flag::<#ty>(#name, #docs, #flag))
            }
            Role::IfFlag(bit, form) => {
                let (flag, ty) = (flag(bit), quote!(<#ty as #krate::__private::Optional>::Value));
                let encoding = self.encoding(form, &ty);
                quote!(#field::if_flag(#name, #docs, #flag, #encoding))
            }
            Role::Bytes(Form::Counted(earlier)) => {
                let earlier = self.sent_as(earlier);
                quote!(#field::counted::<#ty>(#name, #docs, #earlier))
            }
            Role::Bytes(Form::Chosen(earlier)) => {
                let earlier = self.sent_as(earlier);
                quote!(#field::chosen::<#ty>(#name, #docs, #earlier))
            }
            Role::Bytes(form) => {
                let encoding = self.encoding(form, &quote!(#ty));
                let place = format_ident!("{}", if self.is_newtype { "whole" } else { "inline" });
                quote!(#field::#place(#name, #docs, #encoding))
            }
            Role::Skip(_) => TokenStream::new(),
        }
    }

    /// A function that tells what a value of type `ty` is on the wire.
    fn encoding(&self, form: &Form, ty: &TokenStream) -> TokenStream {
        let krate = self.krate;
        match form {
            Form::Big => quote!(<#krate::Be<#ty> as #krate::Payload>::encoding),
            Form::Little => quote!(<#krate::Le<#ty> as #krate::Payload>::encoding),
            Form::Rest => quote!(<#ty as #krate::Rest>::rest_encoding),
            Form::With(module) => {
                let words: Vec<_> = module.segments.iter().map(|segment| segment.ident.to_string()).collect();
                let words = words.join("::");
                quote!(|| #krate::description::Encoding::Custom(#words))
            }
            Form::Own | Form::Counted(_) | Form::Chosen(_) => quote!(<#ty as #krate::Payload>::encoding),
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

/// The reference to what is written in place of a field that tells something of a later one.
fn own_binding(Field { binding, .. }: &Field<'_>) -> TokenStream {
    let binding = format_ident!("{}", binding.unraw(), span = Span::mixed_site());
    quote!(#binding)
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
