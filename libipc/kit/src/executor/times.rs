//! Times that tasks wait for, beneath one alarm.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use libipc::{Error, Time};

use crate::service::Alarm;

/// The times, and who waits for each.
#[derive(Debug)]
pub(super) struct Times {
    alarm: Alarm,
    /// By time, and among equals in the order in which they were asked for.
    waiting: BTreeMap<(Time, u64), Waker>,
    asked: u64,
}

impl Times {
    pub(super) const fn new(alarm: Alarm) -> Self {
        Times { alarm, waiting: BTreeMap::new(), asked: 0 }
    }

    /// Returns whether a time may have come: the alarm has, or was not set yet.
    pub(super) fn is_due(&self) -> bool {
        !self.waiting.is_empty() && self.alarm.due().is_none()
    }

    /// Wakes those whose time has come.
    pub(super) fn wake(&mut self, now: Time) {
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now
        {
            first.remove().wake();
        }
    }

    /// Sets the alarm for the first of the times.
    pub(super) fn arm(&mut self) -> Result<(), Error> {
        match self.waiting.first_key_value() {
            Some((&(first, _), _)) if self.alarm.due() != Some(first) => self.alarm.set(first),
            None if self.alarm.due().is_some() => self.alarm.cancel(),
            Some(_) | None => Ok(()),
        }
    }
}

/// Ends when its time has come.
pub(super) struct At {
    times: Rc<RefCell<Times>>,
    time: Time,
    /// Its place among those who wait.
    asked: Option<u64>,
}

impl At {
    pub(super) const fn new(times: Rc<RefCell<Times>>, time: Time) -> Self {
        At { times, time, asked: None }
    }
}

impl Future for At {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let At { times, time, asked } = &mut *self;
        let mut times = times.borrow_mut();
        let key = match *asked {
            // Whoever woke it for its time has removed it.
            Some(asked) if !times.waiting.contains_key(&(*time, asked)) => return Poll::Ready(()),
            Some(asked) => (*time, asked),
            None => {
                times.asked += 1;
                (*time, *asked.insert(times.asked))
            }
        };
        times.waiting.insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for At {
    fn drop(&mut self) {
        if let Some(asked) = self.asked {
            self.times.borrow_mut().waiting.remove(&(self.time, asked));
        }
    }
}
