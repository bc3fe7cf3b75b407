//! The host's names and texts, as programs spell them: in the code page.
//!
//! A host's names are UTF-8. One that has characters of no code page is spelled as its bytes are, so
//! that it can be named all the same; so what a program names is looked for in both forms.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::codepage::{self, Encoder};
use crate::host::{Attributes, Entry, FileTree, Host, HostError, Node, NodeKind};
use crate::session::Session;

/// Returns a text of the host in the code page; as it is where that lacks one of its characters.
pub(super) fn from_host(text: &[u8]) -> Vec<u8> {
    let Ok(unicode) = core::str::from_utf8(text) else { return text.to_vec() };
    let mut encoder = Encoder::default();
    let encoded: Vec<u8> = text.iter().filter_map(|byte| encoder.push(*byte)).collect();
    let mut back = Vec::new();
    codepage::decode(&encoded, &mut back);
    if back == unicode.as_bytes() { encoded } else { text.to_vec() }
}

/// Returns a text in the code page as the host has it; as it is where it was no other.
pub(super) fn to_host(text: &[u8]) -> Cow<'_, [u8]> {
    if core::str::from_utf8(text).is_ok() {
        return text.into();
    }
    decoded(text)
}

fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return text.into();
    }
    let mut unicode = Vec::new();
    codepage::decode(text, &mut unicode);
    unicode.into()
}

/// Does something with what a program names: decoded, or as it is.
fn named<R>(
    name: &[u8],
    mut action: impl FnMut(&[u8]) -> Result<R, HostError>,
) -> Result<R, HostError> {
    match action(&decoded(name)) {
        Err(HostError::NotFound) if !name.is_ascii() => action(name),
        done => done,
    }
}

/// The host's file tree, by names as programs spell them.
pub(super) struct Tree<'h, F>(&'h mut F);

impl<H: Host> Session<H> {
    /// Returns the host's file tree.
    pub(super) fn tree(&mut self) -> Tree<'_, H::Files> {
        Tree(self.host.files())
    }
}

/// As those of [`FileTree`].
impl<F: FileTree> Tree<'_, F> {
    pub(super) fn lookup(&mut self, at: Node, name: &[u8]) -> Result<Attributes, HostError> {
        named(name, |name| self.0.lookup(at, name))
    }

    pub(super) fn list(&mut self, directory: Node) -> Result<Vec<Entry>, HostError> {
        let mut entries = self.0.list(directory)?;
        for entry in &mut entries {
            if !entry.name.is_ascii() {
                entry.name = from_host(&entry.name);
            }
        }
        Ok(entries)
    }

    pub(super) fn create(
        &mut self,
        at: Node,
        name: &[u8],
        kind: NodeKind,
    ) -> Result<Attributes, HostError> {
        self.0.create(at, &decoded(name), kind)
    }

    pub(super) fn unlink(&mut self, at: Node, name: &[u8]) -> Result<(), HostError> {
        named(name, |name| self.0.unlink(at, name))
    }

    pub(super) fn remove_directory(&mut self, at: Node, name: &[u8]) -> Result<(), HostError> {
        named(name, |name| self.0.remove_directory(at, name))
    }

    pub(super) fn rename(
        &mut self,
        from: Node,
        from_name: &[u8],
        to: Node,
        to_name: &[u8],
    ) -> Result<(), HostError> {
        named(from_name, |name| self.0.rename(from, name, to, &decoded(to_name)))
    }

    /// Returns the host's own name of what is there.
    pub(super) fn host_name(&mut self, at: Node, name: &[u8]) -> Vec<u8> {
        let files = &mut *self.0;
        let own = named(name, |name| files.lookup(at, name).map(|_| name.to_vec()));
        own.unwrap_or_else(|_| name.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::{from_host, to_host};

    #[test]
    fn texts_are_converted_where_that_can_be_undone() {
        // U+00E9 is 82 in code page 437, U+65E5 is not in it.
        assert_eq!(from_host("caf\u{e9}".as_bytes()), b"caf\x82");
        assert_eq!(to_host(b"caf\x82"), "caf\u{e9}".as_bytes());
        let foreign = "\u{65e5}\u{e9}".as_bytes();
        assert_eq!(from_host(foreign), foreign);
        assert_eq!(to_host(foreign), foreign);
        assert_eq!(from_host(b"\xff"), b"\xff");
    }
}
