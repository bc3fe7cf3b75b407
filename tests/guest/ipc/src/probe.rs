//! A protocol with every kind of argument and result.

use libipc::{Endpoint, Memory, Notification, interface};

/// Why the server refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ProbeError {
    /// As asked for.
    Refused = 1,
    /// An operation of the kernel failed; the log says which.
    Kernel = 2,
}

/// Sum and number of bytes.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sum {
    /// Their sum.
    pub sum: u64,
    /// How many.
    pub count: u32,
    /// The badge of the caller, cut off.
    pub badge: u32,
}

/// How a parked call was answered.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Answered {
    /// At once.
    AtOnce = 1,
    /// When the server's timer came.
    Later = 2,
}

/// The protocol.
#[interface(number = 0x7f01, error = ProbeError)]
pub trait Probe {
    /// Does nothing.
    #[operation(1, idempotent)]
    fn nothing(&mut self) -> Result<(), ProbeError>;
    /// Refuses.
    #[operation(2)]
    fn refuse(&mut self) -> Result<(), ProbeError>;
    /// Returns the words' sum.
    #[operation(3)]
    fn add(&mut self, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> Result<u64, ProbeError>;
    /// Returns the sum of all bytes.
    #[operation(4)]
    fn sum(&mut self, one: &[u8], text: &str, two: &[u8]) -> Result<Sum, ProbeError>;
    /// Copies one range to the other, each byte increased by 1; returns how many.
    #[operation(5)]
    fn increase(&mut self, #[lend] from: &[u8], into: &mut [u8]) -> Result<u64, ProbeError>;
    /// Tries to reach beyond the ranges; returns how often it was refused, out of 4.
    #[operation(6)]
    fn trespass(&mut self, #[lend] from: &[u8], into: &mut [u8]) -> Result<u32, ProbeError>;
    /// Signals `bits`; returns a memory object with "memory" in it, and `other` again.
    #[operation(7)]
    fn exchange(
        &mut self,
        bits: u64,
        signal: Notification,
        other: Endpoint,
    ) -> Result<(Memory, u32, Endpoint), ProbeError>;
    /// Answers `after_ms` milliseconds later and writes "later"; 0: at once.
    #[operation(8, deferred)]
    fn later(&mut self, after_ms: u64, into: &mut [u8]) -> Result<Answered, ProbeError>;
    /// Opens a ring in place of the last one; returns the server's doorbell.
    #[operation(10, idempotent)]
    fn ring(&mut self, memory: Memory, bell: Notification) -> Result<Notification, ProbeError>;
    /// Ends the server by a fault.
    #[operation(9)]
    fn fault(&mut self) -> Result<(), ProbeError>;
}
