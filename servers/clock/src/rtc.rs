//! The PC's real-time clock: registers of the MC146818 behind two I/O ports.

use crate::date::DateTime;

/// Access to the chip's registers (index in port 0x70, data in port 0x71).
pub trait Cmos {
    /// Reads a register.
    fn read(&mut self, register: u8) -> u8;
}

/// Registers (Motorola MC146818A data sheet, address map; the century is PC firmware's custom,
/// ACPI 6.5 5.2.9 FADT CENTURY).
mod register {
    pub const SECOND: u8 = 0x00;
    pub const MINUTE: u8 = 0x02;
    pub const HOUR: u8 = 0x04;
    pub const DAY: u8 = 0x07;
    pub const MONTH: u8 = 0x08;
    pub const YEAR: u8 = 0x09;
    pub const STATUS_A: u8 = 0x0a;
    pub const STATUS_B: u8 = 0x0b;
    pub const CENTURY: u8 = 0x32;
}

/// Status A: an update of the registers is in progress or about to begin.
const UPDATING: u8 = 0x80;
/// Status B: numbers are binary, not binary-coded decimal.
const BINARY: u8 = 0x04;
/// Status B: hours go from 0 to 23, not from 1 to 12 with bit 7 for p.m.
const HOURS_24: u8 = 0x02;

/// How often the chip is asked before it counts as absent: an update takes 2 ms.
const ATTEMPTS: usize = 10_000;

/// The registers as they are read.
type Raw = [u8; 7];

/// Reads the time; nothing where the chip gives none that can be.
pub fn read(cmos: &mut impl Cmos) -> Option<DateTime> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        if cmos.read(register::STATUS_A) & UPDATING != 0 {
            continue;
        }
        // An update may have begun meanwhile: only what is read twice counts.
        let raw = snapshot(cmos);
        if last == Some(raw) {
            return decode(raw, cmos.read(register::STATUS_B));
        }
        last = Some(raw);
    }
    None
}

fn snapshot(cmos: &mut impl Cmos) -> Raw {
    [
        register::SECOND,
        register::MINUTE,
        register::HOUR,
        register::DAY,
        register::MONTH,
        register::YEAR,
        register::CENTURY,
    ]
    .map(|register| cmos.read(register))
}

fn decode(raw: Raw, status: u8) -> Option<DateTime> {
    let number = |byte: u8| match status & BINARY {
        0 if byte & 0xf > 9 || byte >> 4 > 9 => None,
        0 => Some(u32::from(byte >> 4) * 10 + u32::from(byte & 0xf)),
        _ => Some(u32::from(byte)),
    };
    let [second, minute, hour, day, month, year, century] = raw;
    let short_year = number(year)?;
    // Firmware without a century register leaves anything there.
    let century = match number(century) {
        Some(century @ 19..=22) => century,
        _ if short_year >= 70 => 19,
        _ => 20,
    };
    let hour = match status & HOURS_24 {
        0 => number(hour & 0x7f)? % 12 + if hour & 0x80 != 0 { 12 } else { 0 },
        _ => number(hour)?,
    };
    let time = DateTime {
        year: century * 100 + short_year,
        month: number(month)?,
        day: number(day)?,
        hour,
        minute: number(minute)?,
        second: number(second)?,
    };
    time.unix_seconds().map(|_| time)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chip that shows its readings one after the other, and the last one for ever.
    struct Chip {
        readings: &'static [Raw],
        status_a: u8,
        status_b: u8,
        shown: usize,
    }

    impl Cmos for Chip {
        fn read(&mut self, register: u8) -> u8 {
            let reading = self.readings[self.shown.min(self.readings.len() - 1)];
            let order = [0, 2, 4, 7, 8, 9, 0x32];
            match register {
                register::STATUS_A => self.status_a,
                register::STATUS_B => self.status_b,
                _ => {
                    self.shown += usize::from(register == register::CENTURY);
                    reading[order.iter().position(|&known| known == register).unwrap()]
                }
            }
        }
    }

    fn chip(readings: &'static [Raw], status_b: u8) -> Chip {
        Chip { readings, status_a: 0x26, status_b, shown: 0 }
    }

    const EXPECTED: DateTime =
        DateTime { year: 2026, month: 11, day: 22, hour: 23, minute: 59, second: 58 };
    const BCD: Raw = [0x58, 0x59, 0x23, 0x22, 0x11, 0x26, 0x20];

    #[test]
    fn decimal_and_binary_numbers_are_understood() {
        assert_eq!(read(&mut chip(&[BCD], HOURS_24)), Some(EXPECTED));
        let binary = &[[58, 59, 23, 22, 11, 26, 20]];
        assert_eq!(read(&mut chip(binary, HOURS_24 | BINARY)), Some(EXPECTED));
    }

    #[test]
    fn twelve_hour_clocks_are_understood() {
        let hour = |byte: u8| decode([0x58, 0x59, byte, 0x22, 0x11, 0x26, 0x20], 0);
        let hours = [(0x92, 12), (0x81, 13), (0x91, 23), (0x12, 0), (0x01, 1)];
        for (byte, expected) in hours {
            assert_eq!(hour(byte).map(|time| time.hour), Some(expected), "{byte:#x}");
        }
    }

    #[test]
    fn missing_century_is_guessed() {
        let year =
            |year, century| decode([0, 0, 0, 1, 1, year, century], HOURS_24).map(|time| time.year);
        assert_eq!(
            (year(0x26, 0), year(0x99, 0xff), year(0x26, 0x21)),
            (Some(2026), Some(1999), Some(2126))
        );
    }

    #[test]
    fn reading_in_the_middle_of_an_update_is_repeated() {
        const TORN: Raw = [0x00, 0x59, 0x23, 0x22, 0x11, 0x26, 0x20];
        assert_eq!(read(&mut chip(&[TORN, BCD, BCD], HOURS_24)), Some(EXPECTED));
    }

    #[test]
    fn chip_that_never_answers_gives_no_time() {
        let mut updating = Chip { status_a: UPDATING, ..chip(&[BCD], HOURS_24) };
        assert_eq!(read(&mut updating), None);
        assert_eq!(read(&mut chip(&[[0xff; 7]], 0xff)), None);
        assert_eq!(read(&mut chip(&[[0x5a, 0, 0, 1, 1, 1, 0x20]], HOURS_24)), None);
    }
}
