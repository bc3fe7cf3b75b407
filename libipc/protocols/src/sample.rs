//! A counter that all clients share: the smallest protocol with one of each kind of operation.

use libipc::interface;

/// Why the server refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SampleError {
    /// The counter would exceed what it can hold.
    Overflow = 1,
}

/// The server.
#[interface(number = 20, error = SampleError)]
pub trait Sample {
    /// Returns the counter. Asked again after a restart of the server, as that does no harm.
    #[operation(1, idempotent)]
    fn value(&mut self) -> Result<u64, SampleError>;
    /// Adds to the counter; returns what it is then. A client that gets `Restarted` does not know
    /// whether that was before or after it was added.
    #[operation(2)]
    fn add(&mut self, amount: u64) -> Result<u64, SampleError>;
}
