//! A new server's name in its three forms, and which names there cannot be.

use anyhow::{Result, bail};
use kamen_init::manifest::MAX_NAME;
use std::fmt;

/// What the client's name has besides the server's.
const CLIENT: &str = "-client";

/// Names that mean something else: to init and the manifest, to the tree and cargo, to Rust, or in
/// what is made.
const RESERVED: [&[&str]; 4] = [
    &["alive", "any", "archive", "events", "log", "process", "self", "stderr", "stdin", "stdout"],
    &["build", "deps", "examples", "fs", "heap", "incremental", "init", "kernel", "system"],
    &["alloc", "core", "gen", "std"],
    &["caller", "protocol", "server", "service"],
];

/// A name: `key-value`, module `key_value`, type `KeyValue`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name(String);

impl Name {
    /// Returns the name that a text is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Name> {
        let is_word = |word: &str| {
            let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.bytes().all(is_letter)
        };
        if !text.split('-').all(is_word) {
            bail!(
                "`{text}` is no name of a server: it consists of words joined by hyphens, each of \
                 lower-case letters and digits and beginning with a letter, such as key-value"
            );
        }
        let most = MAX_NAME - CLIENT.len();
        if text.len() > most {
            let len = text.len();
            bail!(
                "`{text}` has {len} letters; {most} are the most, as its client `{text}{CLIENT}` \
                 has to fit into the manifest's {MAX_NAME}"
            );
        }
        let is_keyword = syn::parse_str::<syn::Ident>(text).is_err() && !text.contains('-');
        if is_keyword || RESERVED.concat().contains(&text) {
            bail!("`{text}` means something else already: choose another name");
        }
        Ok(Name(text.to_owned()))
    }

    /// Returns the name as a module's.
    pub fn module(&self) -> String {
        self.0.replace('-', "_")
    }

    /// Returns the name as a type's.
    pub fn type_name(&self) -> String {
        let capitalised = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        };
        self.0.split('-').map(capitalised).collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
