//! Rings' memory in a program of the system: where all memory objects are mapped.

use core::ptr::slice_from_raw_parts;
use core::sync::atomic::AtomicU64;

use kamen_abi::{Error, PAGE_SIZE, Rights, boot};

use crate::{Memory, Space, mapping};

pub(super) fn map(memory: Memory) -> Result<*const [AtomicU64], Error> {
    let range = mapping::map(memory, Rights::READ.union(Rights::WRITE))?;
    Ok(slice_from_raw_parts(range.cast(), range.len() / size_of::<AtomicU64>()))
}

pub(super) fn unmap(_memory: Memory, words: &[AtomicU64]) {
    let address = words.as_ptr().addr() as u64;
    // Nothing else is mapped there, and the program has all rights over its own space.
    let _ = Space(boot::SPACE).unmap(address, (size_of_val(words) / PAGE_SIZE) as u64);
}
