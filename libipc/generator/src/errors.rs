//! Errors collected, so that a person sees all of them at once.

use quote::ToTokens;
use syn::{Error, Result};

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds an error.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Adds an error that points at something.
    pub(crate) fn add(&mut self, at: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(at, message));
    }

    /// Adds an error that points at something, if it is there.
    pub(crate) fn add_if_some<T: ToTokens>(&mut self, at: &Option<T>, message: &str) {
        if let Some(at) = at {
            self.add(at, message);
        }
    }

    /// Returns what a step yielded; none, and its errors are added, where it failed.
    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Returns `value`, unless there were errors.
    ///
    /// # Errors
    /// All that were added.
    pub(crate) fn finish<T>(self, value: T) -> Result<T> {
        match self.0 {
            Some(errors) => Err(errors),
            None => Ok(value),
        }
    }
}
