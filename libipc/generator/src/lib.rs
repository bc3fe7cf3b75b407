//! What `#[interface]` and the derives of libipc generate.
//!
//! An ordinary library over token streams, so that its output and its error messages are tested
//! without a compiler; `kamen-macros` only hands tokens through.
//!
//! ```text
//!   trait ── model (parse, check) ──┬── server (trait, dispatch, replies) ──┐
//!                                   ├── client ──────────────────────────────┼── docs
//!                                   └── checks (what the compiler counts)
//!   struct or enum ── derive
//! ```

mod checks;
mod client;
mod derive;
mod docs;
mod errors;
mod model;
mod server;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;

pub use derive::{protocol_error, word, words};

/// Returns what stands for a trait under `#[interface(attribute)]`: server trait, dispatch,
/// labels, replies and client; or compile errors that point at what cannot be expressed.
pub fn interface(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let interface = match model::Interface::parse(attribute, item) {
        Ok(interface) => interface,
        Err(error) => return error.into_compile_error(),
    };
    let (server, client) = (server::emit(&interface), client::emit(&interface));
    let checks = checks::emit(&interface);
    quote! { #server #client #checks }
}
