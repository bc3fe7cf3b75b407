//! The client's half: a struct with a method for each operation.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::docs;
use crate::model::{Argument, Interface, Operation, Part};
use crate::server::{bound_of, label_name, labels_name};

/// Returns the client's half.
pub(crate) fn emit(interface: &Interface) -> TokenStream {
    let Interface { docs, visibility, name: trait_name, .. } = interface;
    let name = format_ident!("{}Client", trait_name);
    let methods = interface.operations.iter().map(|operation| method(interface, operation));
    let doc = format!(
        "Client of [`{trait_name}`]: each operation is a method, which fails with the protocol's \
         error or the kernel's.\n\nIdempotent operations are repeated when the server was \
         restarted meanwhile; others fail with `Restarted`."
    );
    // What the interface is, as its author says it.
    let about = (!docs.is_empty()).then(|| quote! { #[doc = ""] #(#docs)* });
    quote! {
        #[doc = #doc]
        #about
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #visibility struct #name<T = ::libipc::Kernel> {
            endpoint: ::libipc::Endpoint,
            transport: T,
        }

        impl #name {
            /// Returns the client of the server behind an endpoint.
            #[inline]
            pub const fn new(endpoint: ::libipc::Endpoint) -> Self {
                #name { endpoint, transport: ::libipc::Kernel }
            }
        }

        impl<T: ::libipc::Transport> #name<T> {
            /// Returns the client whose requests travel another way than the kernel's.
            #[inline]
            pub const fn with(endpoint: ::libipc::Endpoint, transport: T) -> Self {
                #name { endpoint, transport }
            }

            /// Returns the endpoint.
            #[inline]
            pub const fn endpoint(&self) -> ::libipc::Endpoint {
                self.endpoint
            }

            #(#methods)*
        }
    }
}

/// Returns a method; its locals begin with underscores, because any argument may be called `reply`.
fn method(interface: &Interface, operation: &Operation) -> TokenStream {
    let Operation { name, success, idempotent, arguments, .. } = operation;
    let docs = docs::client(interface, operation);
    let (error, labels, label) = (&interface.error, labels_name(interface), label_name(operation));
    let parameters = arguments.iter().map(|Argument { name, part, .. }| {
        let of = client_type(part);
        quote! { #name: #of }
    });
    let last_slice = operation.last_slice();
    let puts =
        arguments.iter().enumerate().filter_map(
            |(index, Argument { name, part, .. })| match part {
                Part::Words(_) => Some(quote! { __words.put(#name); }),
                Part::Bytes | Part::Text if last_slice != Some(index) => {
                    Some(quote! { __words.put(#name.len()); })
                }
                _ => None,
            },
        );
    let puts: Vec<_> = puts.collect();
    let mutable = (!puts.is_empty()).then(|| quote! { mut });
    let slices = arguments.iter().filter_map(|Argument { name, part, .. }| match part {
        Part::Bytes => Some(quote! { #name }),
        Part::Text => Some(quote! { #name.as_bytes() }),
        _ => None,
    });
    let caps = arguments.iter().filter(|argument| argument.part.is_capability());
    let caps = caps.map(|argument| &argument.name);
    let leases = arguments.iter().filter_map(|Argument { name, part, .. }| match part {
        Part::Read => Some(quote! { ::libipc::transport::Lend::read(#name) }),
        Part::Write => Some(quote! { ::libipc::transport::Lend::write(#name) }),
        _ => None,
    });
    let bounds = arguments.iter().filter_map(|argument| check_bound(interface, argument));
    let results = results(operation, error);
    quote! {
        #docs
        #[inline]
        #[allow(clippy::too_many_arguments)]
        pub fn #name(
            &self,
            #(#parameters),*
        ) -> ::core::result::Result<#success, ::libipc::Failure<#error>> {
            #(#bounds)*
            let #mutable __words = ::libipc::words::Packer::new();
            #(#puts)*
            let __request = ::libipc::transport::Outgoing {
                label: #labels::#label,
                words: __words.finish(),
                slices: &[#(#slices),*],
                caps: &[#(::libipc::Object::handle(#caps)),*],
                leases: &[#(#leases),*],
            };
            let __reply =
                ::libipc::transport::call::<#idempotent>(&self.transport, self.endpoint, &__request)?;
            #results
        }
    }
}

/// Returns the statement that refuses an argument beyond its bound, before anything is sent.
fn check_bound(interface: &Interface, argument: &Argument) -> Option<TokenStream> {
    let (name, bound) = (&argument.name, argument.bound.as_ref()?);
    let most = bound_of(bound);
    let (of, failure) = (&interface.error, quote! { ::libipc::Failure });
    let failure = match &bound.error {
        Some(variant) => quote! { #failure::Protocol(<#of>::#variant) },
        None => quote! { #failure::Kernel(::libipc::Error::InvalidArgument) },
    };
    Some(quote! {
        if #name.len() > #most {
            return ::core::result::Result::Err(#failure);
        }
    })
}

/// Returns the statements that turn `reply` into the method's result.
fn results(operation: &Operation, error: &syn::Type) -> TokenStream {
    let caps = operation.results.iter().filter(|part| part.is_capability()).count();
    let takes = operation.results.iter().map(|part| match part {
        Part::Capability(of) => quote! { __results.capability::<#of>()? },
        Part::Words(of) => quote! { __results.take::<#of>()? },
        Part::Bytes | Part::Text | Part::Read | Part::Write => {
            unreachable!("the model has no such results")
        }
    });
    let mutable = (!operation.results.is_empty()).then(|| quote! { mut __results });
    let bind = mutable.unwrap_or_else(|| quote! { _ });
    let value = match &operation.success {
        syn::Type::Tuple(_) => quote! { (#(#takes,)*) },
        _ => quote! { #(#takes)* },
    };
    quote! {
        let #bind = __reply.results::<#error>(#caps)?;
        ::core::result::Result::Ok(#value)
    }
}

fn client_type(part: &Part) -> TokenStream {
    match part {
        Part::Words(of) | Part::Capability(of) => quote! { #of },
        Part::Bytes | Part::Read => quote! { &[u8] },
        Part::Text => quote! { &str },
        Part::Write => quote! { &mut [u8] },
    }
}
