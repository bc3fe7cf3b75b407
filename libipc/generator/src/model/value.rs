//! Types of values: words and capabilities; and why any other is none.

use quote::ToTokens;
use syn::{Error, PathArguments, Result, Type};

use super::Part;

/// Parses the type of an argument that is not a reference.
///
/// # Errors
/// It is no value that travels.
pub(super) fn parse_argument(given: &Type) -> Result<Part> {
    match given {
        Type::Tuple(_) => refuse(given, "an argument is one value; give each element a name"),
        _ => parse(given),
    }
}

/// Parses the type of a result, or of an element of a tuple of results.
///
/// # Errors
/// It is no value that travels.
pub(super) fn parse_result(given: &Type) -> Result<Part> {
    let message = "a result is not borrowed; let the client pass a `&mut [u8]`";
    match given {
        Type::Reference(_) => refuse(given, message),
        Type::Tuple(_) => refuse(given, "a tuple of results has no tuples within"),
        _ => parse(given),
    }
}

fn parse(given: &Type) -> Result<Part> {
    let Type::Path(path) = given else { return refuse(given, refused_form(given)) };
    let Some(last) = path.path.segments.last() else { return refuse(given, FORM) };
    // An associated type is the server's, too.
    let of_self = path.path.segments.first().filter(|first| first.ident == "Self");
    let name = of_self.unwrap_or(last).ident.to_string();
    if let Some(message) = refused_name(&name) {
        return refuse(given, message);
    }
    if path.qself.is_some() || !matches!(last.arguments, PathArguments::None) {
        return refuse(given, "values have no generic parameters");
    }
    Ok(match name.as_str() {
        "Endpoint" | "Notification" | "Memory" | "Trace" => Part::Capability(given.clone()),
        _ => Part::Words(given.clone()),
    })
}

const FORM: &str = "values are words, structs of words, Endpoint, Notification, Memory or Trace";

/// Returns why types that do not have this name's form do not travel.
fn refused_form(given: &Type) -> &'static str {
    match given {
        Type::Array(_) => "an array is a field of a struct that derives `Words`",
        Type::Ptr(_) => "addresses mean nothing to a server: pass a slice",
        Type::ImplTrait(_) | Type::TraitObject(_) | Type::BareFn(_) => {
            "values are of one type that both sides know"
        }
        Type::Never(_) => "an operation that does not return answers with an error",
        _ => FORM,
    }
}

/// Returns why a type of this name does not travel.
fn refused_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "Vec" | "String" | "Box" | "Rc" | "Arc" | "Cow" | "str" => {
            "pass bytes as a slice; results of any length go to a `&mut [u8]`"
        }
        "Option" => "instead of an Option, give a value that means none, or an error",
        "Result" => "an operation returns one Result; its errors are the interface's",
        "u128" | "i128" => "a word has 64 bits: pass a struct of two",
        "f32" | "f64" => "there is no floating point in servers: pass bits, or another unit",
        "Self" => "`Self` is the server itself",
        "T" => "the client calls its transport `T`: give the type another name",
        "ReadLease" => "the client's side is written: `#[lend] name: &[u8]`",
        "WriteLease" => "the client's side is written: `name: &mut [u8]`",
        "Caller" => "servers get the caller without being asked",
        _ => return None,
    })
}

fn refuse<T>(at: impl ToTokens, message: &str) -> Result<T> {
    Err(Error::new_spanned(at, message))
}
