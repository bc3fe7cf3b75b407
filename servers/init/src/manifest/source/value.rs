//! Values of the TOML text in the types that a manifest wants.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use toml::de::{DeTable, DeValue};

use super::super::Amount;
use super::entry::share;

/// A value that is not what is expected there.
pub(super) struct Fault {
    /// What is.
    pub(super) expected: String,
    /// What stands there instead.
    pub(super) found: String,
}

impl Fault {
    /// Returns the fault of a value.
    pub(super) fn new(expected: impl Into<String>, found: &DeValue<'_>) -> Self {
        Fault { expected: expected.into(), found: shown(found) }
    }
}

/// Returns a text.
pub(super) fn text<'a>(value: &'a DeValue<'a>) -> Result<&'a str, Fault> {
    value.as_str().ok_or_else(|| Fault::new("a text in quotes", value))
}

/// Returns a list of texts.
pub(super) fn texts<'a>(value: &'a DeValue<'a>) -> Result<Vec<&'a str>, Fault> {
    let fault = || Fault::new("a list of names, such as [\"log\", \"clock\"]", value);
    let items = value.as_array().ok_or_else(fault)?;
    items.iter().map(|item| item.get_ref().as_str().ok_or_else(fault)).collect()
}

/// Returns a number from 0 to `most`.
pub(super) fn number(value: &DeValue<'_>, most: u64) -> Result<u64, Fault> {
    let number = value.as_integer().and_then(|number| {
        u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| *number <= most)
    });
    number.ok_or_else(|| Fault::new(format!("a number from 0 to {most}"), value))
}

/// Returns the two numbers of a range, each at most `most`.
pub(super) fn range(value: &DeValue<'_>, most: u64) -> Result<[u64; 2], Fault> {
    let numbers = value.as_array().and_then(|items| {
        let numbers: Option<Vec<u64>> =
            items.iter().map(|item| number(item.get_ref(), most).ok()).collect();
        numbers?.try_into().ok()
    });
    numbers.ok_or_else(|| Fault::new(format!("[first, last], numbers from 0 to {most:#x}"), value))
}

/// Returns an amount: a number or a share.
pub(super) fn amount(value: &DeValue<'_>) -> Result<Amount, Fault> {
    let count = number(value, i64::MAX as u64).ok().map(Amount::Count);
    let amount = count.or_else(|| share(value.as_str()?));
    amount.ok_or_else(|| Fault::new("a number or a share such as \"40%\"", value))
}

/// Returns a truth value.
pub(super) fn truth(value: &DeValue<'_>) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| Fault::new("true or false", value))
}

/// Returns a table of names.
pub(super) fn table<'a>(value: &'a DeValue<'a>) -> Result<&'a DeTable<'a>, Fault> {
    value.as_table().ok_or_else(|| Fault::new("a table of names, such as { line = 4 }", value))
}

/// Returns a value as a person would name it.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(_) => "a table".into(),
        DeValue::Float(_) => "a fraction".into(),
        DeValue::Datetime(_) => "a date".into(),
    }
}
