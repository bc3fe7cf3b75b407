//! The sources of the abi crate: what is declared there, and what is written about it.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use syn::{Attribute, Expr, Fields, ImplItem, Item, Lit, Meta, Type, Visibility};

use crate::workspace;

/// The crate's files, parsed.
pub struct Source {
    files: BTreeMap<String, syn::File>,
}

/// Something that has a name, a value or number, and a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its value or number as it stands in the source.
    pub value: String,
    /// What is written about it, in Markdown.
    pub docs: String,
}

impl Source {
    /// Reads the abi crate.
    ///
    /// # Errors
    /// A file cannot be read, or is no Rust.
    pub fn read() -> Result<Self> {
        let folder = workspace::root().join("microkernel/abi/src");
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let text = std::fs::read_to_string(&path)?;
            let file = syn::parse_file(&text).with_context(|| path.display().to_string())?;
            let name = path.file_stem().context("a file without a name")?;
            files.insert(name.to_string_lossy().into_owned(), file);
        }
        Ok(Source { files })
    }

    /// Returns what stands at the head of a file, without the subtitle.
    ///
    /// # Errors
    /// There is no such file, or no head.
    pub fn head(&self, file: &str) -> Result<String> {
        let docs = docs(&self.file(file)?.attrs);
        let body = docs.split_once("\n\n").map(|(_, body)| body.to_owned());
        body.with_context(|| format!("{file}: nothing after the subtitle"))
    }

    /// Returns what is written about an item.
    ///
    /// # Errors
    /// There is no such item.
    pub fn docs_of(&self, file: &str, item: &str) -> Result<String> {
        let found = self.file(file)?.items.iter().find_map(|one| match one {
            Item::Enum(one) if one.ident == item => Some(&one.attrs),
            Item::Struct(one) if one.ident == item => Some(&one.attrs),
            _ => None,
        });
        found.map(|attrs| docs(attrs)).with_context(|| format!("{file}: no {item}"))
    }

    /// Returns the variants of an enum, which are numbered.
    ///
    /// # Errors
    /// There is no such enum, or a variant has no number.
    pub fn variants(&self, file: &str, name: &str) -> Result<Vec<Entry>> {
        for item in &self.file(file)?.items {
            let Item::Enum(found) = item else { continue };
            if found.ident == name {
                return found.variants.iter().map(variant).collect();
            }
        }
        bail!("{file}: no enum {name}")
    }

    /// Returns the public constants of a file: its own (`of` empty), or those of a type or module.
    ///
    /// # Errors
    /// There is no such file.
    pub fn constants(&self, file: &str, of: &str) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        for item in &self.file(file)?.items {
            match item {
                Item::Const(one) if of.is_empty() && is_public(&one.vis) => {
                    found.push(constant(&one.ident, &one.expr, &one.attrs));
                }
                Item::Impl(one) if names(&one.self_ty, of) => {
                    found.extend(one.items.iter().filter_map(associated));
                }
                Item::Mod(one) if one.ident == of => {
                    let items = one.content.iter().flat_map(|(_, items)| items);
                    found.extend(items.filter_map(|item| match item {
                        Item::Const(one) => Some(constant(&one.ident, &one.expr, &one.attrs)),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn file(&self, name: &str) -> Result<&syn::File> {
        self.files.get(name).with_context(|| format!("microkernel/abi has no {name}.rs"))
    }
}

fn variant(variant: &syn::Variant) -> Result<Entry> {
    let Some((_, number)) = &variant.discriminant else { bail!("{} has no number", variant.ident) };
    if !matches!(variant.fields, Fields::Unit) {
        bail!("{} has fields", variant.ident);
    }
    Ok(Entry { name: variant.ident.to_string(), value: text(number), docs: docs(&variant.attrs) })
}

fn associated(item: &ImplItem) -> Option<Entry> {
    match item {
        ImplItem::Const(one) if is_public(&one.vis) => {
            Some(constant(&one.ident, &one.expr, &one.attrs))
        }
        _ => None,
    }
}

fn constant(name: &syn::Ident, value: &Expr, attrs: &[Attribute]) -> Entry {
    Entry { name: name.to_string(), value: text(value), docs: docs(attrs) }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn names(of: &Type, name: &str) -> bool {
    matches!(of, Type::Path(path) if path.path.is_ident(name))
}

/// Returns an expression as a person would write it.
fn text(expression: &Expr) -> String {
    let tokens = quote::ToTokens::to_token_stream(expression).to_string();
    let tidy = [("crate :: ", ""), (" :: ", "::"), ("( ", "("), (" )", ")"), ("* b", "*b")];
    let text = tidy.iter().fold(tokens, |text, (from, to)| text.replace(from, to));
    // A name before a parenthesis is called.
    let mut parts = text.split(" (");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let gap = if text.ends_with(char::is_alphanumeric) { "" } else { " " };
        text + gap + "(" + part
    })
}

/// Returns documentation comments as Markdown: links to items become their names.
fn docs(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    without_links(lines.join("\n").trim())
}

/// Replaces links to items, with and without a path, by the items' names as code.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        plain.push_str(before);
        let Some((name, after)) = after.split_once("`]") else {
            plain.push_str("[`");
            rest = after;
            continue;
        };
        plain.push_str(&format!("`{name}`"));
        rest = match after.strip_prefix('(').and_then(|link| link.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_names() {
        let text = "a [`Copy`](crate::Operation::Copy) of [`Place`]s (see [`X`]).";
        assert_eq!(without_links(text), "a `Copy` of `Place`s (see `X`).");
        assert_eq!(without_links("[READ, and GRANT] [`x"), "[READ, and GRANT] [`x");
    }

    #[test]
    fn declarations_are_found_with_what_is_written_about_them() {
        let file = syn::parse_file(
            "/// An enum.\npub enum E {\n/// One.\n///\n/// More.\nA = 1, B = 2 }\n\
             impl E {\n/// All.\npub const ALL: u8 = crate::N * (3 + 4); const P: u8 = 0; }\n\
             const HIDDEN: u8 = 1;\n/// Shown.\npub const SHOWN: u64 = 64 * 1024;\n\
             pub mod inner {\n/// In.\npub const IN: H = H(9); }",
        );
        let source = Source { files: [("f".to_owned(), file.unwrap())].into() };
        let entry = |name: &str, value: &str, docs: &str| Entry {
            name: name.into(),
            value: value.into(),
            docs: docs.into(),
        };
        assert_eq!(source.docs_of("f", "E").unwrap(), "An enum.");
        let variants = [entry("A", "1", "One.\n\nMore."), entry("B", "2", "")];
        assert_eq!(source.variants("f", "E").unwrap(), variants);
        assert_eq!(source.constants("f", "E").unwrap(), [entry("ALL", "N * (3 + 4)", "All.")]);
        assert_eq!(source.constants("f", "").unwrap(), [entry("SHOWN", "64 * 1024", "Shown.")]);
        assert_eq!(source.constants("f", "inner").unwrap(), [entry("IN", "H(9)", "In.")]);
        assert!(source.variants("f", "F").is_err() && source.head("f").is_err());
    }
}
