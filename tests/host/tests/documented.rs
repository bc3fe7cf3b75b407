//! Every public item of libipc has an example that compiles: the rule, and who breaks it.
//!
//! Functions, types, traits, macros and modules have a code block in their own documentation.
//! Methods, variants, fields and constants have one, or are used by name in an example of their
//! type (its own, or one of its methods') or of their module. Nothing is excepted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, TraitItem, Visibility};

/// A public item that may lean on examples of others.
struct Member {
    name: String,
    of: String,
    place: String,
    has_example: bool,
}

/// What was found in all files.
#[derive(Default)]
struct Found {
    /// Names used in examples, by type, and by module.
    used: BTreeMap<String, BTreeSet<String>>,
    members: Vec<Member>,
    count: usize,
    faults: Vec<String>,
}

/// Returns the code of the examples in documentation.
fn examples(attributes: &[Attribute]) -> String {
    let (mut code, mut is_block, mut is_code) = (String::new(), false, false);
    for line in attributes
        .iter()
        .filter_map(doc)
        .flat_map(|text| text.lines().map(|line| line.trim_start().to_owned()).collect::<Vec<_>>())
    {
        if let Some(kind) = line.strip_prefix("```") {
            // Pictures are no examples, nor is what is not compiled.
            is_block = !is_block;
            is_code = is_block && !matches!(kind, "text" | "ignore");
        } else if is_code {
            code += &line;
            code.push('\n');
        }
    }
    code
}

fn doc(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        Expr::Lit(literal) if pair.path.is_ident("doc") => match &literal.lit {
            Lit::Str(text) => Some(text.value() + "\n"),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the name under which all names used in a file's examples are kept, for constants.
fn anywhere_in(place: &str) -> String {
    format!("anywhere in {place}")
}

fn words(code: &str) -> impl Iterator<Item = String> {
    let is_end = |character: char| !character.is_alphanumeric() && character != '_';
    code.split(is_end).filter(|word| !word.is_empty()).map(str::to_owned)
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::Path(_) | Meta::NameValue(_) => false,
    })
}

impl Found {
    fn note(&mut self, of: &str, place: &str, attributes: &[Attribute]) -> bool {
        let code = examples(attributes);
        self.used.entry(of.to_owned()).or_default().extend(words(&code));
        self.used.entry(anywhere_in(place)).or_default().extend(words(&code));
        !code.is_empty()
    }

    /// An item that needs an example of its own.
    fn item(&mut self, name: &str, place: &str, attributes: &[Attribute]) {
        self.count += 1;
        if !self.note(name, place, attributes) {
            self.faults.push(format!("{place}: {name} has no example"));
        }
    }

    /// An item that may be used in another's.
    fn member(&mut self, name: &str, of: &str, place: &str, attributes: &[Attribute]) {
        self.count += 1;
        let has_example = self.note(of, place, attributes);
        let (name, of, place) = (name.to_owned(), of.to_owned(), place.to_owned());
        self.members.push(Member { name, of, place, has_example });
    }

    fn file(&mut self, root: &Path, path: &Path) {
        let text = fs::read_to_string(path).expect("sources are UTF-8");
        let file = syn::parse_file(&text).expect("sources are Rust");
        let place = path.strip_prefix(root).expect("it lies there").display().to_string();
        self.note(&place, &place, &file.attrs);
        for item in &file.items {
            self.of_item(item, &place);
        }
        for item in &file.items {
            if let Item::Mod(module) = item
                && module.content.is_none()
                && !is_of_tests(&module.attrs)
            {
                self.module(root, path, module, &place);
            }
        }
    }

    /// Follows `mod name;`; a public one has an example in its head.
    fn module(&mut self, root: &Path, parent: &Path, module: &syn::ItemMod, place: &str) {
        let name = module.ident.to_string();
        let path = file_of(parent, &name, &module.attrs);
        if matches!(module.vis, Visibility::Public(_)) {
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            let attributes = syn::parse_file(&text).expect("sources are Rust").attrs;
            self.item(&format!("module {name}"), place, &attributes);
        }
        self.file(root, &path);
    }

    fn of_item(&mut self, item: &Item, place: &str) {
        let is_public = |of: &Visibility| matches!(of, Visibility::Public(_));
        match item {
            Item::Fn(item) if is_public(&item.vis) => {
                self.item(&item.sig.ident.to_string(), place, &item.attrs);
            }
            Item::Struct(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                self.item(&name, place, &item.attrs);
                for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
                    let Some(ident) = &field.ident else { continue };
                    self.member(&ident.to_string(), &name, place, &field.attrs);
                }
            }
            Item::Enum(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                self.item(&name, place, &item.attrs);
                for variant in &item.variants {
                    self.member(&variant.ident.to_string(), &name, place, &variant.attrs);
                }
            }
            Item::Trait(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                self.item(&name, place, &item.attrs);
                for part in &item.items {
                    let (part, attributes) = match part {
                        TraitItem::Fn(part) => (part.sig.ident.to_string(), &part.attrs),
                        TraitItem::Const(part) => (part.ident.to_string(), &part.attrs),
                        _ => continue,
                    };
                    self.member(&part, &name, place, attributes);
                }
            }
            Item::Impl(item) if item.trait_.is_none() => self.of_impl(item, place),
            Item::Const(item) if is_public(&item.vis) => {
                self.member(&item.ident.to_string(), &anywhere_in(place), place, &item.attrs);
            }
            Item::Type(item) if is_public(&item.vis) => {
                self.item(&item.ident.to_string(), place, &item.attrs);
            }
            Item::Macro(item) if item.attrs.iter().any(|a| a.path().is_ident("macro_export")) => {
                let name = item.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                self.item(&format!("{name}!"), place, &item.attrs);
            }
            Item::Mod(item) if is_public(&item.vis) && item.content.is_some() => {
                let name = item.ident.to_string();
                self.item(&name, place, &item.attrs);
                if let Some((_, items)) = &item.content {
                    items.iter().for_each(|item| self.of_item(item, place));
                }
            }
            _ => {}
        }
    }

    fn of_impl(&mut self, item: &syn::ItemImpl, place: &str) {
        let syn::Type::Path(path) = &*item.self_ty else { return };
        let Some(of) = path.path.segments.last().map(|last| last.ident.to_string()) else { return };
        for part in &item.items {
            let (vis, name, attributes) = match part {
                ImplItem::Fn(part) => (&part.vis, &part.sig.ident, &part.attrs),
                ImplItem::Const(part) => (&part.vis, &part.ident, &part.attrs),
                _ => continue,
            };
            if matches!(vis, Visibility::Public(_)) {
                self.member(&name.to_string(), &of, place, attributes);
            }
        }
    }

    /// Returns who breaks the rule.
    fn faults(mut self) -> Vec<String> {
        for Member { name, of, place, has_example } in self.members {
            let is_used = |by: &str| self.used.get(by).is_some_and(|names| names.contains(&name));
            // The module's head, and those of the modules that it lies in.
            let folders =
                Path::new(&place).ancestors().skip(1).map(|at| format!("{}.rs", at.display()));
            let is_known =
                is_used(&of) || is_used(&place) || folders.into_iter().any(|at| is_used(&at));
            if !has_example && !is_known {
                self.faults.push(format!("{place}: {of}::{name} has no example and is in none"));
            }
        }
        self.faults
    }
}

/// Returns the file of `mod name;`.
fn file_of(parent: &Path, name: &str, attributes: &[Attribute]) -> PathBuf {
    let folder = parent.parent().expect("a file lies in a folder");
    let given = attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(syn::ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    });
    match given {
        Some(given) => folder.join(given),
        None if parent.ends_with("lib.rs") => folder.join(format!("{name}.rs")),
        None => parent.with_extension("").join(format!("{name}.rs")),
    }
}

fn all() -> Found {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libipc/src");
    let mut found = Found::default();
    let head = syn::parse_file(&fs::read_to_string(root.join("lib.rs")).expect("it is there"));
    found.item("the crate", "lib.rs", &head.expect("it is Rust").attrs);
    found.file(&root, &root.join("lib.rs"));
    found
}

#[test]
fn every_public_item_of_libipc_has_an_example() {
    let found = all();
    assert!(found.count > 300, "the walk finds {} items", found.count);
    let faults = found.faults();
    assert!(faults.is_empty(), "{} items\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn item_without_an_example_is_found() {
    let source = "
        /// Has one: `x`.
        pub struct Bare { /// A field.
            pub field: u8 }
        /// ```
        /// let good = Good { used: 1 }.method();
        /// ```
        pub struct Good { /// In the example.
            pub used: u8, /// In none.
            pub unused: u8 }
        impl Good { /// In the example.
            pub fn method(&self) {} /// In none.
            pub fn other(&self) {} fn private(&self) {} }
        /// ```text
        /// a picture
        /// ```
        pub fn drawn() {}
    ";
    let mut found = Found::default();
    for item in &syn::parse_file(source).expect("it is Rust").items {
        found.of_item(item, "x.rs");
    }
    let faults = found.faults();
    let expected = [
        "Bare has no example",
        "drawn has no example",
        "Bare::field",
        "Good::unused",
        "Good::other",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.contains(expected), "{faults:?}");
    }
}
