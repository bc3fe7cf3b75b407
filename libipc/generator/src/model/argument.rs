//! One argument: its name, how it travels, and its bound.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Expr, FnArg, Ident, Lit, Meta, Pat, PatIdent, Result, Token, Type};
use syn::{TypeReference, TypeSlice};

use super::{Argument, Bound, Part, value};

/// Parses an argument after `self`.
///
/// # Errors
/// It cannot be expressed.
pub(super) fn parse(input: &FnArg) -> Result<Argument> {
    let FnArg::Typed(typed) = input else {
        return Err(Error::new_spanned(input, "`self` comes first"));
    };
    let name = parse_name(&typed.pat)?;
    let marks = parse_marks(&typed.attrs)?;
    let part = parse_part(&typed.ty, marks.lent)?;
    if let (Some(lent), false) = (marks.lent, part.is_lease()) {
        return Err(Error::new_spanned(lent, "only bytes are lent: `#[lend] name: &[u8]`"));
    }
    if let (Some((attribute, _)), false) = (&marks.bound, is_bounded(&part)) {
        let message = "only what the client sends has a bound: &str, &[u8], #[lend] &[u8]";
        return Err(Error::new_spanned(attribute, message));
    }
    Ok(Argument { name, part, bound: marks.bound.map(|(_, bound)| bound) })
}

fn is_bounded(part: &Part) -> bool {
    matches!(part, Part::Text | Part::Bytes | Part::Read)
}

fn parse_name(pattern: &Pat) -> Result<Ident> {
    let message = "an argument is a plain name";
    let Pat::Ident(pattern) = pattern else {
        return Err(Error::new_spanned(pattern, message));
    };
    let PatIdent { by_ref: None, mutability: None, subpat: None, .. } = pattern else {
        return Err(Error::new_spanned(pattern, message));
    };
    let name = pattern.ident.unraw().to_string();
    if name == "caller" {
        return Err(Error::new_spanned(pattern, "`caller` is what servers call the caller"));
    }
    if name.starts_with("__") {
        let message = "names that begin with `__` are the generated code's";
        return Err(Error::new_spanned(pattern, message));
    }
    Ok(pattern.ident.clone())
}

/// What stands before an argument.
#[derive(Default)]
struct Marks<'a> {
    lent: Option<&'a Attribute>,
    bound: Option<(&'a Attribute, Bound)>,
}

fn parse_marks(attributes: &[Attribute]) -> Result<Marks<'_>> {
    let mut marks = Marks::default();
    for attribute in attributes {
        let is_again = match &attribute.meta {
            Meta::Path(path) if path.is_ident("lend") => marks.lent.replace(attribute).is_some(),
            Meta::List(list) if list.path.is_ident("at_most") => {
                marks.bound.replace((attribute, list.parse_args()?)).is_some()
            }
            meta if meta.path().is_ident("at_most") => {
                let message = "write #[at_most(BYTES)] or #[at_most(BYTES, ErrorVariant)]";
                return Err(Error::new_spanned(attribute, message));
            }
            meta if meta.path().is_ident("doc") => {
                let message = "arguments are described in the operation's doc comment";
                return Err(Error::new_spanned(attribute, message));
            }
            _ => {
                return Err(Error::new_spanned(attribute, "expected #[lend] or #[at_most(BYTES)]"));
            }
        };
        if is_again {
            return Err(Error::new_spanned(attribute, "given twice"));
        }
    }
    Ok(marks)
}

impl Parse for Bound {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let bytes = input.parse::<Expr>()?;
        if let Expr::Lit(syn::ExprLit { lit: Lit::Int(literal), .. }) = &bytes
            && literal.base10_parse::<u16>().map_or(true, |bytes| bytes == 0)
        {
            return Err(Error::new_spanned(literal, "a bound is from 1 to what a message holds"));
        }
        let error = input.parse::<Option<Token![,]>>()?.map(|_| input.parse::<Ident>());
        if !input.is_empty() {
            return Err(input.error("after the bound there is a variant of the interface's error"));
        }
        Ok(Bound { bytes, error: error.transpose()? })
    }
}

fn parse_part(given: &Type, lent: Option<&Attribute>) -> Result<Part> {
    let Type::Reference(reference) = given else { return value::parse_argument(given) };
    let TypeReference { lifetime, mutability, elem, .. } = reference;
    if let Some(lifetime) = lifetime {
        let message = "no lifetimes: what is copied or lent is there until the call is answered";
        return Err(Error::new_spanned(lifetime, message));
    }
    let is_bytes = matches!(&**elem, Type::Slice(TypeSlice { elem, .. }) if is(elem, "u8"));
    let (is_text, is_mutable) = (is(elem, "str"), mutability.is_some());
    match (is_bytes, is_text, is_mutable, lent.is_some()) {
        (true, _, true, _) => Ok(Part::Write),
        (true, _, false, true) => Ok(Part::Read),
        (true, _, false, false) => Ok(Part::Bytes),
        (_, true, false, false) => Ok(Part::Text),
        _ => Err(Error::new_spanned(given, refused_reference(elem, is_mutable))),
    }
}

/// Returns why a reference to a type is no argument.
fn refused_reference(of: &Type, is_mutable: bool) -> &'static str {
    match of {
        Type::Slice(_) => "slices are of bytes: &[u8] (copied), #[lend] &[u8], &mut [u8] (lent)",
        _ if is(of, "str") && is_mutable => "text to be filled in is a `&mut [u8]`",
        _ if is(of, "str") => "text is copied; to lend it, take a `#[lend] &[u8]`",
        _ if is(of, "Self") => "`Self` is the server itself",
        _ if is_mutable => "what the server fills in is a `&mut [u8]`; small values are results",
        _ => "a small value is passed by value; references are to [u8] and str",
    }
}

fn is(of: &Type, name: &str) -> bool {
    matches!(of, Type::Path(path) if path.path.is_ident(name))
}
