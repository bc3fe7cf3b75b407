//! System calls and memory without the standard library: the only unsafe code of these programs.
//!
//! What is called here may do anything to the process that calls it, its own memory included.
//! Whoever does so has forked for it, and is watched by its parent.

use core::arch::asm;
use core::sync::atomic::AtomicU64;

/// Makes a system call; an error is a number from -4095 on.
#[inline(always)]
pub fn call(number: u32, words: [u64; 6]) -> u64 {
    let result;
    // SAFETY: random calls may change this process's own memory: it is a child that its parent
    // throws away, whatever comes of it. Other processes are out of its reach.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") u64::from(number) => result,
            in("rdi") words[0],
            in("rsi") words[1],
            in("rdx") words[2],
            in("r10") words[3],
            in("r8") words[4],
            in("r9") words[5],
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// Makes a system call with at most three arguments.
#[inline(always)]
pub fn call3(number: u32, first: u64, second: u64, third: u64) -> u64 {
    call(number, [first, second, third, 0, 0, 0])
}

/// Returns the error of a result.
pub fn error(result: u64) -> Option<u64> {
    let number = result.wrapping_neg();
    (number < 4096 && number != 0).then_some(number)
}

/// Maps zero-filled pages at an address of the caller's choice.
pub fn map(address: u64, len: u64, protection: u64) {
    const PRIVATE_ANONYMOUS_FIXED: u64 = 0x32;
    call(9, [address, len, protection, PRIVATE_ANONYMOUS_FIXED, u64::MAX, 0]);
}

/// Returns counters that children share.
pub fn shared(count: usize) -> &'static [AtomicU64] {
    const SHARED_ANONYMOUS: u64 = 0x21;
    let at = call(9, [0, 8 * count as u64, 3, SHARED_ANONYMOUS, u64::MAX, 0]);
    assert!(error(at).is_none(), "no shared memory");
    // SAFETY: the mapping is as long, aligned to a page, zero, and never unmapped by who keeps it.
    unsafe { core::slice::from_raw_parts(at as *const AtomicU64, count) }
}

/// Writes bytes to memory that [`map`] mapped.
pub fn poke(address: u64, bytes: &[u8]) {
    // SAFETY: the memory was mapped by the caller; where it is gone, the process ends.
    unsafe {
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len());
    }
}

/// Touches a page.
pub fn touch(address: u64) {
    // SAFETY: as for `poke`.
    unsafe { core::ptr::write_volatile(address as *mut u8, 1) };
}
