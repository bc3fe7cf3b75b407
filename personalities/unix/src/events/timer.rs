//! Timer descriptors (timerfd_create(2)).
//!
//! A timer that has expired stands still until it is read, and then counts the periods that have
//! passed: a period of a nanosecond does not keep this server busy (as fs/timerfd.c of Linux).

use alloc::collections::BTreeMap;

use crate::Errno;
use crate::context::{Stop, Wait};
use crate::events::MAX_OF_A_KIND;
use crate::readiness::{READABLE, Readiness};
use crate::wake::{Channel, Wakes};

/// A timer.
#[derive(Clone, Copy, Default, Debug)]
pub struct Timer {
    /// When it expires, in ns since boot; nothing while it is not set.
    pub at: Option<u64>,
    /// How often from then on, in ns; 0: once.
    pub interval: u64,
    /// Whether its clock is the time of day.
    pub counts_time_of_day: bool,
    /// Whether it was set to a time of day, and so moves when that jumps.
    pub moves: bool,
    /// Whether a jump of the time of day is an error of the next read.
    pub tells_of_jumps: bool,
    /// Whether one has happened.
    pub jumped: bool,
    /// Whether its expiry was told to those that wait.
    told: bool,
}

impl Timer {
    /// Returns a timer that is set.
    pub fn set(self, at: Option<u64>, interval: u64) -> Timer {
        Timer { at, interval, told: false, jumped: false, ..self }
    }

    /// Returns how often it has expired that nobody has read.
    fn expirations(&self, now: u64) -> u64 {
        match self.at.and_then(|at| now.checked_sub(at)) {
            None => 0,
            Some(since) => 1 + since.checked_div(self.interval).unwrap_or(0),
        }
    }

    /// Returns how long it is until it expires (again), in ns; 0 where it is not set.
    pub fn left(&self, now: u64) -> u64 {
        let Some(at) = self.at else { return 0 };
        match now.checked_sub(at) {
            None => at - now,
            Some(_) if self.interval == 0 => 0,
            Some(since) => self.interval - since % self.interval,
        }
    }
}

/// All timer descriptors.
#[derive(Debug)]
pub struct TimerFiles {
    table: BTreeMap<u64, Timer>,
    wakes: Wakes,
}

impl TimerFiles {
    /// Returns an empty table that reports changes.
    pub fn new(wakes: &Wakes) -> Self {
        TimerFiles { table: BTreeMap::new(), wakes: wakes.clone() }
    }

    /// Adds a timer that is not set.
    ///
    /// # Errors
    /// ENFILE: there are [`MAX_OF_A_KIND`].
    pub fn add(&mut self, number: u64, counts_time_of_day: bool) -> Result<(), Errno> {
        if self.table.len() >= MAX_OF_A_KIND {
            return Err(Errno::ENFILE);
        }
        self.table.insert(number, Timer { counts_time_of_day, ..Timer::default() });
        Ok(())
    }

    /// Takes a timer out that nobody has open any more.
    pub fn remove(&mut self, number: u64) {
        self.table.remove(&number);
    }

    /// Returns a timer, to be changed.
    ///
    /// # Errors
    /// EBADF.
    pub fn get_mut(&mut self, number: u64) -> Result<&mut Timer, Errno> {
        self.table.get_mut(&number).ok_or(Errno::EBADF)
    }

    /// Returns how often a timer has expired, and lets it go on.
    ///
    /// # Errors
    /// Wait: not once; EINVAL: there is no room for 8 bytes; ECANCELED: the time of day jumped.
    pub fn read(&mut self, number: u64, now: u64, into: &mut [u8]) -> Result<usize, Stop> {
        let timer = self.table.get_mut(&number).ok_or(Errno::EBADF)?;
        let place = into.first_chunk_mut::<8>().ok_or(Errno::EINVAL)?;
        if core::mem::take(&mut timer.jumped) {
            return Err(Errno::ECANCELED.into());
        }
        let count = timer.expirations(now);
        if count == 0 {
            return Err(Stop::Wait(Wait::on(Channel::Timer(number))));
        }
        *place = count.to_le_bytes();
        let interval = timer.interval;
        let passed = interval.saturating_mul(count);
        timer.at = timer.at.filter(|_| interval != 0).and_then(|at| at.checked_add(passed));
        timer.told = false;
        Ok(8)
    }

    /// Returns what a timer can do.
    pub fn readiness(&self, number: u64, now: u64) -> Readiness {
        let timer = self.table.get(&number).copied().unwrap_or_default();
        let expired = timer.jumped || timer.expirations(now) != 0;
        Readiness::new(if expired { READABLE } else { 0 }, Channel::Timer(number))
    }

    /// Wakes who waits for timers that have expired; returns when the next one will.
    pub fn expire(&mut self, now: u64) -> Option<u64> {
        let mut next = None;
        for (&number, timer) in &mut self.table {
            let Some(at) = timer.at.filter(|_| !timer.told) else { continue };
            if at <= now {
                timer.told = true;
                self.wakes.add(Channel::Timer(number));
            } else {
                next = Some(next.map_or(at, |next: u64| next.min(at)));
            }
        }
        next
    }

    /// Moves the timers that are set to a time of day, which jumped by so much, and tells those that
    /// want to know.
    pub fn jump(&mut self, by: i64) {
        for (&number, timer) in self.table.iter_mut().filter(|(_, timer)| timer.moves) {
            timer.at = timer.at.map(|at| at.saturating_add_signed(by.saturating_neg()));
            timer.told = false;
            if timer.tells_of_jumps {
                timer.jumped = true;
                self.wakes.add(Channel::Timer(number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timers(at: u64, interval: u64) -> (TimerFiles, Wakes) {
        let wakes = Wakes::default();
        let mut timers = TimerFiles::new(&wakes);
        timers.add(1, true).unwrap();
        let timer = timers.get_mut(1).unwrap();
        *timer = Timer { moves: true, ..timer.set(Some(at), interval) };
        (timers, wakes)
    }

    fn read(timers: &mut TimerFiles, now: u64) -> Option<u64> {
        let mut into = [0; 8];
        timers.read(1, now, &mut into).ok()?;
        Some(u64::from_le_bytes(into))
    }

    #[test]
    fn a_timer_expires_once_or_counts_its_periods() {
        let (mut once, _) = timers(100, 0);
        assert_eq!(
            (read(&mut once, 99), read(&mut once, 500), read(&mut once, 900)),
            (None, Some(1), None)
        );
        let (mut often, _) = timers(100, 10);
        assert_eq!(read(&mut often, 135), Some(4));
        assert_eq!(often.get_mut(1).unwrap().left(135), 5);
        assert_eq!((read(&mut often, 139), read(&mut often, 140)), (None, Some(1)));
    }

    #[test]
    fn an_expiry_is_told_once_until_it_is_read() {
        let (mut timers, wakes) = timers(100, 10);
        assert_eq!(timers.expire(50), Some(100));
        assert_eq!(timers.expire(100), None);
        assert_eq!(wakes.take(), [Channel::Timer(1)]);
        assert_eq!(timers.expire(200), None);
        assert!(wakes.is_empty());
        assert_eq!(read(&mut timers, 205), Some(11));
        assert_eq!(timers.expire(205), Some(210));
    }

    #[test]
    fn a_jump_of_the_time_of_day_moves_it_and_cancels_where_asked() {
        let (mut timers, _) = timers(100, 0);
        timers.jump(40);
        assert_eq!(timers.get_mut(1).unwrap().at, Some(60));
        timers.get_mut(1).unwrap().tells_of_jumps = true;
        timers.jump(-40);
        assert!(timers.readiness(1, 0).can_read());
        assert_eq!(timers.read(1, 0, &mut [0; 8]), Err(Errno::ECANCELED.into()));
        assert_eq!(read(&mut timers, 100), Some(1));
    }

    #[test]
    fn the_shortest_period_and_the_longest_time_do_not_overflow() {
        let (mut timers, _) = timers(1, 1);
        assert_eq!(read(&mut timers, u64::MAX), Some(u64::MAX));
        assert_eq!(timers.get_mut(1).unwrap().at, None);
    }
}
