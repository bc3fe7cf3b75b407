//! Memory functions that the compiler calls; without SSE, and by words where it pays.
//!
//! `rep movsq` moves 8 bytes at once also where an emulator steps through it; the byte forms
//! are used for the last 7 bytes only.

use core::arch::asm;

/// Copies `len` bytes between ranges that do not overlap.
///
/// # Safety
/// As for C's `memcpy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: by the caller's word both ranges are `len` bytes long and do not overlap.
    unsafe {
        asm!("rep movsq", "mov ecx, edx", "and ecx, 7", "rep movsb",
            inout("rcx") len / 8 => _, inout("rdi") to => _, inout("rsi") from => _,
            in("edx") len, options(nostack));
    }
    to
}

/// Copies `len` bytes between ranges that may overlap.
///
/// # Safety
/// As for C's `memmove`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= len {
        // SAFETY: copying upwards reads each byte before it is overwritten.
        return unsafe { memcpy(to, from, len) };
    }
    // SAFETY: copying downwards likewise; the pointers start at the last byte.
    unsafe {
        asm!("std", "rep movsb", "cld",
            inout("rcx") len => _,
            inout("rdi") to.wrapping_add(len).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(len).wrapping_sub(1) => _,
            options(nostack));
    }
    to
}

/// Fills `len` bytes with the low byte of `value`.
///
/// # Safety
/// As for C's `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, len: usize) -> *mut u8 {
    let word = u64::from(value as u8) * 0x0101_0101_0101_0101;
    // SAFETY: by the caller's word the range is `len` bytes long.
    unsafe {
        asm!("rep stosq", "mov ecx, edx", "and ecx, 7", "rep stosb",
            inout("rcx") len / 8 => _, inout("rdi") to => _, in("rax") word,
            in("edx") len, options(nostack));
    }
    to
}

/// Compares `len` bytes; the result's sign is that of the first difference.
///
/// # Safety
/// As for C's `memcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, len: usize) -> i32 {
    for index in 0..len {
        // SAFETY: by the caller's word both ranges are `len` bytes long.
        let (a, b) = unsafe { (*one.add(index), *other.add(index)) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

/// Tells whether `len` bytes differ.
///
/// # Safety
/// As for C's `bcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's word.
    unsafe { memcmp(one, other, len) }
}

/// What precompiled `core` and `alloc` refer to for unwinding; panics abort, so nobody calls it.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    crate::epitaph::stop(format_args!("panic while unwinding"))
}
