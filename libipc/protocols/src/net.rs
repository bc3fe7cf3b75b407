//! The network stack: what address it has, what it has done, and asking others for an answer.
//!
//! Sockets for programs are not here yet.

use libipc::interface;

/// Why the stack refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum NetError {
    /// The machine has no network card that works.
    NoCard = 1,
    /// The stack has no address yet.
    NoAddress = 2,
    /// As many are asked already as can be.
    Busy = 3,
    /// No answer came in time.
    NoAnswer = 4,
}

/// Where an address comes from.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Origin {
    /// There is none yet.
    None = 0,
    /// The network has told it (DHCP).
    Network = 1,
    /// The system's settings say so.
    Settings = 2,
}

/// A host, by its address of IPv4.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Host {
    /// The address.
    pub address: [u8; 4],
}

/// The stack's addresses.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address {
    /// Where the others come from.
    pub origin: Origin,
    /// The stack's own, of IPv4.
    pub own: [u8; 4],
    /// How many of its bits are the network's.
    pub prefix: u32,
    /// Who passes on what goes to other networks; zeros: nobody.
    pub gateway: [u8; 4],
    /// The card's.
    pub card: [u8; 6],
}

/// What the stack has done since its start.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Activity {
    /// Frames that have come.
    pub received: u64,
    /// Frames that were handed to the card.
    pub sent: u64,
    /// Connections to the echo service that were made.
    pub connections: u64,
    /// Those of them that are open.
    pub open: u64,
    /// Bytes that it has sent back.
    pub echoed: u64,
    /// How often the card's driver had begun another life.
    pub reopened: u64,
}

/// The network stack.
#[interface(number = 22, error = NetError)]
pub trait Net {
    /// Returns the stack's addresses.
    #[operation(1, idempotent)]
    fn address(&mut self) -> Result<Address, NetError>;
    /// Returns what it has done.
    #[operation(2, idempotent)]
    fn activity(&mut self) -> Result<Activity, NetError>;
    /// Asks a host for an answer (ICMP echo), and returns after how many ns it came.
    #[operation(3, deferred, idempotent)]
    fn ping(&mut self, host: Host) -> Result<u64, NetError>;
}

#[cfg(test)]
mod tests;
