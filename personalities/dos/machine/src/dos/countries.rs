//! What countries write dates, times and money like.
//!
//! Source: the MS-DOS 4.0 sources, v4.0/src/DEV/COUNTRY/MKCNTRY.ASM, "World Trade Country Info Tables":
//! the countries whose letters are in code pages 437 and 850. Currency signs are those of 437.
//! Layout: RBIL INT 21/AH=38, table 01399.

use dos_command::Customs;
use dos_command::DateOrder::{self, DayMonthYear, MonthDayYear, YearMonthDay};

/// Bytes of what AH=38 gives, as far as it is not reserved.
pub(super) const COUNTRY_BYTES: usize = 24;

/// A country.
#[derive(Debug)]
pub(crate) struct Country {
    /// Its number, that of its telephone mostly.
    pub(super) code: u16,
    pub(super) customs: Customs,
    currency: &'static [u8],
    thousands: u8,
    /// Bit 0: behind the number; 1: a blank between; 4: instead of the decimal sign.
    currency_format: u8,
    /// Decimals of money.
    decimals: u8,
    list: u8,
}

/// The country where nothing else is said: the USA.
pub(crate) const USA: &Country = &COUNTRIES[0];

#[rustfmt::skip]
const COUNTRIES: [Country; 17] = [
    // United States, Canada (French), Latin America
    country(1, customs(MonthDayYear, b"-:.", false), (b"$", 0, 2), b",,"),
    country(2, customs(YearMonthDay, b"-:,", true), (b"$", 3, 2), b" ;"),
    country(3, customs(DayMonthYear, b"/:.", true), (b"$", 3, 2), b",;"),
    // Netherlands, Belgium, France, Spain, Italy, Switzerland
    country(31, customs(DayMonthYear, b"-:,", true), (b"\x9f", 2, 2), b".;"),
    country(32, customs(DayMonthYear, b"/:,", true), (b"BEF", 2, 2), b".;"),
    country(33, customs(DayMonthYear, b"/:,", true), (b"F", 3, 2), b" ;"),
    country(34, customs(DayMonthYear, b"/:,", true), (b"\x9e", 3, 2), b".;"),
    country(39, customs(DayMonthYear, b"/:,", true), (b"L.", 0, 0), b".;"),
    country(41, customs(DayMonthYear, b"...", true), (b"Fr", 2, 2), b"',"),
    // United Kingdom, Denmark, Sweden, Norway, Germany
    country(44, customs(DayMonthYear, b"-:.", false), (b"\x9c", 0, 2), b",,"),
    country(45, customs(DayMonthYear, b"-.,", true), (b"kr", 2, 2), b".;"),
    country(46, customs(YearMonthDay, b"-.,", true), (b"SEK", 2, 2), b".;"),
    country(47, customs(DayMonthYear, b"..,", true), (b"Kr", 2, 2), b".;"),
    country(49, customs(DayMonthYear, b"..,", true), (b"DM", 2, 2), b".;"),
    // International English, Portugal, Finland
    country(61, customs(DayMonthYear, b"-:.", false), (b"$", 0, 2), b",,"),
    country(351, customs(DayMonthYear, b"/:,", true), (b"$", 4, 2), b".;"),
    country(358, customs(DayMonthYear, b"..,", true), (b"mk", 3, 2), b" ;"),
];

/// Dates and times: the order, the signs of dates, times and decimals, and whether hours are of 24.
const fn customs(date: DateOrder, signs: &[u8; 3], has_24_hours: bool) -> Customs {
    let [date_sign, time_sign, decimal] = *signs;
    Customs { date, date_sign, time_sign, decimal, has_24_hours }
}

/// A country: its money's sign, format and decimals; the signs of thousands and lists.
const fn country(
    code: u16,
    customs: Customs,
    (currency, currency_format, decimals): (&'static [u8], u8, u8),
    signs: &[u8; 2],
) -> Country {
    let [thousands, list] = *signs;
    Country { code, customs, currency, thousands, currency_format, decimals, list }
}

/// Returns the countries' numbers.
pub fn countries() -> [u16; COUNTRIES.len()] {
    core::array::from_fn(|place| COUNTRIES[place].code)
}

impl Country {
    /// Returns the country of a number; nothing for those that nobody knows.
    pub(crate) fn of(code: u16) -> Option<&'static Country> {
        COUNTRIES.iter().find(|country| country.code == code)
    }

    /// Returns what AH=38 gives, without the address of the case map at offset 18.
    pub(super) fn bytes(&self) -> [u8; COUNTRY_BYTES] {
        let mut bytes = [0; COUNTRY_BYTES];
        bytes[0] = self.customs.date as u8;
        bytes[2..2 + self.currency.len()].copy_from_slice(self.currency);
        bytes[7] = self.thousands;
        bytes[9] = self.customs.decimal;
        bytes[11] = self.customs.date_sign;
        bytes[13] = self.customs.time_sign;
        bytes[15] = self.currency_format;
        bytes[16] = self.decimals;
        bytes[17] = u8::from(self.customs.has_24_hours);
        bytes[22] = self.list;
        bytes
    }
}
