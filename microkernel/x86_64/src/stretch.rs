//! The longest stretch with interrupts off, measured by the kernel itself (feature `stretch`).
//!
//! ```text
//!   user space, idle ── begin ──> entry, kernel ── end ──> leave, user space or idle
//!                       begin: the counter, what it is, whose; end: the counter, the largest kept
//! ```
//! Interrupts are off in all of the kernel and on outside of it, so that a stretch is one entry.
//! What is between the readings counts, a few instructions of the measurement included; what
//! comes after the second is added ([`UNSEEN`]). Under the instruction clock the counter counts
//! instructions, but those of all processors together: the figure means something on a machine
//! with one. The kernel tells it when user space ends the machine. No other kernel has this
//! module: `stretch/none.rs` is empty.

use core::arch::x86_64::_rdtsc;
use core::fmt::Write;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::entry::{system_call, trap};
use crate::epitaph::{DEBUG_EXIT, Epitaph};

/// Instructions of the longest way from the last reading to user space (`entry/leave.rs`).
const UNSEEN: u64 = 28;

/// What an entry is, in [`KIND`].
const SYSTEM_CALL: u64 = 0;
const FOREIGN: u64 = 1;
const VECTOR: u64 = 2;
/// Numbers of each kind that are told apart; larger ones are taken for the largest.
const NUMBERS: usize = 256;

/// The counter at the last entry; 0 before the first, and while nothing is measured.
static BEGIN: AtomicU64 = AtomicU64::new(0);
/// What the last entry is: its kind, its operation, system call or vector, and where from.
static KIND: AtomicU64 = AtomicU64::new(0);
static NUMBER: AtomicU64 = AtomicU64::new(0);
static RIP: AtomicU64 = AtomicU64::new(0);
/// The longest of each kind and number so far, and where it was entered from.
static LONGEST: [[[AtomicU64; 2]; NUMBERS]; 3] =
    [const { [const { [const { AtomicU64::new(0) }; 2] }; NUMBERS] }; 3];
/// Where the wrapper around the system call entry keeps two registers.
static SAVED: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// Where `syscall` goes in place of [`system_call::system_call_entry`].
#[unsafe(naked)]
pub(crate) extern "C" fn system_call_entry() -> ! {
    core::arch::naked_asm!(
        "mov [{saved}], rax",
        "mov [{saved} + 8], rdx",
        "mov [{number}], rax",
        "mov [{rip}], rcx",
        "mov qword ptr [{kind}], {system_call}",
        "rdtsc",
        "mov [{begin}], eax",
        "mov [{begin} + 4], edx",
        "mov rax, [{saved}]",
        "mov rdx, [{saved} + 8]",
        "jmp {entry}",
        saved = sym SAVED,
        number = sym NUMBER,
        rip = sym RIP,
        kind = sym KIND,
        begin = sym BEGIN,
        system_call = const SYSTEM_CALL,
        entry = sym system_call::system_call_entry,
    )
}

/// Begins a stretch at a vector's entry, and goes on to the real one; `$rip` is where rip is.
macro_rules! begin_at_vector {
    ($rip:literal, $entry:path) => {
        core::arch::naked_asm!(
            "push rax",
            "push rdx",
            "mov rax, [rsp + 16]",
            "mov [{number}], rax",
            concat!("mov rax, [rsp + ", $rip, "]"),
            "mov [{rip}], rax",
            "mov qword ptr [{kind}], {vector}",
            "rdtsc",
            "mov [{begin}], eax",
            "mov [{begin} + 4], edx",
            "pop rdx",
            "pop rax",
            "jmp {entry}",
            number = sym NUMBER,
            rip = sym RIP,
            kind = sym KIND,
            begin = sym BEGIN,
            vector = const VECTOR,
            entry = sym $entry,
        )
    };
}

/// Where the stubs of exceptions go in place of [`trap::exception`]; the stack is as there.
#[unsafe(naked)]
pub(crate) extern "C" fn exception() -> ! {
    begin_at_vector!("32", trap::exception)
}

/// Where the stubs of interrupts go in place of [`trap::interrupt`]; the stack is as there.
#[unsafe(naked)]
pub(crate) extern "C" fn interrupt() -> ! {
    begin_at_vector!("24", trap::interrupt)
}

/// Notes that the system call is a foreign thread's.
pub(crate) fn note_foreign() {
    KIND.store(FOREIGN, Relaxed);
}

/// Ends a stretch: the processor is about to leave the kernel.
pub(crate) fn end() {
    // SAFETY: every x86-64 processor has the instruction, and the kernel may execute it.
    let now = unsafe { _rdtsc() };
    let begin = BEGIN.swap(0, Relaxed);
    let kind = KIND.load(Relaxed) as usize;
    let number = (NUMBER.load(Relaxed) as usize).min(NUMBERS - 1);
    let taken = now.wrapping_sub(begin).wrapping_add(UNSEEN);
    let [longest, rip] = &LONGEST[kind][number];
    if begin != 0 && taken > longest.load(Relaxed) {
        longest.store(taken, Relaxed);
        rip.store(RIP.load(Relaxed), Relaxed);
    }
}

/// Tells the longest stretches, before a byte that ends the machine goes to that port.
pub(crate) fn before_output(port: u16) {
    if port != DEBUG_EXIT {
        return;
    }
    for (kind, name) in ["operation", "foreign", "vector"].into_iter().enumerate() {
        for (number, longest) in LONGEST[kind].iter().enumerate() {
            let [taken, rip] = longest.each_ref().map(|word| word.load(Relaxed));
            if taken != 0 {
                // The debug console takes everything.
                let _ = writeln!(Epitaph, "kernel: stretch {taken} {name} {number} {rip:#x}");
            }
        }
    }
}
