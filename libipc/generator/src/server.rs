//! The server's half: trait, labels, replies, dispatch.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::model::{Interface, Operation, Part};

/// Returns the server's half.
pub(crate) fn emit(interface: &Interface) -> TokenStream {
    let (server, labels) = (server_trait(interface), labels(interface));
    let (replies, dispatch) = (replies(interface), dispatch(interface));
    quote! { #server #labels #replies #dispatch }
}

/// Returns the interface's name in lower case with underscores.
pub(crate) fn snake(name: &Ident) -> String {
    let mut snake = String::new();
    for character in name.to_string().chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// Returns the name of the module of labels.
pub(crate) fn labels_name(interface: &Interface) -> Ident {
    format_ident!("{}_label", snake(&interface.name))
}

/// Returns the name of an operation's label.
pub(crate) fn label_name(operation: &Operation) -> Ident {
    format_ident!("{}", operation.name.to_string().to_uppercase())
}

fn replies_name(interface: &Interface) -> Ident {
    format_ident!("{}_reply", snake(&interface.name))
}

fn server_trait(interface: &Interface) -> TokenStream {
    let Interface { docs, visibility, name, error, operations } = interface;
    let methods = operations.iter().map(|operation| {
        let Operation { docs, name, success, deferred, arguments, .. } = operation;
        let arguments = arguments.iter().map(|argument| {
            let (name, part) = (&argument.name, server_type(&argument.part));
            quote! { #name: #part }
        });
        let result = quote! { ::core::result::Result<#success, #error> };
        let result = match deferred {
            true => quote! { ::core::option::Option<#result> },
            false => result,
        };
        let deferral = deferred.then(|| {
            quote! {
                ///
                /// None: it will be answered later, through the caller's open call.
            }
        });
        quote! {
            #(#docs)*
            #deferral
            fn #name(&mut self, caller: &::libipc::Caller, #(#arguments),*) -> #result;
        }
    });
    quote! {
        #(#docs)*
        #[allow(clippy::too_many_arguments)]
        #visibility trait #name {
            #(#methods)*
        }
    }
}

fn server_type(part: &Part) -> TokenStream {
    match part {
        Part::Words(of) | Part::Capability(of) => quote! { #of },
        Part::Bytes => quote! { &[u8] },
        Part::Text => quote! { &str },
        Part::Read => quote! { ::libipc::ReadLease<'_> },
        Part::Write => quote! { ::libipc::WriteLease<'_> },
    }
}

fn labels(interface: &Interface) -> TokenStream {
    let (module, visibility) = (labels_name(interface), &interface.visibility);
    let protocol = interface.name.to_string();
    let constants = interface.operations.iter().map(|operation| {
        let (name, label) = (label_name(operation), operation.label);
        let doc = format!("Label of `{}`.", operation.name);
        quote! {
            #[doc = #doc]
            pub const #name: u32 = #label;
        }
    });
    let names = interface.operations.iter().map(|operation| {
        let (name, text) = (label_name(operation), format!("{protocol}::{}", operation.name));
        quote! { #name => #text, }
    });
    let doc = format!("Labels of [`{protocol}`]'s requests: protocol << 16 | operation.");
    // An interface without operations answers nothing, whatever its number.
    let first = interface.operations.first();
    let number = first.map_or(0, |operation| (operation.label >> 16) as u16);
    quote! {
        #[doc = #doc]
        #visibility mod #module {
            /// The protocol's number.
            pub const PROTOCOL: u16 = #number;
            #(#constants)*

            /// Returns the name of a label's operation, for traces.
            pub fn name(label: u32) -> ::core::option::Option<&'static str> {
                ::core::option::Option::Some(match label {
                    #(#names)*
                    _ => return ::core::option::Option::None,
                })
            }
        }
    }
}

fn replies(interface: &Interface) -> TokenStream {
    let (module, visibility, error) =
        (replies_name(interface), &interface.visibility, &interface.error);
    let functions = interface.operations.iter().map(|operation| {
        let (name, success) = (&operation.name, &operation.success);
        let names: Vec<_> = (0..operation.results.len()).map(|n| format_ident!("r{n}")).collect();
        let pattern = match &operation.success {
            syn::Type::Tuple(_) => quote! { (#(#names,)*) },
            _ => quote! { #(#names)* },
        };
        let mut puts = TokenStream::new();
        let mut caps = TokenStream::new();
        for (part, name) in operation.results.iter().zip(&names) {
            match part.is_capability() {
                true => caps.extend(quote! { .with_capability(#name) }),
                false => puts.extend(quote! { words.put(#name); }),
            }
        }
        let binding = match puts.is_empty() {
            true => quote! { let words = ::libipc::words::Packer::new(); },
            false => quote! { let mut words = ::libipc::words::Packer::new(); #puts },
        };
        let room = check_words(operation.results.iter(), 0, "results exceed six words");
        let doc = format!("Returns the message that answers [`{}::{name}`].", interface.name);
        quote! {
            #[doc = #doc]
            #[inline]
            pub fn #name(
                result: ::core::result::Result<#success, #error>,
            ) -> ::libipc::Message {
                #room
                match result {
                    ::core::result::Result::Ok(#pattern) => {
                        #binding
                        ::libipc::Message::new(0, words.finish())#caps
                    }
                    ::core::result::Result::Err(error) => ::libipc::Message::error(error),
                }
            }
        }
    });
    let doc = format!("Answers to [`{}`]'s requests, for those answered later.", interface.name);
    quote! {
        #[doc = #doc]
        #visibility mod #module {
            #[allow(unused_imports)]
            use super::*;

            #(#functions)*
        }
    }
}

/// Returns a check at compile time that values fit in six words with `more` others.
pub(crate) fn check_words<'a>(
    parts: impl Iterator<Item = &'a Part>,
    more: usize,
    message: &str,
) -> TokenStream {
    let counts = parts.filter_map(|part| match part {
        Part::Words(of) => Some(quote! { + <#of as ::libipc::Words>::COUNT }),
        _ => None,
    });
    quote! {
        const { ::core::assert!(#more #(#counts)* <= ::libipc::abi::WORDS, #message) }
    }
}

fn dispatch(interface: &Interface) -> TokenStream {
    let (trait_name, visibility) = (&interface.name, &interface.visibility);
    let name = format_ident!("serve_{}", snake(&interface.name));
    let labels = labels_name(interface);
    let functions = interface.operations.iter().map(|operation| take_apart(interface, operation));
    let arms = interface.operations.iter().map(|operation| {
        let (label, name) = (label_name(operation), &operation.name);
        quote! { #labels::#label => #name(server, request), }
    });
    let doc = format!(
        "Has a server answer a request of [`{trait_name}`]; None: it will be answered later.\n\n\
         Requests of other protocols and malformed ones are refused."
    );
    quote! {
        #[doc = #doc]
        #visibility fn #name<S: #trait_name + ?Sized>(
            server: &mut S,
            request: &::libipc::Request<'_>,
        ) -> ::core::option::Option<::libipc::Message> {
            type Answer =
                ::core::result::Result<::core::option::Option<::libipc::Message>, ::libipc::Error>;
            #(#functions)*
            let answer = match request.label() {
                #(#arms)*
                _ => ::core::result::Result::Err(::libipc::Error::InvalidOperation),
            };
            match answer {
                ::core::result::Result::Ok(answer) => answer,
                ::core::result::Result::Err(error) => {
                    ::core::option::Option::Some(request.refuse(error))
                }
            }
        }
    }
}

/// Returns the function that takes one operation's request apart.
fn take_apart(interface: &Interface, operation: &Operation) -> TokenStream {
    let (trait_name, name) = (&interface.name, &operation.name);
    let replies = replies_name(interface);
    let caps = operation.count(Part::is_capability);
    let slices = operation.count(Part::is_slice);
    let leases = operation.arguments.iter().filter_map(|argument| match argument.part {
        Part::Read => Some(quote! { ::libipc::dispatch::Access::Read }),
        Part::Write => Some(quote! { ::libipc::dispatch::Access::Write }),
        _ => None,
    });
    let last_slice = operation.last_slice();
    let takes = operation.arguments.iter().enumerate().map(|(index, argument)| {
        let name = format_ident!("a{index}");
        let bytes = match last_slice == Some(index) {
            true => quote! { arguments.last_bytes() },
            false => quote! { arguments.bytes()? },
        };
        let value = match &argument.part {
            Part::Words(of) => quote! { arguments.take::<#of>()? },
            Part::Capability(of) => quote! { arguments.capability::<#of>()? },
            Part::Bytes => bytes,
            Part::Text => quote! { ::libipc::dispatch::text(#bytes)? },
            Part::Read => quote! { arguments.read_lease()? },
            Part::Write => quote! { arguments.write_lease()? },
        };
        quote! { let #name = #value; }
    });
    let bind = match operation.arguments.is_empty() {
        true => quote! { _ },
        false => quote! { mut arguments },
    };
    let names = (0..operation.arguments.len()).map(|index| format_ident!("a{index}"));
    let answer = match operation.deferred {
        true => quote! { result.map(#replies::#name) },
        false => quote! { ::core::option::Option::Some(#replies::#name(result)) },
    };
    quote! {
        #[inline]
        fn #name<S: #trait_name + ?Sized>(
            server: &mut S,
            request: &::libipc::Request<'_>,
        ) -> Answer {
            let form = ::libipc::dispatch::Form {
                caps: #caps,
                leases: &[#(#leases),*],
                slices: #slices,
            };
            let #bind = request.arguments(form)?;
            #(#takes)*
            let result = server.#name(&request.caller, #(#names),*);
            ::core::result::Result::Ok(#answer)
        }
    }
}
