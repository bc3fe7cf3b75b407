//! Whether a server's loop still turns: asked once in each period, a state machine without a clock.
//!
//! ```text
//!            period                    period without an answer
//!   started ────────> asked, 0 missed ──> asked, 1 missed ──> asked, 2 missed ──> hung
//!                       └──────────────────── answered ────────┘
//!   hung ──it waits for another server, fewer than 9 missed──> one period more
//! ```
//!
//! A server that calls another one without a deadline misses its periods, too, when that one hangs,
//! and may be the first to have missed three. It is spared for some periods, in which the one that
//! it waits for is ended; not for ever, as two may wait for each other.
//!
//! A period begins when the one before is seen to be over, not when it should have been: a host
//! that stops the whole machine for a minute makes one period long, and counts as one missed answer
//! at most.

use alloc::collections::BTreeMap;
use alloc::string::String;

use libipc::Time;
use libipc::abi::snapshot::{Activity, Snapshot};

/// A server that misses so many periods in a row hangs.
pub const MISSES: u32 = 3;
/// One that waits for another server hangs when it has missed so many.
pub const MISSES_WAITING: u32 = 3 * MISSES;
/// The shortest period that can be declared, in ms: what runs above a server may keep it waiting
/// for some time slices, and in an emulator on a busy host these are long.
pub const SHORTEST_MS: u32 = 50;
/// The longest period that can be declared, in ms.
pub const LONGEST_MS: u32 = 60_000;

/// What is to be done with a server whose period is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is to be asked.
    Ask,
    /// It has not answered for [`MISSES`] periods; it can be spared.
    Hung,
}

/// The heartbeat of one server.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// None: it is never asked.
    period_ms: Option<u32>,
    due: Time,
    is_asked: bool,
    missed: u32,
}

impl Heartbeat {
    /// Returns the heartbeat of a server that has not started yet.
    pub const fn new(period_ms: Option<u32>) -> Self {
        Heartbeat { period_ms, due: Time::FOREVER, is_asked: false, missed: 0 }
    }

    /// Returns the period in ms, where the server has one.
    pub const fn period_ms(&self) -> Option<u32> {
        self.period_ms
    }

    /// Returns how many periods in a row went by without an answer.
    pub const fn missed(&self) -> u32 {
        self.missed
    }

    /// Returns when [`Heartbeat::rung`] has something to do.
    pub const fn due(&self) -> Time {
        self.due
    }

    /// Begins with a new life, which has a whole period before it is asked.
    pub fn started(&mut self, now: Time) {
        *self = Heartbeat::new(self.period_ms);
        self.begin_period(now);
    }

    /// Ends with a life: there is nobody to ask.
    pub fn ended(&mut self) {
        *self = Heartbeat::new(self.period_ms);
    }

    /// Takes an answer into account.
    pub fn answered(&mut self) {
        (self.is_asked, self.missed) = (false, 0);
    }

    /// Returns what is to be done at this time; nothing before it is due.
    pub fn rung(&mut self, now: Time) -> Option<Verdict> {
        if self.due > now || self.due == Time::FOREVER {
            return None;
        }
        self.missed += u32::from(self.is_asked);
        if self.missed >= MISSES {
            self.due = Time::FOREVER;
            return Some(Verdict::Hung);
        }
        self.is_asked = true;
        self.begin_period(now);
        Some(Verdict::Ask)
    }

    /// Gives a server that hangs, as it waits for another one, a period more; returns whether there
    /// was one left.
    pub fn spare(&mut self, now: Time) -> bool {
        let is_left = self.missed < MISSES_WAITING;
        if is_left {
            self.begin_period(now);
        }
        is_left
    }

    fn begin_period(&mut self, now: Time) {
        let period = self.period_ms.map(u64::from);
        self.due = period.map_or(Time::FOREVER, |period| now.after_ms(period));
    }
}

/// Returns the other server that a server's thread waits for; `servers` names who serves an
/// endpoint, by its slot.
pub fn awaited<'a>(
    thread: &Snapshot,
    own: &str,
    servers: &'a BTreeMap<u64, String>,
) -> Option<&'a str> {
    let waits = matches!(thread.activity, Activity::Calling | Activity::Open);
    let server = servers.get(&u64::from(thread.waits_for)).filter(|_| waits)?;
    // init is no server that could be ended: it is the one who asks.
    (server != own && server != "init").then_some(server.as_str())
}

#[cfg(test)]
mod tests;
