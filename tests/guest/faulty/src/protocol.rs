//! The protocol of a server that fails when it is told to.

use libipc::interface;

/// Why it did not fail.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FaultyError {
    /// It has no memory to plan crashes in.
    NoPlan = 1,
}

/// A server that fails when it is told to.
#[interface(number = 200, error = FaultyError)]
pub trait Faulty {
    /// Returns the number after `number`.
    #[operation(1)]
    fn answer(&mut self, number: u64) -> Result<u64, FaultyError>;
    /// Spins for ever.
    #[operation(2)]
    fn hang(&mut self) -> Result<(), FaultyError>;
    /// Crashes, and so do the next lives as they start, `times` in all.
    #[operation(3)]
    fn crash(&mut self, times: u64) -> Result<(), FaultyError>;
    /// Returns how often this life was told that a service it uses began another one.
    #[operation(4)]
    fn told(&mut self) -> Result<u64, FaultyError>;
}
