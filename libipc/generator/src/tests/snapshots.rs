//! What is emitted for representative items, compared with the files in `expected/`.
//!
//! `KAMEN_REWRITE=1 cargo test -p kamen-generator` writes the files anew; read the difference.

use std::path::Path;
use std::{env, fs};

use proc_macro2::TokenStream;

use super::parse;
use crate::{interface, protocol_error, word, words};

/// Compares what was emitted with the file of a name.
#[track_caller]
fn assert_expected(name: &str, emitted: TokenStream) {
    let file = syn::parse2(emitted).expect("what is emitted is items");
    let head =
        format!("//! What the generator emits for `{name}`; tests/snapshots.rs compares.\n\n");
    let text = head + &prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/tests/expected/{name}.rs"));
    if env::var_os("KAMEN_REWRITE").is_some() {
        fs::write(&path, &text).expect("the folder is there");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let line = text.lines().zip(expected.lines()).position(|(new, old)| new != old);
    assert!(
        text == expected,
        "{} differs from line {:?} on; KAMEN_REWRITE=1 writes it anew",
        path.display(),
        line.map(|line| line + 1)
    );
}

#[test]
fn clock_of_words_only() {
    let item = "
        /// The time of day.
        pub trait Clock {
            /// Returns it.
            #[operation(1, idempotent)]
            fn time(&mut self) -> Result<u64, ClockError>;
            /// Sets it.
            ///
            /// # Errors
            /// OutOfRange.
            #[operation(2)]
            fn set(&mut self, time: u64, zone: Zone) -> Result<(), ClockError>;
        }";
    let attribute = "number = 6, error = ClockError";
    assert_expected("clock", interface(parse(attribute), parse(item)));
}

#[test]
fn bytes_and_text_with_bounds() {
    let item = "
        pub(crate) trait Names {
            /// Gives a service a name.
            #[operation(1)]
            fn register(
                &mut self,
                service: Endpoint,
                #[at_most(NAME_MAX, InvalidName)] name: &str,
                #[at_most(16)] kind: &[u8],
                rest: &[u8],
            ) -> Result<(), NamesError>;
        }";
    let attribute = "number = 5, error = NamesError";
    assert_expected("names", interface(parse(attribute), parse(item)));
}

#[test]
fn deferred_with_leases_and_capabilities() {
    let item = "
        trait PipeEnd {
            /// Reads.
            #[operation(0x10, deferred, idempotent)]
            fn r#move(
                &mut self,
                #[lend] #[at_most(4096)] from: &[u8],
                into: &mut [u8],
                bell: Notification,
            ) -> Result<(Memory, Size, Endpoint), PipeError>;
        }";
    let attribute = "number = 7, error = PipeError";
    assert_expected("pipe_end", interface(parse(attribute), parse(item)));
}

#[test]
fn derives_of_words_and_errors() {
    let newtype = word(parse("pub struct Pid(pub u64);"));
    let plain = word(parse("#[repr(u8)] enum Wait { Never = 0, Yes = 1 }"));
    let nested =
        words(parse("struct Size { columns: u32, rows: u32, title: Title, name: [u8; 6] }"));
    let error = protocol_error(parse("#[repr(u8)] enum ClockError { OutOfRange = 1, Gone = 9 }"));
    let all = [newtype, plain, nested, error].into_iter().collect();
    assert_expected("derives", all);
}
