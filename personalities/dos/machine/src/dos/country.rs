//! What depends on country and language: capitals, and the calls 38, 63, 65, 66.
//!
//! The code page is 437; the country is the USA unless another is set.

use super::countries::{COUNTRY_BYTES, Country};
use super::{Call, DosError, layout};
use crate::FarPointer;
use crate::host::Host;
use crate::session::Session;

const CODE_PAGE: u16 = 437;

/// Capitals of the characters 80 to A5 of code page 437.
const CAPITALS: [u8; 38] = [
    0x80, 0x9a, 0x90, 0x41, 0x8e, 0x41, 0x8f, 0x80, 0x45, 0x45, 0x45, 0x49, 0x49, 0x49, 0x8e, 0x8f,
    0x90, 0x92, 0x92, 0x4f, 0x99, 0x4f, 0x55, 0x55, 0x59, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f,
    0x41, 0x49, 0x4f, 0x55, 0xa5, 0xa5,
];
/// Letters that the characters 80 to A5 are sorted with (USA).
const SORTED_WITH: &[u8; 38] = b"CUEAAAACEEEIIIAAEAAOOOUUYOU$$$$$AIOUNN";

/// Returns the capital of a character of code page 437.
pub fn upper_case(byte: u8) -> u8 {
    match byte.checked_sub(0x80) {
        None => byte.to_ascii_uppercase(),
        Some(index) => CAPITALS.get(index as usize).copied().unwrap_or(byte),
    }
}

/// Returns the weight of a character in the order of the USA's collating table.
pub fn collating_weight(byte: u8) -> u8 {
    match byte {
        0x80..=0xa5 => SORTED_WITH[byte as usize - 0x80],
        0xa8 => b'?',
        0xad => b'!',
        0xae | 0xaf => b'"',
        0xe1 => b'S',
        byte => byte.to_ascii_uppercase(),
    }
}

impl<H: Host> Session<H> {
    /// AH=38: a country's data, or with DX=FFFF that it is the one from now on.
    pub(super) fn country(&mut self) -> Call {
        let country = match self.al() {
            0 => Some(self.dos.country),
            0xff => Country::of(self.bx()),
            code => Country::of(code.into()),
        };
        let country = country.ok_or(DosError::FileNotFound)?;
        if self.dx() == 0xffff {
            self.dos.country = country;
            return Ok(());
        }
        self.bus.write(self.ds_dx(), &country_data(country));
        self.set_ax(country.code);
        self.set_bx(country.code);
        Ok(())
    }

    /// AX=6300: lead bytes of double-byte characters: none.
    pub(super) fn double_byte_table(&mut self) -> Call {
        match self.al() {
            0 => {
                self.set_ds(layout::DOUBLE_BYTE.segment);
                self.set_si(layout::DOUBLE_BYTE.offset + 2);
            }
            // Interim characters: none.
            1 => {}
            2 => self.set_dl(0),
            _ => return Err(DosError::InvalidFunction.into()),
        }
        self.set_al(0);
        Ok(())
    }

    /// AH=65: extended country information.
    pub(super) fn national_language(&mut self) -> Call {
        let to = self.es_di();
        let country = match self.dx() {
            _ if self.al() >= 0x20 => Some(self.dos.country),
            0xffff => Some(self.dos.country),
            code => Country::of(code),
        };
        let country = country.ok_or(DosError::FileNotFound)?;
        if self.al() < 0x20 && !matches!(self.bx(), 0xffff | CODE_PAGE) {
            return Err(DosError::FileNotFound.into());
        }
        if self.al() < 8 && self.cx() < 5 {
            return Err(DosError::InvalidFunction.into());
        }
        match self.al() {
            1 => self.write_country_information(country, to),
            2 | 4 => self.write_table_pointer(to, layout::UPPER_CASE),
            5 => self.write_table_pointer(to, layout::NAME_CHARACTERS),
            6 => self.write_table_pointer(to, layout::COLLATING),
            7 => self.write_table_pointer(to, layout::DOUBLE_BYTE),
            0x20 | 0xa0 => {
                let letter = upper_case(self.dl());
                self.set_dl(letter);
            }
            0x21 | 0xa1 => self.capitalize(self.ds_dx(), self.cx()),
            0x22 | 0xa2 => {
                let text = self.read_string(self.ds_dx(), u16::MAX as usize);
                self.capitalize(self.ds_dx(), text.len() as u16);
            }
            // Yes and no: 1 for y, 0 for n, 2 for others.
            0x23 => {
                let answer = match self.dl().to_ascii_lowercase() {
                    b'n' => 0,
                    b'y' => 1,
                    _ => 2,
                };
                self.set_ax(answer);
            }
            _ => return Err(DosError::InvalidFunction.into()),
        }
        Ok(())
    }

    /// AH=66: code page.
    pub(super) fn code_page(&mut self) -> Call {
        match self.al() {
            1 => {
                self.set_bx(CODE_PAGE);
                self.set_dx(CODE_PAGE);
                Ok(())
            }
            2 if self.bx() == CODE_PAGE => Ok(()),
            2 => Err(DosError::FileNotFound.into()),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    fn write_table_pointer(&mut self, to: FarPointer, table: FarPointer) {
        let kind = self.al();
        self.bus.write8(to, kind);
        self.bus.write_far(to.add(1), table);
        self.set_cx(5);
        self.set_ax(CODE_PAGE);
    }

    fn capitalize(&mut self, at: FarPointer, len: u16) {
        for place in 0..len {
            let byte = self.bus.read8(at.add(place));
            self.bus.write8(at.add(place), upper_case(byte));
        }
    }

    /// AX=6501: as much as the buffer of CX bytes takes; Open Watcom's start-up asks for seven (its
    /// own length in the second word, MS-DOS 4.0 GETSET.ASM `setsize`).
    fn write_country_information(&mut self, country: &Country, to: FarPointer) {
        let mut information = [0; 38];
        information[..2].copy_from_slice(&country.code.to_le_bytes());
        information[2..4].copy_from_slice(&CODE_PAGE.to_le_bytes());
        information[4..].copy_from_slice(&country_data(country));
        let len = (self.cx() - 3).min(information.len() as u16);
        self.bus.write8(to, 1);
        self.bus.write16(to.add(1), len);
        self.bus.write(to.add(3), &information[..len as usize]);
        self.set_cx(len + 3);
        self.set_ax(CODE_PAGE);
    }
}

/// Returns the 34 bytes that describe a country (RBIL table 01399).
fn country_data(country: &Country) -> [u8; 34] {
    let mut data = [0; 34];
    data[..COUNTRY_BYTES].copy_from_slice(&country.bytes());
    data[18..20].copy_from_slice(&layout::CASE_MAP.offset.to_le_bytes());
    data[20..22].copy_from_slice(&layout::CASE_MAP.segment.to_le_bytes());
    data
}
