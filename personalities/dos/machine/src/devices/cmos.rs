//! The real-time clock and its 64 bytes of CMOS memory, ports 70 and 71.
//!
//! Source: Motorola MC146818 data sheet; IBM PC AT Technical Reference, "CMOS RAM Address Map";
//! RBIL CMOS.LST.

use crate::dos::time::DateTime;

const SECONDS: u8 = 0x00;
const MINUTES: u8 = 0x02;
const HOURS: u8 = 0x04;
const WEEKDAY: u8 = 0x06;
const DAY: u8 = 0x07;
const MONTH: u8 = 0x08;
const YEAR: u8 = 0x09;
const STATUS_A: u8 = 0x0a;
const STATUS_B: u8 = 0x0b;
const STATUS_C: u8 = 0x0c;
const STATUS_D: u8 = 0x0d;
const EQUIPMENT: usize = 0x14;
const BASE_KIB: usize = 0x15;
/// The sum of the bytes that the setup program wrote: where it is, high half first, and of what.
const SUM: usize = 0x2e;
const SUMMED: core::ops::Range<usize> = 0x10..0x2e;
const CENTURY: u8 = 0x32;
const REGISTERS: usize = 64;

/// The clock.
#[derive(Clone, Debug)]
pub(crate) struct Cmos {
    selected: u8,
    bytes: [u8; REGISTERS],
    /// Local time in ns since 1970.
    time: u64,
}

impl Cmos {
    /// Returns a clock and what the setup program wrote.
    pub(crate) fn new(equipment: u8, base_kib: u16) -> Cmos {
        let mut bytes = [0; REGISTERS];
        // 32,768 Hz, the periodic rate that the BIOS uses; 24 hours, BCD; the battery is good.
        bytes[STATUS_A as usize] = 0x26;
        bytes[STATUS_B as usize] = 0x02;
        bytes[STATUS_D as usize] = 0x80;
        bytes[EQUIPMENT] = equipment;
        [bytes[BASE_KIB], bytes[BASE_KIB + 1]] = base_kib.to_le_bytes();
        let mut cmos = Cmos { selected: STATUS_D, bytes, time: 0 };
        cmos.add_up();
        cmos
    }

    fn add_up(&mut self) {
        let sum = self.bytes[SUMMED].iter().map(|byte| u16::from(*byte)).sum::<u16>();
        self.bytes[SUM..SUM + 2].copy_from_slice(&sum.to_be_bytes());
    }

    /// Sets what the setup program wrote of the equipment.
    pub(crate) fn set_equipment(&mut self, equipment: u8) {
        self.bytes[EQUIPMENT] = equipment;
        self.add_up();
    }

    /// Sets the time of day.
    pub(crate) fn set_time(&mut self, time: u64) {
        self.time = time;
    }

    /// Writes port 70.
    pub(crate) fn select(&mut self, register: u8) {
        self.selected = register & 0x3f;
    }

    /// Reads port 71.
    pub(crate) fn read(&self) -> u8 {
        let now = DateTime::from_ns(self.time);
        match self.selected {
            SECONDS => self.coded(now.second),
            MINUTES => self.coded(now.minute),
            HOURS => self.hour(now.hour),
            WEEKDAY => self.coded(now.weekday + 1),
            DAY => self.coded(now.day),
            MONTH => self.coded(now.month),
            YEAR => self.coded((now.year % 100) as u8),
            CENTURY => bcd((now.year / 100) as u8),
            register => self.bytes[register as usize],
        }
    }

    /// Writes port 71; the time itself is the system's and stays.
    pub(crate) fn write(&mut self, value: u8) {
        match self.selected {
            STATUS_C | STATUS_D => {}
            // Nothing is ever being updated.
            STATUS_A => self.bytes[STATUS_A as usize] = value & 0x7f,
            register => self.bytes[register as usize] = value,
        }
    }

    /// Returns a number as status B's bit 2 says: binary or BCD.
    fn coded(&self, value: u8) -> u8 {
        if self.bytes[STATUS_B as usize] & 4 != 0 { value } else { bcd(value) }
    }

    /// Returns the hour as status B's bit 1 says: of 24, or of 12 with bit 7 in the afternoon.
    fn hour(&self, hour: u8) -> u8 {
        if self.bytes[STATUS_B as usize] & 2 != 0 {
            return self.coded(hour);
        }
        self.coded((hour + 11) % 12 + 1) | if hour >= 12 { 0x80 } else { 0 }
    }
}

/// Returns a number below 100 with a digit in each half.
pub(crate) fn bcd(value: u8) -> u8 {
    value / 10 * 16 + value % 10
}

#[cfg(test)]
mod tests {
    use super::Cmos;

    fn read(cmos: &mut Cmos, register: u8) -> u8 {
        cmos.select(register);
        cmos.read()
    }

    #[test]
    fn the_clock_gives_digits() {
        let mut cmos = Cmos::new(0x20, 640);
        // 2000-02-29 12:34:56, a Tuesday.
        cmos.set_time(951_827_696_000_000_000);
        let time = [0, 2, 4, 6, 7, 8, 9, 0x32].map(|register| read(&mut cmos, register));
        assert_eq!(time, [0x56, 0x34, 0x12, 0x03, 0x29, 0x02, 0x00, 0x20]);
        cmos.select(0x0b);
        cmos.write(0x04);
        assert_eq!([0, 4].map(|register| read(&mut cmos, register)), [56, 0x8c]);
    }

    #[test]
    fn memory_sizes_are_there_and_other_bytes_are_kept() {
        let mut cmos = Cmos::new(0x20, 640);
        let found = [0x14, 0x15, 0x16, 0x0d, 0x0a].map(|register| read(&mut cmos, register));
        assert_eq!(found, [0x20, 0x80, 0x02, 0x80, 0x26]);
        // RBIL CMOS.LST, 2Eh: the sum of 10h to 2Dh.
        assert_eq!([0x2e, 0x2f].map(|register| read(&mut cmos, register)), [0, 0x20 + 0x80 + 0x02]);
        cmos.select(0xb5);
        cmos.write(0x77);
        assert_eq!(read(&mut cmos, 0x35), 0x77);
    }
}
