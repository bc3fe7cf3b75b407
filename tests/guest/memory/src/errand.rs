//! The protocol between the client, whose memory is paged, and the pager, which checks it.

use libipc::interface;

/// Why the pager refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ErrandError {
    /// An operation of the kernel failed; the log says which.
    Kernel = 1,
}

/// The protocol.
#[interface(number = 0x7f03, error = ErrandError)]
pub trait Errand {
    /// Takes note of what the client found.
    #[operation(1)]
    fn found(&mut self, check: u64, holds: bool) -> Result<(), ErrandError>;
    /// Returns how many pages the pager has supplied.
    #[operation(2)]
    fn supplied(&mut self) -> Result<u64, ErrandError>;
    /// Returns the sum of lent bytes, which may not be there yet.
    #[operation(3)]
    fn sum(&mut self, #[lend] from: &[u8]) -> Result<u64, ErrandError>;
    /// Fills lent memory, which may not be there yet, with a byte.
    #[operation(4)]
    fn fill(&mut self, byte: u8, #[lend] into: &mut [u8]) -> Result<(), ErrandError>;
    /// Returns the first byte of a page of the object as the pager reads it, and takes the page
    /// out of it.
    #[operation(5)]
    fn take(&mut self, page: u64) -> Result<u8, ErrandError>;
    /// Says that the client is done.
    #[operation(6)]
    fn done(&mut self) -> Result<(), ErrandError>;
}
