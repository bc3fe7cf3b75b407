//! Interrupt controllers and the timers used to calibrate the clock.

pub(crate) mod io_apic;
pub(crate) mod lines;
pub(crate) mod local_apic;
pub(crate) mod mmio;
pub(crate) mod pic;
pub(crate) mod pit;

/// Who uses which interrupt vector.
pub(crate) mod vectors {
    /// Where the legacy controllers' 16 vectors go; they are masked, spurious ones are ignored.
    pub(crate) const LEGACY: u64 = 0x20;
    /// Vector of interrupt line 0.
    pub(crate) const LINES: u64 = 0x30;
    /// The local APIC's timer.
    pub(crate) const TIMER: u64 = 0xf0;
    /// From one processor to another: see [`crate::lock`].
    pub(crate) const CALL: u64 = 0xf1;
    /// The local APIC's spurious interrupt.
    pub(crate) const SPURIOUS: u64 = 0xff;
}
