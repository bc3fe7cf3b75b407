//! The memory functions that compiled code calls: symbols for `mem/bulk.rs`.

mod bulk;

use core::ffi::c_int;

/// Copies `len` bytes between places that do not overlap.
///
/// # Safety
/// Both places are valid for `len` bytes and do not overlap.
// SAFETY (symbol): no C library defines it in the system's programs.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's obligations are the same.
    unsafe { bulk::copy_forward(to, from, len) };
    to
}

/// Copies `len` bytes between places that may overlap.
///
/// # Safety
/// Both places are valid for `len` bytes.
// SAFETY (symbol): no C library defines it in the system's programs.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's obligations are the same; the direction is chosen by the overlap.
    unsafe {
        if (to.addr()).wrapping_sub(from.addr()) >= len {
            bulk::copy_forward(to, from, len);
        } else {
            bulk::copy_backward(to, from, len);
        }
    }
    to
}

/// Sets `len` bytes to the low byte of `value`.
///
/// # Safety
/// The place is valid for `len` bytes.
// SAFETY (symbol): no C library defines it in the system's programs.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: c_int, len: usize) -> *mut u8 {
    // SAFETY: the caller's obligations are the same.
    unsafe { bulk::fill(to, value as u8, len) };
    to
}

/// Compares `len` bytes as unsigned numbers.
///
/// # Safety
/// Both places are valid for `len` bytes.
// SAFETY (symbol): no C library defines it in the system's programs.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> c_int {
    // SAFETY: the caller's obligations are the same.
    unsafe { bulk::compare(a, b, len) }
}

/// Tells whether `len` bytes differ.
///
/// # Safety
/// Both places are valid for `len` bytes.
// SAFETY (symbol): no C library defines it in the system's programs.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> c_int {
    // SAFETY: the caller's obligations are the same.
    unsafe { bulk::compare(a, b, len) }
}
