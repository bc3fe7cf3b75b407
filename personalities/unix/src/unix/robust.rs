//! What a thread leaves behind in memory that others see: its robust futexes, and the word that
//! tells its end.

use alloc::rc::Rc;
use core::cell::RefCell;

use libipc::Memory;

use crate::calls::futex::inheriting::{OWNER, OWNER_DIED, WAITERS, key_of_waiters};
use crate::calls::futex::key_of;
use crate::machine::Access;
use crate::memory::{Mm, PAGE};
use crate::process::{Pid, ThreadNumber};
use crate::unix::Unix;

/// Most entries of a list that are looked at (`ROBUST_LIST_LIMIT`).
const MOST: usize = 2048;
/// The bit of an entry's address that marks a futex with priority inheritance.
const INHERITING: u64 = 1;

/// Memory of a process whose thread ends, reached through its objects: the thread has no open call.
struct Left<'u> {
    unix: &'u mut Unix,
    mm: Rc<RefCell<Mm>>,
    pid: Pid,
    tid: Pid,
}

impl Unix {
    /// Does for a thread that ends, or executes a program, what the kernel does for its memory:
    /// marks the robust futexes that it holds (set_robust_list(2)), and clears the word that says
    /// that it lives (set_tid_address(2)) where others see it.
    pub(crate) fn leave_memory(&mut self, number: ThreadNumber) {
        let Some(thread) = self.threads.get_mut(&number) else { return };
        let head = core::mem::take(&mut thread.robust_list);
        let clear_tid = core::mem::take(&mut thread.clear_tid);
        self.futexes.forget(number);
        if head == 0 && clear_tid == 0 {
            return;
        }
        let Some(thread) = self.threads.get(&number) else { return };
        let (pid, tid) = (thread.pid, thread.tid);
        let Some(process) = self.processes.get(&pid) else { return };
        let Some(mm) = process.mm.clone() else { return };
        // This one and the process's.
        let is_seen = process.threads.len() > 1 || Rc::strong_count(&mm) > 2;
        let mut left = Left { unix: self, mm, pid, tid };
        if head != 0 {
            left.mark_robust(head);
        }
        if clear_tid != 0 && is_seen && left.write(clear_tid, 0).is_some() {
            let key = key_of(left.unix, pid, clear_tid);
            left.unix.wake_futex(key, 1, u32::MAX);
        }
    }
}

impl Left<'_> {
    /// Walks a robust list: `struct robust_list_head { next, offset of the futex, pending }`.
    fn mark_robust(&mut self, head: u64) -> Option<()> {
        let mut entry = self.word(head)?;
        let offset = self.word(head.wrapping_add(8))?;
        let pending = self.word(head.wrapping_add(16))?;
        for _ in 0..MOST {
            let at = entry & !INHERITING;
            if at == head || at == 0 {
                break;
            }
            // The next one is read before this one's futex is given up.
            let next = self.word(at);
            if at != pending & !INHERITING {
                self.mark(at.wrapping_add(offset), false);
            }
            match next {
                Some(next) => entry = next,
                None => break,
            }
        }
        if pending & !INHERITING != 0 {
            self.mark((pending & !INHERITING).wrapping_add(offset), true);
        }
        Some(())
    }

    /// Marks one futex, if the thread holds it, and wakes one who waits for it; also where it was
    /// about to be given up and nobody has it.
    fn mark(&mut self, address: u64, is_pending: bool) -> Option<()> {
        if !address.is_multiple_of(4) {
            return None;
        }
        let value = self.read(address)?;
        let key = key_of(self.unix, self.pid, address);
        if is_pending && value == 0 {
            self.unix.wake_futex(key, 1, u32::MAX);
        }
        if value & OWNER != self.tid.0 {
            return None;
        }
        if let Some((heir, tid)) = self.unix.heir(key_of_waiters(key)) {
            self.write(address, WAITERS | OWNER_DIED | tid)?;
            self.unix.inherit(heir);
            return Some(());
        }
        self.write(address, value & WAITERS | OWNER_DIED)?;
        if value & WAITERS != 0 {
            self.unix.wake_futex(key, 1, u32::MAX);
        }
        Some(())
    }

    /// Returns where an address lies, if it may be accessed so.
    fn place(&self, address: u64, wanted: Access) -> Option<(Memory, u64)> {
        let mm = self.mm.borrow();
        let region = mm.region_at(address).filter(|region| region.access.covers(wanted))?;
        Some((region.backing.memory(), region.page_at(address) * PAGE + address % PAGE))
    }

    fn read(&mut self, address: u64) -> Option<u32> {
        let (memory, offset) = self.place(address, Access::Read)?;
        let mut word = [0; 4];
        self.unix.machine.read_memory(memory, offset, &mut word).ok()?;
        Some(u32::from_le_bytes(word))
    }

    fn word(&mut self, address: u64) -> Option<u64> {
        // One that crosses a page need not be in one object.
        let (low, high) = (self.read(address)?, self.read(address.checked_add(4)?)?);
        Some(u64::from(low) | u64::from(high) << 32)
    }

    fn write(&mut self, address: u64, value: u32) -> Option<()> {
        let (memory, offset) = self.place(address, Access::Write)?;
        self.unix.machine.write_memory(memory, offset, &value.to_le_bytes()).ok()
    }
}
