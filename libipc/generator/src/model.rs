//! An interface, parsed and checked: what the emitting halves rely on.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::parse::Parser;
use syn::{
    Attribute, Error, Expr, FnArg, Ident, ItemTrait, LitInt, Meta, Pat, Result, ReturnType,
    TraitItem, TraitItemFn, Type, Visibility,
};

/// Most capabilities and most leases of a message (`kamen_abi::MAX_CAPS`, `MAX_LEASES`).
const MAX_PARTS: usize = 4;
/// Names that the client has for itself.
const RESERVED: [&str; 4] = ["new", "with", "endpoint", "transport"];

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
    /// Returns the position of the last byte slice, which needs no length.
    pub(crate) fn last_slice(&self) -> Option<usize> {
        self.arguments.iter().rposition(|argument| argument.part.is_slice())
    }

    /// Returns how many arguments are of a sort.
    pub(crate) fn count(&self, is: impl Fn(&Part) -> bool) -> usize {
        self.arguments.iter().filter(|argument| is(&argument.part)).count()
    }
}

/// Collects errors, so that all of them are shown at once.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn add(&mut self, at: impl ToTokens, message: &str) {
        self.push(Error::new_spanned(at, message));
    }
}

impl Interface {
    /// Returns the interface of a trait.
    ///
    /// # Errors
    /// Everything in it that cannot be expressed.
    pub(crate) fn parse(attribute: TokenStream, item: TokenStream) -> Result<Self> {
        let (number, error) = parse_attribute(attribute)?;
        let item: ItemTrait = syn::parse2(item)?;
        let mut errors = Errors::default();
        if !item.generics.params.is_empty() || !item.supertraits.is_empty() {
            errors.add(&item.ident, "an interface has no generic parameters and no supertraits");
        }
        if item.unsafety.is_some() {
            errors.add(item.unsafety, "an interface is not unsafe");
        }
        let mut operations = Vec::new();
        for member in &item.items {
            match member {
                TraitItem::Fn(function) => match parse_operation(function, number, &error) {
                    Ok(operation) => operations.push(operation),
                    Err(error) => errors.push(error),
                },
                other => errors.add(other, "an interface consists of operations only"),
            }
        }
        check_unique(&operations, &mut errors);
        let ItemTrait { attrs: docs, vis: visibility, ident: name, .. } = item;
        match errors.0 {
            Some(errors) => Err(errors),
            None => Ok(Interface { docs, visibility, name, error, operations }),
        }
    }
}

fn check_unique(operations: &[Operation], errors: &mut Errors) {
    let mut labels = HashSet::new();
    for operation in operations {
        if !labels.insert(operation.label) {
            errors.add(&operation.name, "another operation has the same number");
        }
    }
}

/// Parses `number = N, error = E`.
fn parse_attribute(attribute: TokenStream) -> Result<(u16, Type)> {
    let (mut number, mut error) = (None, None);
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("number") {
            number = Some(parse_number(&meta.value()?.parse()?)?);
        } else if meta.path.is_ident("error") {
            error = Some(meta.value()?.parse::<Type>()?);
        } else {
            return Err(meta.error("expected `number` or `error`"));
        }
        Ok(())
    });
    parser.parse2(attribute)?;
    match (number, error) {
        (Some(number), Some(error)) => Ok((number, error)),
        _ => Err(Error::new(Span::call_site(), "write #[interface(number = N, error = E)]")),
    }
}

/// Parses a number of a protocol or an operation: 1 to 65,535.
fn parse_number(literal: &LitInt) -> Result<u16> {
    match literal.base10_parse::<u16>()? {
        0 => Err(Error::new_spanned(literal, "numbers begin at 1")),
        number => Ok(number),
    }
}

fn parse_operation(function: &TraitItemFn, protocol: u16, error: &Type) -> Result<Operation> {
    let signature = &function.sig;
    let mut errors = Errors::default();
    if RESERVED.contains(&signature.ident.to_string().as_str()) {
        errors.add(&signature.ident, "the client has a function of that name already");
    }
    if !signature.generics.params.is_empty() {
        errors.add(&signature.generics, "an operation has no generic parameters");
    }
    if signature.asyncness.is_some() || signature.unsafety.is_some() || signature.abi.is_some() {
        errors.add(&signature.ident, "an operation is an ordinary function");
    }
    if let Some(body) = &function.default {
        errors.add(body, "an operation has no default; the server implements it");
    }
    let mut inputs = signature.inputs.iter();
    match inputs.next() {
        Some(FnArg::Receiver(this)) if this.reference.is_some() && this.mutability.is_some() => {}
        _ => errors.add(&signature.ident, "an operation takes `&mut self` first"),
    }
    let mut arguments = Vec::new();
    for input in inputs {
        match parse_argument(input) {
            Ok(argument) => arguments.push(argument),
            Err(error) => errors.push(error),
        }
    }
    let marks = parse_marks(function).map_err(|error| errors.push(error)).unwrap_or_default();
    let (success, results) = match parse_output(&signature.output, &signature.ident, error) {
        Ok(output) => output,
        Err(error) => {
            errors.push(error);
            return Err(errors.0.take().unwrap_or_else(|| unreachable!("one was just pushed")));
        }
    };
    let docs = function.attrs.iter().filter(|a| a.path().is_ident("doc")).cloned().collect();
    let operation = Operation {
        docs,
        name: signature.ident.clone(),
        label: u32::from(protocol) << 16 | u32::from(marks.number),
        idempotent: marks.idempotent,
        deferred: marks.deferred,
        arguments,
        success,
        results,
    };
    check_bounds(&operation, &mut errors);
    match errors.0 {
        Some(errors) => Err(errors),
        None => Ok(operation),
    }
}

fn check_bounds(operation: &Operation, errors: &mut Errors) {
    let caps_back = operation.results.iter().filter(|part| part.is_capability()).count();
    if operation.count(Part::is_capability).max(caps_back) > MAX_PARTS {
        errors.add(&operation.name, "a message carries at most 4 capabilities");
    }
    if operation.count(Part::is_lease) > MAX_PARTS {
        errors.add(&operation.name, "a call lends at most 4 ranges");
    }
}

/// What `#[operation(…)]` says.
#[derive(Default)]
struct Marks {
    number: u16,
    idempotent: bool,
    deferred: bool,
}

fn parse_marks(function: &TraitItemFn) -> Result<Marks> {
    let missing = "write #[operation(N)], with `idempotent` or `deferred` after the number";
    let mut attributes = function.attrs.iter().filter(|a| !a.path().is_ident("doc"));
    let attribute = attributes
        .next()
        .filter(|attribute| attribute.path().is_ident("operation"))
        .ok_or_else(|| Error::new_spanned(&function.sig.ident, missing))?;
    if let Some(other) = attributes.next() {
        return Err(Error::new_spanned(other, "an operation has no other attributes"));
    }
    let mut marks = Marks::default();
    let list = attribute
        .parse_args_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated)?;
    for mark in list {
        match &mark {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => {
                marks.number = parse_number(number)?;
            }
            Expr::Path(path) if path.path.is_ident("idempotent") => marks.idempotent = true,
            Expr::Path(path) if path.path.is_ident("deferred") => marks.deferred = true,
            other => return Err(Error::new_spanned(other, missing)),
        }
    }
    if marks.number == 0 {
        return Err(Error::new_spanned(attribute, missing));
    }
    Ok(marks)
}

fn parse_argument(input: &FnArg) -> Result<Argument> {
    let FnArg::Typed(typed) = input else {
        return Err(Error::new_spanned(input, "`self` comes first"));
    };
    let Pat::Ident(pattern) = &*typed.pat else {
        return Err(Error::new_spanned(&typed.pat, "an argument is a plain name"));
    };
    if pattern.ident == "caller" {
        return Err(Error::new_spanned(pattern, "`caller` is what servers call the caller"));
    }
    let mut lent = false;
    for attribute in &typed.attrs {
        match &attribute.meta {
            Meta::Path(path) if path.is_ident("lend") => lent = true,
            _ => return Err(Error::new_spanned(attribute, "expected `#[lend]`")),
        }
    }
    let part = parse_part(&typed.ty, lent)?;
    Ok(Argument { name: pattern.ident.clone(), part })
}

fn parse_part(given: &Type, lent: bool) -> Result<Part> {
    let part = match given {
        Type::Reference(reference) => {
            let target = reference.elem.to_token_stream().to_string();
            match (target.as_str(), reference.mutability.is_some(), lent) {
                ("[u8]", true, _) => Part::Write,
                ("[u8]", false, true) => Part::Read,
                ("[u8]", false, false) => Part::Bytes,
                ("str", false, false) => Part::Text,
                _ => {
                    let message = "references are &[u8] (copied), #[lend] &[u8], &mut [u8], &str";
                    return Err(Error::new_spanned(given, message));
                }
            }
        }
        value => parse_value(value)?,
    };
    if lent && !part.is_lease() {
        return Err(Error::new_spanned(given, "only &[u8] and &mut [u8] are lent"));
    }
    Ok(part)
}

/// Parses the type of a value that is not a reference.
fn parse_value(given: &Type) -> Result<Part> {
    let Type::Path(path) = given else {
        let message = "values are words, structs of words, Endpoint, Notification, Memory or Trace";
        return Err(Error::new_spanned(given, message));
    };
    let name = path.path.segments.last().map(|segment| segment.ident.to_string());
    Ok(match name.as_deref() {
        Some("Endpoint" | "Notification" | "Memory" | "Trace") => Part::Capability(given.clone()),
        Some("Vec" | "String" | "Box") => {
            let message = "pass bytes as a slice; results of any length go to a `&mut [u8]`";
            return Err(Error::new_spanned(given, message));
        }
        _ => Part::Words(given.clone()),
    })
}

/// Parses `-> Result<T, E>`; returns T and its parts.
fn parse_output(output: &ReturnType, name: &Ident, error: &Type) -> Result<(Type, Vec<Part>)> {
    let message = "an operation returns Result<T, E>, E being the interface's error";
    let ReturnType::Type(_, output) = output else {
        return Err(Error::new_spanned(name, message));
    };
    let [success, failure] =
        result_types(output).ok_or_else(|| Error::new_spanned(output, message))?;
    if failure.to_token_stream().to_string() != error.to_token_stream().to_string() {
        return Err(Error::new_spanned(failure, message));
    }
    let parts = match &success {
        Type::Tuple(tuple) => tuple.elems.iter().map(parse_value).collect::<Result<_>>()?,
        Type::Reference(_) => {
            let message = "a result is not borrowed; let the client pass a `&mut [u8]`";
            return Err(Error::new_spanned(success, message));
        }
        single => vec![parse_value(single)?],
    };
    Ok((success, parts))
}

/// Returns T and E of `Result<T, E>`.
fn result_types(output: &Type) -> Option<[Type; 2]> {
    let Type::Path(path) = output else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Result")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let types: Vec<Type> = arguments
        .args
        .iter()
        .filter_map(|argument| match argument {
            syn::GenericArgument::Type(of) => Some(of.clone()),
            _ => None,
        })
        .collect();
    types.try_into().ok()
}
