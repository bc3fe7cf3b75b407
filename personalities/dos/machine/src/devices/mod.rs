//! The devices behind the I/O ports, without a machine or a clock of their own.
//!
//! ```text
//!   20 21 A0 A1 pic    40-43 pit    60 64 keyboard    61 speaker    70 71 cmos    92 A20
//!   378-37A parallel    3B0-3DF display    everything else reads as FF and takes what is written
//! ```
//!
//! The session tells the time and asks what interrupts. What a program does to a device can
//! matter at once: then [`Devices::attention`] is set, and the processor stops for the session
//! to look.

mod cmos;
pub(crate) mod display;
mod keyboard;
pub(crate) mod parallel;
mod pic;
mod pit;

pub(crate) use cmos::{Cmos, bcd};
pub(crate) use display::Display;
pub(crate) use keyboard::Keyboard;
pub(crate) use parallel::Parallel;
pub(crate) use pic::Pic;
pub(crate) use pit::Pit;

use crate::bios::data::EQUIPMENT_WORD;
use crate::dos::layout::MEMORY_END;

/// The timer's, the keyboard's and the coprocessor's interrupt requests.
pub(crate) const TIMER: u8 = 0;
/// See [`TIMER`].
pub(crate) const KEYBOARD: u8 = 1;
/// See [`TIMER`].
pub(crate) const COPROCESSOR: u8 = 13;
/// The real-time clock's.
const CLOCK: u8 = 8;
/// Ticks that wait for the processor at most; the others are the caller's to count.
const TICKS_MAX: u32 = 20;
/// How long a refresh of the memory takes that toggles port 61's bit 4, ns.
const REFRESH_NS: u64 = 15_085;

/// All devices.
#[derive(Clone, Debug)]
pub(crate) struct Devices {
    pub(crate) pic: Pic,
    pub(crate) pit: Pit,
    pub(crate) keyboard: Keyboard,
    pub(crate) display: Display,
    pub(crate) cmos: Cmos,
    pub(crate) parallel: Parallel,
    /// Port 61: the loudspeaker's gate and switch.
    speaker: u8,
    /// Ticks that have not interrupted yet.
    ticks: u32,
    now: u64,
    attention: bool,
}

impl Default for Devices {
    fn default() -> Self {
        Devices {
            pic: Pic::new(),
            pit: Pit::new(0),
            keyboard: Keyboard::new(),
            display: Display::new(),
            cmos: Cmos::new(EQUIPMENT_WORD as u8, MEMORY_END >> 6),
            parallel: Parallel::default(),
            speaker: 0,
            ticks: 0,
            now: 0,
            attention: false,
        }
    }
}

impl Devices {
    /// Sets the time for the first time: ns, and local time in ns since 1970.
    pub(crate) fn start(&mut self, now: u64, time: u64) {
        self.pit = Pit::new(now);
        self.advance(now, time);
    }

    /// Moves the time on; returns ticks that are too many to interrupt for each.
    pub(crate) fn advance(&mut self, now: u64, time: u64) -> u32 {
        self.now = now.max(self.now);
        if self.cmos.advance(self.now, time) {
            self.pic.raise(CLOCK);
        }
        self.display.advance(self.now);
        let ticks = self.ticks.saturating_add(self.pit.advance(self.now));
        self.ticks = ticks.min(TICKS_MAX);
        if self.keyboard.advance(self.now) {
            self.pic.raise(KEYBOARD);
        }
        ticks - self.ticks
    }

    /// Takes the ticks that nobody wants to be interrupted for.
    pub(crate) fn take_ticks(&mut self) -> u32 {
        core::mem::take(&mut self.ticks)
    }

    /// Returns the vector of an interrupt for a processor that lets it, and takes it.
    pub(crate) fn interrupt(&mut self) -> Option<u8> {
        self.raise_tick();
        self.pic.acknowledge()
    }

    fn raise_tick(&mut self) {
        if self.ticks > 0 && !self.pic.is_raised(TIMER) {
            self.ticks -= 1;
            self.pic.raise(TIMER);
        }
    }

    /// Returns whether there is an interrupt for a processor that lets it.
    pub(crate) fn wants_interrupt(&self) -> bool {
        self.pic.is_pending() || self.ticks > 0 && !self.pic.is_masked(TIMER)
    }

    /// Returns and forgets whether the session should look at the devices now.
    #[inline]
    pub(crate) fn attention(&mut self) -> bool {
        core::mem::take(&mut self.attention)
    }

    /// Reads a port.
    pub(crate) fn read(&mut self, port: u16) -> u8 {
        self.attention |= matches!(port, 0x40..=0x43 | 0x60..=0x64 | 0x71 | 0x3ba | 0x3da);
        match port {
            0x20 | 0x21 | 0xa0 | 0xa1 => {
                self.raise_tick();
                self.pic.read(port)
            }
            0x40..=0x43 => self.pit.read(port),
            0x60 => self.keyboard.read_data(),
            0x61 => self.read_speaker(),
            0x64 => self.keyboard.read_status(),
            0x71 => self.cmos.read(),
            0x92 => u8::from(self.keyboard.a20()) << 1,
            parallel::PORT..=parallel::LAST_PORT => self.parallel.read(port),
            0x3b0..=0x3df => self.display.read(port),
            _ => 0xff,
        }
    }

    /// Writes a port.
    pub(crate) fn write(&mut self, port: u16, value: u8) {
        self.attention |= matches!(port, 0x20..=0xa1 | parallel::LAST_PORT);
        match port {
            0x20 | 0x21 | 0xa0 | 0xa1 => self.pic.write(port, value),
            0x40..=0x43 => self.pit.write(port, value),
            0x60 => self.keyboard.write_data(value),
            0x61 => {
                self.speaker = value & 0x0f;
                self.pit.set_speaker_gate(value & 1 != 0);
            }
            0x64 => self.keyboard.write_command(value),
            0x70 => self.cmos.select(value),
            0x71 => self.cmos.write(value),
            0x92 => self.keyboard.set_a20(value & 2 != 0),
            parallel::PORT..=parallel::LAST_PORT => self.parallel.write(port, value),
            0x3b0..=0x3df => self.display.write(port, value),
            _ => {}
        }
    }

    /// Port 61: gate and switch as written, the refresh's toggle, the speaker's counter.
    fn read_speaker(&self) -> u8 {
        let refresh = (self.now / REFRESH_NS % 2) as u8;
        let output = u8::from(self.pit.speaker_output());
        self.speaker | refresh << 4 | output << 5
    }
}

#[cfg(test)]
mod tests {
    use super::Devices;

    #[test]
    fn nothing_reads_as_empty() {
        let mut devices = Devices::default();
        for port in [0x00, 0x1f, 0x80, 0x201, 0x220, 0x278, 0x3f8, 0xffff] {
            devices.write(port, 0x55);
            assert_eq!(devices.read(port), 0xff, "{port:#x}");
        }
    }

    #[test]
    fn ticks_interrupt_one_by_one() {
        let mut devices = Devices::default();
        devices.start(0, 0);
        assert_eq!(devices.interrupt(), None);
        // Three ticks of 54.9 ms.
        assert_eq!(devices.advance(170_000_000, 0), 0);
        for _ in 0..3 {
            assert_eq!(devices.interrupt(), Some(8));
            assert_eq!(devices.interrupt(), None, "in service");
            devices.write(0x20, 0x20);
            assert!(devices.attention());
        }
        assert_eq!(devices.interrupt(), None);
        // A program that takes none looks at the requests.
        devices.advance(220_000_000, 0);
        assert_eq!(devices.read(0x20), 1);
    }

    #[test]
    fn ticks_that_are_too_many_are_given_back() {
        let mut devices = Devices::default();
        devices.start(0, 0);
        assert_eq!(devices.advance(10_000_000_000, 0), 182 - 20);
    }

    #[test]
    fn keys_interrupt() {
        let mut devices = Devices::default();
        devices.keyboard.press(&[0x1e]);
        devices.advance(0, 0);
        assert_eq!(devices.interrupt(), Some(9));
        assert_eq!(devices.read(0x60), 0x1e);
    }

    #[test]
    fn the_speaker_port_toggles_with_refresh() {
        let mut devices = Devices::default();
        let mut seen = [false; 2];
        for step in 0..4 {
            devices.advance(step * 15_085, 0);
            seen[(devices.read(0x61) >> 4 & 1) as usize] = true;
        }
        assert_eq!(seen, [true, true]);
        devices.write(0x61, 0x03);
        assert_eq!(devices.read(0x61) & 3, 3);
    }
}
