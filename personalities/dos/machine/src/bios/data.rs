//! The BIOS's data area at segment 40h, and the ring buffer of keys in it.
//!
//! Source: IBM PC AT Technical Reference, BIOS listing, "DATA AREAS"; RBIL MEMORY.LST, MEM 0040.

use crate::devices::parallel;
use crate::dos::layout::MEMORY_END;
use crate::{Bus, FarPointer};

const SEGMENT: u16 = 0x40;

const fn at(offset: u16) -> FarPointer {
    FarPointer::new(SEGMENT, offset)
}

/// The port of the first printer.
const PRINTER_PORT: FarPointer = at(0x08);
/// What is installed, as INT 11h gives it.
pub(crate) const EQUIPMENT: FarPointer = at(0x10);
pub(super) const MEMORY_KIB: FarPointer = at(0x13);
/// Modifiers and locks: bits 0 to 3 right and left shift, Ctrl, Alt; 4 to 7 Scroll, Num, Caps, Ins.
pub(super) const SHIFT_STATE: FarPointer = at(0x17);
/// Bits 0 and 1: left Ctrl, left Alt.
pub(super) const SHIFT_STATE_2: FarPointer = at(0x18);
/// The character that is being typed with Alt and digits.
pub(super) const ALT_NUMBER: FarPointer = at(0x19);
const KEY_HEAD: FarPointer = at(0x1a);
const KEY_TAIL: FarPointer = at(0x1c);
const KEY_BEGIN: FarPointer = at(0x80);
const KEY_END: FarPointer = at(0x82);
pub(super) const VIDEO_MODE: FarPointer = at(0x49);
const COLUMNS: FarPointer = at(0x4a);
const PAGE_BYTES: FarPointer = at(0x4c);
const PAGE_START: FarPointer = at(0x4e);
/// Cursors of eight pages, column and row.
const CURSOR: FarPointer = at(0x50);
pub(super) const CURSOR_SHAPE: FarPointer = at(0x60);
const ACTIVE_PAGE: FarPointer = at(0x62);
const DISPLAY_PORT: FarPointer = at(0x63);
const MODE_CONTROL: FarPointer = at(0x65);
/// Ticks since midnight.
pub(crate) const TICKS: FarPointer = at(0x6c);
pub(super) const MIDNIGHT: FarPointer = at(0x70);
/// Bit 7: Ctrl-Break was typed.
pub(super) const BREAK: FarPointer = at(0x71);
/// 1234h: the memory need not be tested at a restart.
const RESET: FarPointer = at(0x72);
const ROWS: FarPointer = at(0x84);
const CELL_LINES: FarPointer = at(0x85);
/// The EGA's and VGA's state: memory, monitor, lines, the adapters' combination.
const ADAPTER: FarPointer = at(0x87);
/// Its bit that says the mode was set without clearing the memory.
const KEPT_MEMORY: u8 = 0x80;
/// Bit 4: enhanced keyboard; bits 0 and 1: the last scan code was E1, E0.
pub(super) const KEYBOARD_STATE: FarPointer = at(0x96);

/// Colour display, no coprocessor, no floppy drive, one printer (INT 11h).
pub(crate) const EQUIPMENT_WORD: u16 = 0x4020;
/// Its bit that says there is a coprocessor.
const EQUIPMENT_COPROCESSOR: u16 = 0x0002;
/// Ticks of a day (INT 1Ah).
const TICKS_A_DAY: u32 = 0x0018_00b0;

/// Writes the area as it is after a start at that many ticks since midnight.
pub(super) fn install(bus: &mut Bus, ticks: u32) {
    bus.write16(PRINTER_PORT, parallel::PORT);
    bus.write16(EQUIPMENT, EQUIPMENT_WORD);
    bus.write16(MEMORY_KIB, MEMORY_END >> 6);
    bus.write32(TICKS, ticks % TICKS_A_DAY);
    bus.write16(RESET, 0x1234);
    bus.write8(KEYBOARD_STATE, 0x10);
    for (place, value) in [(KEY_HEAD, 0x1e), (KEY_TAIL, 0x1e), (KEY_BEGIN, 0x1e), (KEY_END, 0x3e)] {
        bus.write16(place, value);
    }
}

/// Counts ticks, as INT 8 does for each.
pub(crate) fn count_ticks(bus: &mut Bus, count: u32) {
    let ticks = bus.read32(TICKS).wrapping_add(count);
    if ticks >= TICKS_A_DAY {
        bus.write32(TICKS, ticks % TICKS_A_DAY);
        bus.write8(MIDNIGHT, 1);
    } else {
        bus.write32(TICKS, ticks);
    }
}

/// Sets the display's part for a mode.
pub(super) fn set_video_mode(bus: &mut Bus, mode: u8, columns: u16) {
    bus.write8(VIDEO_MODE, mode);
    bus.write16(COLUMNS, columns);
    bus.write(CURSOR, &[0; 16]);
    bus.write16(DISPLAY_PORT, if mode == 7 { 0x3b4 } else { 0x3d4 });
    bus.write(MODE_CONTROL, &[0x29, 0x30]);
    bus.write(ADAPTER, &[0x60, 0xf9, 0x11, 0x0b]);
}

/// Sets how many rows there are, and lines of a character.
pub(super) fn set_rows(bus: &mut Bus, rows: u8, cell: u8) {
    bus.write8(ROWS, rows - 1);
    bus.write16(CELL_LINES, cell.into());
    // Pages begin at multiples of 256 bytes.
    let bytes = usize::from(rows) * columns(bus) * 2;
    bus.write16(PAGE_BYTES, bytes.next_multiple_of(256).min(0x4000) as u16);
}

/// Makes a page the shown one; returns where it begins.
pub(super) fn select_page(bus: &mut Bus, page: u8) -> u16 {
    let start = page_bytes(bus).wrapping_mul(page.into());
    bus.write8(ACTIVE_PAGE, page);
    bus.write16(PAGE_START, start);
    start
}

/// Returns the places of the display's part: mode to palette, rows to what the adapter has.
pub(super) fn video_places() -> impl Iterator<Item = FarPointer> {
    (0x49..=0x66).chain(0x84..=0x8a).map(at)
}

/// Says that the mode was set without clearing the memory.
pub(super) fn note_kept_memory(bus: &mut Bus) {
    let state = bus.read8(ADAPTER) | KEPT_MEMORY;
    bus.write8(ADAPTER, state);
}

/// Returns the mode as INT 10h tells it: with bit 7 if it was set so (RBIL INT 10/AH=0F).
pub(super) fn told_video_mode(bus: &Bus) -> u8 {
    video_mode(bus) | bus.read8(ADAPTER) & KEPT_MEMORY
}

/// Returns the mode.
pub(crate) fn video_mode(bus: &Bus) -> u8 {
    bus.read8(VIDEO_MODE) & 0x7f
}

/// Returns characters of a row; programs write here.
pub(crate) fn columns(bus: &Bus) -> usize {
    bus.read16(COLUMNS).clamp(1, 132).into()
}

/// Returns rows of the screen; programs write here.
pub(crate) fn rows(bus: &Bus) -> usize {
    usize::from(bus.read8(ROWS)).clamp(0, 59) + 1
}

/// Returns bytes from one page to the next.
pub(super) fn page_bytes(bus: &Bus) -> u16 {
    bus.read16(PAGE_BYTES)
}

/// Returns the page that is shown.
pub(crate) fn active_page(bus: &Bus) -> u8 {
    known_page(bus.read8(ACTIVE_PAGE))
}

/// Returns a page of which there is a cursor.
pub(super) fn known_page(page: u8) -> u8 {
    page & 7
}

/// Returns a page's cursor, row and column.
pub(crate) fn cursor(bus: &Bus, page: u8) -> (u8, u8) {
    let [column, row] = bus.read16(CURSOR.add(u16::from(page) * 2)).to_le_bytes();
    (row, column)
}

/// Sets a page's cursor, row and column.
pub(super) fn set_cursor(bus: &mut Bus, page: u8, (row, column): (u8, u8)) {
    bus.write16(CURSOR.add(u16::from(page) * 2), u16::from_le_bytes([column, row]));
}

/// Returns a far pointer as it lies in memory.
pub(super) fn far_bytes(at: FarPointer) -> [u8; 4] {
    let ([a, b], [c, d]) = (at.offset.to_le_bytes(), at.segment.to_le_bytes());
    [a, b, c, d]
}

/// Appends a key to the ring buffer; returns whether there was room.
pub(crate) fn put_key(bus: &mut Bus, key: u16) -> bool {
    let tail = bus.read16(KEY_TAIL);
    let next = after(bus, tail);
    if next == bus.read16(KEY_HEAD) {
        return false;
    }
    bus.write16(at(tail), key);
    bus.write16(KEY_TAIL, next);
    true
}

/// Returns whether a key can be appended.
pub(crate) fn has_room(bus: &Bus) -> bool {
    after(bus, bus.read16(KEY_TAIL)) != bus.read16(KEY_HEAD)
}

/// Returns the oldest key without taking it.
pub(crate) fn peek_key(bus: &Bus) -> Option<u16> {
    let head = bus.read16(KEY_HEAD);
    (head != bus.read16(KEY_TAIL)).then(|| bus.read16(at(head)))
}

/// Takes the oldest key.
pub(crate) fn take_key(bus: &mut Bus) -> Option<u16> {
    let key = peek_key(bus)?;
    let next = after(bus, bus.read16(KEY_HEAD));
    bus.write16(KEY_HEAD, next);
    Some(key)
}

/// Forgets all keys.
pub(crate) fn clear_keys(bus: &mut Bus) {
    let tail = bus.read16(KEY_TAIL);
    bus.write16(KEY_HEAD, tail);
}

/// Returns the place in the ring that follows a place.
fn after(bus: &Bus, place: u16) -> u16 {
    let next = place.wrapping_add(2);
    if next == bus.read16(KEY_END) { bus.read16(KEY_BEGIN) } else { next }
}

/// Says that there is a coprocessor.
pub(crate) fn note_coprocessor(bus: &mut Bus) {
    let word = bus.read16(EQUIPMENT) | EQUIPMENT_COPROCESSOR;
    bus.write16(EQUIPMENT, word);
    bus.devices.cmos.set_equipment(word as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_holds_fifteen_keys() {
        let mut bus = Bus::new();
        install(&mut bus, 0);
        for round in 0..3 {
            for key in 0..15 {
                assert!(put_key(&mut bus, round * 100 + key));
            }
            assert!(!has_room(&bus) && !put_key(&mut bus, 99));
            for key in 0..15 {
                assert_eq!(take_key(&mut bus), Some(round * 100 + key));
            }
            assert_eq!(take_key(&mut bus), None);
        }
    }

    #[test]
    fn ticks_begin_anew_at_midnight() {
        let mut bus = Bus::new();
        install(&mut bus, 0x0018_00ae);
        count_ticks(&mut bus, 1);
        assert_eq!((bus.read32(TICKS), bus.read8(MIDNIGHT)), (0x0018_00af, 0));
        count_ticks(&mut bus, 3);
        assert_eq!((bus.read32(TICKS), bus.read8(MIDNIGHT)), (2, 1));
    }
}
