//! INT 10h's pixels, in the modes whose memory is plain: 4 to 6, and 13h.
//!
//! Source: RBIL INT 10/AH=0C, 0D; IBM CGA and VGA Technical References, memory maps.

use crate::FarPointer;
use crate::bios::data;
use crate::host::Host;
use crate::session::Session;

/// Where a pixel is: its byte, and its bits in it.
struct Place {
    at: FarPointer,
    shift: u8,
    mask: u8,
}

/// Returns the place of a pixel; nothing outside or in other modes.
fn place(mode: u8, column: u16, row: u16) -> Option<Place> {
    let wide = match mode {
        0x13 if column < 320 && row < 200 => {
            let at = FarPointer::new(0xa000, row * 320 + column);
            return Some(Place { at, shift: 0, mask: 0xff });
        }
        4 | 5 => 320,
        6 => 640,
        _ => return None,
    };
    // Even rows first, then odd ones, 80 bytes each.
    let bits = (640 / wide) as u8;
    let per_byte = u16::from(8 / bits);
    let offset = (row & 1) * 0x2000 + row / 2 * 80 + column / per_byte;
    let shift = 8 - bits - (column % per_byte) as u8 * bits;
    let at = FarPointer::new(0xb800, offset);
    (column < wide && row < 200).then_some(Place { at, shift, mask: (1 << bits) - 1 })
}

impl<H: Host> Session<H> {
    /// AH=0C: with bit 7 of AL the colour is combined by exclusive or, but not in mode 13h.
    pub(super) fn write_pixel(&mut self) {
        let mode = data::video_mode(&self.bus);
        let Some(place) = place(mode, self.cx(), self.dx()) else { return };
        let byte = self.bus.read8(place.at);
        let new = (self.al() & place.mask) << place.shift;
        let is_combined = self.al() & 0x80 != 0 && mode != 0x13;
        let old = if is_combined { byte } else { byte & !(place.mask << place.shift) };
        self.bus.write8(place.at, old ^ new);
    }

    /// AH=0D.
    pub(super) fn read_pixel(&mut self) {
        let place = place(data::video_mode(&self.bus), self.cx(), self.dx());
        let colour = place.map_or(0, |place| self.bus.read8(place.at) >> place.shift & place.mask);
        self.set_al(colour);
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn pixels_lie_where_the_references_have_them() {
        let found = |mode, column, row| {
            place(mode, column, row).map(|place| (place.at.linear(), place.shift, place.mask))
        };
        assert_eq!(found(0x13, 319, 199), Some((0xa0000 + 63_999, 0, 0xff)));
        assert_eq!(found(4, 5, 3), Some((0xb8000 + 0x2000 + 80 + 1, 4, 3)));
        assert_eq!(found(6, 639, 0), Some((0xb8000 + 79, 0, 1)));
        assert_eq!(found(0x13, 320, 0), None);
        assert_eq!(found(3, 0, 0), None);
    }
}
