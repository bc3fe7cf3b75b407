//! How the kernel came to its end: registers and stack, for the host's tool to unwind.
//!
//! The form is libipc's (libipc/src/log/crash.rs), with one line more where an exception ended the
//! kernel: where that happened, as the walk meets the trap's entry, which has no unwind table.
//!
//! ```text
//!   \x01bt t kernel RIP RSP
//! ```

use core::arch::asm;
use core::fmt::Write as _;
use core::ops::Range;

use crate::epitaph::Epitaph;
use crate::per_cpu::{self, Processor};

/// Most bytes of a stack that are told.
const STACK_MAX: u64 = 8192;
/// Words in a line.
const WORDS: usize = 5;
/// No more processors than this have stacks (decisions/0014).
const PROCESSORS_MAX: u8 = 8;
/// Bytes of a processor's memory that are not mapped: the guard at its beginning.
const GUARD: u64 = 4096;

/// Tells where the kernel is, and rip and rsp where it met an exception, if that is why.
#[inline(never)]
pub(crate) fn tell(trap: Option<(u64, u64)>) {
    let mut found = [0u64; 8];
    // SAFETY: it stores eight words in the array that has as many, and changes nothing else.
    unsafe {
        asm!(
            "lea {scratch}, [rip]",
            "mov [{found}], {scratch}",
            "mov [{found} + 8], rsp",
            "mov [{found} + 16], rbp",
            "mov [{found} + 24], rbx",
            "mov [{found} + 32], r12",
            "mov [{found} + 40], r13",
            "mov [{found} + 48], r14",
            "mov [{found} + 56], r15",
            found = in(reg) found.as_mut_ptr(),
            scratch = out(reg) _,
            options(nostack, preserves_flags),
        );
    }
    let [_, rsp, ..] = found;
    put("r kernel", &found[..4]);
    put("q kernel", &found[4..]);
    let mapped = memory_around(rsp);
    let told = tell_stack(&mapped, rsp);
    if let Some((rip, rsp)) = trap {
        put("t kernel", &[rip, rsp]);
        if !told.contains(&rsp) {
            tell_stack(&mapped, rsp);
        }
    }
    put("e kernel", &[]);
}

/// Writes a line: what it tells, and numbers in hex, "-" for 0. By itself, and not by `core::fmt`,
/// which would take more code than all the rest of this.
#[inline(never)]
fn put(what: &str, words: &[u64]) {
    write("\x01bt ");
    write(what);
    for word in words {
        write(if *word == 0 { " -" } else { " " });
        let digits = (u64::BITS - word.leading_zeros()).div_ceil(4);
        for digit in (0..digits).rev() {
            let at = (word >> (digit * 4) & 15) as usize;
            write(&"0123456789abcdef"[at..=at]);
        }
    }
    write("\n");
}

#[inline(never)]
fn write(text: &str) {
    // Writing to the debug console cannot fail.
    let _ = Epitaph.write_str(text);
}

/// Returns the memory of the processor on one of whose stacks the address is.
fn memory_around(address: u64) -> Range<u64> {
    let memory = |processor: *mut Processor| {
        let at = processor as u64;
        at + GUARD..at + size_of::<Processor>() as u64
    };
    let all = (0..PROCESSORS_MAX).map(per_cpu::of).map(memory);
    all.into_iter().find(|memory| memory.contains(&address)).unwrap_or_default()
}

/// Tells the words from an address on, as far as the processor's memory goes; returns which.
fn tell_stack(memory: &Range<u64>, from: u64) -> Range<u64> {
    // A stack that was used up ends above the guard.
    let from = from.saturating_add(7) / 8 * 8;
    let from = from.max(memory.start);
    let end = memory.end.min(from.saturating_add(STACK_MAX));
    let mut at = from;
    while at < end {
        // The address comes first.
        let mut words = [at; 1 + WORDS];
        let count = ((end - at) / 8).min(WORDS as u64);
        for (word, index) in words[1..].iter_mut().zip(0..count) {
            // SAFETY: it lies in the stacks and tables of a processor that runs, all of which is
            // mapped but the guard; nobody writes there meanwhile but this.
            *word = unsafe { ((at + index * 8) as *const u64).read_volatile() };
        }
        put("s kernel", &words[..=count as usize]);
        at += count * 8;
    }
    from..end
}
