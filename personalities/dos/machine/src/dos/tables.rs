//! The tables that programs read in guest memory, and how they follow what DOS does.
//!
//! Layouts: RBIL, list of lists table 01627, device header 01646, drive parameter block 01395,
//! current directory structure 01643, system file table 01639 and 01642.

use alloc::vec::Vec;

use super::country::{collating_weight, upper_case};
use super::drivers;
use super::files::{FILES_MAX, FileKind, OpenFile};
use super::find::attribute;
use super::layout::{
    CASE_MAP, COLLATING, DATA, DEVICES, DIRECTORIES, DOUBLE_BYTE, DRIVE_PARAMETERS, DRIVER,
    ERROR_TEXT, FCB_TABLE, FILES, FIRST_BLOCK, LAST_DRIVE, LISTS, NAME_CHARACTERS, NO_TEXT,
    NULL_DEVICE, SWAPPABLE, SWAPPABLE_LIST, SWAPPED_ALWAYS, SWAPPED_IN_DOS, UPPER_CASE,
};
use super::paths::DriveState;
use crate::host::Space;
use crate::memory::POOL_KIB;
use crate::{Bus, FarPointer};

/// Bytes of an entry of the system file table, and of the header before the first one.
pub const FILE_BYTES: u16 = 0x3b;
const FILES_HEADER: u16 = 6;
/// Bytes of a current directory structure.
pub const DIRECTORY_BYTES: u16 = 0x58;
/// Bytes of the path in it, with the terminating 0.
const DIRECTORY_TEXT: u16 = 67;
const PARAMETER_BYTES: u16 = 0x21;
const DEVICE_BYTES: u16 = 18;
const END: FarPointer = FarPointer::new(0xffff, 0xffff);
/// Flag in a current directory structure: a drive of its own, valid.
const PHYSICAL: u16 = 0x4000;
/// The drive stands for a directory of another one.
const SUBSTITUTED: u16 = 0x1000;

/// Header of the device of all drives.
pub const BLOCK_DEVICE: FarPointer = device(4);

/// The devices behind NUL: name and attributes; the drives' has their number instead of a name.
const DEVICE_LIST: [(&[u8; 8], u16); 12] = [
    (b"CON     ", 0x8013),
    (b"AUX     ", 0x8000),
    (b"PRN     ", 0xa0c0),
    (b"CLOCK$  ", 0x8008),
    (&[0; 8], 0x0842),
    (b"COM1    ", 0x8000),
    (b"LPT1    ", 0xa0c0),
    (b"LPT2    ", 0xa0c0),
    (b"LPT3    ", 0xa0c0),
    (b"COM2    ", 0x8000),
    (b"COM3    ", 0x8000),
    (b"COM4    ", 0x8000),
];

/// Writes the tables that no drive is in.
pub fn install(bus: &mut Bus) {
    // The layout of the swappable data area is that of DOS 4 to 6 (RBIL INT 2F/AX=1203).
    bus.write8(FarPointer::new(DATA, 4), 1);
    bus.write16(FarPointer::new(DATA, 0x24), FIRST_BLOCK);
    bus.write_far(LISTS, DRIVE_PARAMETERS);
    bus.write_far(LISTS.add(4), FILES);
    bus.write_far(LISTS.add(8), device(3));
    bus.write_far(LISTS.add(0x0c), device(0));
    bus.write16(LISTS.add(0x10), 512);
    bus.write_far(LISTS.add(0x16), DIRECTORIES);
    bus.write_far(LISTS.add(0x1a), FCB_TABLE);
    bus.write8(LISTS.add(0x21), LAST_DRIVE);
    write_device(bus, NULL_DEVICE, device(0), 0x8004, b"NUL     ");
    for (index, (name, kind)) in (0..).zip(DEVICE_LIST) {
        let is_last = index as usize + 1 == DEVICE_LIST.len();
        write_device(bus, device(index), if is_last { END } else { device(index + 1) }, kind, name);
    }
    bus.write8(LISTS.add(0x43), 3);
    bus.write8(LISTS.add(0x44), 1);
    bus.write16(LISTS.add(0x45), POOL_KIB as u16);
    bus.write(SWAPPABLE, &[0, 0, 0xff]);
    // RBIL INT 21/AX=5D0B: so many areas, where they are, their lengths; bit 15: always.
    let rest = SWAPPED_IN_DOS - SWAPPED_ALWAYS;
    bus.write16(SWAPPABLE_LIST, 2);
    bus.write_far(SWAPPABLE_LIST.add(2), SWAPPABLE);
    bus.write16(SWAPPABLE_LIST.add(6), SWAPPED_ALWAYS | 0x8000);
    bus.write_far(SWAPPABLE_LIST.add(8), SWAPPABLE.add(SWAPPED_ALWAYS));
    bus.write16(SWAPPABLE_LIST.add(12), rest);
    bus.write_far(FCB_TABLE, END);
    bus.write_far(FILES, END);
    bus.write16(FILES.add(4), FILES_MAX as u16);
    write_language(bus);
    write_code(bus);
}

const fn device(index: u16) -> FarPointer {
    DEVICES.add(index * DEVICE_BYTES)
}

/// Writes a device header: next, attributes, strategy, interrupt, name.
fn write_device(bus: &mut Bus, at: FarPointer, next: FarPointer, kind: u16, name: &[u8; 8]) {
    bus.write_far(at, next);
    bus.write16(at.add(4), kind);
    bus.write16(at.add(6), DRIVER.offset);
    bus.write16(at.add(8), DRIVER.offset + drivers::INTERRUPT);
    bus.write(at.add(10), name);
}

fn write_language(bus: &mut Bus) {
    bus.write16(UPPER_CASE, 128);
    for byte in 0x80..=0xff {
        bus.write8(UPPER_CASE.add(byte - 0x7e), upper_case(byte as u8));
    }
    // Lowest and highest character, excluded range, terminators (RBIL table 01757).
    let terminators = b".\"/\\[]:|<>+=;,";
    bus.write(NAME_CHARACTERS, &[8 + terminators.len() as u8, 0, 1, 0, 0xff, 0, 0, 0x20, 2]);
    bus.write8(NAME_CHARACTERS.add(9), terminators.len() as u8);
    bus.write(NAME_CHARACTERS.add(10), terminators);
    bus.write16(COLLATING, 256);
    for byte in 0..=0xff {
        bus.write8(COLLATING.add(byte + 2), collating_weight(byte as u8));
    }
    bus.write16(DOUBLE_BYTE, 0);
    bus.write16(DOUBLE_BYTE.add(2), 0);
}

fn write_code(bus: &mut Bus) {
    let [low, high] = (UPPER_CASE.offset + 2).to_le_bytes();
    bus.write(
        CASE_MAP,
        &[
            0x3c, 0x80, // cmp al, 80
            0x72, 0x0c, // jb end
            0x2c, 0x80, // sub al, 80
            0x1e, 0x53, // push ds, bx
            0x0e, 0x1f, // push cs, pop ds
            0xbb, low, high, // mov bx, table
            0xd7, // xlat
            0x5b, 0x1f, // pop bx, ds
            0xcb, // end: retf
        ],
    );
    bus.write8(NO_TEXT, 0);
    let [low, high] = NO_TEXT.offset.to_le_bytes();
    // push cs, pop es, mov di, text, retf
    bus.write(ERROR_TEXT, &[0x0e, 0x07, 0xbf, low, high, 0xcb]);
    drivers::install(bus);
}

/// Returns where a drive's parameter block is.
pub fn drive_parameters(drive: u8) -> FarPointer {
    DRIVE_PARAMETERS.add(drive as u16 * PARAMETER_BYTES)
}

/// Returns where a drive's current directory structure is.
pub fn directory_structure(drive: u8) -> FarPointer {
    DIRECTORIES.add(drive as u16 * DIRECTORY_BYTES)
}

/// Writes the drives' tables at their roots; each must be below [`LAST_DRIVE`].
pub fn install_drives(bus: &mut Bus, drives: &[DriveState], space: Space) {
    for number in 0..LAST_DRIVE {
        write_directory(bus, number, &[b'A' + number, b':', b'\\'], 2);
    }
    show_drives(bus, drives, space);
}

/// Writes which drives there are.
pub fn show_drives(bus: &mut Bus, drives: &[DriveState], space: Space) {
    bus.write8(LISTS.add(0x20), drives.len() as u8);
    bus.write8(BLOCK_DEVICE.add(0x0a), drives.len() as u8);
    if let Some(first) = drives.first() {
        bus.write_far(LISTS, drive_parameters(first.number));
    }
    for number in 0..LAST_DRIVE {
        bus.write16(directory_structure(number).add(0x43), 0);
    }
    for (index, drive) in drives.iter().enumerate() {
        let next = drives.get(index + 1).map_or(END, |next| drive_parameters(next.number));
        write_parameters(bus, drive.number, index as u8, next, space);
        let at = directory_structure(drive.number);
        let substituted = if drive.substitute.is_some() { SUBSTITUTED } else { 0 };
        bus.write16(at.add(0x43), PHYSICAL | substituted);
        bus.write_far(at.add(0x45), drive_parameters(drive.number));
    }
}

/// Writes a drive parameter block, with a made-up geometry that agrees with AH=36.
fn write_parameters(bus: &mut Bus, drive: u8, unit: u8, next: FarPointer, space: Space) {
    let at = drive_parameters(drive);
    let (sectors, bytes) = super::drives::cluster_of(space.total);
    let clusters = (space.total / bytes).min(0xfff5) as u16;
    bus.write(at, &[drive, unit]);
    bus.write16(at.add(2), 512);
    bus.write(at.add(4), &[sectors as u8 - 1, sectors.trailing_zeros() as u8]);
    bus.write16(at.add(6), 1);
    bus.write8(at.add(8), 2);
    bus.write16(at.add(9), 512);
    bus.write16(at.add(0x0b), 0x221);
    bus.write16(at.add(0x0d), clusters.saturating_add(1));
    bus.write16(at.add(0x0f), 0x100);
    bus.write16(at.add(0x11), 0x201);
    bus.write_far(at.add(0x13), BLOCK_DEVICE);
    bus.write(at.add(0x17), &[0xf8, 0]);
    bus.write_far(at.add(0x19), next);
    bus.write16(at.add(0x1f), 0xffff);
}

/// Writes a drive's current directory, `C:\NAME`, as far as the structure has room, and how long its
/// root is.
pub fn write_directory(bus: &mut Bus, drive: u8, path: &[u8], root: u16) {
    let mut text = path[..path.len().min(DIRECTORY_TEXT as usize - 1)].to_vec();
    text.resize(DIRECTORY_TEXT as usize, 0);
    let at = directory_structure(drive);
    bus.write(at, &text);
    bus.write16(at.add(0x4f), root);
}

/// Returns which drives are substituted, as the current directory structures say: bit 0 is A.
pub fn substituted(bus: &Bus) -> u32 {
    (0..LAST_DRIVE).fold(0, |all, drive| {
        let flags = bus.read16(directory_structure(drive).add(0x43));
        all | u32::from(flags & SUBSTITUTED != 0) << drive
    })
}

/// Returns the directory that a substituted drive stands for, as its current directory structure
/// says: the first characters of the path, up to its root.
pub fn substitute_in_structure(bus: &Bus, drive: u8) -> Vec<u8> {
    let at = directory_structure(drive);
    let len = bus.read16(at.add(0x4f)).min(DIRECTORY_TEXT) as usize;
    let mut path = alloc::vec![0; len];
    bus.read(at, &mut path);
    // The root of a drive, `C:\`, is told without its backslash.
    if len == 2 {
        path.push(b'\\');
    }
    path
}

/// Returns the header of a character device.
pub fn device_of(kind: FileKind) -> Option<FarPointer> {
    Some(match kind {
        FileKind::Console => device(0),
        FileKind::Auxiliary => device(1),
        FileKind::Printer => device(2),
        FileKind::Clock => device(3),
        FileKind::Null => NULL_DEVICE,
        FileKind::Stream(_) | FileKind::File(_) => return None,
    })
}

/// Returns where an entry of the system file table is.
pub fn file_entry(entry: u8) -> FarPointer {
    FILES.add(FILES_HEADER + entry as u16 * FILE_BYTES)
}

/// Writes an entry of the system file table; nothing: a free one.
pub fn write_file(bus: &mut Bus, entry: u8, file: Option<(&OpenFile, u32)>) {
    let at = file_entry(entry);
    let Some((file, size)) = file else {
        return bus.write16(at, 0);
    };
    let at_device = device_of(file.kind);
    let FarPointer { segment, offset } = at_device.unwrap_or(drive_parameters(file.drive));
    bus.write16(at, file.references());
    let mode = file.mode.access as u16 | (file.mode.sharing as u16) << 4;
    bus.write16(at.add(2), mode | if file.private { 0x80 } else { 0 });
    bus.write8(at.add(4), if file.kind.is_device() { 0 } else { attribute::ARCHIVE });
    bus.write16(at.add(5), super::ioctl::information(file));
    bus.write_far(at.add(7), FarPointer { segment, offset });
    bus.write32(at.add(0x11), size);
    bus.write32(at.add(0x15), file.position);
    bus.write(at.add(0x20), &file.name.0);
    bus.write16(at.add(0x31), file.owner);
}
