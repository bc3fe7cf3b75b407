//! What a reader makes of the server that `cargo xtask new-server counter` has made: an operation
//! more. The chapters on calling and on testing show it.
//!
//! The generated files are servers/sample's with another name; here they are in one place, and only
//! what was written by hand is between marks.

use kamen_kit::service::{Protocol, Service};
use libipc::{Caller, interface};

// ANCHOR: error
/// Why the server refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CounterError {
    /// The counter would exceed what it can hold.
    Overflow = 1,
    /// The counter is less than that.
    TooMuch = 2,
}
// ANCHOR_END: error

/// A counter that all clients share.
#[interface(number = 53, error = CounterError)]
pub trait Counter {
    /// Returns the counter.
    #[operation(1, idempotent)]
    fn value(&mut self) -> Result<u64, CounterError>;
    /// Adds to the counter; returns what it is then.
    #[operation(2)]
    fn add(&mut self, amount: u64) -> Result<u64, CounterError>;
    // ANCHOR: operation
    /// Takes from the counter; returns what it is then.
    #[operation(3)]
    fn take(&mut self, amount: u64) -> Result<u64, CounterError>;
    // ANCHOR_END: operation
}

/// What the server knows.
#[derive(Debug, Default)]
pub struct Server {
    value: u64,
}

impl Service for Server {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(counter_label::PROTOCOL, serve_counter)];
}

impl Counter for Server {
    fn value(&mut self, _: &Caller) -> Result<u64, CounterError> {
        Ok(self.value)
    }

    fn add(&mut self, _: &Caller, amount: u64) -> Result<u64, CounterError> {
        self.value = self.value.checked_add(amount).ok_or(CounterError::Overflow)?;
        Ok(self.value)
    }

    // ANCHOR: method
    fn take(&mut self, _: &Caller, amount: u64) -> Result<u64, CounterError> {
        self.value = self.value.checked_sub(amount).ok_or(CounterError::TooMuch)?;
        Ok(self.value)
    }
    // ANCHOR_END: method
}

#[cfg(test)]
mod tests;
