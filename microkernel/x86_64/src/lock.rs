//! The kernel's one lock, and what its holder asks of processors that do not have it.
//!
//! ```text
//!   31..8   processor that has the lock, or had it last
//!    7..0   1 while somebody has it, 0 while it is free
//! ```
//! A processor takes the lock by replacing (itself, free) by (itself, held). That succeeds only
//! if nobody else had it in between, so that the kernel's state is still set up for this one: the
//! price of the lock where nobody contends for it is this one instruction, and one store to free
//! it (`entry/leave.rs`, `entry/idle.rs`). Everything else is in [`acquire`].
//!
//! The holder may ask something of another processor and wait for the answer. The other gets an
//! interrupt; it is in user space or idle, or in the few instructions between there and its own
//! lock, and so comes to wait in `acquire` before long, where it answers. The holder waits for
//! nothing else, and only holders ask: nobody waits in a circle. While the lock is free nothing
//! is asked.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use kamen_core::{MAX_PROCESSORS, Ways};

use crate::per_cpu::PerCpu;
use crate::undo::{Entry, undo};

const HELD: u32 = 1;
/// In a processor's own word for the lock: [`try_acquire`] never succeeds, so that every entry
/// comes to [`acquire`], and from there takes no fast way.
const CLOSED: u32 = 1 << 31;

/// The lock; boot has it.
pub(crate) static LOCK: AtomicU32 = AtomicU32::new(word(0) | HELD);

/// Returns the lock's word where it is free and a processor had it last.
pub(crate) const fn word(processor: u8) -> u32 {
    (processor as u32) << 8
}

/// Returns what a processor is to have as its own word for the lock.
pub(crate) const fn own_word(processor: u8, ways: Ways) -> u32 {
    match ways {
        Ways::All => word(processor),
        Ways::Recorded => word(processor) | CLOSED,
    }
}

/// Something asked of a processor; the discriminants are what mailboxes hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// Flush the TLB: page tables of the space that it has loaded have changed.
    Flush,
    /// Leave its address space for the one at this physical address.
    Leave(u64),
    /// Save the extended state to this address, of these components (0: by FXSAVE).
    Save(u64, u64),
    /// Undo what brought it here: its thread is taken away.
    Undo,
}

const FLUSH: u32 = 1;
const LEAVE: u32 = 2;
const SAVE: u32 = 3;
const UNDO: u32 = 4;

/// What is asked of one processor; 0: nothing.
struct Mailbox {
    asked: AtomicU32,
    arguments: [AtomicU64; 2],
}

static MAILBOXES: [Mailbox; MAX_PROCESSORS as usize] =
    [const { Mailbox { asked: AtomicU32::new(0), arguments: [const { AtomicU64::new(0) }; 2] } };
        MAX_PROCESSORS as usize];

/// How [`acquire`] ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Acquired {
    /// What the processor entered for is still to be done.
    pub(crate) stands: bool,
    /// Another processor had the lock in between.
    pub(crate) changed: bool,
}

/// Takes the lock if it is free and this processor had it last.
#[inline(always)]
pub(crate) fn try_acquire() -> bool {
    let mine = PerCpu::lock();
    LOCK.compare_exchange(mine, mine.wrapping_add(HELD), Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
}

/// Takes the lock from whoever has it, and does meanwhile what its holders ask.
pub(crate) fn acquire(entry: Entry) -> Acquired {
    let mine = PerCpu::lock() & !CLOSED;
    let mailbox = &MAILBOXES[(mine >> 8) as usize];
    let mut stands = true;
    loop {
        stands &= !mailbox.serve(entry);
        let word = LOCK.load(Ordering::Relaxed);
        if word & HELD == 0
            && LOCK
                .compare_exchange(word, mine | HELD, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        {
            return Acquired { stands, changed: word != mine };
        }
        spin_loop();
    }
}

/// Asks something of another processor; the caller has the lock, sends the interrupt and waits for
/// [`is_answered`].
pub(crate) fn ask(processor: u8, ask: Ask) {
    let mailbox = &MAILBOXES[usize::from(processor)];
    let (number, arguments) = match ask {
        Ask::Flush => (FLUSH, [0, 0]),
        Ask::Leave(root) => (LEAVE, [root, 0]),
        Ask::Save(area, components) => (SAVE, [area, components]),
        Ask::Undo => (UNDO, [0, 0]),
    };
    mailbox.arguments[0].store(arguments[0], Ordering::Relaxed);
    mailbox.arguments[1].store(arguments[1], Ordering::Relaxed);
    mailbox.asked.store(number, Ordering::Release);
}

/// Returns whether a processor has done what it was asked.
pub(crate) fn is_answered(processor: u8) -> bool {
    MAILBOXES[usize::from(processor)].asked.load(Ordering::Acquire) == 0
}

impl Mailbox {
    /// Does what is asked of this processor; returns whether its entry was undone.
    fn serve(&self, entry: Entry) -> bool {
        let asked = self.asked.load(Ordering::Acquire);
        if asked == 0 {
            return false;
        }
        let [first, second] = [0, 1].map(|place| self.arguments[place].load(Ordering::Relaxed));
        match asked {
            FLUSH => flush(),
            LEAVE => leave(first),
            // SAFETY: the holder asks for a frame of the core's, by its address in the direct map.
            SAVE => unsafe {
                crate::extended::save_anyway(first, (second != 0).then_some(second));
            },
            _ => undo(entry),
        }
        self.asked.store(0, Ordering::Release);
        asked == UNDO
    }
}

/// Flushes all that is not the kernel's.
fn flush() {
    // SAFETY: the address space stays the same.
    unsafe {
        core::arch::asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _,
            options(nostack, preserves_flags));
    }
}

fn leave(root: u64) {
    // SAFETY: the holder passes the kernel's own root, whose kernel half is everybody's.
    unsafe {
        core::arch::asm!("mov cr3, {}", in(reg) root, options(nostack, preserves_flags));
    }
}
