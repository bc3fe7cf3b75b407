//! The quick way: operations that end at once, or have their thread wait for a signal.
//!
//! As in `fast.rs`, every check comes before the first change, and whatever is not as usual is
//! left to the slow path, which starts from the beginning:
//!
//! ```text
//!   Null      (nothing)
//!   Yield     an equal is ready
//!   Signal    a thread is bound to the notification and receives
//!   Wait      no bit is set, and the deadline is neither NOW nor FOREVER
//!   Copy      a place is an extended state, or memory that has to be made or to be found by its
//!             object's pages in order to be written; more than two pages (`copy/quick.rs`)
//!   any       the capability is missing or of another kind, lacks the right, or names nothing
//! ```
//!
//! As long as the thread that asked goes on, nothing it has in registers changes but rax and rdi, so
//! that the machine need save only the registers that a function may change. Where another one goes
//! on ([`Outcome::ELSEWHERE`]), the machine saves the rest then.

use kamen_abi::{Error, FOREVER, Handle, NOW, Operation, Rights};

use crate::arena::Id;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::notification::Notification;
use crate::queue::NIL;
use crate::thread::State;

/// The result of an operation: status for rax, value for rdi.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Outcome {
    /// 0 or an [`Error`].
    pub status: u64,
    /// Word 0.
    pub value: u64,
}

impl Outcome {
    /// The status for "nothing has happened". No operation returns it, nor the next.
    pub const UNDONE: u64 = u64::MAX;
    /// The status for "the outcome is in the saved registers of the thread that asked, or it waits
    /// for one": [`Kernel::next`] tells who goes on.
    pub const ELSEWHERE: u64 = 1 << 63;

    #[inline(always)]
    const fn success(value: u64) -> Self {
        Outcome { status: 0, value }
    }
}

impl<M: Machine> Kernel<M> {
    /// Performs an operation of the current, native thread if that can be done at once; its
    /// number, target, word 0 and deadline are those in rax, r12, rdi and r14, the other words as
    /// saved.
    #[inline(always)]
    pub fn quick(&mut self, number: u64, target: u64, word: u64, deadline: u64) -> Outcome {
        const NULL: u64 = Operation::Null as u64;
        const SIGNAL: u64 = Operation::Signal as u64;
        const WAIT: u64 = Operation::Wait as u64;
        const YIELD: u64 = Operation::Yield as u64;
        const COPY: u64 = Operation::Copy as u64;
        let outcome = match number {
            SIGNAL => self.quick_signal(target, word),
            WAIT => self.quick_wait(target, word, deadline),
            YIELD => self.quick_yield(word),
            NULL => Some(Outcome::success(word)),
            COPY => self.quick_copy().map(Outcome::success),
            _ => None,
        };
        outcome.unwrap_or(Outcome { status: Outcome::UNDONE, value: word })
    }

    #[inline(always)]
    fn quick_yield(&self, word: u64) -> Option<Outcome> {
        let priority = self.threads.at(self.cpu.current)?.priority;
        (!self.cpu.ready.has_at(priority)).then_some(Outcome::success(word))
    }

    #[inline(always)]
    fn quick_signal(&mut self, target: u64, word: u64) -> Option<Outcome> {
        let current = self.threads.at(self.cpu.current)?;
        let handle = Handle(u16::try_from(target).ok()?);
        let table = self.tables.get(current.table?)?;
        let (id, badge) = table.notification(&self.vm.machine, handle, Rights::SEND)?;
        let bits = if badge != 0 { badge } else { word };
        let notification = self.notifications.get_mut(id)?;
        if !notification.waiters.is_empty() {
            return Some(self.quick_wake(id, bits, word));
        }
        if notification.bound != NIL
            && let State::Receiving(_) = self.threads.at(notification.bound)?.state
        {
            return None;
        }
        notification.bits |= bits;
        Some(Outcome::success(word))
    }

    /// Signals a notification that a thread waits for.
    #[inline(never)]
    fn quick_wake(&mut self, id: Id<Notification>, bits: u64, word: u64) -> Outcome {
        let current = self.cpu.current;
        self.signal(id, bits);
        if self.cpu.current != current {
            self.threads[current].registers.rax = 0;
            return Outcome { status: Outcome::ELSEWHERE, value: word };
        }
        self.cpu.bar = self.cpu.bar_by_ready();
        Outcome::success(word)
    }

    #[inline(always)]
    fn quick_wait(&mut self, target: u64, word: u64, deadline: u64) -> Option<Outcome> {
        let current = self.threads.at(self.cpu.current)?;
        let handle = Handle(u16::try_from(target).ok()?);
        let table = self.tables.get(current.table?)?;
        let (id, _) = table.notification(&self.vm.machine, handle, Rights::RECEIVE)?;
        let notification = self.notifications.get_mut(id)?;
        match core::mem::take(&mut notification.bits) {
            0 if deadline == NOW => Some(Outcome { status: Error::WouldBlock as u64, value: word }),
            0 if deadline == FOREVER => {
                notification.admit(id, &mut self.threads.slots(), self.cpu.current);
                self.give_up();
                Some(Outcome { status: Outcome::ELSEWHERE, value: word })
            }
            0 => None,
            bits => Some(Outcome::success(bits)),
        }
    }
}
