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
#[derive(Clone, Debug)]
pub struct Actions(Box<[Action; signals::MAX as usize]>);

impl Default for Actions {
    fn default() -> Self {
        Actions(Box::new([Action::default(); signals::MAX as usize]))
    }
}

impl Actions {
    /// Returns the action on a signal.
    pub fn of(&self, signal: u8) -> Action {
        self.0.get(usize::from(signal) - 1).copied().unwrap_or_default()
    }

    /// Sets the action on a signal.
    pub fn set(&mut self, signal: u8, action: Action) {
        if let Some(slot) = self.0.get_mut(usize::from(signal) - 1) {
            *slot = action;
        }
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
        for action in self.0.iter_mut() {
            let ignored = action.handler == signals::IGNORE;
            let handler = if ignored { signals::IGNORE } else { signals::DEFAULT };
            *action = Action { handler, ..Action::default() };
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

/// Signals that wait to be taken; each at most once.
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

    /// Adds a signal unless it waits already.
    pub fn add(&mut self, info: Info) {
        if !self.set.contains(info.signal) {
            self.set = self.set.union(SignalSet::of(info.signal));
            self.infos.push(info);
        }
    }

    /// Takes a signal out.
    pub fn take(&mut self, signal: u8) -> Option<Info> {
        self.set = self.set.without(SignalSet::of(signal));
        let at = self.infos.iter().position(|info| info.signal == signal)?;
        Some(self.infos.swap_remove(at))
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
    fn exec_keeps_what_is_ignored_and_forgets_handlers() {
        let mut actions = Actions::default();
        actions.set(2, Action { handler: signals::IGNORE, ..Action::default() });
        actions.set(15, Action { handler: 0x1234, ..Action::default() });
        actions.reset();
        assert!(actions.ignores(2) && actions.ignores(signals::SIGCHLD));
        assert_eq!(actions.of(15), Action::default());
    }
}
