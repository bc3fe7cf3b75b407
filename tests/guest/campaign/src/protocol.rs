//! What the campaign's programs say to each other: the sample server, and reports.

use libipc::{Memory, interface};

use crate::tally::Tally;

/// Why the sample server refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CountersError {
    /// There is no counter of that number.
    NotFound = 1,
    /// The counter would overflow.
    Overflow = 2,
}

/// The sample server: counters that outlive it, with an operation that can be repeated and one
/// that cannot.
#[interface(number = 40, error = CountersError)]
pub trait Counters {
    /// Returns a counter.
    #[operation(1, idempotent)]
    fn value(&mut self, counter: u32) -> Result<u64, CountersError>;
    /// Sets a counter.
    #[operation(2, idempotent)]
    fn set(&mut self, counter: u32, value: u64) -> Result<(), CountersError>;
    /// Adds to a counter and returns what it is then.
    #[operation(3)]
    fn add(&mut self, counter: u32, amount: u64) -> Result<u64, CountersError>;
}

/// Why a report was refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ReportError {
    /// The sheet cannot be handed out.
    Refused = 1,
}

/// The program that conducts the campaign, towards those that it started.
#[interface(number = 41, error = ReportError)]
pub trait Reports {
    /// Returns the sheet on which kills are noted ([`crate::sheet`]).
    #[operation(1)]
    fn sheet(&mut self) -> Result<Memory, ReportError>;
    /// Tells what a client saw in all its time.
    #[operation(2)]
    fn report(&mut self, tally: Tally) -> Result<(), ReportError>;
}
