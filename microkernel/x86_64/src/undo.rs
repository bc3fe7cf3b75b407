//! Undoing an entry into the kernel: the thread will do it again when it next runs.
//!
//! A thread may be stopped, recalled or destroyed by another processor while it waits to enter the
//! kernel. What it wanted there is not lost: its rip is set back to the instruction that brought
//! it here. Only the trap of a single step is not repeated; the next instruction's comes.

use kamen_abi::PAGE_SIZE;
use kamen_core::{FaultAccess, Frame};

use crate::memory::direct::DirectMap;
use crate::memory::paging::{self, Tables};
use crate::per_cpu::PerCpu;

/// How a processor came into the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    /// By `syscall`; rip is past it.
    SystemCall,
    /// By an exception or interrupt.
    Trap(u64),
    /// It was just started.
    Start,
}

const BREAKPOINT: u64 = 3;
const OVERFLOW: u64 = 4;
/// Opcode of the short form of a breakpoint (Intel SDM 2A INT3).
const INT3: u8 = 0xcc;

/// Sets the current thread's rip back to the instruction that entered the kernel.
pub(crate) fn undo(entry: Entry) {
    // SAFETY: whoever asks for this waits for it, and does not refer to the registers meanwhile.
    let Some(thread) = (unsafe { PerCpu::current().as_mut() }) else { return };
    let registers = &mut thread.registers;
    let back = match entry {
        Entry::SystemCall | Entry::Trap(OVERFLOW) => 2,
        Entry::Trap(BREAKPOINT) => breakpoint_len(registers.rip),
        Entry::Trap(_) | Entry::Start => 0,
    };
    registers.rip = registers.rip.wrapping_sub(back);
}

/// Returns the length of the breakpoint instruction before an address: `int3` or `int 3`.
fn breakpoint_len(end: u64) -> u64 {
    // SAFETY: the direct map is active, and the current space's tables stay while their
    // processor has them loaded.
    let frames = unsafe { DirectMap::new() };
    let (root, _) = x86_64::registers::control::Cr3::read_raw();
    let root = Frame((root.start_address().as_u64() / PAGE_SIZE as u64) as u32);
    match user_byte(&frames, root, end.wrapping_sub(1)) {
        Some(INT3) | None => 1,
        Some(_) => 2,
    }
}

/// Returns a byte of an address space's memory; reading a device's registers could change them.
pub(crate) fn user_byte(frames: &DirectMap, root: Frame, address: u64) -> Option<u8> {
    let (page, offset) = (address as usize & !(PAGE_SIZE - 1), address as usize % PAGE_SIZE);
    let frame = paging::mapped_memory(frames, root, page, FaultAccess::Read)?;
    let word = frames.load(frame, offset / 8);
    Some(word.to_le_bytes()[offset % 8])
}
