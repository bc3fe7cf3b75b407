//! What depends on country and language: capitals, and the calls 38, 63, 65, 66.
//!
//! The country is the USA (1), the code page 437. Country data: RBIL INT 21/AH=38, table 01399.

use super::{Call, DosError, layout};
use crate::FarPointer;
use crate::host::Host;
use crate::session::Session;

const COUNTRY: u16 = 1;
const CODE_PAGE: u16 = 437;

/// Pairs of small and capital letters in 80 to FF of code page 437.
const PAIRS: [(u8, u8); 9] = [
    (0x81, 0x9a),
    (0x82, 0x90),
    (0x84, 0x8e),
    (0x86, 0x8f),
    (0x87, 0x80),
    (0x91, 0x92),
    (0x94, 0x99),
    (0xa4, 0xa5),
    (0x88, 0x45),
];

/// Returns the capital of a character of code page 437.
pub fn upper_case(byte: u8) -> u8 {
    if byte < 0x80 {
        return byte.to_ascii_uppercase();
    }
    PAIRS.iter().find(|(small, _)| *small == byte).map_or(byte, |(_, capital)| *capital)
}

impl<H: Host> Session<H> {
    /// AH=38: country data.
    pub(super) fn country(&mut self) -> Call {
        if self.dx() == 0xffff {
            return Ok(());
        }
        self.write_country(self.ds_dx());
        self.set_ax(COUNTRY);
        self.set_bx(COUNTRY);
        Ok(())
    }

    /// AX=6300: lead bytes of double-byte characters: none.
    pub(super) fn double_byte_table(&mut self) -> Call {
        self.set_ds(layout::DBCS.segment);
        self.set_si(layout::DBCS.offset);
        self.set_al(0);
        Ok(())
    }

    /// AH=65: extended country information.
    pub(super) fn national_language(&mut self) -> Call {
        let to = self.es_di();
        match self.al() {
            1 => {
                self.bus.write8(to, 1);
                self.bus.write16(to.add(1), 38);
                self.bus.write16(to.add(3), COUNTRY);
                self.bus.write16(to.add(5), CODE_PAGE);
                self.write_country(to.add(7));
                self.set_cx(41);
            }
            2 | 4 => self.write_table_pointer(to, layout::UPPER_CASE),
            7 => self.write_table_pointer(to, layout::DBCS),
            0x20 => {
                let letter = upper_case(self.dl());
                self.set_dl(letter);
            }
            0x21 => self.capitalize(self.ds_dx(), self.cx()),
            0x22 => {
                let text = self.read_string(self.ds_dx(), u16::MAX as usize);
                self.capitalize(self.ds_dx(), text.len() as u16);
            }
            _ => return Err(DosError::InvalidFunction.into()),
        }
        Ok(())
    }

    /// AH=66: code page.
    pub(super) fn code_page(&mut self) -> Call {
        if self.al() == 1 {
            self.set_bx(CODE_PAGE);
            self.set_dx(CODE_PAGE);
        }
        Ok(())
    }

    fn write_table_pointer(&mut self, to: FarPointer, table: FarPointer) {
        let kind = self.al();
        self.bus.write8(to, kind);
        self.bus.write_far(to.add(1), table);
        self.set_cx(5);
    }

    fn capitalize(&mut self, at: FarPointer, len: u16) {
        for place in 0..len {
            let byte = self.bus.read8(at.add(place));
            self.bus.write8(at.add(place), upper_case(byte));
        }
    }

    fn write_country(&mut self, at: FarPointer) {
        self.bus.write(at, &[0; 34]);
        for (offset, text) in
            [(2, &b"$"[..]), (7, b","), (9, b"."), (11, b"-"), (13, b":"), (22, b",")]
        {
            self.bus.write(at.add(offset), text);
        }
        self.bus.write8(at.add(16), 2);
    }
}
