//! The server's half: trait, labels, replies, dispatch.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::docs;
use crate::model::{Argument, Bound, Interface, Operation, Part};

/// Returns the server's half.
pub(crate) fn emit(interface: &Interface) -> TokenStream {
    let (server, labels) = (server_trait(interface), labels(interface));
    let (replies, dispatch) = (replies(interface), dispatch(interface));
    quote! { #server #labels #replies #dispatch }
}

/// Returns the interface's name in lower case with underscores.
pub(crate) fn snake(name: &Ident) -> String {
    let mut snake = String::new();
    for character in name.unraw().to_string().chars() {
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
    format_ident!("{}", operation.plain_name().to_uppercase())
}

fn replies_name(interface: &Interface) -> Ident {
    format_ident!("{}_reply", snake(&interface.name))
}

fn server_trait(interface: &Interface) -> TokenStream {
    let Interface { docs, visibility, name, error, operations } = interface;
    let methods = operations.iter().map(|operation| {
        let Operation { name, success, deferred, arguments, .. } = operation;
        let docs = docs::server(interface, operation);
        let arguments = arguments.iter().map(|argument| {
            let (name, part) = (&argument.name, server_type(&argument.part));
            quote! { #name: #part }
        });
        let result = quote! { ::core::result::Result<#success, #error> };
        let result = match deferred {
            true => quote! { ::core::option::Option<#result> },
            false => result,
        };
        quote! {
            #docs
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
        let doc = format!("Label of `{}`.", operation.plain_name());
        quote! {
            #[doc = #doc]
            pub const #name: u32 = #label;
        }
    });
    let names = interface.operations.iter().map(|operation| {
        let text = format!("{protocol}::{}", operation.plain_name());
        let name = label_name(operation);
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
            match part {
                Part::Words(of) => puts.extend(quote! { words.put::<#of>(#name); }),
                Part::Capability(_) => caps.extend(quote! { .with_capability(#name) }),
                Part::Bytes | Part::Text | Part::Read | Part::Write => {
                    unreachable!("the model has no such results")
                }
            }
        }
        let binding = match puts.is_empty() {
            true => quote! { let words = ::libipc::words::Packer::new(); },
            false => quote! { let mut words = ::libipc::words::Packer::new(); #puts },
        };
        let plain = operation.plain_name();
        let doc = format!("Returns the message that answers [`{}::{plain}`].", interface.name);
        quote! {
            #[doc = #doc]
            #[inline]
            pub fn #name(
                result: ::core::result::Result<#success, #error>,
            ) -> ::libipc::Message {
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

/// Returns a bound as a number, wherever the constant comes from.
pub(crate) fn bound_of(bound: &Bound) -> TokenStream {
    let bytes = &bound.bytes;
    quote! { const { let most: usize = #bytes; most } }
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
        #visibility fn #name<__Server: #trait_name + ?Sized>(
            server: &mut __Server,
            request: &::libipc::Request<'_>,
        ) -> ::core::option::Option<::libipc::Message> {
            type __Answer =
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
    let takes = (0..operation.arguments.len()).map(|index| take(interface, operation, index));
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
        fn #name<__Server: #trait_name + ?Sized>(
            server: &mut __Server,
            request: &::libipc::Request<'_>,
        ) -> __Answer {
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

/// Returns the statements that take one argument of a request, which has to keep to its bound.
fn take(interface: &Interface, operation: &Operation, index: usize) -> TokenStream {
    let Argument { part, bound, .. } = &operation.arguments[index];
    let name = format_ident!("a{index}");
    let bytes = match operation.last_slice() == Some(index) {
        true => quote! { arguments.last_bytes() },
        false => quote! { arguments.bytes()? },
    };
    let value = match part {
        Part::Words(of) => quote! { arguments.take::<#of>()? },
        Part::Capability(of) => quote! { arguments.capability::<#of>()? },
        Part::Bytes | Part::Text => bytes,
        Part::Read => quote! { arguments.read_lease()? },
        Part::Write => quote! { arguments.write_lease()? },
    };
    let check = bound.as_ref().map(|bound| {
        let most = bound_of(bound);
        let refused = match &bound.error {
            Some(variant) => {
                let of = &interface.error;
                let answer = quote! { request.decline(<#of>::#variant) };
                quote! { ::core::result::Result::Ok(::core::option::Option::Some(#answer)) }
            }
            None => quote! { ::core::result::Result::Err(::libipc::Error::InvalidArgument) },
        };
        quote! {
            if #name.len() as u64 > #most as u64 {
                return #refused;
            }
        }
    });
    let text = matches!(part, Part::Text).then(|| {
        quote! { let #name = ::libipc::dispatch::text(#name)?; }
    });
    quote! { let #name = #value; #check #text }
}
