//! What the generator emits (compared with files), and what it refuses (by message and place).

use proc_macro2::TokenStream;
use syn::Error;

use crate::model::Interface;
use crate::{protocol_error, word, words};

mod derives;
mod refusals;
mod snapshots;

/// Errors as a person sees them: the message, and the source text that it points at.
type Shown = Vec<(String, String)>;

fn parse(source: &str) -> TokenStream {
    source.parse().unwrap()
}

fn shown(error: Error) -> Shown {
    let place = |error: &Error| error.span().source_text().unwrap_or_default();
    error.into_iter().map(|error| (error.to_string(), place(&error))).collect()
}

/// Returns the errors of an interface; none if it is accepted.
fn errors_of(attribute: &str, item: &str) -> Shown {
    let parsed = Interface::parse(parse(attribute), parse(item));
    parsed.err().map(shown).unwrap_or_default()
}

/// Asserts that there is one error with a message that begins so, and what it points at.
#[track_caller]
fn assert_one(errors: &Shown, message: &str, place: &str, source: &str) {
    let [(text, at)] = &errors[..] else { panic!("{source}: {errors:#?}") };
    assert!(text.starts_with(message), "{source}\nsays: {text}");
    assert_eq!(at, place, "{source}\nsays: {text}");
}
