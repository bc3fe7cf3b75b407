//! Dates and times: nanoseconds since 1970, DOS's packed words, and their parts.
//!
//! Packed date and time: RBIL INT 21/AX=5700, tables 01665 and 01666. Calendar: days from civil
//! date by counting years from March, so that the leap day is a year's last.

const NS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

/// A date and time of day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DateTime {
    /// Year.
    pub year: u16,
    /// Month from 1.
    pub month: u8,
    /// Day from 1.
    pub day: u8,
    /// Day of the week, 0 is Sunday.
    pub weekday: u8,
    /// Hour.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
    /// Hundredths of a second.
    pub hundredth: u8,
}

impl DateTime {
    /// Returns the date and time of nanoseconds since 1970.
    pub fn from_ns(time: u64) -> DateTime {
        let seconds = time / NS_PER_SECOND;
        let (days, of_day) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let shifted = days + DAYS_TO_1970;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        DateTime {
            year: (era * 400 + year_of_era + u64::from(month <= 2)) as u16,
            month: month as u8,
            day: (of_year - (153 * from_march + 2) / 5 + 1) as u8,
            weekday: ((days + 4) % 7) as u8,
            hour: (of_day / 3600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
            hundredth: (time % NS_PER_SECOND / 10_000_000) as u8,
        }
    }

    /// Returns the date and time of DOS's packed words; parts out of range are clamped.
    pub fn from_packed(date: u16, time: u16) -> DateTime {
        DateTime {
            year: 1980 + (date >> 9),
            month: (date >> 5 & 15).clamp(1, 12) as u8,
            day: (date & 31).max(1) as u8,
            weekday: 0,
            hour: (time >> 11).min(23) as u8,
            minute: (time >> 5 & 63).min(59) as u8,
            second: ((time & 31) * 2).min(59) as u8,
            hundredth: 0,
        }
    }

    /// Returns nanoseconds since 1970; years before it count as 1970.
    pub fn to_ns(self) -> u64 {
        let year = self.year.max(1970) as u64 - u64::from(self.month <= 2);
        let from_march = (self.month as u64 + 9) % 12;
        let of_year = (153 * from_march + 2) / 5 + self.day as u64 - 1;
        let of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
        let days = (year / 400 * 146_097 + of_era).saturating_sub(DAYS_TO_1970);
        let of_day = self.hour as u64 * 3600 + self.minute as u64 * 60 + self.second as u64;
        (days * SECONDS_PER_DAY + of_day) * NS_PER_SECOND + self.hundredth as u64 * 10_000_000
    }

    /// Returns the packed date; years before 1980 count as 1980.
    pub fn packed_date(self) -> u16 {
        let year = self.year.saturating_sub(1980).min(127);
        year << 9 | (self.month as u16) << 5 | self.day as u16
    }

    /// Returns the packed time, in steps of two seconds.
    pub fn packed_time(self) -> u16 {
        (self.hour as u16) << 11 | (self.minute as u16) << 5 | (self.second as u16 >> 1)
    }

    /// Returns the BIOS's ticks since midnight: 18.2065 a second (IBM PC AT BIOS, 1800B0h a day).
    pub fn ticks(self) -> u32 {
        let of_day = self.hour as u64 * 3600 + self.minute as u64 * 60 + self.second as u64;
        ((of_day * 100 + self.hundredth as u64) * 0x18_00b0 / 8_640_000) as u32
    }
}

/// Returns how many days a month from 1 to 12 has.
pub fn days_of(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::DateTime;

    #[test]
    fn known_dates_are_right() {
        let time = DateTime::from_ns(951_782_400_000_000_000);
        assert_eq!((time.year, time.month, time.day, time.weekday), (2000, 2, 29, 2));
        let time = DateTime::from_ns(0);
        assert_eq!((time.year, time.month, time.day, time.weekday), (1970, 1, 1, 4));
    }

    #[test]
    fn conversions_are_inverse() {
        for day in 0..40_000u64 {
            let ns = day * 86_400_000_000_000 + 12_345_670_000_000;
            assert_eq!(DateTime::from_ns(ns).to_ns(), ns);
        }
        let packed = DateTime::from_packed(0x5a21, 0x7bcd);
        assert_eq!((packed.packed_date(), packed.packed_time()), (0x5a21, 0x7bcd));
    }
}
