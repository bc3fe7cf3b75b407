//! An interface, parsed and checked: what the emitting halves rely on.
//!
//! ```text
//!   #[interface(number, error)] ── attribute ──┐
//!   trait ── Interface ── operation ── argument, value ──> checked
//! ```

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, Error, Expr, Ident, ItemTrait, LitInt, Result, TraitItem, Type, Visibility};

use crate::errors::Errors;

mod argument;
mod operation;
mod unique;
mod value;

/// A protocol.
pub(crate) struct Interface {
    pub(crate) docs: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) error: Type,
    pub(crate) operations: Vec<Operation>,
}

/// An operation of a protocol.
pub(crate) struct Operation {
    pub(crate) docs: Vec<Attribute>,
    pub(crate) name: Ident,
    /// As written.
    pub(crate) number: LitInt,
    pub(crate) label: u32,
    pub(crate) idempotent: bool,
    pub(crate) deferred: bool,
    pub(crate) arguments: Vec<Argument>,
    /// The type within `Result`, as written.
    pub(crate) success: Type,
    /// Its elements: one, or those of a tuple.
    pub(crate) results: Vec<Part>,
}

/// A named argument.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) part: Part,
    pub(crate) bound: Option<Bound>,
}

/// The most bytes that an argument has: `#[at_most(N)]`, `#[at_most(N, Variant)]`.
pub(crate) struct Bound {
    pub(crate) bytes: Expr,
    /// The protocol's error beyond it; none: InvalidArgument.
    pub(crate) error: Option<Ident>,
}

/// How a value travels.
pub(crate) enum Part {
    /// In words.
    Words(Type),
    /// As a capability.
    Capability(Type),
    /// Copied through the message page.
    Bytes,
    /// Copied through the message page, UTF-8.
    Text,
    /// Lent for reading.
    Read,
    /// Lent for writing.
    Write,
}

impl Part {
    pub(crate) fn is_slice(&self) -> bool {
        matches!(self, Part::Bytes | Part::Text)
    }

    pub(crate) fn is_capability(&self) -> bool {
        matches!(self, Part::Capability(_))
    }

    pub(crate) fn is_lease(&self) -> bool {
        matches!(self, Part::Read | Part::Write)
    }
}

impl Operation {
    /// Returns the name without a raw identifier's `r#`.
    pub(crate) fn plain_name(&self) -> String {
        self.name.unraw().to_string()
    }

    /// Returns the position of the last byte slice, which needs no length.
    pub(crate) fn last_slice(&self) -> Option<usize> {
        self.arguments.iter().rposition(|argument| argument.part.is_slice())
    }

    /// Returns how many arguments are of a sort.
    pub(crate) fn count(&self, is: impl Fn(&Part) -> bool) -> usize {
        self.arguments.iter().filter(|argument| is(&argument.part)).count()
    }
}

impl Interface {
    /// Returns the interface of a trait.
    ///
    /// # Errors
    /// Everything in it that cannot be expressed.
    pub(crate) fn parse(attribute: TokenStream, item: TokenStream) -> Result<Self> {
        let (number, error) = parse_attribute(attribute)?;
        let item: ItemTrait = syn::parse2(item).map_err(|error| {
            Error::new(error.span(), format!("#[interface] stands on a trait: {error}"))
        })?;
        let mut errors = Errors::default();
        check_trait(&item, &mut errors);
        let mut operations = Vec::new();
        for member in &item.items {
            match member {
                TraitItem::Fn(function) => {
                    operations.extend(errors.keep(operation::parse(function, number, &error)));
                }
                other => errors.add(other, "an interface consists of operations only"),
            }
        }
        unique::check(&operations, &mut errors);
        let ItemTrait { attrs: docs, vis: visibility, ident: name, .. } = item;
        errors.finish(Interface { docs, visibility, name, error, operations })
    }
}

/// Checks what stands before the braces.
fn check_trait(item: &ItemTrait, errors: &mut Errors) {
    for attribute in item.attrs.iter().filter(|attribute| !attribute.path().is_ident("doc")) {
        errors.add(attribute, "an interface has no other attributes than doc comments");
    }
    errors.add_if_some(&item.unsafety, "an interface is not unsafe");
    errors.add_if_some(&item.auto_token, "an interface is not an auto trait");
    if !item.generics.params.is_empty() {
        errors.add(&item.generics, "an interface has no generic parameters");
    }
    let clause = "an interface has no where clause";
    errors.add_if_some(&item.generics.where_clause, clause);
    if !item.supertraits.is_empty() {
        let message = "an interface has no supertraits; a server may implement several interfaces";
        errors.add(&item.supertraits, message);
    }
}

/// Parses `number = N, error = E`.
fn parse_attribute(attribute: TokenStream) -> Result<(u16, Type)> {
    let (mut number, mut error) = (None, None);
    let parser = syn::meta::parser(|meta| {
        let twice = || meta.error("given twice");
        if meta.path.is_ident("number") {
            let literal = meta.value()?.parse::<LitInt>().map_err(|error| {
                Error::new(error.span(), "the number is written out, from 1 to 65535")
            })?;
            number.replace(parse_number(&literal)?).map_or(Ok(()), |_| Err(twice()))
        } else if meta.path.is_ident("error") {
            error.replace(meta.value()?.parse::<Type>()?).map_or(Ok(()), |_| Err(twice()))
        } else {
            Err(meta.error("expected `number` or `error`"))
        }
    });
    syn::parse::Parser::parse2(parser, attribute)?;
    match (number, error) {
        (Some(number), Some(error)) => Ok((number, error)),
        _ => Err(Error::new(Span::call_site(), "write #[interface(number = N, error = E)]")),
    }
}

/// Parses a number of a protocol or an operation.
fn parse_number(literal: &LitInt) -> Result<u16> {
    match literal.base10_parse::<u16>() {
        Ok(0) | Err(_) => Err(Error::new(literal.span(), "numbers go from 1 to 65535")),
        Ok(number) => Ok(number),
    }
}
