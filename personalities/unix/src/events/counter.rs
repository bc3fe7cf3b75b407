//! Event counters (eventfd(2)).

use alloc::collections::BTreeMap;

use crate::Errno;
use crate::context::{Stop, Wait};
use crate::events::MAX_OF_A_KIND;
use crate::readiness::{READABLE, Readiness, WRITABLE};
use crate::wake::{Channel, Wakes};

/// The highest value of a counter (eventfd(2), write(2)).
pub const MOST: u64 = u64::MAX - 1;

/// A counter.
#[derive(Clone, Copy, Debug)]
struct Counter {
    value: u64,
    /// Whether a read takes 1 of it, not all (`EFD_SEMAPHORE`).
    by_one: bool,
}

/// All event counters.
#[derive(Debug)]
pub struct Counters {
    table: BTreeMap<u64, Counter>,
    wakes: Wakes,
}

impl Counters {
    /// Returns an empty table that reports changes.
    pub fn new(wakes: &Wakes) -> Self {
        Counters { table: BTreeMap::new(), wakes: wakes.clone() }
    }

    /// Adds a counter.
    ///
    /// # Errors
    /// ENFILE: there are [`MAX_OF_A_KIND`].
    pub fn add(&mut self, number: u64, value: u64, by_one: bool) -> Result<(), Errno> {
        if self.table.len() >= MAX_OF_A_KIND {
            return Err(Errno::ENFILE);
        }
        self.table.insert(number, Counter { value, by_one });
        Ok(())
    }

    /// Takes a counter out that nobody has open any more.
    pub fn remove(&mut self, number: u64) {
        self.table.remove(&number);
    }

    /// Takes the value, or 1 of it.
    ///
    /// # Errors
    /// Wait: it is 0; EINVAL: there is no room for 8 bytes.
    pub fn read(&mut self, number: u64, into: &mut [u8]) -> Result<usize, Stop> {
        let counter = self.table.get_mut(&number).ok_or(Errno::EBADF)?;
        let place = into.first_chunk_mut::<8>().ok_or(Errno::EINVAL)?;
        if counter.value == 0 {
            return Err(Stop::Wait(Wait::on(Channel::CounterIn(number))));
        }
        let taken = if counter.by_one { 1 } else { counter.value };
        counter.value -= taken;
        *place = taken.to_le_bytes();
        self.wakes.add(Channel::CounterOut(number));
        Ok(8)
    }

    /// Adds to the value.
    ///
    /// # Errors
    /// Wait: it would become more than [`MOST`]; EINVAL: less than 8 bytes, or the largest number.
    pub fn write(&mut self, number: u64, bytes: &[u8]) -> Result<usize, Stop> {
        let counter = self.table.get_mut(&number).ok_or(Errno::EBADF)?;
        let more = u64::from_le_bytes(*bytes.first_chunk::<8>().ok_or(Errno::EINVAL)?);
        if more > MOST {
            return Err(Errno::EINVAL.into());
        }
        if more > MOST - counter.value {
            return Err(Stop::Wait(Wait::on(Channel::CounterOut(number))));
        }
        counter.value += more;
        self.wakes.add(Channel::CounterIn(number));
        Ok(8)
    }

    /// Returns what a counter can do.
    pub fn readiness(&self, number: u64) -> Readiness {
        let channels = [Channel::CounterIn(number), Channel::CounterOut(number)];
        let value = self.table.get(&number).map_or(0, |counter| counter.value);
        let read = if value == 0 { 0 } else { READABLE };
        let write = if value == MOST { 0 } else { WRITABLE };
        Readiness { events: read | write, ..Readiness::on(&channels) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_adds_up_and_a_read_takes_all() {
        let wakes = Wakes::default();
        let mut counters = Counters::new(&wakes);
        counters.add(1, 0, false).unwrap();
        let mut into = [0; 8];
        assert!(matches!(counters.read(1, &mut into), Err(Stop::Wait(_))));
        assert_eq!(counters.write(1, &3u64.to_le_bytes()), Ok(8));
        assert_eq!(counters.write(1, &4u64.to_le_bytes()), Ok(8));
        assert_eq!(wakes.take(), [Channel::CounterIn(1)]);
        assert_eq!(counters.read(1, &mut into), Ok(8));
        assert_eq!(u64::from_le_bytes(into), 7);
        assert!(!counters.readiness(1).can_read() && counters.readiness(1).can_write());
    }

    #[test]
    fn a_semaphore_gives_one_at_a_time() {
        let mut counters = Counters::new(&Wakes::default());
        counters.add(1, 2, true).unwrap();
        let mut into = [0; 8];
        for _ in 0..2 {
            assert_eq!(counters.read(1, &mut into), Ok(8));
            assert_eq!(u64::from_le_bytes(into), 1);
        }
        assert!(matches!(counters.read(1, &mut into), Err(Stop::Wait(_))));
    }

    #[test]
    fn a_full_counter_waits_and_bad_values_are_refused() {
        let mut counters = Counters::new(&Wakes::default());
        counters.add(1, 0, false).unwrap();
        assert_eq!(counters.write(1, &MOST.to_le_bytes()), Ok(8));
        assert!(!counters.readiness(1).can_write());
        assert!(matches!(counters.write(1, &1u64.to_le_bytes()), Err(Stop::Wait(_))));
        assert_eq!(counters.write(1, &u64::MAX.to_le_bytes()), Err(Errno::EINVAL.into()));
        assert_eq!(counters.write(1, &[1; 7]), Err(Errno::EINVAL.into()));
        assert_eq!(counters.read(1, &mut [0; 7]), Err(Errno::EINVAL.into()));
    }

    #[test]
    fn there_is_a_most_of_them() {
        let mut counters = Counters::new(&Wakes::default());
        for number in 0..MAX_OF_A_KIND as u64 {
            counters.add(number, 0, false).unwrap();
        }
        assert_eq!(counters.add(u64::MAX, 0, false), Err(Errno::ENFILE));
    }
}
