//! Rings' memory in tests on the host: the objects of `loopback::memory`.

use core::sync::atomic::AtomicU64;

use kamen_abi::Error;

use crate::Memory;
use crate::syscall::objects;

pub(super) fn map(memory: Memory) -> Result<*const [AtomicU64], Error> {
    objects::words(memory.0).map(core::ptr::from_ref)
}

/// The objects of the host's tests stay for good.
pub(super) fn unmap(_memory: Memory, _words: &[AtomicU64]) {}
