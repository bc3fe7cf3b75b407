//! What generated documentation says beside the interface's own words.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, Lit, Meta};

use crate::model::{Argument, Bound, Interface, Operation};

/// Returns the documentation of a client's method.
pub(crate) fn client(interface: &Interface, operation: &Operation) -> TokenStream {
    let mut lines = bounds(interface, operation, true);
    let restarted = "[`Restarted`](libipc::Error::Restarted)";
    if operation.idempotent {
        lines.push(String::new());
        lines.push(String::from("Idempotent: repeated where the server was restarted meanwhile."));
    }
    lines.push(String::new());
    if !has_errors(operation) {
        lines.push(String::from("# Errors"));
        lines.push(String::from("What the server refuses, and what the kernel does."));
    }
    lines.push(match operation.idempotent {
        true => format!("{restarted}: the server died each time that this was sent."),
        false => format!(
            "{restarted}: the server died meanwhile; it may have done this, or not, and nothing \
             was sent again."
        ),
    });
    with_docs(operation, &lines)
}

/// Returns the documentation of a server's method.
pub(crate) fn server(interface: &Interface, operation: &Operation) -> TokenStream {
    let mut lines = bounds(interface, operation, false);
    if operation.idempotent {
        let again = "Idempotent: a client repeats it after a restart; doing it twice is as once.";
        lines.extend([String::new(), String::from(again)]);
    }
    if operation.deferred {
        let later = "None: it will be answered later, through the caller's open call.";
        lines.extend([String::new(), String::from(later)]);
    }
    with_docs(operation, &lines)
}

/// Returns what is said of arguments' bounds.
fn bounds(interface: &Interface, operation: &Operation, is_client: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for Argument { name, part, bound } in &operation.arguments {
        let most = match bound {
            Some(Bound { bytes, .. }) => format!("`{name}`: at most {} bytes", amount(bytes)),
            None if part.is_slice() => {
                let all = "[`MAX_BYTES`](libipc::abi::MAX_BYTES) in all";
                format!("`{name}`: as many bytes as a message holds ({all})")
            }
            None => continue,
        };
        let error = bound.as_ref().and_then(|bound| bound.error.as_ref());
        let otherwise = match error {
            Some(variant) => {
                let of = interface.error.to_token_stream().to_string().replace(' ', "");
                format!("[`{variant}`]({of}::{variant})")
            }
            None => String::from("[`InvalidArgument`](libipc::Error::InvalidArgument)"),
        };
        lines.push(String::new());
        lines.push(match is_client {
            true => format!("{most}; beyond that nothing is sent: {otherwise}."),
            false => format!("{most}; longer ones were refused: {otherwise}."),
        });
    }
    lines
}

/// Returns a bound as documentation: a number, or a link to the constant.
fn amount(bytes: &Expr) -> String {
    let text = bytes.to_token_stream().to_string().replace(' ', "");
    match bytes {
        Expr::Path(_) => format!("[`{text}`]"),
        Expr::Lit(_) => text,
        _ => format!("`{text}`"),
    }
}

/// Returns whether an operation's own documentation has a section on errors, which comes last.
fn has_errors(operation: &Operation) -> bool {
    operation.docs.iter().any(|attribute| match &attribute.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => text.value().lines().any(|line| line.trim() == "# Errors"),
                _ => false,
            },
            _ => false,
        },
        Meta::Path(_) | Meta::List(_) => false,
    })
}

/// Returns an operation's own documentation with lines after it; nothing where it has none.
fn with_docs(operation: &Operation, lines: &[String]) -> TokenStream {
    let docs = &operation.docs;
    if docs.is_empty() {
        // Left to the lint that asks for documentation, which points at the operation.
        return TokenStream::new();
    }
    let lines = lines.iter().map(|line| match line.is_empty() {
        true => String::new(),
        false => format!(" {line}"),
    });
    quote! { #(#docs)* #(#[doc = #lines])* }
}
