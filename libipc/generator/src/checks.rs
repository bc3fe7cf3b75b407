//! What only the compiler can count: checks at compile time that the generated code carries.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;

use crate::model::{Argument, Interface, Operation, Part};

/// Returns checks that each operation's arguments and results fit in a message, each of which
/// points at its operation.
pub(crate) fn emit(interface: &Interface) -> TokenStream {
    let checks = interface.operations.iter().map(|operation| {
        let Operation { name, arguments, results, .. } = operation;
        let what = format!("{}::{}", interface.name, operation.plain_name());
        let lengths = operation.count(Part::is_slice).saturating_sub(1);
        let arguments_fit = words(
            name,
            arguments.iter().map(|argument| &argument.part),
            lengths,
            &format!("{what}: the arguments exceed six words; lend what is larger"),
        );
        let results_fit = words(
            name,
            results.iter(),
            0,
            &format!("{what}: the results exceed six words; let the client pass a `&mut [u8]`"),
        );
        let bytes_fit = bytes(name, arguments, &what);
        quote! { #arguments_fit #results_fit #bytes_fit }
    });
    quote! { #(#checks)* }
}

fn words<'a>(
    at: &Ident,
    parts: impl Iterator<Item = &'a Part>,
    more: usize,
    message: &str,
) -> Option<TokenStream> {
    let types = parts.filter_map(|part| match part {
        Part::Words(of) => Some(of),
        _ => None,
    });
    let types: Vec<_> = types.collect();
    // Each value takes a word at least, but for the empty one; one always fits, as its derive says.
    if types.len() + more < 2 {
        return None;
    }
    let more = (more != 0).then(|| quote! { #more });
    let counts = types.iter().map(|of| quote! { <#of as ::libipc::Words>::COUNT }).chain(more);
    Some(quote_spanned! { at.span() =>
        #[allow(clippy::int_plus_one, reason = "the numbers are the types'")]
        const _: () = ::core::assert!(#(#counts)+* <= ::libipc::abi::WORDS, #message);
    })
}

fn bytes(at: &Ident, arguments: &[Argument], what: &str) -> Option<TokenStream> {
    let copied = arguments.iter().filter(|argument| argument.part.is_slice());
    let bounds: Vec<_> =
        copied.filter_map(|argument| argument.bound.as_ref()).map(|bound| &bound.bytes).collect();
    let message =
        format!("{what}: the bounds exceed what a message holds (libipc::abi::MAX_BYTES)");
    (!bounds.is_empty()).then(|| {
        quote_spanned! { at.span() =>
            const _: () = ::core::assert!(
                #((#bounds))+* <= ::libipc::abi::MAX_BYTES,
                #message
            );
        }
    })
}
