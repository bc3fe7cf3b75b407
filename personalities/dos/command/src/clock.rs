//! DATE and TIME, and how DIR shows both, in the form of the country.

use alloc::vec::Vec;

use crate::input::Question;
use crate::shell::Shell;
use crate::system::{Clock, Customs, DateOrder, Stamp, System};
use crate::text::{decimal, parse_number, right, trim, two};

const DAYS: [&[u8]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];

/// Returns `Tue 02-29-2000`, or in another order.
pub fn date_text(now: &Clock, customs: &Customs) -> Vec<u8> {
    let day = DAYS[now.weekday as usize % DAYS.len()];
    let date = ordered(&decimal(now.year.into()), now.month, now.day, customs);
    [day, b" ", &date].concat()
}

/// Returns `12:34:56.78`, the form of `$T`.
pub fn time_text(now: &Clock, customs: &Customs) -> Vec<u8> {
    let hour = right(now.hour.into(), 2);
    let text = [hour, two(now.minute), two(now.second)].join(&customs.time_sign);
    [&text[..], &[customs.decimal], &two(now.hundredth)].concat()
}

/// Returns ` 5:37:56.78p`, the form of TIME.
fn time_of_day_text(now: &Clock, customs: &Customs) -> Vec<u8> {
    let (hour, half) = half_day(now.hour, customs);
    let text = time_text(&Clock { hour, ..*now }, customs);
    [&text[..], half].concat()
}

/// Returns `02-29-00`, the form of DIR, or in another order.
pub fn stamp_date(stamp: Stamp, customs: &Customs) -> Vec<u8> {
    let [day, month, year] = [stamp.date & 31, stamp.date >> 5 & 15, (stamp.date >> 9) + 80];
    ordered(&two((year % 100) as u8), month as u8, day as u8, customs)
}

/// Returns `12:34p`, the form of DIR, or `12:34`.
pub fn stamp_time(stamp: Stamp, customs: &Customs) -> Vec<u8> {
    let (hour, half) = half_day((stamp.time >> 11) as u8, customs);
    let minute = two((stamp.time >> 5 & 63) as u8);
    let text = [right(hour.into(), 2), minute].join(&customs.time_sign);
    [&text[..], half].concat()
}

fn half_day(hour: u8, customs: &Customs) -> (u8, &'static [u8]) {
    match hour {
        _ if customs.has_24_hours => (hour, b""),
        0 => (12, b"a"),
        1..12 => (hour, b"a"),
        12 => (12, b"p"),
        _ => (hour - 12, b"p"),
    }
}

fn ordered(year: &[u8], month: u8, day: u8, customs: &Customs) -> Vec<u8> {
    let (month, day) = (&two(month)[..], &two(day)[..]);
    let parts = match customs.date {
        DateOrder::MonthDayYear => [month, day, year],
        DateOrder::DayMonthYear => [day, month, year],
        DateOrder::YearMonthDay => [year, month, day],
    };
    parts.join(&customs.date_sign)
}

/// Returns the question for a date.
fn date_question(order: DateOrder) -> &'static [u8] {
    match order {
        DateOrder::MonthDayYear => b"Enter new date (mm-dd-yy): ",
        DateOrder::DayMonthYear => b"Enter new date (dd-mm-yy): ",
        DateOrder::YearMonthDay => b"Enter new date (yy-mm-dd): ",
    }
}

impl Shell {
    /// DATE.
    pub(crate) fn date<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        if !trim(tail).is_empty() {
            return self.enter_date(system, tail);
        }
        let customs = system.customs();
        let today = date_text(&system.clock(), &customs);
        self.say(system, &[b"Current date is ", &today[..], b"\r\n"].concat());
        self.ask(system, date_question(customs.date), Question::Date);
    }

    /// TIME.
    pub(crate) fn time<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        if !trim(tail).is_empty() {
            return self.enter_time(system, tail);
        }
        let now = time_of_day_text(&system.clock(), &system.customs());
        self.say(system, &[b"Current time is ", &now[..], b"\r\n"].concat());
        self.ask(system, b"Enter new time: ", Question::Time);
    }

    /// Takes a date; nothing leaves it.
    pub(crate) fn enter_date<S: System>(&mut self, system: &mut S, text: &[u8]) {
        let text = trim(text);
        let order = system.customs().date;
        let set = |(year, month, day)| system.set_date(year, month, day);
        if !text.is_empty() && !parse_date(text, order).is_some_and(set) {
            self.complain(system, b"Invalid date");
            self.ask(system, date_question(order), Question::Date);
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

/// Returns year, month and day of `mm-dd-yy` or `mm/dd/yyyy`, or in another order.
pub(crate) fn parse_date(text: &[u8], order: DateOrder) -> Option<(u16, u8, u8)> {
    let parts = text.split(|byte| matches!(byte, b'-' | b'/' | b'.')).map(parse_number);
    let parts: Vec<u32> = parts.collect::<Option<_>>()?;
    let [first, second, third] = parts[..] else { return None };
    let (year, month, day) = match order {
        DateOrder::MonthDayYear => (third, first, second),
        DateOrder::DayMonthYear => (third, second, first),
        DateOrder::YearMonthDay => (first, second, third),
    };
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
    let mut parts = text.split(|byte| matches!(byte, b':' | b'.' | b','));
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
pub(crate) const USA: Customs = Customs {
    date: DateOrder::MonthDayYear,
    date_sign: b'-',
    time_sign: b':',
    decimal: b'.',
    has_24_hours: false,
};

#[cfg(test)]
mod tests {
    use super::{USA, date_text, parse_date, parse_time, stamp_date, stamp_time, time_of_day_text};
    use crate::system::{Clock, Customs, DateOrder, Stamp};
    use DateOrder::{DayMonthYear, MonthDayYear, YearMonthDay};

    #[test]
    fn dates_and_times_are_read() {
        assert_eq!(parse_date(b"2-29-00", MonthDayYear), Some((2000, 2, 29)));
        assert_eq!(parse_date(b"12/31/1999", MonthDayYear), Some((1999, 12, 31)));
        assert_eq!(parse_date(b"31.12.99", DayMonthYear), Some((1999, 12, 31)));
        assert_eq!(parse_date(b"1999-12-31", YearMonthDay), Some((1999, 12, 31)));
        assert_eq!(parse_date(b"today", MonthDayYear), None);
        assert_eq!(parse_time(b"1:30p"), Some([13, 30, 0, 0]));
        assert_eq!(parse_time(b"12a"), Some([0, 0, 0, 0]));
        assert_eq!(parse_time(b"23:59:58.99"), Some([23, 59, 58, 99]));
        assert_eq!(parse_time(b"23.59.58,99"), Some([23, 59, 58, 99]));
        assert_eq!(parse_time(b"14p"), None);
        assert_eq!(parse_time(b"300"), None);
    }

    #[test]
    fn stamps_are_shown_as_dir_does() {
        // 1991-04-09 05:00, the files of MS-DOS 5.0 (RBIL tables 01665, 01666).
        let stamp = Stamp { date: (11 << 9) | (4 << 5) | 9, time: 5 << 11 };
        assert_eq!(stamp_date(stamp, &USA), b"04-09-91");
        assert_eq!(stamp_time(stamp, &USA), b" 5:00a");
    }

    #[test]
    fn dates_and_times_have_the_form_of_the_country() {
        // MS-DOS 4.0 sources, MKCNTRY.ASM: Sweden (46), and the United Kingdom's order (44).
        let sweden = Customs {
            date: YearMonthDay,
            time_sign: b'.',
            decimal: b',',
            has_24_hours: true,
            ..USA
        };
        let stamp = Stamp { date: (11 << 9) | (4 << 5) | 9, time: 17 << 11 | 5 << 5 };
        assert_eq!(
            (&stamp_date(stamp, &sweden)[..], &stamp_time(stamp, &sweden)[..]),
            (&b"91-04-09"[..], &b"17.05"[..])
        );
        let now = Clock { year: 2000, month: 2, day: 29, weekday: 2, hour: 17, ..Clock::default() };
        assert_eq!(date_text(&now, &sweden), b"Tue 2000-02-29");
        assert_eq!(date_text(&now, &Customs { date: DayMonthYear, ..USA }), b"Tue 29-02-2000");
        assert_eq!(time_of_day_text(&now, &sweden), b"17.00.00,00");
        assert_eq!(time_of_day_text(&now, &USA), b" 5:00:00.00p");
    }
}
