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
/// | `Endpoint`, `Notification`, `Memory`, `Trace` | as a capability | the same; it must delete it |
///
/// Results are `Result<T, E>`, T being `()`, a `Word` or `Words` type, a capability, or a tuple.
/// What has any length, text as well, is a result in a `&mut [u8]` of the client's, with its
/// length as the result.
///
/// **Bounds.** `#[at_most(N)]` before a `&str`, `&[u8]` or `#[lend] &[u8]`: the most bytes that it
/// has, a number or a constant. The client checks before it sends anything, the dispatch before
/// the server sees anything, and both documentations say it. Beyond it a call fails with the
/// kernel's `InvalidArgument`, or with an error of the protocol: `#[at_most(N, TooLong)]`. Without
/// it, copied bytes have the bound of the message page: `abi::MAX_BYTES` for all of a request's.
///
/// **Restarts.** An `idempotent` operation may take capabilities, leases, and be deferred: what is
/// repeated is the whole request. One that is not fails with `Restarted` when its server dies.
///
/// ```ignore
/// #[interface(number = 99, error = CounterError)]
/// pub trait Counter {
///     /// Adds to a counter and returns its value.
///     #[operation(1)]
///     fn add(
///         &mut self,
///         #[at_most(32, NoSuchCounter)] name: &str,
///         amount: u64,
///     ) -> Result<u64, CounterError>;
/// }
/// ```
#[proc_macro_attribute]
pub fn interface(attribute: TokenStream, item: TokenStream) -> TokenStream {
    kamen_generator::interface(attribute.into(), item.into()).into()
}

/// Derives `libipc::Word` for a newtype of a word, or an enum of plain variants whose numbers are
/// written out.
#[proc_macro_derive(Word)]
pub fn word(item: TokenStream) -> TokenStream {
    kamen_generator::word(item.into()).into()
}

/// Derives `libipc::Words` for a struct of words, byte arrays and other such structs.
#[proc_macro_derive(Words)]
pub fn words(item: TokenStream) -> TokenStream {
    kamen_generator::words(item.into()).into()
}

/// Derives `libipc::ProtocolError` for an enum of plain variants numbered from 1 to 255.
#[proc_macro_derive(ProtocolError)]
pub fn protocol_error(item: TokenStream) -> TokenStream {
    kamen_generator::protocol_error(item.into()).into()
}
