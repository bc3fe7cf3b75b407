//! What the derives refuse: the message, and where it points.

use super::{parse, protocol_error, word, words};

/// Asserts that a derive refuses an item so. The place is looked for in the tokens that the error
/// is made of, as derives hand out tokens only.
#[track_caller]
fn refused(
    derive: fn(proc_macro2::TokenStream) -> proc_macro2::TokenStream,
    item: &str,
    message: &str,
    place: &str,
) {
    let emitted = derive(parse(item));
    let text = emitted.to_string();
    assert!(text.contains("compile_error") && text.contains(message), "{item}\nemits: {text}");
    let first = emitted.into_iter().next().unwrap().span().source_text().unwrap_or_default();
    assert!(place.starts_with(&first) && !first.is_empty(), "{item}\npoints at {first}");
}

#[test]
fn word_is_a_newtype_or_an_enum_of_plain_variants() {
    let message = "a Word is a newtype, or an enum of plain variants";
    refused(word, "struct Two(u32, u32);", message, "Two");
    refused(word, "struct Named { a: u32 }", message, "Named");
    refused(word, "struct Unit;", message, "Unit");
    refused(word, "union U { a: u32 }", message, "U");
    refused(word, "enum E { A(u32) }", message, "A(u32)");
    refused(word, "struct N<T>(T);", "what travels has no generic parameters", "<T>");
    refused(word, "struct N<'a>(&'a u8);", "what travels has no generic parameters", "<'a>");
}

#[test]
fn numbers_of_values_are_written_out() {
    let message = "give every value its number";
    refused(word, "enum E { A = 0, B }", message, "B");
    refused(word, "enum E { A = -1 }", message, "A = -1");
    refused(word, "enum E { A = N }", message, "A = N");
    refused(word, "enum E {}", message, "E");
}

#[test]
fn words_is_a_struct_of_named_fields() {
    let message = "Words is a struct of named fields";
    refused(words, "struct Two(u32, u32);", message, "Two");
    refused(words, "enum E { A }", message, "E");
    refused(words, "union U { a: u32 }", message, "U");
    refused(words, "struct N<T> { a: T }", "what travels has no generic parameters", "<T>");
}

#[test]
fn errors_have_numbers_of_their_own() {
    let message = "give every error its number, from 1 to 255";
    for variant in ["A", "A = 0", "A = 256", "A = B"] {
        refused(protocol_error, &format!("enum E {{ {variant} }}"), message, variant);
    }
    refused(protocol_error, "enum E {}", message, "E");
    refused(protocol_error, "struct E;", "a ProtocolError is an enum of plain variants", "E");
    refused(protocol_error, "enum E { A(u8) = 1 }", "plain variants", "A(u8)");
}
