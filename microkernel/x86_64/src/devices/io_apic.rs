//! An I/O APIC: interrupt lines become messages to a local APIC (Intel 82093AA data sheet).

use super::mmio::Mmio;
use super::vectors;

const SELECT: u64 = 0x00;
const WINDOW: u64 = 0x10;
const VERSION: u32 = 1;
/// First register of the redirection table, two per line.
const REDIRECTION: u32 = 0x10;

const ACTIVE_LOW: u32 = 1 << 13;
const LEVEL: u32 = 1 << 15;
const MASKED: u32 = 1 << 16;

/// How a line signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Signal {
    /// It stays active until the device is served; else each edge is an interrupt.
    pub(crate) level: bool,
    /// It is active when low.
    pub(crate) low: bool,
}

/// One controller and the lines it serves.
pub(crate) struct IoApic {
    registers: Mmio,
    first: u32,
    count: u32,
}

impl IoApic {
    /// Takes a controller over; all its lines are masked by [`IoApic::configure`] later.
    pub(crate) fn new(mut registers: Mmio, first: u32) -> Self {
        registers.write(SELECT, VERSION);
        let count = (registers.read(WINDOW) >> 16 & 0xff) + 1;
        IoApic { registers, first, count }
    }

    /// Returns the number after this controller's last line.
    pub(crate) fn end(&self) -> u32 {
        self.first + self.count
    }

    /// Returns whether it serves a line.
    pub(crate) fn has(&self, line: u32) -> bool {
        (self.first..self.end()).contains(&line)
    }

    /// Masks a line and sets where it goes and how it signals.
    pub(crate) fn configure(&mut self, line: u32, signal: Signal, apic: u8) {
        self.write(self.register(line) + 1, u32::from(apic) << 24);
        self.set_masked(line, signal, Mask::Masked);
    }

    /// Masks or unmasks a line.
    pub(crate) fn set_masked(&mut self, line: u32, signal: Signal, mask: Mask) {
        let vector = vectors::LINES as u32 + line;
        let level = if signal.level { LEVEL } else { 0 };
        let low = if signal.low { ACTIVE_LOW } else { 0 };
        let masked = if mask == Mask::Masked { MASKED } else { 0 };
        self.write(self.register(line), vector | level | low | masked);
    }

    fn register(&self, line: u32) -> u32 {
        REDIRECTION + 2 * (line - self.first)
    }

    fn write(&mut self, register: u32, value: u32) {
        self.registers.write(SELECT, register);
        self.registers.write(WINDOW, value);
    }
}

/// Whether a line's interrupts are held back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mask {
    /// They are.
    Masked,
    /// They come through.
    Open,
}
