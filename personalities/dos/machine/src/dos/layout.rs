//! Where DOS keeps its data in guest memory.
//!
//! ```text
//!   0080:0024  first MCB, then the list of lists at 0080:0026 (what AH=52 returns), NUL at +22
//!   0080:0100  swappable data area: error mode, InDOS, DTA, PSP, drive (AX=5D06)
//!   0080:0300  DBCS, capitals, file name characters, collating table, case map routine
//!   0080:0520  code that drivers and INT 2Fh/122E point at
//!   0080:0580  device headers, CON to LPT3
//!   0080:0680  drive parameter blocks, 0A00 current directory structures, both for A to Z
//!   0080:1300  FCB table, 1400 system file table
//!   0570:0000  DOS's own stack for the moment between two programs
//!   0590       first MCB: the shell's PSP at 0591, then free memory up to 9FFF
//!   9FFF       MCB of what is not memory, C800 first MCB of upper memory up to D000
//! ```
//!
//! `tables` writes them; programs may read all of it at any time.

use crate::FarPointer;
use crate::cpu::HOST_SEGMENT;

/// Segment of DOS's tables.
pub const DATA: u16 = 0x0080;
/// The list of lists.
pub const LISTS: FarPointer = at(0x26);
/// Header of the device NUL, the first of the chain, in the list of lists.
pub const NULL_DEVICE: FarPointer = at(0x48);
/// The swappable data area: the critical-error flag is its first byte.
pub const SWAPPABLE: FarPointer = at(0x100);
/// Bytes of it that are swapped while in DOS, and always (RBIL INT 21/AX=5D06).
pub const SWAPPED_IN_DOS: u16 = 0x200;
/// Bytes at its beginning that are to be swapped always.
pub const SWAPPED_ALWAYS: u16 = 0x18;
/// The InDOS flag.
pub const IN_DOS: FarPointer = SWAPPABLE.add(1);
/// Table of lead bytes of double-byte characters, preceded by its length; empty.
pub const DOUBLE_BYTE: FarPointer = at(0x300);
/// Table of upper-case characters 80 to FF, preceded by its length.
pub const UPPER_CASE: FarPointer = at(0x310);
/// Characters of file names, preceded by the table's length.
pub const NAME_CHARACTERS: FarPointer = at(0x3a0);
/// Collating weights of all characters, preceded by the table's length.
pub const COLLATING: FarPointer = at(0x3d0);
/// Routine that gives the capital of the character in AL, called far.
pub const CASE_MAP: FarPointer = at(0x4e0);
/// Tables of error texts, in the ROM, where they take none of the programs' memory.
pub const ERROR_TEXTS: FarPointer = FarPointer::new(HOST_SEGMENT, 0x1000);
/// An empty counted string: what the routine behind it finds of every error.
pub const NO_TEXT: FarPointer = at(0x530);
/// Routine that returns the text of an error, called far.
pub const ERROR_TEXT: FarPointer = at(0x540);
/// Strategy and interrupt routine of all devices.
pub const DRIVER: FarPointer = at(0x550);
/// Where the request is that the strategy routine was called with.
pub const DRIVER_REQUEST: FarPointer = at(0x560);
/// Where the interrupt routine leads to.
pub const DRIVER_ENTRY: FarPointer = FarPointer::new(HOST_SEGMENT, 0x500);
/// The list of swappable data areas (AX=5D0B).
pub const SWAPPABLE_LIST: FarPointer = at(0x570);
/// Device headers behind NUL.
pub const DEVICES: FarPointer = at(0x580);
/// Drive parameter blocks.
pub const DRIVE_PARAMETERS: FarPointer = at(0x680);
/// Current directory structures.
pub const DIRECTORIES: FarPointer = at(0xa00);
/// Table of files open through FCBs (none: they are in the system file table).
pub const FCB_TABLE: FarPointer = at(0x1300);
/// System file table.
pub const FILES: FarPointer = at(0x1400);
/// Top of DOS's own stack.
pub const STACK: FarPointer = FarPointer::new(0x0570, 0x01fe);
/// Segment of the first memory control block.
pub const FIRST_BLOCK: u16 = 0x0590;
/// The end of the memory that programs can have: 640 KiB.
pub const MEMORY_END: u16 = 0xa000;
/// The end of the blocks below 640 KiB: control block of what lies between them and upper memory.
pub const UPPER_LINK: u16 = 0x9fff;
/// Segment of the first memory control block of upper memory.
pub const UPPER_FIRST: u16 = 0xc800;
/// The end of the upper memory that DOS has; the rest is that of XMS and EMS.
pub const UPPER_END: u16 = 0xd000;
/// Owner of blocks that belong to DOS (RBIL table 01628).
pub const SYSTEM_OWNER: u16 = 8;
/// Drives that the current directory structures have room for (LASTDRIVE).
pub const LAST_DRIVE: u8 = 26;

const fn at(offset: u16) -> FarPointer {
    FarPointer::new(DATA, offset)
}
