//! The macros of libipc, which re-exports them: a shim around `kamen_generator`.
//!
//! ```text
//!   protocols/*.rs ── #[interface], derives ──> kamen-macros (this crate) ──> kamen-generator
//! ```

use proc_macro::TokenStream;

/// Declares a protocol: a trait becomes server trait, dispatch, labels, replies and client.
///
/// `number` is the protocol's, `error` its error enum (`ProtocolError`). Operations have explicit
/// numbers from 1 on; marks: `idempotent` (a client repeats it when the server was restarted),
/// `deferred` (the server may answer later). For a trait `Name` there will be, beside each other:
///
/// - `trait Name`: the server's; each method gets the `Caller` after `self`;
/// - `serve_name(server, request)`: dispatch of one request;
/// - `name_label`, `name_reply`: labels, and answers for requests that are answered later;
/// - `NameClient`: the client's methods, with the arguments as written.
///
/// | argument | travels | the server gets |
/// |---|---|---|
/// | `Word`, `Words` types | in words, six in all | the same |
/// | `&[u8]`, `&str` | copied through the message page | the same |
/// | `#[lend] &[u8]` | lent | `ReadLease` |
/// | `&mut [u8]` | lent | `WriteLease` |
/// | `Endpoint`, `Notification`, `Memory` | as a capability | the same; it must delete it |
///
/// Results are `Result<T, E>`, T being `()`, a `Word` or `Words` type, a capability, or a tuple.
///
/// ```ignore
/// #[interface(number = 99, error = CounterError)]
/// pub trait Counter {
///     /// Adds to the counter and returns its value.
///     #[operation(1)]
///     fn add(&mut self, amount: u64) -> Result<u64, CounterError>;
/// }
/// ```
#[proc_macro_attribute]
pub fn interface(attribute: TokenStream, item: TokenStream) -> TokenStream {
    kamen_generator::interface(attribute.into(), item.into()).into()
}

/// Derives `libipc::Word` for a newtype of a word or an enum of plain variants.
#[proc_macro_derive(Word)]
pub fn word(item: TokenStream) -> TokenStream {
    kamen_generator::word(item.into()).into()
}

/// Derives `libipc::Words` for a struct of words and byte arrays.
#[proc_macro_derive(Words)]
pub fn words(item: TokenStream) -> TokenStream {
    kamen_generator::words(item.into()).into()
}

/// Derives `libipc::ProtocolError` for an enum of plain variants numbered from 1 to 255.
#[proc_macro_derive(ProtocolError)]
pub fn protocol_error(item: TokenStream) -> TokenStream {
    kamen_generator::protocol_error(item.into()).into()
}
