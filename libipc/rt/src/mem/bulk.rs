//! Moving, filling and comparing memory by eight bytes at a time, without SSE.
//!
//! Up to 16 bytes go as two loads and stores that may overlap; more with the string instructions
//! for quadwords, then the last eight bytes once more. The byte forms of these instructions are
//! avoided: QEMU executes them byte by byte.
//!
//! These functions must not look like a copy loop, or the compiler turns them into calls of
//! `memcpy`; loads and stores of single integers do not.

use core::arch::asm;
use core::ffi::c_int;

/// Reads and writes 2 to 16 bytes as two integers, first and last, that may overlap.
macro_rules! ends {
    ($int:ty, $to:expr, $from:expr, $len:expr) => {{
        let last = $len - size_of::<$int>();
        let (head, tail) = (
            $from.cast::<$int>().read_unaligned(),
            $from.add(last).cast::<$int>().read_unaligned(),
        );
        $to.cast::<$int>().write_unaligned(head);
        $to.add(last).cast::<$int>().write_unaligned(tail);
    }};
}

/// Copies up to 16 bytes, whatever the overlap.
///
/// # Safety
/// Both places are valid for `len` bytes; `len` is at most 16.
#[inline(always)]
unsafe fn copy_few(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: each arm touches only the first `len` bytes, and reads all before it writes.
    unsafe {
        match len {
            8.. => ends!(u64, to, from, len),
            4.. => ends!(u32, to, from, len),
            2.. => ends!(u16, to, from, len),
            1 => to.write(from.read()),
            0 => {}
        }
    }
}

/// Copies from the first byte on: right where the places do not overlap, or `to` is lower.
///
/// # Safety
/// Both places are valid for `len` bytes; if they overlap, `to` is not above `from`.
#[inline(always)]
pub unsafe fn copy_forward(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the quadwords and the last eight bytes are all within `len`; the last are read
    // before anything is written, and a quadword only overwrites what was read already.
    unsafe {
        if len <= 16 {
            return copy_few(to, from, len);
        }
        let tail = from.add(len - 8).cast::<u64>().read_unaligned();
        asm!(
            "rep movsq",
            inout("rcx") len / 8 => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
        to.add(len - 8).cast::<u64>().write_unaligned(tail);
    }
}

/// Copies from the last byte on: right where `to` is above `from`.
///
/// # Safety
/// Both places are valid for `len` bytes; if they overlap, `to` is not below `from`.
#[inline(always)]
pub unsafe fn copy_backward(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: as in `copy_forward`, with the first eight bytes in place of the last; the
    // direction flag is clear again at the end.
    unsafe {
        if len <= 16 {
            return copy_few(to, from, len);
        }
        let head = from.cast::<u64>().read_unaligned();
        asm!(
            "std",
            "rep movsq",
            "cld",
            inout("rcx") len / 8 => _,
            inout("rdi") to.add(len - 8) => _,
            inout("rsi") from.add(len - 8) => _,
            options(nostack),
        );
        to.cast::<u64>().write_unaligned(head);
    }
}

/// Sets `len` bytes to `value`.
///
/// # Safety
/// The place is valid for `len` bytes.
#[inline(always)]
pub unsafe fn fill(to: *mut u8, value: u8, len: usize) {
    let pattern = u64::from(value) * 0x0101_0101_0101_0101;
    // SAFETY: all quadwords, and the integers of `copy_few`, are within `len`.
    unsafe {
        if len <= 16 {
            return copy_few(to, [pattern; 2].as_ptr().cast(), len);
        }
        asm!(
            "rep stosq",
            inout("rcx") len / 8 => _,
            inout("rdi") to => _,
            in("rax") pattern,
            options(nostack, preserves_flags),
        );
        to.add(len - 8).cast::<u64>().write_unaligned(pattern);
    }
}

/// Compares as `memcmp` does: the sign of the first difference, bytes taken as unsigned.
///
/// # Safety
/// Both places are valid for `len` bytes.
#[inline(always)]
pub unsafe fn compare(a: *const u8, b: *const u8, len: usize) -> c_int {
    let mut at = 0;
    // SAFETY: every load is within `len` bytes.
    unsafe {
        while len - at >= 8 {
            let x = a.add(at).cast::<u64>().read_unaligned();
            let y = b.add(at).cast::<u64>().read_unaligned();
            if x != y {
                return if x.swap_bytes() < y.swap_bytes() { -1 } else { 1 };
            }
            at += 8;
        }
        while at < len {
            let (x, y) = (a.add(at).read_volatile(), b.add(at).read_volatile());
            if x != y {
                return c_int::from(x) - c_int::from(y);
            }
            at += 1;
        }
    }
    0
}
