//! The extended state: x87, SSE and AVX registers, saved to a frame and loaded from it.
//!
//! The kernel itself never uses these registers. With CR0.TS set their use in user space is an
//! exception (7, device not available), so that threads which do not use them cost nothing.

use core::arch::asm;

use kamen_core::Frame;
use x86_64::registers::control::{Cr0, Cr0Flags};

use crate::control::Features;
use crate::memory::direct::DirectMap;
use crate::memory::paging::Tables;

/// Components of XCR0: x87, SSE, AVX (Intel SDM 1 13.1).
const X87_SSE: u64 = 0b011;
const AVX: u64 = 0b100;
/// Word of the state with the x87 control word: all exceptions masked, 64-bit precision.
const CONTROL_WORD: (usize, u64) = (0, 0x037f);
/// Word of the state with MXCSR: all exceptions masked, round to nearest (Intel SDM 1 11.6.4).
const MXCSR: (usize, u64) = (3, 0x1f80);
/// Words of the XSAVE header; the first tells which components are not initial.
const HEADER: core::ops::Range<usize> = 64..72;

/// How the processor keeps extended state.
#[derive(Clone, Copy)]
pub(crate) struct Extended {
    /// The components for XSAVE; nothing where the processor has only FXSAVE.
    components: Option<u64>,
    /// Bits of MXCSR that may be set.
    mxcsr_mask: u32,
    enabled: bool,
}

/// An area for FXSAVE.
#[repr(C, align(16))]
struct LegacyArea([u32; 128]);

impl Extended {
    /// Turns on the components that the processor has; their use is an exception at first.
    pub(crate) fn new(features: &Features) -> Self {
        let components = features.xsave.then_some(X87_SSE | if features.avx { AVX } else { 0 });
        if let Some(components) = components {
            // SAFETY: CR4.OSXSAVE is set, and the processor has these components.
            unsafe {
                asm!("xsetbv", in("ecx") 0, in("eax") components as u32, in("edx") 0,
                    options(nomem, nostack, preserves_flags));
            }
        }
        Extended { components, mxcsr_mask: mxcsr_mask(), enabled: false }
    }

    /// Lets user space use the state, or makes its use an exception.
    #[inline]
    pub(crate) fn enable(&mut self, enabled: bool) {
        if self.enabled == enabled {
            return;
        }
        self.enabled = enabled;
        if enabled {
            clear_task_switched();
        } else {
            // SAFETY: TS affects only instructions that the kernel does not use.
            unsafe { Cr0::write_raw(Cr0::read_raw() | Cr0Flags::TASK_SWITCHED.bits()) };
        }
    }

    /// Writes the state after reset. With XSAVE the header's zeros mean "initial" for all
    /// components; MXCSR is loaded in any case.
    pub(crate) fn init(&self, frames: &mut DirectMap, state: Frame) {
        frames.zero(state);
        for (word, value) in [CONTROL_WORD, MXCSR] {
            frames.store(state, word, value);
        }
    }

    /// Saves the registers to a frame.
    pub(crate) fn save(&mut self, frames: &mut DirectMap, state: Frame) {
        let area = frames.address(state);
        // SAFETY: the frame is mapped and the core's.
        self.with_access(|components| unsafe { save(area, components) });
    }

    /// Returns the components for XSAVE; nothing where the processor has only FXSAVE.
    pub(crate) fn components(&self) -> Option<u64> {
        self.components
    }

    /// Loads the registers from a frame that [`Extended::init`] or [`Extended::save`] wrote.
    pub(crate) fn load(&mut self, frames: &mut DirectMap, state: Frame) {
        let area = frames.address(state);
        // SAFETY: as for `save`; the state was written by the processor or by `init`, so that
        // no reserved bit is set.
        self.with_access(|components| unsafe {
            match components {
                Some(mask) => asm!("xrstor64 [{}]", in(reg) area, in("eax") mask as u32,
                    in("edx") 0, options(nostack, preserves_flags)),
                None => asm!("fxrstor64 [{}]", in(reg) area, options(nostack, preserves_flags)),
            }
        });
    }

    /// Makes a state that user space wrote safe to load: no reserved bit of MXCSR and of the
    /// XSAVE header is set (Intel SDM 1 10.5.1.2, 13.8.1).
    pub(crate) fn sanitize(&self, frames: &mut DirectMap, state: Frame) {
        let mxcsr = frames.load(state, MXCSR.0) & u64::from(self.mxcsr_mask);
        frames.store(state, MXCSR.0, mxcsr);
        if let Some(components) = self.components {
            let present = frames.load(state, HEADER.start) & components;
            HEADER.for_each(|word| frames.store(state, word, 0));
            frames.store(state, HEADER.start, present);
        }
    }

    /// Runs what uses the state with TS clear.
    #[inline(always)]
    fn with_access(&mut self, body: impl FnOnce(Option<u64>)) {
        let enabled = self.enabled;
        self.enable(true);
        body(self.components);
        self.enable(enabled);
    }
}

/// Saves the registers, whether user space may use them now or not.
///
/// # Safety
/// The area is a frame's, mapped, and nobody uses it meanwhile; the components are those in XCR0.
pub(crate) unsafe fn save_anyway(area: u64, components: Option<u64>) {
    let control = Cr0::read_raw();
    clear_task_switched();
    // SAFETY: the caller answers for the area; TS affects only instructions that the kernel does
    // not use.
    unsafe {
        save(area, components);
        Cr0::write_raw(control);
    }
}

/// Saves the registers; TS is clear.
///
/// # Safety
/// As for [`save_anyway`]: a frame has room for all components (832 bytes at most) and the
/// alignment that they need.
unsafe fn save(area: u64, components: Option<u64>) {
    // SAFETY: the caller answers for the area.
    unsafe {
        match components {
            Some(mask) => asm!("xsave64 [{}]", in(reg) area, in("eax") mask as u32,
                in("edx") 0, options(nostack, preserves_flags)),
            None => asm!("fxsave64 [{}]", in(reg) area, options(nostack, preserves_flags)),
        }
    }
}

/// Returns which bits of MXCSR this processor has (Intel SDM 1 11.6.6); leaves TS set.
fn mxcsr_mask() -> u32 {
    let mut area = LegacyArea([0; 128]);
    clear_task_switched();
    // SAFETY: the area is as large and aligned as the instruction needs.
    unsafe {
        asm!("fxsave64 [{}]", in(reg) &raw mut area, options(nostack, preserves_flags));
        Cr0::write_raw(Cr0::read_raw() | Cr0Flags::TASK_SWITCHED.bits());
    }
    if area.0[7] == 0 { 0xffbf } else { area.0[7] }
}

fn clear_task_switched() {
    // SAFETY: TS affects only instructions that the kernel does not use.
    unsafe { asm!("clts", options(nomem, nostack, preserves_flags)) };
}
