//! The derives: `Word`, `Words`, `ProtocolError`.

use std::ops::RangeInclusive;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DataEnum, DeriveInput, Error, Expr, ExprLit, Fields, Ident, Lit, Result};

/// Returns the implementation of `libipc::Word` (and `Words`) for a newtype or `repr` enum.
pub fn word(item: TokenStream) -> TokenStream {
    finish(item, emit_word)
}

/// Returns the implementation of `libipc::Words` for a struct of named fields.
pub fn words(item: TokenStream) -> TokenStream {
    finish(item, emit_words)
}

/// Returns the implementation of `libipc::ProtocolError` for an enum numbered from 1 to 255.
pub fn protocol_error(item: TokenStream) -> TokenStream {
    finish(item, emit_protocol_error)
}

fn finish(item: TokenStream, emit: fn(DeriveInput) -> Result<TokenStream>) -> TokenStream {
    let parsed =
        syn::parse2::<DeriveInput>(item).and_then(|input| match input.generics.params.is_empty() {
            true => emit(input),
            false => {
                Err(Error::new_spanned(input.generics, "what travels has no generic parameters"))
            }
        });
    parsed.unwrap_or_else(Error::into_compile_error)
}

fn emit_word(input: DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let message = "a Word is a newtype, or an enum of plain variants";
    let (bytes, to_word, from_word) = match &input.data {
        Data::Struct(data) => {
            let Fields::Unnamed(fields) = &data.fields else {
                return Err(Error::new_spanned(name, message));
            };
            let [field] = &Vec::from_iter(&fields.unnamed)[..] else {
                return Err(Error::new_spanned(name, message));
            };
            let inner = &field.ty;
            (
                quote! { <#inner as ::libipc::Word>::BYTES },
                quote! { <#inner as ::libipc::Word>::to_word(self.0) },
                quote! { <#inner as ::libipc::Word>::from_word(word).map(#name) },
            )
        }
        Data::Enum(data) => {
            let variants = plain_variants(data, message)?;
            check_numbers(name, data, 0..=u64::MAX, "value its number, from 0: `Never = 0`")?;
            (
                quote! { if ::core::mem::size_of::<#name>() == 8 { 8 } else { 4 } },
                quote! { self as u64 },
                quote! {
                    #(if word == #name::#variants as u64 {
                        return ::core::option::Option::Some(#name::#variants);
                    })*
                    ::core::option::Option::None
                },
            )
        }
        Data::Union(_) => return Err(Error::new_spanned(name, message)),
    };
    Ok(quote! {
        impl ::libipc::Word for #name {
            const BYTES: usize = #bytes;

            #[inline(always)]
            fn to_word(self) -> u64 {
                #to_word
            }

            #[inline(always)]
            fn from_word(word: u64) -> ::core::option::Option<Self> {
                #from_word
            }
        }

        impl ::libipc::Words for #name {
            const COUNT: usize = 1;

            #[inline(always)]
            fn pack(self, into: &mut ::libipc::words::Packer) {
                ::libipc::words::pack_word(self, into);
            }

            #[inline(always)]
            fn unpack(from: &mut ::libipc::words::Unpacker) -> ::core::option::Option<Self> {
                ::libipc::words::unpack_word(from)
            }
        }
    })
}

fn emit_words(input: DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let message = "Words is a struct of named fields: words, arrays of bytes, other such structs";
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(name, message));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(name, message));
    };
    let too_large = format!("{name} exceeds the six words of a message");
    let names: Vec<_> = fields.named.iter().map(|field| &field.ident).collect();
    let types: Vec<_> = fields.named.iter().map(|field| &field.ty).collect();
    Ok(quote! {
        impl ::libipc::Words for #name {
            const COUNT: usize =
                ::libipc::words::count(&[#(<#types as ::libipc::words::Field>::BYTES),*]);

            #[inline(always)]
            fn pack(self, into: &mut ::libipc::words::Packer) {
                into.align();
                #(<#types as ::libipc::words::Field>::put(self.#names, into);)*
                into.align();
            }

            #[inline(always)]
            fn unpack(from: &mut ::libipc::words::Unpacker) -> ::core::option::Option<Self> {
                from.align();
                #(let #names = <#types as ::libipc::words::Field>::take(from)?;)*
                from.align();
                ::core::option::Option::Some(#name { #(#names),* })
            }
        }

        /// A struct within a struct begins at a new word, and ends with one.
        impl ::libipc::words::Field for #name {
            const BYTES: usize = <#name as ::libipc::Words>::COUNT * 8;

            #[inline(always)]
            fn put(self, into: &mut ::libipc::words::Packer) {
                into.put(self);
            }

            #[inline(always)]
            fn take(from: &mut ::libipc::words::Unpacker) -> ::core::option::Option<Self> {
                from.take()
            }
        }

        const _: () = ::core::assert!(
            <#name as ::libipc::Words>::COUNT <= ::libipc::abi::WORDS,
            #too_large
        );
    })
}

fn emit_protocol_error(input: DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let message = "a ProtocolError is an enum of plain variants";
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(name, message));
    };
    let variants = plain_variants(data, message)?;
    check_numbers(name, data, 1..=255, "error its number, from 1 to 255: `NotFound = 1`")?;
    Ok(quote! {
        impl ::libipc::ProtocolError for #name {
            #[inline]
            fn number(self) -> u32 {
                self as u32
            }

            #[inline]
            fn from_number(number: u32) -> ::core::option::Option<Self> {
                #(if number == #name::#variants as u32 {
                    return ::core::option::Option::Some(#name::#variants);
                })*
                ::core::option::Option::None
            }
        }
    })
}

/// Checks that each variant has a number of its own, written out: what others rely on does not
/// follow from the order of lines.
fn check_numbers(
    name: &Ident,
    data: &DataEnum,
    range: RangeInclusive<u64>,
    what: &str,
) -> Result<()> {
    if data.variants.is_empty() {
        return Err(Error::new_spanned(name, format!("give every {what}; there is none")));
    }
    for variant in &data.variants {
        let number = match &variant.discriminant {
            Some((_, Expr::Lit(ExprLit { lit: Lit::Int(number), .. }))) => {
                number.base10_parse::<u64>().ok()
            }
            _ => None,
        };
        if !number.is_some_and(|number| range.contains(&number)) {
            return Err(Error::new_spanned(variant, format!("give every {what}")));
        }
    }
    Ok(())
}

fn plain_variants<'a>(data: &'a DataEnum, message: &str) -> Result<Vec<&'a Ident>> {
    let plain = |variant: &'a syn::Variant| match variant.fields {
        Fields::Unit => Ok(&variant.ident),
        Fields::Named(_) | Fields::Unnamed(_) => {
            Err(Error::new_spanned(variant.to_token_stream(), message))
        }
    };
    data.variants.iter().map(plain).collect()
}
