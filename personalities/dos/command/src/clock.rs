//! DATE and TIME, in the form of the United States.

use alloc::vec::Vec;

use crate::input::Question;
use crate::shell::Shell;
use crate::system::{Clock, Stamp, System};
use crate::text::{decimal, parse_number, right, trim, two};

const DAYS: [&[u8]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];

/// Returns `Tue 02-29-2000`.
pub fn date_text(now: &Clock) -> Vec<u8> {
    let day = DAYS[now.weekday as usize % DAYS.len()];
    let year = decimal(now.year.into());
    [day, b" ", &two(now.month), b"-", &two(now.day), b"-", &year].concat()
}

/// Returns `12:34:56.78`, the form of `$T`.
pub fn time_text(now: &Clock) -> Vec<u8> {
    let hour = right(now.hour.into(), 2);
    let (minute, second) = (two(now.minute), two(now.second));
    [&hour[..], b":", &minute, b":", &second, b".", &two(now.hundredth)].concat()
}

/// Returns ` 5:37:56.78p`, the form of TIME.
fn time_of_day_text(now: &Clock) -> Vec<u8> {
    let (hour, half) = half_day(now.hour);
    let text = time_text(&Clock { hour, ..*now });
    [&text[..], half].concat()
}

/// Returns `02-29-00`, the form of DIR.
pub fn stamp_date(stamp: Stamp) -> Vec<u8> {
    let [day, month, year] = [stamp.date & 31, stamp.date >> 5 & 15, (stamp.date >> 9) + 80];
    [two(month as u8), two(day as u8), two((year % 100) as u8)].join(&b'-')
}

/// Returns `12:34p`, the form of DIR.
pub fn stamp_time(stamp: Stamp) -> Vec<u8> {
    let (hour, half) = half_day((stamp.time >> 11) as u8);
    let minute = two((stamp.time >> 5 & 63) as u8);
    [&right(hour.into(), 2)[..], b":", &minute, half].concat()
}

fn half_day(hour: u8) -> (u8, &'static [u8]) {
    let half: &[u8] = if hour < 12 { b"a" } else { b"p" };
    (if hour.is_multiple_of(12) { 12 } else { hour % 12 }, half)
}

impl Shell {
    /// DATE.
    pub(crate) fn date<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        if !trim(tail).is_empty() {
            return self.enter_date(system, tail);
        }
        let today = date_text(&system.clock());
        self.say(system, &[b"Current date is ", &today[..], b"\r\n"].concat());
        self.ask(system, b"Enter new date (mm-dd-yy): ", Question::Date);
    }

    /// TIME.
    pub(crate) fn time<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        if !trim(tail).is_empty() {
            return self.enter_time(system, tail);
        }
        let now = time_of_day_text(&system.clock());
        self.say(system, &[b"Current time is ", &now[..], b"\r\n"].concat());
        self.ask(system, b"Enter new time: ", Question::Time);
    }

    /// Takes a date; nothing leaves it.
    pub(crate) fn enter_date<S: System>(&mut self, system: &mut S, text: &[u8]) {
        let text = trim(text);
        let set = |(year, month, day)| system.set_date(year, month, day);
        if !text.is_empty() && !parse_date(text).is_some_and(set) {
            self.complain(system, b"Invalid date");
            self.ask(system, b"Enter new date (mm-dd-yy): ", Question::Date);
        }
    }

    /// Takes a time; nothing leaves it.
    pub(crate) fn enter_time<S: System>(&mut self, system: &mut S, text: &[u8]) {
        let text = trim(text);
        let set = |[hour, minute, second, hundredth]: [u8; 4]| {
            system.set_time(hour, minute, second, hundredth)
        };
        if !text.is_empty() && !parse_time(text).is_some_and(set) {
            self.complain(system, b"Invalid time");
            self.ask(system, b"Enter new time: ", Question::Time);
        }
    }
}

/// Returns year, month and day of `mm-dd-yy` or `mm/dd/yyyy`.
pub(crate) fn parse_date(text: &[u8]) -> Option<(u16, u8, u8)> {
    let parts = text.split(|byte| matches!(byte, b'-' | b'/' | b'.')).map(parse_number);
    let parts: Vec<u32> = parts.collect::<Option<_>>()?;
    let [month, day, year] = parts[..] else { return None };
    let year = match year {
        80..=99 => 1900 + year,
        0..=79 => 2000 + year,
        year => year,
    };
    Some((year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?))
}

/// Returns hour, minute, second and hundredth of `h[:m[:s[.c]]][a|p]`.
fn parse_time(text: &[u8]) -> Option<[u8; 4]> {
    let (text, half) = match text {
        [rest @ .., half @ (b'a' | b'A' | b'p' | b'P')] => (trim(rest), Some(half & !0x20)),
        text => (text, None),
    };
    let mut time = [0; 4];
    let mut parts = text.split(|byte| matches!(byte, b':' | b'.'));
    for (place, part) in time.iter_mut().zip(&mut parts) {
        *place = parse_number(part)?.try_into().ok()?;
    }
    time[0] = match (half, time[0]) {
        (None, hour) => hour,
        (Some(_), 0 | 13..) => return None,
        (Some(b'A'), 12) => 0,
        (Some(b'P'), hour @ 1..=11) => hour + 12,
        (Some(_), hour) => hour,
    };
    parts.next().is_none().then_some(time)
}

#[cfg(test)]
mod tests {
    use super::{parse_date, parse_time, stamp_date, stamp_time};
    use crate::system::Stamp;

    #[test]
    fn dates_and_times_are_read() {
        assert_eq!(parse_date(b"2-29-00"), Some((2000, 2, 29)));
        assert_eq!(parse_date(b"12/31/1999"), Some((1999, 12, 31)));
        assert_eq!(parse_date(b"today"), None);
        assert_eq!(parse_time(b"1:30p"), Some([13, 30, 0, 0]));
        assert_eq!(parse_time(b"12a"), Some([0, 0, 0, 0]));
        assert_eq!(parse_time(b"23:59:58.99"), Some([23, 59, 58, 99]));
        assert_eq!(parse_time(b"14p"), None);
        assert_eq!(parse_time(b"300"), None);
    }

    #[test]
    fn stamps_are_shown_as_dir_does() {
        // 1991-04-09 05:00, the files of MS-DOS 5.0 (RBIL tables 01665, 01666).
        let stamp = Stamp { date: (11 << 9) | (4 << 5) | 9, time: 5 << 11 };
        assert_eq!(stamp_date(stamp), b"04-09-91");
        assert_eq!(stamp_time(stamp), b" 5:00a");
    }
}
