//! `#[derive(FromJson)]`: how a type is read by `crate::json`.
//!
//! The names and defaults come from the `#[serde(…)]` attributes by which serde writes the same
//! type and tsify tells it to TypeScript, so that each document is described once. An attribute
//! that is not in this list, or not where it belongs, is a compile error: none is read past.
//!
//! - A struct with named fields is an object with these names and no others. It must say
//!   `deny_unknown_fields`. `rename_all = "camelCase"` and, on a field, `rename = "…"` change names.
//! - A field must be there unless it is an `Option` or has a `default`; `default` on the struct
//!   takes what is not there from the default of the whole.
//! - A variant is `"name"` when it holds nothing, else `{"name": content}`. Content is one value, or
//!   the named fields of an object, for which the enum must say `deny_unknown_fields`.
//!   `rename_all = "snake_case"` changes the names of variants, `rename_all_fields = "camelCase"`
//!   those of fields.
//! - `try_from = "T"` reads a `T` and converts it. Nothing else is looked at.
//! - `into` and `skip_serializing_if` are about writing and mean nothing here.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DataEnum, DeriveInput, Error, Fields, FieldsNamed, LitStr, Path, Result, Token, Type, parse_macro_input};

/// Implements `crate::json::FromJson`; the rules are above.
#[proc_macro_derive(FromJson, attributes(serde))]
pub fn from_json(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    implementation(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn implementation(input: &DeriveInput) -> Result<TokenStream> {
    let read = match &input.data {
        Data::Struct(data) => {
            let allowed = ["rename_all", "default", "deny_unknown_fields", "try_from", "into"];
            let rules = Rules::read(&input.attrs, &allowed)?;
            match (&rules.try_from, &data.fields) {
                (Some(raw), fields) => converted(raw, fields),
                (None, Fields::Named(fields)) => {
                    let (names, value) = object(&quote!(Self), fields, &rules, rules.rename_all.as_ref())?;
                    let default = match &rules.default {
                        None => None,
                        Some(Absent::Default) => Some(quote!(let default: Self = Default::default();)),
                        Some(Absent::Of(path)) => return Err(Error::new_spanned(path, "FromJson knows only the default of the type here")),
                    };
                    quote! {
                        let mut fields = crate::json::Fields::of(node, #names, faults);
                        #default
                        #value
                    }
                }
                (None, Fields::Unnamed(_) | Fields::Unit) => return Err(Error::new_spanned(input, "needs named fields, or `try_from`")),
            }
        }
        Data::Enum(data) => {
            let rules = Rules::read(&input.attrs, &["rename_all", "rename_all_fields", "deny_unknown_fields"])?;
            variants(input, data, &rules)?
        }
        Data::Union(_) => return Err(Error::new_spanned(input, "a union cannot be read")),
    };
    let name = &input.ident;
    Ok(quote! {
        impl crate::json::FromJson for #name {
            fn read(node: crate::json::Node<'_>, faults: &mut crate::json::Faults) -> Self {
                #read
            }
        }
    })
}

/// What stands for a value that does not convert is made of its fields, read from nothing.
fn converted(raw: &Type, fields: &Fields) -> TokenStream {
    let members = fields.members();
    quote! {
        let raw = <#raw as crate::json::FromJson>::read(node, faults);
        Self::try_from(raw).unwrap_or_else(|error| {
            faults.note(format_args!("{error}"));
            Self { #(#members: crate::json::FromJson::read(crate::json::Node::Absent, faults)),* }
        })
    }
}

/// The names of the fields, and the value made of them, asked for in the order of the names.
fn object(constructor: &TokenStream, fields: &FieldsNamed, rules: &Rules, case: Option<&LitStr>) -> Result<(TokenStream, TokenStream)> {
    if !rules.deny_unknown_fields {
        return Err(Error::new_spanned(fields, "needs #[serde(deny_unknown_fields)]"));
    }
    let mut names = Vec::new();
    let mut values = Vec::new();
    for field in &fields.named {
        let own = Rules::read(&field.attrs, &["rename", "default", "skip_serializing_if"])?;
        let Some(ident) = &field.ident else { continue };
        names.push(own.name(ident, case, ("camelCase", camel_case))?);
        let value = match (&own.default, &rules.default) {
            (Some(Absent::Of(path)), _) => quote!(fields.next_or(#path())),
            (Some(Absent::Default), _) => quote!(fields.next_or(Default::default())),
            (None, Some(_)) => quote!(fields.next_or(default.#ident)),
            (None, None) => quote!(fields.next()),
        };
        values.push(quote!(#ident: #value));
    }
    Ok((quote!(&[#(#names),*]), quote!(#constructor { #(#values),* })))
}

fn variants(input: &DeriveInput, data: &DataEnum, rules: &Rules) -> Result<TokenStream> {
    let mut names = Vec::new();
    let mut has_content = Vec::new();
    let mut arms = Vec::new();
    for (index, variant) in data.variants.iter().enumerate() {
        let ident = &variant.ident;
        names.push(Rules::read(&variant.attrs, &["rename"])?.name(ident, rules.rename_all.as_ref(), ("snake_case", snake_case))?);
        has_content.push(!matches!(variant.fields, Fields::Unit));
        let value = match &variant.fields {
            Fields::Unit => quote!(Self::#ident),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => quote!(Self::#ident(content.next())),
            Fields::Unnamed(fields) => return Err(Error::new_spanned(fields, "needs one value, or named fields")),
            Fields::Named(fields) => {
                let (names, value) = object(&quote!(Self::#ident), fields, rules, rules.rename_all_fields.as_ref())?;
                quote!(content.next_object(#names, |mut fields| #value))
            }
        };
        let pattern = if index + 1 == data.variants.len() { quote!(_) } else { quote!(#index) };
        arms.push(quote!(#pattern => #value));
    }
    if arms.is_empty() {
        return Err(Error::new_spanned(input, "needs a variant"));
    }
    let content = if has_content.contains(&true) { quote!(mut content) } else { quote!(_) };
    Ok(quote! {
        let (index, #content) = crate::json::variant(node, &[#(#names),*], &[#(#has_content),*], faults);
        match index { #(#arms),* }
    })
}

/// The attributes of a type, variant or field.
#[derive(Default)]
struct Rules {
    rename: Option<LitStr>,
    rename_all: Option<LitStr>,
    rename_all_fields: Option<LitStr>,
    default: Option<Absent>,
    deny_unknown_fields: bool,
    try_from: Option<Type>,
}

/// What stands for a field that is not there.
enum Absent {
    Default,
    Of(Path),
}

impl Rules {
    fn read(attributes: &[Attribute], allowed: &[&str]) -> Result<Self> {
        let mut rules = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                let name = meta.path.to_token_stream().to_string();
                if !allowed.contains(&name.as_str()) {
                    return Err(meta.error(format!("FromJson does not know `{name}` here")));
                }
                let text = || meta.value()?.parse::<LitStr>();
                match name.as_str() {
                    "rename" => rules.rename = Some(text()?),
                    "rename_all" => rules.rename_all = Some(text()?),
                    "rename_all_fields" => rules.rename_all_fields = Some(text()?),
                    "deny_unknown_fields" => rules.deny_unknown_fields = true,
                    "default" if meta.input.peek(Token![=]) => rules.default = Some(Absent::Of(text()?.parse()?)),
                    "default" => rules.default = Some(Absent::Default),
                    "try_from" => rules.try_from = Some(text()?.parse()?),
                    _ => drop(text()?), // about writing
                }
                Ok(())
            })?;
        }
        Ok(rules)
    }

    /// The name in JSON of a field or variant.
    fn name(&self, ident: &Ident, case: Option<&LitStr>, (known, convert): (&str, fn(&str) -> String)) -> Result<String> {
        let name = ident.unraw().to_string();
        match (&self.rename, case) {
            (Some(rename), _) => Ok(rename.value()),
            (None, None) => Ok(name),
            (None, Some(case)) if case.value() == known => Ok(convert(&name)),
            (None, Some(case)) => Err(Error::new_spanned(case, format!("FromJson knows only `{known}` here"))),
        }
    }
}

/// `last_used_at` → `lastUsedAt`.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name + letters.as_str()
    })
}

/// `BackupCode` → `backup_code`.
fn snake_case(variant: &str) -> String {
    let mut name = String::new();
    for (index, letter) in variant.char_indices() {
        if index > 0 && letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_an_error() {
        let good = [
            "#[serde(rename_all = \"camelCase\", deny_unknown_fields)] struct T { #[serde(rename = \"x\", default)] a: u8 }",
            "#[serde(default, deny_unknown_fields)] struct T { a: u8 }",
            "#[serde(try_from = \"u8\", into = \"u8\")] struct T(u8);",
            "#[serde(rename_all = \"snake_case\")] enum T { #[serde(rename = \"x\")] A, B(u8) }",
            "#[serde(rename_all_fields = \"camelCase\", deny_unknown_fields)] enum T { A { #[serde(default = \"a::b\")] a: u8 } }",
        ];
        let bad = [
            "struct T { a: u8 }",
            "struct T(u8);",
            "struct T;",
            "enum T {}",
            "enum T { A { a: u8 } }",
            "enum T { A(u8, u8) }",
            "union T { a: u8 }",
            "#[serde(tag = \"t\")] enum T { A }",
            "#[serde(untagged)] enum T { A }",
            "#[serde(deny_unknown_field)] struct T { a: u8 }",
            "#[serde(default = \"a\", deny_unknown_fields)] struct T { a: u8 }",
            "#[serde(rename_all = \"kebab-case\", deny_unknown_fields)] struct T { a: u8 }",
            "#[serde(rename_all = \"camelCase\")] enum T { A }",
            "#[serde(deny_unknown_fields)] struct T { #[serde(flatten)] a: u8 }",
            "#[serde(deny_unknown_fields)] struct T { #[serde(alias = \"b\")] a: u8 }",
            "#[serde(deny_unknown_fields)] struct T { #[serde(deserialize_with = \"b\")] a: u8 }",
            "enum T { #[serde(other)] A }",
        ];
        for text in good {
            assert!(implementation(&syn::parse_str(text).unwrap()).is_ok(), "{text}");
        }
        for text in bad {
            assert!(implementation(&syn::parse_str(text).unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn cases_are_serdes() {
        assert_eq!(["a", "last_used_at", "memory_kib"].map(camel_case), ["a", "lastUsedAt", "memoryKib"]);
        assert_eq!(["Totp", "BackupCode", "HS256"].map(snake_case), ["totp", "backup_code", "h_s256"]);
    }
}
