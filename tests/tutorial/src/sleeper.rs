//! A server that answers later: it wakes its callers up when their time has come.

// ANCHOR: protocol
use libipc::interface;

/// Why the sleeper refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SleepError {
    /// As many sleep already as there is room for.
    Full = 1,
    /// The kernel refused the alarm.
    Alarm = 2,
}

/// Wakes its callers up.
#[interface(number = 50, error = SleepError)]
pub trait Sleep {
    /// Returns when so many milliseconds have passed, with the kernel's time then.
    #[operation(1, deferred)]
    fn sleep(&mut self, ms: u64) -> Result<u64, SleepError>;
}
// ANCHOR_END: protocol

// ANCHOR: server
use alloc::vec::Vec;

use kamen_kit::service::{Alarm, Attention, Protocol, Service};
use libipc::{Caller, OpenCall, Time};

/// Most callers that sleep at a time.
pub const SLEEPERS_MAX: usize = 32;

/// The sleeper. Time comes in through `clock`, so that a test can bring its own.
pub struct Server<C> {
    clock: C,
    alarm: Alarm,
    sleepers: Vec<Sleeper>,
}

/// A call that is not answered yet.
struct Sleeper {
    call: OpenCall,
    due: Time,
}

impl<C: Fn() -> Time> Sleep for Server<C> {
    fn sleep(&mut self, caller: &Caller, ms: u64) -> Option<Result<u64, SleepError>> {
        if self.sleepers.len() == SLEEPERS_MAX {
            return Some(Err(SleepError::Full));
        }
        let due = (self.clock)().after_ms(ms);
        self.sleepers.push(Sleeper { call: caller.call, due });
        if self.set_alarm().is_err() {
            self.sleepers.pop();
            return Some(Err(SleepError::Alarm));
        }
        None // The loop goes on to the next request; this one stays open.
    }
}
// ANCHOR_END: server

// ANCHOR: later
impl<C: Fn() -> Time> Server<C> {
    /// Returns the sleeper with nobody asleep.
    pub fn new(clock: C, alarm: Alarm) -> Self {
        Server { clock, alarm, sleepers: Vec::new() }
    }

    /// Answers those whose time has come.
    fn wake(&mut self) {
        let now = (self.clock)();
        for sleeper in self.sleepers.extract_if(.., |sleeper| sleeper.due <= now) {
            // A caller that is gone needs no answer.
            let _ = sleeper.call.reply(&sleep_reply::sleep(Ok(now.0)));
        }
    }

    /// Sets the alarm for who is to be woken up first.
    fn set_alarm(&self) -> Result<(), libipc::Error> {
        let first = self.sleepers.iter().map(|sleeper| sleeper.due).min();
        first.map_or(Ok(()), |due| self.alarm.set(due))
    }
}
// ANCHOR_END: later

// ANCHOR: service
/// What the sleeper hears besides requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Somebody's time has come.
    Alarm,
}

impl<C: Fn() -> Time + 'static> Service for Server<C> {
    type Source = Source;
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(sleep_label::PROTOCOL, serve_sleep)];

    fn occurred(&mut self, source: Source) -> Attention {
        match source {
            Source::Alarm => self.wake(),
        }
        // Without an alarm the others would sleep for ever: the next life begins with none.
        self.set_alarm().expect("an alarm that could be set can be set again");
        Attention::Done
    }

    fn cancelled(&mut self, call: OpenCall) {
        self.sleepers.retain(|sleeper| !sleeper.call.is_ended_by(call));
    }
}
// ANCHOR_END: service

#[cfg(test)]
mod tests;
