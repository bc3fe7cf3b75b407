//! The sample server: counters in memory that init keeps.

use libipc::{Caller, Mapping};

use crate::protocol::{Counters, CountersError};

/// Counters that there are.
pub const COUNTERS: usize = 64;

/// Where counters are kept: memory that outlives the server, or a vector in tests.
pub trait Kept {
    /// Returns its bytes.
    fn bytes(&mut self) -> &mut [u8];
}

impl Kept for Mapping {
    fn bytes(&mut self) -> &mut [u8] {
        self.bytes_mut()
    }
}

impl Kept for &mut [u8] {
    fn bytes(&mut self) -> &mut [u8] {
        self
    }
}

/// The server.
#[derive(Debug)]
pub struct Server<K>(K);

impl<K: Kept> Server<K> {
    /// Returns the server of counters as they are kept.
    pub fn new(kept: K) -> Self {
        Server(kept)
    }

    fn counter(&mut self, counter: u32) -> Result<&mut [u8; 8], CountersError> {
        let counter = usize::try_from(counter).ok().filter(|&counter| counter < COUNTERS);
        let counter = counter.ok_or(CountersError::NotFound)?;
        self.0.bytes().as_chunks_mut().0.get_mut(counter).ok_or(CountersError::NotFound)
    }
}

impl<K: Kept> Counters for Server<K> {
    fn value(&mut self, _: &Caller, counter: u32) -> Result<u64, CountersError> {
        Ok(u64::from_le_bytes(*self.counter(counter)?))
    }

    fn set(&mut self, _: &Caller, counter: u32, value: u64) -> Result<(), CountersError> {
        *self.counter(counter)? = value.to_le_bytes();
        Ok(())
    }

    fn add(&mut self, _: &Caller, counter: u32, amount: u64) -> Result<u64, CountersError> {
        let kept = self.counter(counter)?;
        let sum = u64::from_le_bytes(*kept).checked_add(amount).ok_or(CountersError::Overflow)?;
        *kept = sum.to_le_bytes();
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTERS, Server};
    use crate::protocol::{CountersClient, CountersError, serve_counters};
    use libipc::loopback::Loopback;
    use libipc::{Endpoint, Failure, Handle};

    /// Runs one life of the server.
    fn live(kept: &mut [u8], then: impl FnOnce(CountersClient<Loopback<'_>>)) {
        let mut server = Server::new(kept);
        let loopback = Loopback::new(1, |request| serve_counters(&mut server, request));
        then(CountersClient::with(Endpoint(Handle(1)), loopback));
    }

    #[test]
    fn counters_outlive_their_server_and_refuse_what_they_cannot_do() {
        let mut kept = [0; COUNTERS * 8];
        live(&mut kept, |client| {
            client.set(3, 40).unwrap();
            assert_eq!(client.add(3, 2), Ok(42));
        });
        live(&mut kept, |client| {
            assert_eq!(client.value(3), Ok(42));
            assert_eq!(client.add(3, u64::MAX), Err(Failure::Protocol(CountersError::Overflow)));
            let none = Err(Failure::Protocol(CountersError::NotFound));
            assert_eq!(client.value(COUNTERS as u32), none);
        });
    }
}
