//! One operation: its mark, signature and result.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Attribute, Error, Expr, FnArg, Ident, Lit, LitInt, Meta, Result, ReturnType, Signature,
    TraitItemFn, Type,
};

use super::{Operation, Part, argument, parse_number, value};
use crate::errors::Errors;

/// Most capabilities and most leases of a message (`kamen_abi::MAX_CAPS`, `MAX_LEASES`).
const MAX_PARTS: usize = 4;
/// Names that the client has for itself.
const RESERVED: [&str; 5] = ["new", "with", "endpoint", "transport", "clone"];
/// What an operation's attribute looks like.
const FORM: &str = "write #[operation(N)], with `idempotent` or `deferred` after the number";

/// Parses an operation of a protocol.
///
/// # Errors
/// Everything in it that cannot be expressed.
pub(super) fn parse(function: &TraitItemFn, protocol: u16, error: &Type) -> Result<Operation> {
    let signature = &function.sig;
    let mut errors = Errors::default();
    check_signature(signature, &mut errors);
    if let Some(body) = &function.default {
        errors.add(body, "an operation has no default; the server implements it");
    }
    let inputs = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
    let arguments = inputs.filter_map(|input| errors.keep(argument::parse(input))).collect();
    let marks = errors.keep(parse_marks(function));
    let output = errors.keep(parse_output(&signature.output, &signature.ident, error));
    let (Some(marks), Some((success, results))) = (marks, output) else {
        return errors.finish(()).and(Err(Error::new_spanned(signature, FORM)));
    };
    let operation = Operation {
        docs: function.attrs.iter().filter(|a| a.path().is_ident("doc")).cloned().collect(),
        name: signature.ident.clone(),
        label: u32::from(protocol) << 16 | u32::from(parse_number(&marks.number)?),
        number: marks.number,
        idempotent: marks.idempotent,
        deferred: marks.deferred,
        arguments,
        success,
        results,
    };
    check_counts(&operation, signature, &mut errors);
    errors.finish(operation)
}

/// Checks all of a signature but arguments and result.
fn check_signature(signature: &Signature, errors: &mut Errors) {
    let name = signature.ident.unraw().to_string();
    if RESERVED.contains(&name.as_str()) {
        errors.add(&signature.ident, "the client has a function of that name already");
    }
    if name.to_uppercase() == "PROTOCOL" {
        let message = "the label would be PROTOCOL, which is the protocol's number";
        errors.add(&signature.ident, message);
    }
    if name.starts_with("__") {
        errors.add(&signature.ident, "names that begin with `__` are the generated code's");
    }
    if !signature.generics.params.is_empty() {
        let message = "an operation has no generic parameters and no lifetimes";
        errors.add(&signature.generics, message);
    }
    errors.add_if_some(&signature.generics.where_clause, "an operation has no where clause");
    let message = "an operation is not async: a server that answers later marks it `deferred`";
    errors.add_if_some(&signature.asyncness, message);
    errors.add_if_some(&signature.constness, "an operation is not const");
    errors.add_if_some(&signature.unsafety, "an operation is not unsafe");
    errors.add_if_some(&signature.abi, "an operation has no ABI of another language");
    errors.add_if_some(&signature.variadic, "an operation has a fixed number of arguments");
    let message = "an operation takes `&mut self` first";
    match signature.inputs.first() {
        Some(FnArg::Receiver(this)) => {
            let is_plain = this.reference.as_ref().is_some_and(|(_, lifetime)| lifetime.is_none())
                && this.mutability.is_some()
                && this.attrs.is_empty();
            if !is_plain {
                errors.add(this, message);
            }
        }
        _ => errors.add(&signature.ident, message),
    }
}

fn check_counts(operation: &Operation, signature: &Signature, errors: &mut Errors) {
    if operation.count(Part::is_capability) > MAX_PARTS {
        errors.add(&operation.name, "a message carries at most 4 capabilities");
    }
    if operation.results.iter().filter(|part| part.is_capability()).count() > MAX_PARTS {
        errors.add(&signature.output, "a message carries at most 4 capabilities");
    }
    if operation.count(Part::is_lease) > MAX_PARTS {
        errors.add(&operation.name, "a call lends at most 4 ranges");
    }
}

/// What `#[operation(…)]` says.
struct Marks {
    number: LitInt,
    idempotent: bool,
    deferred: bool,
}

/// Finds the attribute of an operation, which is the only one besides doc comments.
fn operation_attribute(function: &TraitItemFn) -> Result<&Attribute> {
    let mut found = None;
    for attribute in function.attrs.iter().filter(|a| !a.path().is_ident("doc")) {
        if !attribute.path().is_ident("operation") {
            let message = "an operation has no other attributes than #[operation] and doc comments";
            return Err(Error::new_spanned(attribute, message));
        }
        if found.replace(attribute).is_some() {
            return Err(Error::new_spanned(attribute, "given twice"));
        }
    }
    found.ok_or_else(|| Error::new_spanned(&function.sig.ident, FORM))
}

fn parse_marks(function: &TraitItemFn) -> Result<Marks> {
    let attribute = operation_attribute(function)?;
    if !matches!(attribute.meta, Meta::List(_)) {
        return Err(Error::new_spanned(attribute, FORM));
    }
    let list = attribute
        .parse_args_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated)?;
    let (mut number, mut idempotent, mut deferred) = (None, false, false);
    for mark in list {
        let is_again = match &mark {
            Expr::Lit(syn::ExprLit { lit: Lit::Int(literal), .. }) => {
                parse_number(literal)?;
                number.replace(literal.clone()).is_some()
            }
            Expr::Path(path) if path.path.is_ident("idempotent") => {
                core::mem::replace(&mut idempotent, true)
            }
            Expr::Path(path) if path.path.is_ident("deferred") => {
                core::mem::replace(&mut deferred, true)
            }
            other => return Err(Error::new_spanned(other, FORM)),
        };
        if is_again {
            return Err(Error::new_spanned(mark, "given twice"));
        }
    }
    let number = number.ok_or_else(|| Error::new_spanned(attribute, FORM))?;
    Ok(Marks { number, idempotent, deferred })
}

/// Parses `-> Result<T, E>`; returns T and its parts.
fn parse_output(output: &ReturnType, name: &Ident, error: &Type) -> Result<(Type, Vec<Part>)> {
    let expected = error.to_token_stream().to_string().replace(' ', "");
    let message = format!("an operation returns Result<T, {expected}>");
    let ReturnType::Type(_, output) = output else {
        return Err(Error::new_spanned(name, message));
    };
    let [success, failure] =
        result_types(output).ok_or_else(|| Error::new_spanned(output, &message))?;
    if failure.to_token_stream().to_string().replace(' ', "") != expected {
        return Err(Error::new_spanned(failure, format!("the interface's error is {expected}")));
    }
    let parts = match &success {
        Type::Tuple(tuple) => {
            let mut errors = Errors::default();
            let parts = tuple.elems.iter().filter_map(|of| errors.keep(value::parse_result(of)));
            let parts = parts.collect();
            errors.finish(parts)?
        }
        single => vec![value::parse_result(single)?],
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
