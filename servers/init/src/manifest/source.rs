//! The manifest's source, servers/system.toml: read on the host only.
//!
//! ```text
//!   texts ──toml──> tables ──Entry──> Program, Lines ──check──> Manifest
//!                              └ each message begins with the line of the key at fault
//! ```
//!
//! A manifest may be of several texts: tests append theirs, tests/guest/system.toml.

mod entry;
mod value;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{ANY_PROGRAM, Manifest, Program};
use entry::{Entry, Lines};

/// Returns the checked manifest that a TOML text declares; `has` says which files the image has.
///
/// # Errors
/// Line and cause, for a person to read.
pub fn from_toml(text: &str, has: impl Fn(&str) -> bool) -> Result<Manifest, String> {
    from_texts(&[text], has).map_err(|(_, cause)| cause)
}

/// Returns the checked manifest that several TOML texts declare together, as if each one's
/// programs were written below those of the one before.
///
/// # Errors
/// Which text is at fault, and line and cause, for a person to read.
pub fn from_texts(texts: &[&str], has: impl Fn(&str) -> bool) -> Result<Manifest, (usize, String)> {
    let (mut manifest, mut places) = (Manifest::default(), Vec::new());
    for (index, text) in texts.iter().enumerate() {
        let source = Source { text };
        for (program, lines) in source.read().map_err(|cause| (index, cause))? {
            manifest.programs.push(program);
            places.push((index, lines));
        }
    }
    let manifest = manifest.check().map_err(|error| {
        let place = error.program.and_then(|index| places.get(index));
        let (index, line) = place.map_or((0, 1), |(text, lines)| (*text, lines.of(error.key)));
        (index, at(line, &error.cause))
    })?;
    for (program, (index, lines)) in manifest.programs.iter().zip(&places) {
        let stands_for_others = program.service().is_none() && program.name == ANY_PROGRAM;
        if !stands_for_others && !has(&program.file) {
            let Program { name, file, .. } = program;
            let cause = format!("{name}: file {file:?} is not in the image; no package builds it");
            return Err((*index, at(lines.of("file"), &cause)));
        }
    }
    Ok(manifest)
}

fn at(line: usize, cause: &str) -> String {
    format!("line {line}: {cause}")
}

/// A text, by whose bytes the parser tells where something is.
#[derive(Clone, Copy)]
struct Source<'a> {
    text: &'a str,
}

impl Source<'_> {
    /// Returns the programs with the lines of their keys, servers first.
    fn read(self) -> Result<Vec<(Program, Lines)>, String> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let line = error.span().map_or(1, |span| self.line(span.start));
            at(line, error.message().lines().next().unwrap_or("no TOML"))
        })?;
        let table = table.into_inner();
        let is_other =
            |key: &&Spanned<DeString<'_>>| !matches!(&**key.get_ref(), "server" | "native");
        if let Some(key) = table.keys().find(is_other) {
            let cause = format!(
                "{:?} is no part of a manifest, which consists of [[server]] and [[native]]",
                key.get_ref()
            );
            return Err(at(self.line(key.span().start), &cause));
        }
        let mut programs = Vec::new();
        for role in ["server", "native"] {
            let Some(list) = table.get(role) else { continue };
            let line = self.line(list.span().start);
            let malformed = || at(line, &format!("{role} must be written as [[{role}]]"));
            for item in list.get_ref().as_array().ok_or_else(malformed)?.iter() {
                let DeValue::Table(keys) = item.get_ref() else { return Err(malformed()) };
                let entry = Entry::new(self, keys, self.line(item.span().start));
                programs.push(entry.program(role)?);
            }
        }
        Ok(programs)
    }

    /// Returns the line, from 1, that a byte is in.
    fn line(self, byte: usize) -> usize {
        1 + self.text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
    }
}
