//! Sets of signals, what processes do on them, and those that wait to be taken.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::linux::signals::{self, Default as DefaultAction, code};

/// A set of signals; bit n-1 is signal n (`sigset_t`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SignalSet(pub u64);

impl SignalSet {
    /// Returns the set of one signal, from 1 to [`signals::MAX`].
    pub const fn of(signal: u8) -> Self {
        SignalSet(1 << (signal - 1))
    }

    /// Returns whether a signal is in the set.
    pub const fn contains(self, signal: u8) -> bool {
        self.0 & Self::of(signal).0 != 0
    }

    /// Returns the signals in either set.
    pub const fn union(self, other: SignalSet) -> Self {
        SignalSet(self.0 | other.0)
    }

    /// Returns the signals that are not in the other set.
    pub const fn without(self, other: SignalSet) -> Self {
        SignalSet(self.0 & !other.0)
    }

    /// Returns the set as a thread's mask: SIGKILL and SIGSTOP cannot be masked.
    pub const fn maskable(self) -> Self {
        self.without(Self::of(signals::SIGKILL)).without(Self::of(signals::SIGSTOP))
    }

    /// Returns the lowest signal.
    pub const fn first(self) -> Option<u8> {
        if self.0 == 0 { None } else { Some(self.0.trailing_zeros() as u8 + 1) }
    }
}

/// Signals that faults cause (`SYNCHRONOUS_MASK`, kernel/signal.c).
const SYNCHRONOUS: SignalSet = SignalSet::of(signals::SIGSEGV)
    .union(SignalSet::of(signals::SIGBUS))
    .union(SignalSet::of(signals::SIGILL))
    .union(SignalSet::of(signals::SIGTRAP))
    .union(SignalSet::of(signals::SIGFPE))
    .union(SignalSet::of(signals::SIGSYS));

/// What a process does on a signal (`struct sigaction` of the kernel, 32 bytes).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Action {
    /// [`signals::DEFAULT`], [`signals::IGNORE`] or the handler's address.
    pub handler: u64,
    /// Flags ([`signals::action`]).
    pub flags: u64,
    /// Where the handler returns to.
    pub restorer: u64,
    /// Signals masked while it runs.
    pub mask: SignalSet,
}

/// What a process does on each signal: two KiB, which do not lie within the process, so that one
/// is cheap to move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actions {
    all: Box<[Action; signals::MAX as usize]>,
    /// Those on which something else than the default is done.
    handled: SignalSet,
}

impl Default for Actions {
    fn default() -> Self {
        let all = Box::new([Action::default(); signals::MAX as usize]);
        Actions { all, handled: SignalSet::default() }
    }
}

impl Actions {
    /// Returns the action on a signal.
    pub fn of(&self, signal: u8) -> Action {
        self.all.get(usize::from(signal) - 1).copied().unwrap_or_default()
    }

    /// Sets the action on a signal.
    pub fn set(&mut self, signal: u8, action: Action) {
        let Some(slot) = self.all.get_mut(usize::from(signal) - 1) else { return };
        *slot = action;
        let bit = SignalSet::of(signal);
        let is_default = action == Action::default();
        self.handled = if is_default { self.handled.without(bit) } else { self.handled.union(bit) };
    }

    /// Returns the signals on which something else than the default is done.
    pub fn handled(&self) -> SignalSet {
        self.handled
    }

    /// Returns whether a signal has no effect.
    pub fn ignores(&self, signal: u8) -> bool {
        match self.of(signal).handler {
            signals::DEFAULT => signals::default(signal) == DefaultAction::Ignore,
            signals::IGNORE => true,
            _ => false,
        }
    }

    /// Forgets the handlers, as exec does; what is ignored stays ignored.
    pub fn reset(&mut self) {
        let mut handled = self.handled;
        while let Some(signal) = handled.first() {
            handled = handled.without(SignalSet::of(signal));
            let ignored = self.of(signal).handler == signals::IGNORE;
            let handler = if ignored { signals::IGNORE } else { signals::DEFAULT };
            self.set(signal, Action { handler, ..Action::default() });
        }
    }
}

/// Where a signal came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info {
    /// The signal.
    pub signal: u8,
    /// Why (`si_code`).
    pub code: i32,
    /// The sender's process, or the child's.
    pub pid: u32,
    /// The sender's user.
    pub uid: u32,
    /// A child's status, or the address of a fault.
    pub value: u64,
}

impl Info {
    /// Returns the information of a signal that the system sends.
    pub const fn of_system(signal: u8) -> Self {
        Info { signal, code: code::KERNEL, pid: 0, uid: 0, value: 0 }
    }

    /// Returns the information of a signal that a process sends.
    pub const fn of_user(signal: u8, pid: u32, uid: u32) -> Self {
        Info { signal, code: code::USER, pid, uid, value: 0 }
    }

    /// Returns whether the signal reports a fault, whose `value` is an address.
    pub const fn is_fault(&self) -> bool {
        let fault = matches!(
            self.signal,
            signals::SIGSEGV | signals::SIGILL | signals::SIGFPE | signals::SIGBUS
        );
        fault && self.code > 0
    }
}

/// Most signals that wait in one process or thread for realtime's sake (Linux bounds them for each
/// user by `RLIMIT_SIGPENDING`, which is some thousands).
pub const MAX_QUEUED: usize = 256;

/// Signals that wait to be taken: standard ones once, realtime ones in the order they came in
/// (signal(7), "Queueing and delivery semantics for standard signals", "Real-time signals").
#[derive(Clone, Default, Debug)]
pub struct Pending {
    set: SignalSet,
    infos: Vec<Info>,
}

impl Pending {
    /// Returns which signals wait.
    pub fn set(&self) -> SignalSet {
        self.set
    }

    /// Adds a signal, a standard one unless it waits already; refused (false) where the queue is
    /// full. What waits for the first time is never refused.
    pub fn add(&mut self, info: Info) -> bool {
        let waits = self.set.contains(info.signal);
        if waits && info.signal < signals::FIRST_REALTIME {
            return true;
        }
        if waits && self.infos.len() >= MAX_QUEUED {
            return false;
        }
        self.set = self.set.union(SignalSet::of(info.signal));
        self.infos.push(info);
        true
    }

    /// Returns whether another signal of this number has room.
    pub fn has_room(&self, signal: u8) -> bool {
        signal < signals::FIRST_REALTIME
            || !self.set.contains(signal)
            || self.infos.len() < MAX_QUEUED
    }

    /// Returns the signals that wait, in the order they came in.
    pub fn infos(&self) -> &[Info] {
        &self.infos
    }

    /// Returns which signal is to be taken next by who masks some: a fault's, so that its handler
    /// finds the instruction where it was, or the lowest (`dequeue_synchronous_signal` and
    /// `next_signal`, kernel/signal.c).
    #[inline]
    pub fn next(&self, mask: SignalSet) -> Option<u8> {
        let open = self.set.without(mask);
        if open.0 & SYNCHRONOUS.0 == 0 { open.first() } else { self.next_fault(open) }
    }

    fn next_fault(&self, open: SignalSet) -> Option<u8> {
        let faults = SignalSet(open.0 & SYNCHRONOUS.0);
        let is_fault = |info: &&Info| info.code > code::USER && faults.contains(info.signal);
        self.infos.iter().find(is_fault).map_or(faults.first(), |info| Some(info.signal))
    }

    /// Takes a signal out.
    pub fn take(&mut self, signal: u8) -> Option<Info> {
        let at = self.infos.iter().position(|info| info.signal == signal)?;
        let info = self.infos.remove(at);
        if !self.infos.iter().any(|info| info.signal == signal) {
            self.set = self.set.without(SignalSet::of(signal));
        }
        Some(info)
    }

    /// Returns whether each signal that waits has its origin, and no other has.
    pub fn is_sound(&self) -> bool {
        let origins =
            self.infos.iter().fold(SignalSet(0), |set, info| set.union(SignalSet::of(info.signal)));
        origins == self.set
    }

    /// Drops signals.
    pub fn drop_all(&mut self, set: SignalSet) {
        self.set = self.set.without(set);
        self.infos.retain(|info| !set.contains(info.signal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_count_from_one() {
        assert_eq!(SignalSet::of(1).0, 1);
        assert_eq!(SignalSet::of(64).0, 1 << 63);
        assert_eq!(SignalSet(0b110).first(), Some(2));
        assert!(!SignalSet(u64::MAX).maskable().contains(signals::SIGKILL));
    }

    #[test]
    fn a_signal_waits_once_with_its_first_origin() {
        let mut pending = Pending::default();
        pending.add(Info::of_user(2, 7, 0));
        pending.add(Info::of_user(2, 8, 0));
        assert_eq!(pending.take(2).map(|info| info.pid), Some(7));
        assert_eq!(pending.take(2), None);
        assert_eq!(pending.set(), SignalSet(0));
    }

    #[test]
    fn realtime_signals_queue_in_order_up_to_a_bound() {
        let mut pending = Pending::default();
        for value in 0..3 {
            assert!(pending.add(Info { value, ..Info::of_user(40, 7, 0) }));
        }
        pending.add(Info::of_user(34, 7, 0));
        let values = |pending: &mut Pending| pending.take(40).map(|info| info.value);
        assert_eq!([values(&mut pending), values(&mut pending)], [Some(0), Some(1)]);
        assert!(pending.set().contains(40), "one is left");
        assert_eq!(values(&mut pending), Some(2));
        assert_eq!(pending.set(), SignalSet::of(34));
        for _ in 1..MAX_QUEUED {
            assert!(pending.add(Info::of_user(34, 7, 0)));
        }
        assert!(!pending.add(Info::of_user(34, 7, 0)) && !pending.has_room(34));
        assert!(pending.add(Info::of_user(35, 7, 0)), "the first of its number");
    }

    #[test]
    fn exec_keeps_what_is_ignored_and_forgets_handlers() {
        let mut actions = Actions::default();
        actions.set(2, Action { handler: signals::IGNORE, ..Action::default() });
        actions.set(15, Action { handler: 0x1234, ..Action::default() });
        actions.reset();
        assert!(actions.ignores(2) && actions.ignores(signals::SIGCHLD));
        assert_eq!(actions.of(15), Action::default());
    }
}
