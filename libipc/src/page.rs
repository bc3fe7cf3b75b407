//! The message page: bytes, capabilities and leases of the messages that do not fit in registers.
//!
//! Only this module touches the page, and each function copies: no reference into the page ever
//! leaves it, because the next system call may change what lies there.
//!
//! Each thread has its own, which it finds by its stack ([`crate::stacks`]): only threads whose
//! stacks lie there may use libipc. The tests on the host have one page per thread, too.
#![expect(unsafe_code, reason = "the kernel writes to the page")]

use core::ptr;

use kamen_abi::{Handle, Lease, MAX_BYTES, MAX_CAPS, MAX_LEASES, Registers};

#[cfg(not(kamen))]
#[path = "page/host.rs"]
mod place;
#[cfg(kamen)]
#[path = "page/kernel.rs"]
mod place;

/// Copies bytes to the page, from `offset` of its bytes on; returns whether they fit.
#[inline]
pub(crate) fn put_bytes(offset: usize, bytes: &[u8]) -> bool {
    if bytes.len() > MAX_BYTES.saturating_sub(offset) {
        return false;
    }
    let page = place::page();
    // SAFETY: `page` is valid and not otherwise referenced; the range was checked above.
    unsafe {
        let start = (&raw mut (*page).bytes).cast::<u8>().add(offset);
        ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
    }
    true
}

/// Copies the first bytes of the page out, at most [`MAX_BYTES`].
#[inline]
pub(crate) fn take_bytes(into: &mut [u8]) {
    let len = into.len().min(MAX_BYTES);
    let page = place::page();
    // SAFETY: `page` is valid and not otherwise referenced; `len` is within both.
    unsafe {
        let start = (&raw const (*page).bytes).cast::<u8>();
        ptr::copy_nonoverlapping(start, into.as_mut_ptr(), len);
    }
}

/// Sets the handles of the capabilities to send.
#[inline]
pub(crate) fn put_caps(caps: [Handle; MAX_CAPS]) {
    let page = place::page();
    // SAFETY: `page` is valid and not otherwise referenced.
    unsafe { (&raw mut (*page).caps).write(caps) }
}

/// Returns the handles of the capabilities received.
#[inline]
pub(crate) fn take_caps() -> [Handle; MAX_CAPS] {
    let page = place::page();
    // SAFETY: `page` is valid and not otherwise referenced; every bit pattern is a handle.
    unsafe { (&raw const (*page).caps).read() }
}

/// Sets one of the leases to send; `index` counts from 0 to 3.
#[inline]
pub(crate) fn put_lease(index: usize, lease: Lease) {
    assert!(index < MAX_LEASES);
    let page = place::page();
    // SAFETY: `page` is valid and not otherwise referenced; the index was checked above.
    unsafe { (&raw mut (*page).leases).cast::<Lease>().add(index).write(lease) }
}

/// Returns the leases received.
#[inline]
pub(crate) fn take_leases() -> [Lease; MAX_LEASES] {
    let page = place::page();
    // SAFETY: `page` is valid and not otherwise referenced; every bit pattern is a lease.
    unsafe { (&raw const (*page).leases).read() }
}

/// Sets the registers at the beginning of the bytes.
pub(crate) fn put_registers(registers: &Registers) {
    let page = place::page();
    // SAFETY: `page` is valid, not otherwise referenced and larger than the registers.
    unsafe { (&raw mut (*page).bytes).cast::<Registers>().write_unaligned(*registers) }
}

/// Returns the registers at the beginning of the bytes.
pub(crate) fn take_registers() -> Registers {
    let page = place::page();
    // SAFETY: `page` is valid, not otherwise referenced and larger than the registers, of which
    // every bit pattern is one.
    unsafe { (&raw const (*page).bytes).cast::<Registers>().read_unaligned() }
}
