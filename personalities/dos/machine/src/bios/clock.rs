//! INT 8, the tick; INT 1Ah, the time; INT 15h's waits.
//!
//! Source: IBM PC AT Technical Reference, BIOS listing; RBIL INT 08, INT 1A, INT 15/AH=83, 86.

use super::data::{self, MIDNIGHT, TICKS};
use crate::FarPointer;
use crate::devices::bcd;
use crate::host::Host;
use crate::session::Session;

/// A wait that a program asked for and goes on without (INT 15h/83).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Alarm {
    until: u64,
    /// The byte whose bit 7 is set then.
    at: FarPointer,
}

impl Alarm {
    /// Returns its time, ns.
    pub(crate) fn until(self) -> u64 {
        self.until
    }
}

impl<H: Host> Session<H> {
    /// INT 8's work; its stub calls INT 1Ch and ends the interrupt.
    pub(super) fn tick(&mut self) {
        data::count_ticks(&mut self.bus, 1);
    }

    /// INT 1Ah: ticks since midnight, the real-time clock in BCD and its alarm.
    pub(super) fn clock(&mut self) {
        match self.ah() {
            0x00 => {
                let ticks = self.bus.read32(TICKS);
                let midnight = self.bus.read8(MIDNIGHT);
                self.bus.write8(MIDNIGHT, 0);
                self.set_cx((ticks >> 16) as u16);
                self.set_dx(ticks as u16);
                self.set_al(midnight);
            }
            0x01 => {
                let ticks = self.cx_dx();
                self.bus.write32(TICKS, ticks);
                self.bus.write8(MIDNIGHT, 0);
            }
            0x02 => {
                let now = self.now();
                self.set_cx(u16::from_le_bytes([bcd(now.minute), bcd(now.hour)]));
                self.set_dx(u16::from_le_bytes([0, bcd(now.second)]));
                self.set_carry(false);
            }
            0x04 => {
                let now = self.now();
                let (century, year) = ((now.year / 100) as u8, (now.year % 100) as u8);
                self.set_cx(u16::from_le_bytes([bcd(year), bcd(century)]));
                self.set_dx(u16::from_le_bytes([bcd(now.day), bcd(now.month)]));
                self.set_carry(false);
            }
            // An alarm that is not taken away can't be set.
            0x06 => {
                let ([minute, hour], second) = (self.cx().to_le_bytes(), self.dh());
                let is_set = self.bus.devices.cmos.set_alarm([second, minute, hour]);
                self.set_carry(!is_set);
            }
            0x07 => {
                self.bus.devices.cmos.clear_alarm();
                self.set_carry(false);
            }
            // The clock is the system's: setting it is accepted and does nothing.
            0x03 | 0x05 => self.set_carry(false),
            _ => self.set_carry(true),
        }
    }

    /// INT 15h/86: waits CX:DX microseconds.
    pub(super) fn wait_microseconds(&mut self) {
        let now = self.host.monotonic();
        let until = match self.wait_until.take() {
            Some(until) => until,
            None => now + self.cx_dx() as u64 * 1000,
        };
        if now >= until {
            return self.set_carry(false);
        }
        self.wait_until = Some(until);
        self.begin_anew(0x15);
        self.sleep(Some(until));
    }

    /// INT 15h/83: sets bit 7 of a byte after CX:DX microseconds, or with AL=1 does not.
    pub(super) fn set_alarm(&mut self) {
        match (self.al(), self.alarm) {
            (0, None) => {
                let until = self.host.monotonic() + self.cx_dx() as u64 * 1000;
                self.alarm = Some(Alarm { until, at: self.es_bx() });
                self.set_carry(false);
            }
            (1, _) => {
                self.alarm = None;
                self.set_carry(false);
            }
            _ => self.refuse_service(0x80),
        }
    }

    /// Sets the bit of an alarm whose time has come.
    pub(crate) fn ring_alarm(&mut self, now: u64) {
        if let Some(alarm) = self.alarm.filter(|alarm| alarm.until <= now) {
            let byte = self.bus.read8(alarm.at);
            self.bus.write8(alarm.at, byte | 0x80);
            self.alarm = None;
        }
    }
}
