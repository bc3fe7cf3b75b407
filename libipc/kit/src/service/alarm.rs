//! Alarms: timers that tell a server that a time has come, once.

use alloc::rc::Rc;
use core::cell::Cell;

use libipc::{Error, Time, Timer, error};

/// A timer of a server's loop. Copies of it are the same alarm.
///
/// One that comes from nowhere ([`Alarm::default`]) is for tests on the host: it remembers its
/// time, and nobody is told.
#[derive(Clone, Debug, Default)]
pub struct Alarm {
    timer: Option<Timer>,
    due: Rc<Cell<Option<Time>>>,
}

impl Alarm {
    /// Returns the alarm that a timer's notification tells of.
    pub(super) fn new(timer: Timer) -> Self {
        Alarm { timer: Some(timer), due: Rc::default() }
    }

    /// Sets it for a time, in place of the one that it was set for; one that is past comes at once.
    ///
    /// # Errors
    /// What the kernel refuses; then it is not set.
    pub fn set(&self, time: Time) -> Result<(), Error> {
        self.due.set(None);
        self.timer.map_or(Ok(()), |timer| timer.set(time))?;
        self.due.set(Some(time));
        Ok(())
    }

    /// Has nobody told. A signal that is on its way does not count any more.
    ///
    /// # Errors
    /// What the kernel refuses; nobody is told nevertheless.
    pub fn cancel(&self) -> Result<(), Error> {
        self.due.set(None);
        self.timer.map_or(Ok(()), |timer| timer.set(Time::FOREVER))
    }

    /// Returns the time that it is set for, until that has come.
    pub fn due(&self) -> Option<Time> {
        self.due.get()
    }

    /// Sets it once more for the time that has not come, if there is one.
    pub(super) fn set_again(&self) {
        if let (Some(timer), Some(due)) = (self.timer, self.due.get())
            && let Err(error) = timer.set(due)
        {
            error!("an alarm is lost: {error:?}");
        }
    }

    /// Takes the time if it has come. A signal alone says little: it may have been on its way when
    /// the alarm was set anew, or left over from an earlier life of the server.
    pub(super) fn take_due(&self, now: Time) -> bool {
        let is_due = self.due.get().is_some_and(|due| due <= now);
        if is_due {
            self.due.set(None);
        }
        is_due
    }
}
