//! Control and model-specific registers: what the processor offers is turned on.

use core::arch::x86_64::__cpuid_count;

use x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags};
use x86_64::registers::model_specific::Msr;

/// IA32_STAR: selectors of `syscall` and `sysret` (Intel SDM 4, table 2-2).
const STAR: u32 = 0xc000_0081;
/// IA32_LSTAR: where `syscall` goes.
const LSTAR: u32 = 0xc000_0082;
/// IA32_FMASK: flags that `syscall` clears.
const FMASK: u32 = 0xc000_0084;
/// IA32_FS_BASE.
const FS_BASE: u32 = 0xc000_0100;
/// IA32_GS_BASE.
const GS_BASE: u32 = 0xc000_0101;
/// IA32_KERNEL_GS_BASE: what `swapgs` exchanges with GS_BASE.
const KERNEL_GS_BASE: u32 = 0xc000_0102;

/// Flags cleared on entry by `syscall`: TF IF DF IOPL NT AC.
const CLEARED_FLAGS: u64 = 0x0004_7700;

/// What `cpuid` says, as far as the kernel uses it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Features {
    pub(crate) xsave: bool,
    pub(crate) avx: bool,
    smep: bool,
    smap: bool,
    umip: bool,
}

impl Features {
    /// Reads the features of this processor (Intel SDM 2A CPUID, leaves 1 and 7).
    pub(crate) fn read() -> Self {
        let (basic, extended) = (cpuid(1, 0), cpuid(7, 0));
        let bit = |word: u32, number: u32| word >> number & 1 != 0;
        Features {
            xsave: bit(basic.ecx, 26),
            avx: bit(basic.ecx, 28),
            smep: bit(extended.ebx, 7),
            smap: bit(extended.ebx, 20),
            umip: bit(extended.ecx, 2),
        }
    }
}

/// Returns a leaf of `cpuid`; zeros where the processor has no such leaf.
pub(crate) fn cpuid(leaf: u32, subleaf: u32) -> core::arch::x86_64::CpuidResult {
    let base = leaf & 0xf000_0000;
    if leaf > __cpuid_count(base, 0).eax {
        return core::arch::x86_64::CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    }
    __cpuid_count(leaf, subleaf)
}

/// Turns on protection and the extended state; leaves FSGSBASE off, so that only the kernel
/// changes the bases.
pub(crate) fn enable(features: &Features) {
    let mut cr4 = Cr4Flags::PHYSICAL_ADDRESS_EXTENSION
        | Cr4Flags::PAGE_GLOBAL
        | Cr4Flags::OSFXSR
        | Cr4Flags::OSXMMEXCPT_ENABLE;
    cr4.set(Cr4Flags::OSXSAVE, features.xsave);
    cr4.set(Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION, features.smep);
    cr4.set(Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION, features.smap);
    cr4.set(Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION, features.umip);
    let cr0 = Cr0Flags::PROTECTED_MODE_ENABLE
        | Cr0Flags::MONITOR_COPROCESSOR
        | Cr0Flags::TASK_SWITCHED
        | Cr0Flags::EXTENSION_TYPE
        | Cr0Flags::NUMERIC_ERROR
        | Cr0Flags::WRITE_PROTECT
        | Cr0Flags::PAGING;
    // SAFETY: paging and long mode stay as they are, the kernel's mappings respect write
    // protection and are supervisor pages, and each feature is one that the processor has.
    unsafe {
        Cr4::write_raw(cr4.bits());
        Cr0::write_raw(cr0.bits());
    }
}

/// Sets what `syscall`, `sysret` and `swapgs` use.
pub(crate) fn set_entry(star: u64, entry: u64, per_cpu: u64) {
    // SAFETY: `star` names the GDT's segments, `entry` is the system-call path, and the
    // per-processor block lives as long as the kernel.
    unsafe {
        Msr::new(STAR).write(star);
        Msr::new(LSTAR).write(entry);
        Msr::new(FMASK).write(CLEARED_FLAGS);
        Msr::new(GS_BASE).write(per_cpu);
        Msr::new(KERNEL_GS_BASE).write(0);
        Msr::new(FS_BASE).write(0);
    }
}

/// The bases of FS and GS in user space, as last written.
///
/// User space can set a base to 0 by loading a selector, but to nothing else. A base known as 0
/// therefore is 0; any other has to be written again.
#[derive(Clone, Copy)]
pub(crate) struct Bases {
    fs: u64,
    gs: u64,
}

impl Bases {
    /// Returns the bases as [`set_entry`] left them.
    pub(crate) const fn new() -> Self {
        Bases { fs: 0, gs: 0 }
    }

    /// Sets the bases that user space finds.
    #[inline]
    pub(crate) fn set(&mut self, fs: u64, gs: u64) {
        if self.fs | fs != 0 {
            // SAFETY: the base is a user address (the core validates it), and the kernel itself
            // does not use FS.
            unsafe { Msr::new(FS_BASE).write(fs) };
            self.fs = fs;
        }
        if self.gs | gs != 0 {
            // SAFETY: as above; the kernel's own GS base is in the other register.
            unsafe { Msr::new(KERNEL_GS_BASE).write(gs) };
            self.gs = gs;
        }
    }
}
