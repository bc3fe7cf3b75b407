//! Dates of the Gregorian calendar as seconds since 1970.

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// A time of day in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "month and day count from 1, the rest from 0")]
pub struct DateTime {
    pub year: u32,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
}

impl DateTime {
    /// Returns the seconds from 1970-01-01 00:00:00 UTC, without leap seconds (POSIX 4.19), or
    /// nothing for a date that does not exist or lies before.
    pub fn unix_seconds(self) -> Option<u64> {
        let is_time = self.hour < 24 && self.minute < 60 && self.second < 60;
        if self.year < 1970 || !is_time || !self.is_date() {
            return None;
        }
        let time = (self.hour * 60 + self.minute) * 60 + self.second;
        Some(self.days() * 86_400 + u64::from(time))
    }

    fn is_date(self) -> bool {
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if is_leap(self.year) => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        };
        (1..=days).contains(&self.day)
    }

    /// Returns the days since 1970-01-01. The year is taken to begin in March, so that the leap
    /// day is its last and the months before it have lengths that repeat every five (153 days).
    fn days(self) -> u64 {
        let (year, month) = match self.month {
            1 | 2 => (u64::from(self.year) - 1, u64::from(self.month) + 9),
            _ => (u64::from(self.year), u64::from(self.month) - 3),
        };
        let leap_days = year / 4 - year / 100 + year / 400;
        let days = year * 365 + leap_days + (153 * month + 2) / 5 + u64::from(self.day) - 1;
        // Days from 0000-03-01 to 1970-01-01.
        days - 719_468
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: u32, month: u32, day: u32) -> DateTime {
        DateTime { year, month, day, hour: 0, minute: 0, second: 0 }
    }

    #[test]
    fn known_times_are_right() {
        let noon = |date| DateTime { hour: 12, minute: 34, second: 56, ..date };
        assert_eq!(at(1970, 1, 1).unix_seconds(), Some(0));
        assert_eq!(noon(at(1970, 1, 1)).unix_seconds(), Some(45_296));
        assert_eq!(at(2000, 2, 29).unix_seconds(), Some(951_782_400));
        assert_eq!(at(2000, 3, 1).unix_seconds(), Some(951_868_800));
        assert_eq!(at(2038, 1, 19).unix_seconds(), Some(2_147_472_000));
        assert_eq!(noon(at(2026, 11, 22)).unix_seconds(), Some(1_795_350_896));
    }

    #[test]
    fn every_day_is_one_later_than_the_day_before() {
        let mut expected = 0;
        for year in 1970..2300 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(seconds) = at(year, month, day).unix_seconds() {
                        assert_eq!(seconds, expected * 86_400);
                        expected += 1;
                    }
                }
            }
        }
        assert_eq!(expected, 330 * 365 + 80);
    }

    #[test]
    fn times_that_do_not_exist_have_no_seconds() {
        let wrong = [at(1969, 12, 31), at(2023, 2, 29), at(2100, 2, 29), at(2024, 4, 31)];
        let more = [at(2024, 0, 1), at(2024, 13, 1), at(2024, 1, 0)];
        let base = at(2024, 1, 1);
        let clock = [
            DateTime { hour: 24, ..base },
            DateTime { minute: 60, ..base },
            DateTime { second: 60, ..base },
        ];
        for date in wrong.into_iter().chain(more).chain(clock) {
            assert_eq!(date.unix_seconds(), None, "{date:?}");
        }
    }
}
