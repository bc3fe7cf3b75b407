//! Timers that send signals: POSIX timers and those of setitimer(2) that measure running time.
//!
//! ```text
//!   Timers: (process, number) ── Timer: clock, due, interval, whom to tell
//!     0, 1, 2 …   timer_create(2)         -2, -3   ITIMER_VIRTUAL, ITIMER_PROF
//! ```
//!
//! Plain data. Time that a process runs is not reported by anybody: a timer of it is looked at
//! when it could have expired at the earliest.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::linux::signals::code;
use crate::process::{Pid, RunTime, State, Thread, ThreadNumber};
use crate::signal::Info;
use crate::unix::Unix;

/// Most timers of a process (Linux counts them against `RLIMIT_SIGPENDING`).
pub const MAX_TIMERS: usize = 64;
/// The shortest time between two looks at timers, in ns: a period of 1 ns must not keep this
/// server busy (Linux sets a timer anew only when its signal is taken).
pub const SHORTEST: u64 = 100_000;

/// How long after a look at running time the next one comes at the earliest, in ns (a tick of
/// Linux with CONFIG_HZ=1000).
const TICK: u64 = 1_000_000;
/// The same where none of the threads runs.
const REST: u64 = 20_000_000;

/// Names a timer: its process and its number there.
pub type TimerId = (Pid, i32);

/// What a timer measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// The time of day, in ns since 1970.
    Day,
    /// Time, in ns since boot.
    Time,
    /// The time that a process's threads have run.
    Process(Pid, Part),
    /// The time that a thread has run.
    Thread(ThreadNumber, Part),
}

/// What of a running time counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What the program did itself, and what was done for its calls.
    All,
    /// The first alone.
    User,
}

impl Part {
    fn of(self, time: RunTime) -> u64 {
        match self {
            Part::All => time.total(),
            Part::User => time.user,
        }
    }
}

/// Whom a timer tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// Its process, by a signal.
    Process,
    /// A thread, by a signal.
    Thread(ThreadNumber),
    /// Nobody: it is asked.
    Nobody,
}

/// A timer.
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    /// What it measures.
    pub clock: Clock,
    /// Whom it tells.
    pub target: Target,
    /// By which signal.
    pub signal: u8,
    /// Why (`si_code`).
    pub code: i32,
    /// What comes with the signal.
    pub value: u64,
    /// When it expires on its clock; nothing while it is not set.
    pub due: Option<u64>,
    /// How often from then on, in ns; 0: once.
    pub interval: u64,
    /// Expirations since its signal was sent.
    pub overrun: u32,
    /// The same when its signal was taken (timer_getoverrun(2)).
    pub last_overrun: u32,
}

impl Timer {
    /// Returns a timer that is not set.
    pub fn new(clock: Clock, target: Target, signal: u8, code: i32, value: u64) -> Self {
        let (due, interval, overrun, last_overrun) = (None, 0, 0, 0);
        Timer { clock, target, signal, code, value, due, interval, overrun, last_overrun }
    }

    /// Takes note of the time; returns how often it has expired.
    fn expire(&mut self, now: u64) -> u64 {
        let Some(due) = self.due.filter(|&due| due <= now) else { return 0 };
        if self.interval == 0 {
            self.due = None;
            return 1;
        }
        let times = (now - due) / self.interval + 1;
        self.due = Some(due.saturating_add(times.saturating_mul(self.interval)));
        times
    }
}

/// All timers.
pub type Timers = BTreeMap<TimerId, Timer>;

impl Unix {
    /// Returns the time on a clock; 0 on that of a process or thread which has ended.
    pub(crate) fn clock(&mut self, clock: Clock) -> u64 {
        match clock {
            Clock::Day => self.machine.boot_time().saturating_add(self.machine.now()),
            Clock::Time => self.machine.now(),
            Clock::Process(pid, part) => part.of(crate::proc::run_time(self, pid)),
            Clock::Thread(number, part) => {
                let handle = self.threads.get(&number).map(|thread| thread.handle);
                handle.map_or(0, |handle| part.of(self.machine.run_time(handle)))
            }
        }
    }

    /// Returns how long from now to look at a clock again that is to advance by `rest`, in ns.
    pub(crate) fn soonest_run(&mut self, clock: Clock, rest: u64) -> u64 {
        let runs = |thread: &&Thread| thread.state == State::Running;
        let running = match clock {
            Clock::Day | Clock::Time => return rest.max(SHORTEST),
            Clock::Process(pid, _) => {
                self.threads.values().filter(runs).filter(|thread| thread.pid == pid).count()
            }
            Clock::Thread(number, _) => {
                self.threads.get(&number).iter().filter(|t| runs(t)).count()
            }
        };
        match running as u64 {
            0 => rest.max(REST),
            // Several threads use time faster than it passes.
            running => (rest / running.min(self.machine.processors())).max(TICK),
        }
    }

    /// Sets a timer to a time on its clock, or stops it; returns how much it had left, and its
    /// interval.
    pub(crate) fn set_timer(
        &mut self,
        id: TimerId,
        due: Option<u64>,
        interval: u64,
    ) -> Option<(u64, u64)> {
        let before = self.timer_left(id)?;
        let timer = self.timers.get_mut(&id)?;
        (timer.due, timer.interval, timer.overrun) = (due, interval, 0);
        if let Some(at) = self.looked_at(id) {
            self.wake_at(at);
        }
        Some(before)
    }

    /// Returns how much a timer has left, and its interval.
    pub(crate) fn timer_left(&mut self, id: TimerId) -> Option<(u64, u64)> {
        let timer = *self.timers.get(&id)?;
        let now = self.clock(timer.clock);
        // What has expired and is not told yet has something left (timer_settime(2)).
        let left = timer.due.map_or(0, |due| due.saturating_sub(now).max(1));
        Some((left, timer.interval))
    }

    /// Returns when a timer is to be looked at, in ns since boot.
    fn looked_at(&mut self, id: TimerId) -> Option<u64> {
        let timer = *self.timers.get(&id)?;
        let due = timer.due?;
        let rest = due.saturating_sub(self.clock(timer.clock));
        let pause = self.soonest_run(timer.clock, rest);
        Some(self.machine.now().saturating_add(pause))
    }

    /// Sends the signals of those timers that have expired; returns when to look again.
    pub(crate) fn expire_timers(&mut self) -> Option<u64> {
        if self.timers.is_empty() {
            return None;
        }
        let ids: Vec<TimerId> = self.timers.keys().copied().collect();
        for &id in &ids {
            let Some(clock) = self.timers.get(&id).filter(|t| t.due.is_some()).map(|t| t.clock)
            else {
                continue;
            };
            let now = self.clock(clock);
            let times = self.timers.get_mut(&id).map_or(0, |timer| timer.expire(now));
            if times != 0 {
                self.tell(id, times);
            }
        }
        ids.into_iter().filter_map(|id| self.looked_at(id)).min()
    }

    /// Sends a timer's signal, unless the last one waits still.
    fn tell(&mut self, id: TimerId, times: u64) {
        let Some(timer) = self.timers.get(&id).copied() else { return };
        let is_own = |info: &Info| info.code == code::TIMER && info.pid == id.1 as u32;
        let waits = match timer.target {
            Target::Nobody => return,
            Target::Process => self.processes.get(&id.0).map(|p| p.pending.infos()),
            Target::Thread(number) => self.threads.get(&number).map(|t| t.pending.infos()),
        };
        let waits = timer.code == code::TIMER && waits.is_some_and(|all| all.iter().any(is_own));
        let more = u32::try_from(times).unwrap_or(u32::MAX) - u32::from(!waits);
        if let Some(timer) = self.timers.get_mut(&id) {
            timer.overrun = timer.overrun.saturating_add(more);
        }
        if waits {
            return;
        }
        let Timer { signal, code, value, .. } = timer;
        let info = if code == code::TIMER {
            Info { signal, code, pid: id.1 as u32, uid: 0, value }
        } else {
            Info::of_system(signal)
        };
        match timer.target {
            Target::Thread(number) => self.send_to_thread(number, info),
            Target::Process | Target::Nobody => self.send(id.0, info),
        }
    }

    /// Returns a signal as it is taken: a timer's with how often that has expired since it was sent.
    pub(crate) fn taken(&mut self, pid: Pid, info: Info) -> Info {
        if info.code != code::TIMER {
            return info;
        }
        let Some(timer) = self.timers.get_mut(&(pid, info.pid as i32)) else { return info };
        timer.last_overrun = core::mem::take(&mut timer.overrun).min(i32::MAX as u32);
        Info { uid: timer.last_overrun, ..info }
    }

    /// Deletes the timers of a process: all when it ends; setitimer's stay when it executes
    /// another program (execve(2), setitimer(2)).
    pub(crate) fn delete_timers(&mut self, pid: Pid, which: Deleted) {
        self.timers.retain(|&(owner, number), _| {
            owner != pid || (which == Deleted::Created && number < 0)
        });
    }
}

/// Which timers go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deleted {
    /// All.
    All,
    /// Those of timer_create(2).
    Created,
}

#[cfg(test)]
mod tests;
