//! A server that survives its death: a tally in memory that the supervisor keeps.

mod store;

pub use store::{Kept, Words};

// ANCHOR: protocol
use libipc::interface;

/// Why the tally refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum TallyError {
    /// The sum would exceed 64 bits.
    Overflow = 1,
}

/// How much was added, and how often.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Total {
    /// The sum of all amounts.
    pub sum: u64,
    /// How many amounts there were.
    pub entries: u64,
}

/// A tally.
#[interface(number = 52, error = TallyError)]
pub trait Tally {
    /// Returns the total.
    #[operation(1, idempotent)]
    fn total(&mut self) -> Result<Total, TallyError>;
    /// Adds an amount; returns the total with it. A caller that gets `Restarted` finds out by
    /// `total` whether it was added.
    #[operation(2)]
    fn add(&mut self, amount: u64) -> Result<Total, TallyError>;
}
// ANCHOR_END: protocol

// ANCHOR: server
use kamen_kit::service::{Protocol, Service};
use libipc::Caller;

/// The tally, whatever its words lie in.
pub struct Server<W>(Kept<W>);

impl<W: Words> Server<W> {
    /// Returns the server of a tally that may have been used before.
    pub fn new(kept: Kept<W>) -> Self {
        Server(kept)
    }
}

impl<W: Words> Tally for Server<W> {
    fn total(&mut self, _: &Caller) -> Result<Total, TallyError> {
        Ok(self.0.total())
    }

    fn add(&mut self, _: &Caller, amount: u64) -> Result<Total, TallyError> {
        let Total { sum, entries } = self.0.total();
        let sum = sum.checked_add(amount).ok_or(TallyError::Overflow)?;
        let total = Total { sum, entries: entries + 1 };
        self.0.replace(total);
        Ok(total)
    }
}

impl<W: Words + 'static> Service for Server<W> {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(tally_label::PROTOCOL, serve_tally)];
}
// ANCHOR_END: server

#[cfg(test)]
mod tests;
