//! The real-time clock and its 64 bytes of CMOS memory, ports 70 and 71; its interrupts, IRQ 8.
//!
//! ```text
//!   a period, the alarm's second, each second ─► flag in C ─► if enabled in B: IRQ 8, until C is read
//! ```
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
/// Where the alarm's seconds, minutes and hours are, those of the time one below; values from C0 on mean
/// any.
const ALARM: [u8; 3] = [SECONDS + 1, MINUTES + 1, HOURS + 1];
const ANY: u8 = 0xc0;
/// Flags of status C, and what enables them in B: a period is over, the alarm, a second; all together.
const PERIODIC: u8 = 0x40;
const ALARMED: u8 = 0x20;
const UPDATED: u8 = 0x10;
const REQUESTED: u8 = 0x80;
const NS: u64 = 1_000_000_000;
/// Most seconds of a pause that are looked at for the alarm's.
const SECONDS_MAX: usize = 60;

/// The clock.
#[derive(Clone, Debug)]
pub(crate) struct Cmos {
    selected: u8,
    bytes: [u8; REGISTERS],
    /// Local time in ns since 1970.
    time: u64,
    /// Periods, as long as status A says, that were over at the last look.
    periods: u64,
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
        let mut cmos = Cmos { selected: STATUS_D, bytes, time: 0, periods: 0 };
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

    /// Moves the time on: ns, and local time in ns since 1970; returns whether IRQ 8 is raised.
    pub(crate) fn advance(&mut self, now: u64, time: u64) -> bool {
        let mut flags = 0;
        if let Some(period) = self.period() {
            flags |= if now / period == self.periods { 0 } else { PERIODIC };
            self.periods = now / period;
        }
        if time / NS > self.time / NS {
            let mut passed = (self.time / NS + 1..=time / NS).rev().take(SECONDS_MAX);
            let is_alarm = self.enables(ALARMED) && passed.any(|second| self.is_alarm(second * NS));
            flags |= UPDATED | if is_alarm { ALARMED } else { 0 };
        }
        self.time = time;
        let status = &mut self.bytes[STATUS_C as usize];
        let was_requested = *status & REQUESTED != 0;
        *status |= flags;
        if was_requested || *status & self.bytes[STATUS_B as usize] & 0x70 == 0 {
            return false;
        }
        self.bytes[STATUS_C as usize] |= REQUESTED;
        true
    }

    /// Returns when it may interrupt next.
    pub(crate) fn due(&self, now: u64) -> Option<u64> {
        // Until the last request is read there is no other.
        if self.bytes[STATUS_C as usize] & REQUESTED != 0 {
            return None;
        }
        let period = self.period().filter(|_| self.enables(PERIODIC));
        let is_asked = self.enables(ALARMED | UPDATED);
        let second = is_asked.then(|| now + NS - self.time % NS);
        period.map(|period| (self.periods + 1) * period).or(second)
    }

    /// Sets the alarm: seconds, minutes, hours; returns whether there was none.
    pub(crate) fn set_alarm(&mut self, at: [u8; 3]) -> bool {
        let was_free = !self.enables(ALARMED);
        if was_free {
            for (register, value) in ALARM.into_iter().zip(at) {
                self.bytes[register as usize] = value;
            }
            self.bytes[STATUS_B as usize] |= ALARMED;
        }
        was_free
    }

    /// Takes the alarm away.
    pub(crate) fn clear_alarm(&mut self) {
        self.bytes[STATUS_B as usize] &= !ALARMED;
    }

    fn enables(&self, flags: u8) -> bool {
        self.bytes[STATUS_B as usize] & flags != 0
    }

    /// Returns the ns of a period: 2 to the power of the rate less one, of 32,768 Hz; the first two rates
    /// are those of 8 and 9.
    fn period(&self) -> Option<u64> {
        match self.bytes[STATUS_A as usize] & 0x0f {
            0 => None,
            rate @ 1..=2 => Some((NS << (rate + 6)) >> 15),
            rate => Some((NS << (rate - 1)) >> 15),
        }
    }

    fn is_alarm(&self, time: u64) -> bool {
        let now = DateTime::from_ns(time);
        let shown = [self.coded(now.second), self.coded(now.minute), self.hour(now.hour)];
        let wanted = ALARM.map(|register| self.bytes[register as usize]);
        wanted.into_iter().zip(shown).all(|(wanted, shown)| wanted >= ANY || wanted == shown)
    }

    /// Writes port 70.
    pub(crate) fn select(&mut self, register: u8) {
        self.selected = register & 0x3f;
    }

    /// Reads port 71.
    pub(crate) fn read(&mut self) -> u8 {
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
            // What is read is told.
            STATUS_C => core::mem::take(&mut self.bytes[STATUS_C as usize]),
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
        cmos.advance(0, 951_827_696_000_000_000);
        let time = [0, 2, 4, 6, 7, 8, 9, 0x32].map(|register| read(&mut cmos, register));
        assert_eq!(time, [0x56, 0x34, 0x12, 0x03, 0x29, 0x02, 0x00, 0x20]);
        cmos.select(0x0b);
        cmos.write(0x04);
        assert_eq!([0, 4].map(|register| read(&mut cmos, register)), [56, 0x8c]);
    }

    #[test]
    fn periods_seconds_and_the_alarm_interrupt_until_they_are_read() {
        // MC146818 data sheet, "Register C", "Register B", table 5: rate 6 has 976.562 us.
        let mut cmos = Cmos::new(0x20, 640);
        let start = 951_827_696_000_000_000;
        cmos.advance(0, start);
        assert_eq!(read(&mut cmos, 0x0c) & 0xf0, 0x10, "the first second, and nothing was enabled");
        cmos.select(0x0b);
        cmos.write(0x42);
        assert!(!cmos.advance(976_561, start));
        assert!(cmos.advance(976_562, start + 1));
        assert!(!cmos.advance(2_000_000, start + 2), "not read yet");
        assert_eq!((read(&mut cmos, 0x0c), read(&mut cmos, 0x0c)), (0xc0, 0));
        assert_eq!(cmos.due(2_000_000), Some(2_929_686));
        cmos.select(0x0b);
        cmos.write(0x02);
        // At any hour and minute, second 58.
        assert!(cmos.set_alarm([0x58, 0xff, 0xc0]) && !cmos.set_alarm([0; 3]));
        assert!(!cmos.advance(3_000_000, start + 1_000_000_000));
        assert!(cmos.advance(3_000_000, start + 2_000_000_000));
        assert_eq!(read(&mut cmos, 0x0c) & 0xa0, 0xa0);
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
