//! Names and numbers of a protocol's operations, no two of them alike.

use syn::ext::IdentExt;

use super::Operation;
use crate::errors::Errors;

/// Checks that operations differ in number and name, and in their labels' names.
pub(super) fn check(operations: &[Operation], errors: &mut Errors) {
    for (index, operation) in operations.iter().enumerate() {
        let earlier = &operations[..index];
        let name = operation.plain_name();
        if let Some(other) = earlier.iter().find(|other| other.label == operation.label) {
            let message = format!("`{}` has this number already", other.plain_name());
            errors.add(&operation.number, message);
        }
        let is_alike = |other: &&Operation| other.plain_name() == name;
        if let Some(other) = earlier.iter().find(is_alike) {
            let message = format!("operation {} has this name already", other.number);
            errors.add(&operation.name, message);
            continue;
        }
        let label = name.to_uppercase();
        let is_near = |other: &&Operation| other.plain_name().to_uppercase() == label;
        if let Some(other) = earlier.iter().find(is_near) {
            let other = other.plain_name();
            let message =
                format!("the label would be {label}, as that of `{other}`: name it otherwise");
            errors.add(&operation.name, message);
        }
    }
    for operation in operations {
        for (index, argument) in operation.arguments.iter().enumerate() {
            let name = argument.name.unraw();
            if operation.arguments[..index].iter().any(|other| other.name.unraw() == name) {
                errors.add(&argument.name, "another argument has this name already");
            }
        }
    }
}
