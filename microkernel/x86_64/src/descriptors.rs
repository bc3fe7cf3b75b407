//! Segments, task state and interrupt gates (Intel SDM 3A 3.4, 6.14, 8.7).

use x86_64::instructions::tables::{lgdt, lidt, load_tss};
use x86_64::structures::DescriptorTablePointer;
use x86_64::structures::gdt::SegmentSelector;
use x86_64::{PrivilegeLevel, VirtAddr};

use crate::entry::trap;
use crate::per_cpu::{Local, Processor, stack_end};

/// Selector of kernel code.
pub(crate) const KERNEL_CODE: u16 = 0x08;
/// Selector of user data, with user privilege.
pub(crate) const USER_DATA: u16 = 0x20 | 3;
/// Selector of user code, with user privilege.
pub(crate) const USER_CODE: u16 = 0x28 | 3;
const TASK: u16 = 0x30;

/// IA32_STAR: `syscall` loads CS = 08 and SS = 10; `sysret` CS = 18 + 16 and SS = 18 + 8.
pub(crate) const STAR: u64 = 0x18 << 48 | (KERNEL_CODE as u64) << 32;

/// Null, kernel code and data, user 32-bit code (unused: `sysret` wants the place), user data
/// and code, task state (two entries). Accessed bits are set: nobody writes to the table.
const SEGMENTS: [u64; 8] = [
    0,
    0x00af_9b00_0000_ffff,
    0x00cf_9300_0000_ffff,
    0,
    0x00cf_f300_0000_ffff,
    0x00af_fb00_0000_ffff,
    0,
    0,
];

/// The task state in 64-bit mode: stacks (Intel SDM 3A figure 8-11).
#[repr(C, packed(4))]
struct TaskState {
    reserved: u32,
    /// Stack on an entry from user space.
    rsp: [u64; 3],
    reserved2: u64,
    /// Stacks for vectors that must not land on the kernel stack.
    ist: [u64; 7],
    reserved3: [u16; 5],
    /// Past the limit: no port is user space's.
    io_map: u16,
}

/// A stack for one of the vectors that end the kernel.
#[repr(C, align(16))]
struct FatalStack([u8; 8192]);

/// A processor's own tables, and the stacks that they name.
#[repr(C)]
pub(crate) struct Tables {
    segments: [u64; 8],
    task_state: TaskState,
    fatal: [FatalStack; 3],
}

impl Tables {
    /// Tables that [`load`] fills.
    pub(crate) const EMPTY: Tables = Tables {
        segments: [0; 8],
        task_state: TaskState {
            reserved: 0,
            rsp: [0; 3],
            reserved2: 0,
            ist: [0; 7],
            reserved3: [0; 5],
            io_map: 0,
        },
        fatal: [const { FatalStack([0; 8192]) }; 3],
    };
}

/// Vectors with stacks of their own: NMI, double fault, machine check.
pub(crate) const FATAL: [u8; 3] = [2, 8, 18];
/// Vectors that user space may raise by instruction: int3, into.
const USER_VECTORS: [u8; 2] = [3, 4];

const VECTORS: usize = 256;

static IDT: Local<[[u64; 2]; VECTORS]> = Local::new([[0; 2]; VECTORS]);

/// Loads the tables: from here on traps and interrupts come to the kernel.
///
/// # Safety
/// The processor's own memory is mapped for good, and nobody else uses it yet; the first
/// processor has called [`fill_gates`].
pub(crate) unsafe fn load(processor: *mut Processor) {
    let pointer = |base: u64, bytes: usize| DescriptorTablePointer {
        base: VirtAddr::new(base),
        limit: bytes as u16 - 1,
    };
    // SAFETY: by the caller's word nobody else refers to the tables. They live for good and are
    // complete; the selectors that are loaded at this time (08 and 10) mean in the new table what
    // they meant in the boot entry's.
    unsafe {
        let tables = &raw mut (*processor).tables;
        fill(&mut *tables, stack_end(processor));
        lgdt(&pointer(&raw const (*tables).segments as u64, size_of::<[u64; 8]>()));
        lidt(&pointer(IDT.as_ptr() as u64, size_of::<[[u64; 2]; VECTORS]>()));
        load_tss(SegmentSelector::new(TASK >> 3, PrivilegeLevel::Ring0));
    }
}

fn fill(tables: &mut Tables, stack: u64) {
    let fatal = tables.fatal.as_ptr() as u64;
    let end = |number: u64| fatal + (number + 1) * size_of::<FatalStack>() as u64;
    let base = &raw const tables.task_state as u64;
    let limit = size_of::<TaskState>() as u64 - 1;
    tables.task_state.rsp = [stack, 0, 0];
    tables.task_state.ist = [end(0), end(1), end(2), 0, 0, 0, 0];
    tables.task_state.io_map = size_of::<TaskState>() as u16;
    tables.segments = SEGMENTS;
    tables.segments[6] =
        limit & 0xffff | (base & 0xff_ffff) << 16 | 0x89 << 40 | (base >> 24 & 0xff) << 56;
    tables.segments[7] = base >> 32;
}

/// Fills the table of gates, which all processors share; called once, by the first.
pub(crate) fn fill_gates() {
    // SAFETY: nobody else refers to the table; no processor has loaded it yet.
    let gates = unsafe { &mut *IDT.as_ptr() };
    for (vector, gate) in gates.iter_mut().enumerate() {
        let fatal = FATAL.iter().position(|&fatal| usize::from(fatal) == vector);
        let by_user = USER_VECTORS.iter().any(|&user| usize::from(user) == vector);
        let stack = fatal.map_or(0, |number| number as u64 + 1);
        *gate = interrupt_gate(trap::stub(vector), stack, if by_user { 3 } else { 0 });
    }
}

/// Returns an interrupt gate: interrupts are off inside (Intel SDM 3A figure 6-8).
const fn interrupt_gate(handler: u64, stack: u64, privilege: u64) -> [u64; 2] {
    let low = handler & 0xffff
        | (KERNEL_CODE as u64) << 16
        | stack << 32
        | 0x8e << 40
        | privilege << 45
        | (handler >> 16 & 0xffff) << 48;
    [low, handler >> 32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gate_holds_handler_stack_and_privilege() {
        let gate = interrupt_gate(0xffff_ffff_8123_4567, 2, 3);
        assert_eq!(gate, [0x8123_ee02_0008_4567, 0xffff_ffff]);
    }

    #[test]
    fn task_state_has_the_size_of_the_manual() {
        assert_eq!(size_of::<TaskState>(), 104);
    }
}
