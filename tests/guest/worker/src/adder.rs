//! A server that adds bytes up, which come over the message page or by a lease.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use libipc::{Caller, ReadLease, interface, yield_now};

/// Why the server refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum AdderError {
    /// What was lent is not readable, or longer than 256 bytes.
    Lent = 1,
}

/// Most bytes that may be lent.
pub const LENT_MAX: usize = 256;

/// The server.
#[interface(number = 98, error = AdderError)]
pub trait Adding {
    /// Returns the sum of bytes, in the message and lent.
    #[operation(1)]
    fn sum(&mut self, #[lend] lent: &[u8], bytes: &[u8]) -> Result<u64, AdderError>;
}

/// How often a worker lets others go on before it answers alone.
const PATIENCE: u32 = 100_000;

/// The server; counts its answers.
#[derive(Clone, Debug, Default)]
pub struct Adder {
    /// How many answers it gave.
    pub answers: Arc<AtomicU64>,
    /// Another worker's, for whose first call this one's first answer waits: else the one that
    /// comes first may have answered all before the other has begun.
    pub other: Option<Arc<AtomicU64>>,
}

impl Adder {
    /// Returns two servers whose first calls meet.
    pub fn pair() -> [Adder; 2] {
        let [one, two] = [Adder::default(), Adder::default()];
        let [first, second] = [one.answers.clone(), two.answers.clone()];
        [Adder { other: Some(second), ..one }, Adder { other: Some(first), ..two }]
    }

    /// Counts an answer.
    fn count(&mut self) {
        self.answers.fetch_add(1, Relaxed);
        if let Some(other) = self.other.take() {
            (0..PATIENCE).take_while(|_| other.load(Relaxed) == 0).for_each(|_| yield_now());
        }
    }
}

impl Adding for Adder {
    fn sum(&mut self, _: &Caller, lent: ReadLease<'_>, bytes: &[u8]) -> Result<u64, AdderError> {
        // Others send and receive before this answer is on its way.
        yield_now();
        let len = usize::try_from(lent.len()).unwrap_or(usize::MAX);
        let mut copy = [0; LENT_MAX];
        let copy = copy.get_mut(..len).ok_or(AdderError::Lent)?;
        lent.read_at(0, copy).map_err(|_| AdderError::Lent)?;
        self.count();
        Ok(bytes.iter().chain(copy.iter()).map(|&byte| u64::from(byte)).sum())
    }
}

#[cfg(test)]
mod tests {
    use libipc::loopback::Loopback;
    use libipc::{Endpoint, Failure, Handle};

    use super::*;

    #[test]
    fn bytes_of_both_ways_are_added() {
        let mut adder = Adder::default();
        let loopback = Loopback::new(0, |request| serve_adding(&mut adder, request));
        let client = AddingClient::with(Endpoint(Handle(1)), loopback);
        assert_eq!(client.sum(&[1, 2], &[3, 4]), Ok(10));
        let refused = client.sum(&[0; LENT_MAX + 1], &[]);
        assert_eq!(refused, Err(Failure::Protocol(AdderError::Lent)));
    }
}
