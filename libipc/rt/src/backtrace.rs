//! Where a program is: its own registers and stack, for the host's tool to unwind.

use core::arch::asm;

use libipc::abi::Registers;
use libipc::{Destination, Error, Source, copy, log};

/// Tells the host's tool how the program came here; the log's port is all that it takes.
#[inline(never)]
pub(crate) fn tell() {
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
    let [rip, rsp, rbp, rbx, r12, r13, r14, r15] = found;
    let registers = Registers { rip, rsp, rbp, rbx, r12, r13, r14, r15, ..Registers::default() };
    log::with_name(|name| log::crash::tell(name, &registers, read));
}

/// Reads own memory, word by word, as far as it is mapped; returns how many bytes there were.
fn read(address: u64, into: &mut [u8]) -> usize {
    let words = (address..).step_by(8).zip(into.chunks_exact_mut(8));
    let mut len = 0;
    for (at, bytes) in words.take_while(|(at, _)| is_mapped(*at) && at.is_multiple_of(8)) {
        // SAFETY: the word is mapped, aligned, and nobody else writes this thread's stack; what
        // this function itself writes there is read as it happens to be.
        let word =
            unsafe { core::ptr::with_exposed_provenance::<u64>(at as usize).read_volatile() };
        bytes.copy_from_slice(&word.to_le_bytes());
        len += bytes.len();
    }
    len
}

/// Returns whether a byte is mapped: the kernel copies it, or refuses to copy it to itself.
fn is_mapped(address: u64) -> bool {
    let mut byte = [0];
    match copy(Source::Own(address), Destination::Bytes(&mut byte), 1) {
        Ok(()) => true,
        Err(end) => end.error == Error::InvalidArgument,
    }
}
