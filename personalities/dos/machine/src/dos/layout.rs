//! Where DOS keeps its data in guest memory, and the tables that programs read there.
//!
//! ```text
//!   0070:0000  device headers: NUL is in the list of lists, CON here
//!   0080:0000  list of lists at 0080:0026 (what AH=52 returns), its -2 is the first MCB
//!   0080:0080  InDOS flag and critical-error flag
//!   0080:0090  empty DBCS table, 0080:00A0 country data, 0080:00C0 upper-case table
//!   0080:0180  drive parameter block, 0080:01C0 current directory structures
//!   0080:0400  system file table (empty: handles are kept in the session)
//!   00E0:0000  DOS's own stack for the moment between two programs
//!   0100       first MCB: the shell's PSP at 0101, then free memory up to A000
//! ```
//!
//! List of lists: RBIL INT 21/AH=52, table 01627 (DOS 4 and later).

use crate::{Bus, FarPointer};

/// Segment of DOS's tables.
pub const DATA: u16 = 0x0080;
/// The list of lists.
pub const LISTS: FarPointer = FarPointer::new(DATA, 0x26);
/// The InDOS flag; the critical-error flag precedes it.
pub const IN_DOS: FarPointer = FarPointer::new(DATA, 0x81);
/// Table of lead bytes of double-byte characters, empty.
pub const DBCS: FarPointer = FarPointer::new(DATA, 0x90);
/// Table of upper-case characters 80 to FF, preceded by its length.
pub const UPPER_CASE: FarPointer = FarPointer::new(DATA, 0xc0);
/// Drive parameter block of drive C.
pub const DRIVE_PARAMETERS: FarPointer = FarPointer::new(DATA, 0x180);
/// Current directory structures.
pub const DIRECTORIES: FarPointer = FarPointer::new(DATA, 0x1c0);
/// System file table.
pub const FILES: FarPointer = FarPointer::new(DATA, 0x400);
/// Top of DOS's own stack.
pub const STACK: FarPointer = FarPointer::new(0x00e0, 0x01fe);
/// Segment of the first memory control block.
pub const FIRST_BLOCK: u16 = 0x0100;
/// The end of the memory that programs can have: 640 KiB.
pub const MEMORY_END: u16 = 0xa000;
/// Owner of blocks that belong to DOS (RBIL table 01628).
pub const SYSTEM_OWNER: u16 = 8;
/// Drives that the current directory structures have room for (LASTDRIVE).
pub const LAST_DRIVE: u8 = 5;

const CONSOLE: FarPointer = FarPointer::new(0x0070, 0);
const CLOCK: FarPointer = FarPointer::new(0x0070, 0x20);
const DIRECTORY_BYTES: u16 = 0x58;

/// Writes the tables.
pub fn install(bus: &mut Bus) {
    bus.write16(FarPointer::new(DATA, 0x24), FIRST_BLOCK);
    bus.write_far(LISTS, DRIVE_PARAMETERS);
    bus.write_far(LISTS.add(4), FILES);
    bus.write_far(LISTS.add(8), CLOCK);
    bus.write_far(LISTS.add(0x0c), CONSOLE);
    bus.write16(LISTS.add(0x10), 512);
    bus.write_far(LISTS.add(0x16), DIRECTORIES);
    bus.write8(LISTS.add(0x20), 1);
    bus.write8(LISTS.add(0x21), LAST_DRIVE);
    write_device(bus, LISTS.add(0x22), CONSOLE, 0x8004, b"NUL     ");
    write_device(bus, CONSOLE, CLOCK, 0x8013, b"CON     ");
    write_device(bus, CLOCK, FarPointer::new(0xffff, 0xffff), 0x8008, b"CLOCK$  ");
    bus.write16(UPPER_CASE, 128);
    for byte in 0x80..=0xff {
        bus.write8(UPPER_CASE.add(byte - 0x7e), super::country::upper_case(byte as u8));
    }
    bus.write_far(FILES, FarPointer::new(0xffff, 0xffff));
    write_drive_parameters(bus);
    write_directories(bus);
}

/// Writes a device header (RBIL table 01646): next, attributes, strategy, interrupt, name.
fn write_device(bus: &mut Bus, at: FarPointer, next: FarPointer, kind: u16, name: &[u8; 8]) {
    bus.write_far(at, next);
    bus.write16(at.add(4), kind);
    bus.write(at.add(10), name);
}

/// Writes the drive parameter block of drive C (RBIL table 01395), with made-up geometry.
fn write_drive_parameters(bus: &mut Bus) {
    let at = DRIVE_PARAMETERS;
    bus.write8(at, 2);
    bus.write16(at.add(2), 512);
    bus.write8(at.add(4), 7);
    bus.write8(at.add(5), 3);
    bus.write16(at.add(6), 1);
    bus.write8(at.add(8), 2);
    bus.write16(at.add(9), 512);
    bus.write16(at.add(13), 0xfff0);
    bus.write8(at.add(0x17), 0xf8);
    bus.write_far(at.add(0x19), FarPointer::new(0xffff, 0xffff));
}

/// Writes the current directory structures (RBIL table 01643): path, flags, the root's length.
fn write_directories(bus: &mut Bus) {
    for drive in 0..LAST_DRIVE {
        let at = DIRECTORIES.add(drive as u16 * DIRECTORY_BYTES);
        bus.write(at, &[b'A' + drive, b':', b'\\', 0]);
        bus.write16(at.add(0x43), if drive == 2 { 0x4000 } else { 0 });
        bus.write_far(at.add(0x45), DRIVE_PARAMETERS);
        bus.write16(at.add(0x4f), 2);
    }
}
