//! Between the entry paths and the core: which trap is which event.

use core::mem::MaybeUninit;

use kamen_abi::WORDS;
use kamen_core::{Kernel, Next, Outcome, Passage, Replied, Size};

use crate::devices::vectors;
use crate::entry::{idle, leave};
use crate::per_cpu::{Local, PerCpu};
use crate::undo::Entry;
use crate::{X86, epitaph, last_events, lock, stretch};

/// The kernel, from [`run`] on.
static KERNEL: Local<MaybeUninit<Kernel<X86>>> = Local::new(MaybeUninit::uninit());

const GENERAL_PROTECTION: u64 = 13;
const PAGE_FAULT: u64 = 14;
/// Opcode of `int n` (Intel SDM 2A INT n).
const INT: u8 = 0xcd;

/// Runs a booted kernel: lets its first task go.
pub fn run(kernel: Kernel<X86>) -> ! {
    // SAFETY: boot is the only caller, before the first entry from user space; it has the lock.
    let kernel = unsafe { (*KERNEL.as_ptr()).write(kernel) };
    let rings = kernel.trace.frames();
    last_events::remember(&kernel.machine().frames, rings);
    proceed()
}

/// Runs a processor other than the first, once the kernel is booted.
pub(crate) fn run_other() -> ! {
    contend(Entry::Start);
    proceed()
}

/// Returns the kernel.
///
/// # Safety
/// The kernel was entered and the lock taken, and this is the only call in that entry.
#[inline(always)]
unsafe fn kernel() -> &'static mut Kernel<X86> {
    // SAFETY: `run` wrote it before the lock was free for the first time, and by the caller's word
    // there is no other reference.
    unsafe { (*KERNEL.as_ptr()).assume_init_mut() }
}

/// Takes the lock where that is not done in one step, and the kernel with it; returns whether what
/// the processor entered for is still to be done.
#[cold]
#[inline(never)]
fn contend(entry: Entry) -> bool {
    let acquired = lock::acquire(entry);
    if acquired.changed {
        // SAFETY: the lock is taken; the reference ends here.
        unsafe { kernel() }.take_over((PerCpu::lock() >> 8) as u8);
    }
    acquired.stands
}

/// Continues the entry by `syscall` of Call; the arguments are the message's words.
pub(crate) extern "C" fn on_call(w0: u64, w1: u64, w2: u64, w3: u64, w4: u64, w5: u64) -> ! {
    if !lock::try_acquire() {
        contend_native()
    }
    // SAFETY: this is the first thing after an entry, and the lock is taken.
    match unsafe { kernel() }.pass_call(Size::Short) {
        Some(passage) => arrive(passage, [w0, w1, w2, w3, w4, w5]),
        None => on_long_call(),
    }
}

/// Continues the entry by `syscall` of ReplyReceive; the arguments are the reply's words.
pub(crate) extern "C" fn on_reply_receive(
    w0: u64,
    w1: u64,
    w2: u64,
    w3: u64,
    w4: u64,
    w5: u64,
) -> ! {
    if !lock::try_acquire() {
        contend_native()
    }
    // SAFETY: this is the first thing after an entry, and the lock is taken.
    match unsafe { kernel() }.pass_reply() {
        Some(Replied::Words(passage)) => arrive(passage, [w0, w1, w2, w3, w4, w5]),
        // SAFETY: as in `proceed`.
        Some(Replied::Resumed(thread)) => unsafe { leave::to_user(thread) },
        Some(Replied::ToResume) => proceed(),
        Some(Replied::ToCharge) => charge(),
        None => on_long_reply(),
    }
}

/// Has the thread that runs next pay for the processor, where the one before does not yet.
#[inline(never)]
fn charge() -> ! {
    // SAFETY: nobody uses another reference: the caller's ended with what it returned.
    unsafe { kernel() }.charge_current();
    proceed()
}

#[inline(never)]
fn on_long_call() -> ! {
    // SAFETY: nobody uses another reference: the caller's ended when it found nothing to do.
    match unsafe { kernel() }.pass_call(Size::Long) {
        Some(passage) => arrive_long(passage),
        None => on_native(),
    }
}

#[inline(never)]
fn on_long_reply() -> ! {
    // SAFETY: as in `on_long_call`.
    match unsafe { kernel() }.pass_further_reply() {
        Some(Replied::Words(passage)) => arrive_long(passage),
        // SAFETY: as in `proceed`.
        Some(Replied::Resumed(thread)) => unsafe { leave::to_user(thread) },
        Some(Replied::ToResume) => proceed(),
        Some(Replied::ToCharge) => charge(),
        None => on_native(),
    }
}

/// Continues the entry by a foreign thread's `syscall`; the arguments are its own.
pub(crate) extern "C" fn on_foreign(w0: u64, w1: u64, w2: u64, w3: u64, w4: u64, w5: u64) -> ! {
    stretch::note_foreign();
    if !lock::try_acquire() {
        contend_foreign()
    }
    // SAFETY: this is the first thing after an entry, and the lock is taken.
    match unsafe { kernel() }.pass_foreign() {
        Some(passage) => arrive(passage, [w0, w1, w2, w3, w4, w5]),
        None => on_foreign_slow(),
    }
}

/// Lets a message arrive: its words go on in the registers where they are.
#[inline(always)]
fn arrive(mut passage: Passage<'_>, words: [u64; WORDS]) -> ! {
    if passage.is_loaded {
        // SAFETY: as in `proceed`; the receiver waited in a system call.
        unsafe { leave::with_message(passage, words) }
    }
    passage.save();
    passage.thread.registers.set_words(words);
    proceed()
}

/// Lets a message arrive whose words were copied.
#[inline(always)]
fn arrive_long(mut passage: Passage<'_>) -> ! {
    passage.save();
    if passage.is_loaded {
        // SAFETY: as in `proceed`.
        unsafe { leave::to_user(passage.thread) }
    }
    proceed()
}

/// Returns from the kernel where all is decided but nothing is loaded.
#[inline(never)]
pub(crate) extern "C" fn proceed() -> ! {
    // SAFETY: the processor has the lock, and the references of all callers have ended.
    match unsafe { kernel() }.next() {
        // SAFETY: the core keeps a thread's registers valid and in place while the thread runs;
        // the references end here.
        Next::Run(thread) => unsafe { leave::to_user(thread) },
        Next::Idle => idle::idle(),
    }
}

/// Continues the entry by `syscall` of an operation that may be over at once. The entry path has
/// taken the lock; it goes on to [`on_native`] where nothing has happened, to [`proceed`] where
/// another thread goes on.
pub(crate) extern "C" fn on_quick(number: u64, target: u64, word: u64, deadline: u64) -> Outcome {
    // SAFETY: this is the first thing after an entry with the lock; the reference ends here.
    let outcome = unsafe { kernel() }.quick(number, target, word, deadline);
    if outcome.status >> 63 == 0 {
        stretch::end();
    }
    outcome
}

/// What the entry path takes for "nothing has happened" and for "another thread goes on".
const _: () = assert!(Outcome::UNDONE == u64::MAX && Outcome::ELSEWHERE >> 63 == 1);

/// Continues the entry by `syscall` of Send, Receive or Reply, of which only the last has a faster
/// way.
pub(crate) extern "C" fn on_other() -> ! {
    if !lock::try_acquire() {
        contend_native()
    }
    // SAFETY: this is the first thing after an entry, and the lock is taken.
    if unsafe { kernel() }.pass_answer() {
        // SAFETY: as in `proceed`; the thread that entered goes on, and nothing else was loaded.
        unsafe { leave::to_user(PerCpu::current()) }
    }
    on_native()
}

/// Does what has to be done for a native `syscall` where the lock could not be taken at once. All
/// registers are saved.
#[cold]
#[inline(never)]
pub(crate) extern "C" fn contend_native() -> ! {
    if contend(Entry::SystemCall) { on_native() } else { proceed() }
}

#[cold]
#[inline(never)]
extern "C" fn contend_foreign() -> ! {
    if contend(Entry::SystemCall) { on_foreign_slow() } else { proceed() }
}

/// Continues a native `syscall` with the lock, where nothing has been done so far.
#[inline(never)]
pub(crate) extern "C" fn on_native() -> ! {
    // SAFETY: nobody uses another reference: the callers' ended when they found nothing to do.
    let kernel = unsafe { kernel() };
    kernel.native_system_call();
    proceed()
}

#[inline(never)]
extern "C" fn on_foreign_slow() -> ! {
    // SAFETY: as in `on_native`.
    let kernel = unsafe { kernel() };
    kernel.foreign_system_call();
    proceed()
}

/// Continues an interrupt's entry, from user space or idle.
pub(crate) extern "C" fn on_interrupt(vector: u64, rip: u64) -> ! {
    confine(rip);
    if !lock::try_acquire() {
        contend(Entry::Trap(vector));
    }
    // SAFETY: this is the first thing after an entry, and the lock is taken.
    let kernel = unsafe { kernel() };
    match vector {
        vectors::TIMER => {
            kernel.machine().acknowledge();
            kernel.timer();
        }
        vectors::CALL => {
            kernel.machine().acknowledge();
            kernel.reschedule();
        }
        _ => {
            if let Some(line) = kernel.machine().arrived(vector) {
                kernel.interrupt(line);
            }
        }
    }
    proceed()
}

/// Continues an exception's entry, from user space.
pub(crate) extern "C" fn on_exception(vector: u64, error: u64, rip: u64) -> ! {
    confine(rip);
    if !lock::try_acquire() && !contend(Entry::Trap(vector)) {
        proceed()
    }
    // SAFETY: as in `on_interrupt`.
    let kernel = unsafe { kernel() };
    exception(kernel, vector, error);
    proceed()
}

/// Makes the saved rip, which is passed, one that the exit path can load. A jump to a non-canonical
/// address may trap, or be interrupted, at its target; to return there would fault in the kernel,
/// with the user's stack if by `sysret` (Intel SDM 2B IRET, SYSRET). It becomes the first address
/// past user space, where execution faults as well.
#[inline(always)]
fn confine(rip: u64) {
    if rip >> 47 != 0 {
        confine_upper(rip);
    }
}

/// Does so for an address past the lower canonical half.
#[cold]
#[inline(never)]
fn confine_upper(rip: u64) {
    if !is_canonical(rip) {
        // SAFETY: the entry came from user space, so that `current` is the thread that ran; nobody
        // refers to it before this processor has, or waits for, the lock.
        unsafe { (*PerCpu::current()).registers.rip = kamen_abi::USER_END as u64 };
    }
}

/// Returns whether bits 47 to 63 of an address are the same.
const fn is_canonical(address: u64) -> bool {
    (address as i64) << 16 >> 16 == address as i64
}

fn exception(kernel: &mut Kernel<X86>, vector: u64, error: u64) {
    match vector {
        GENERAL_PROTECTION if is_gate_fault(error) => gate_fault(kernel, error),
        PAGE_FAULT => {
            let address = x86_64::registers::control::Cr2::read_raw();
            kernel.exception(vector as u8, error, address);
        }
        _ => kernel.exception(vector as u8, error, 0),
    }
}

/// Returns whether a protection fault's error code names a gate: user space executed `int n`
/// for a gate that is not user space's (Intel SDM 3A 6.13: IDT set, EXT clear).
const fn is_gate_fault(error: u64) -> bool {
    error & 7 == 2
}

/// Handles `int n`. The number is read from the instruction, as QEMU up to 7.2 puts 16 n in the
/// error code in place of 8 n.
fn gate_fault(kernel: &mut Kernel<X86>, error: u64) {
    // SAFETY: the entry came from user space, so that `current` is the thread that ran; the
    // core refers to it only while one of its methods runs.
    let (place, rip) = unsafe {
        let place = &raw mut (*PerCpu::current()).registers.rip;
        (place, place.read())
    };
    let machine = kernel.machine();
    if let (Some(INT), Some(number)) =
        (machine.user_byte(rip), machine.user_byte(rip.wrapping_add(1)))
    {
        // SAFETY: as above.
        unsafe { place.write(rip.wrapping_add(2)) };
        kernel.software_interrupt(number);
    } else {
        kernel.exception(GENERAL_PROTECTION as u8, error, 0);
    }
}

/// What the processor pushes on an exception.
#[repr(C)]
pub(crate) struct Frame {
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

/// Ends the kernel after an exception in it, or an NMI or machine check anywhere.
pub(crate) extern "C" fn on_kernel_trap(vector: u64, error: u64, frame: *const Frame) -> ! {
    // SAFETY: the trap entry passes where the processor has just pushed the frame.
    let Frame { rip, cs, rflags, rsp, ss } = unsafe { frame.read() };
    let address = x86_64::registers::control::Cr2::read_raw();
    let text = format_args!(
        "panic at {rip:#x}: exception {vector}, error {error:#x}, address {address:#x}, \
         rsp {ss:#x}:{rsp:#x}, cs {cs:#x}, rflags {rflags:#x}"
    );
    // User space's stack is none of the kernel's.
    if cs & 3 == 0 { epitaph::stop_at(rip, rsp, text) } else { epitaph::stop(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_addresses_are_in_either_half() {
        let ends = [0, 0x7fff_ffff_ffff, 0xffff_8000_0000_0000, u64::MAX];
        assert!(ends.into_iter().all(is_canonical));
        let between = [0x8000_0000_0000, 1 << 63, 0xffff_7fff_ffff_ffff];
        assert!(!between.into_iter().any(is_canonical));
    }

    #[test]
    fn int_0x80_is_told_from_a_bad_selector() {
        assert!(is_gate_fault(0x80 << 3 | 2));
        assert!(!is_gate_fault(0));
        assert!(!is_gate_fault(0x28 | 3));
        assert!(!is_gate_fault(0x80 << 3 | 3));
    }
}
