//! The processor's own interrupt controller and timer (Intel SDM 3A chapter 11).

use super::mmio::Mmio;
use super::vectors;

/// Register offsets (Intel SDM 3A table 11-1).
const ID: u64 = 0x20;
const TASK_PRIORITY: u64 = 0x80;
const END_OF_INTERRUPT: u64 = 0xb0;
const SPURIOUS: u64 = 0xf0;
const COMMAND: u64 = 0x300;
const DESTINATION: u64 = 0x310;
const LVT_TIMER: u64 = 0x320;
const LVT_LINT0: u64 = 0x350;
const LVT_LINT1: u64 = 0x360;
const LVT_ERROR: u64 = 0x370;
const INITIAL_COUNT: u64 = 0x380;
const CURRENT_COUNT: u64 = 0x390;
const DIVIDE: u64 = 0x3e0;

const MASKED: u32 = 1 << 16;
const ENABLED: u32 = 1 << 8;
/// Interrupt command: fixed delivery to the sender (Intel SDM 3A 11.6.1).
const TO_SELF: u32 = 1 << 18;
/// Interrupt command: fixed delivery, INIT, start-up at a page (Intel SDM 3A 11.6.1).
const FIXED: u32 = 1 << 14;
const INIT: u32 = 1 << 14 | 5 << 8;
const START_UP: u32 = 1 << 14 | 6 << 8;
/// Interrupt command: the last one is on its way.
const PENDING: u32 = 1 << 12;
const DIVIDE_BY_1: u32 = 0b1011;

/// The local APIC in xAPIC mode.
#[derive(Clone, Copy)]
pub(crate) struct LocalApic(Mmio);

impl LocalApic {
    /// Enables the controller: only its timer and the lines' messages come through.
    pub(crate) fn enable(registers: Mmio) -> Self {
        let mut apic = LocalApic(registers);
        apic.0.write(TASK_PRIORITY, 0);
        for entry in [LVT_LINT0, LVT_LINT1, LVT_ERROR] {
            apic.0.write(entry, MASKED);
        }
        apic.0.write(INITIAL_COUNT, 0);
        apic.0.write(DIVIDE, DIVIDE_BY_1);
        apic.0.write(LVT_TIMER, vectors::TIMER as u32);
        apic.0.write(SPURIOUS, ENABLED | vectors::SPURIOUS as u32);
        apic
    }

    /// Returns the number by which interrupts are sent here.
    pub(crate) fn id(&self) -> u8 {
        (self.0.read(ID) >> 24) as u8
    }

    /// Tells the controller that the interrupt was taken.
    #[inline(always)]
    pub(crate) fn acknowledge(&mut self) {
        self.0.write(END_OF_INTERRUPT, 0);
    }

    /// Sends an interrupt to this processor itself.
    pub(crate) fn interrupt_self(&mut self, vector: u64) {
        self.0.write(COMMAND, TO_SELF | vector as u32);
    }

    /// Sends an interrupt to another processor.
    pub(crate) fn interrupt(&mut self, apic: u8, vector: u64) {
        self.send(apic, FIXED | vector as u32);
    }

    /// Resets another processor, which waits for its start-up then.
    pub(crate) fn reset(&mut self, apic: u8) {
        self.send(apic, INIT);
    }

    /// Starts another processor in real mode at the beginning of a page below 1 MiB.
    pub(crate) fn start_up(&mut self, apic: u8, page: u8) {
        self.send(apic, START_UP | u32::from(page));
    }

    fn send(&mut self, apic: u8, command: u32) {
        while self.0.read(COMMAND) & PENDING != 0 {
            core::hint::spin_loop();
        }
        self.0.write(DESTINATION, u32::from(apic) << 24);
        self.0.write(COMMAND, command);
    }

    /// Lets the timer interrupt once after a number of its ticks; 0 stops it.
    #[inline(always)]
    pub(crate) fn set_countdown(&mut self, ticks: u32) {
        self.0.write(INITIAL_COUNT, ticks);
    }

    /// Returns the ticks that are left of the countdown.
    pub(crate) fn countdown(&self) -> u32 {
        self.0.read(CURRENT_COUNT)
    }
}
