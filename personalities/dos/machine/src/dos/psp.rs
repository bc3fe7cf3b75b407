//! The program segment prefix: its fields, and the job file table that is the handle table.
//!
//! ```text
//!   00 CD 20          02 top segment       05 far call to 0000:00C0, by way of 1 MiB
//!   0a 0e 12  saved vectors 22 23 24       16 parent PSP      18 job file table, 20 bytes
//!   2c environment    2e SS:SP of the last INT 21h            32 table size  34 its pointer
//!   38 previous PSP   40 version           50 CD 21 CB        5c 6c FCBs
//!   80 length of the command tail          81 tail, 0D
//! ```
//!
//! Source: RBIL INT 21/AH=26, table 01378; what programs rely on was seen in traces.

use super::DosError;
use crate::{Bus, FarPointer};

/// Paragraphs of a PSP.
pub const PARAGRAPHS: u16 = 0x10;
/// Handles of the table inside the PSP.
pub const TABLE_LEN: u16 = 20;
/// A free place in the job file table.
pub const FREE: u8 = 0xff;
/// Most bytes of a command tail (the length byte and 0D take two of 128).
pub const TAIL_MAX: usize = 126;

/// The first word of a PSP: int 20.
pub const SIGNATURE: u16 = 0x20cd;

const TOP: u16 = 0x02;
const CALL: u16 = 0x05;
/// Offset of the saved vector 22h: where the program returns to.
pub const RETURN_ADDRESS: u16 = 0x0a;
const BREAK_ADDRESS: u16 = 0x0e;
const ERROR_ADDRESS: u16 = 0x12;
const PARENT: u16 = 0x16;
const TABLE: u16 = 0x18;
const ENVIRONMENT: u16 = 0x2c;
const STACK: u16 = 0x2e;
const TABLE_SIZE: u16 = 0x32;
const TABLE_POINTER: u16 = 0x34;
const FIRST_FCB: u16 = 0x5c;
const SECOND_FCB: u16 = 0x6c;
const VERSION: u16 = 0x40;
const TAIL: u16 = 0x80;

/// A PSP, by its segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Psp(pub u16);

impl Psp {
    fn at(self, offset: u16) -> FarPointer {
        FarPointer::new(self.0, offset)
    }

    /// Writes a new PSP: memory up to `top`, no handles, no arguments.
    pub fn create(self, bus: &mut Bus, parent: Psp, top: u16) {
        bus.write(self.at(0), &[0; 256]);
        self.renew(bus, top);
        bus.write16(self.at(PARENT), parent.0);
        bus.write(self.at(TABLE), &[FREE; TABLE_LEN as usize]);
        bus.write8(self.at(TAIL + 1), 0x0d);
    }

    /// Writes what every new PSP has of its own, also a copy of another one: memory up to `top`, the ways
    /// to DOS, vectors, the table of handles inside it.
    pub fn renew(self, bus: &mut Bus, top: u16) {
        bus.write16(self.at(0), SIGNATURE);
        self.set_top(bus, top);
        self.set_call(bus, top);
        self.save_vectors(bus);
        bus.write16(self.at(TABLE_SIZE), TABLE_LEN);
        bus.write_far(self.at(TABLE_POINTER), self.own_table());
        bus.write_far(self.at(0x38), FarPointer::new(0xffff, 0xffff));
        bus.write(self.at(0x50), &[0xcd, 0x21, 0xcb]);
    }

    /// Sets the segment behind the program's memory.
    pub fn set_top(self, bus: &mut Bus, top: u16) {
        bus.write16(self.at(TOP), top);
    }

    /// Returns the segment behind the program's memory.
    pub fn top(self, bus: &Bus) -> u16 {
        bus.read16(self.at(TOP))
    }

    /// Writes the far call to DOS. Its offset is also how many bytes the program's segment has behind
    /// the PSP, so that its segment makes up for that (MS-DOS 4.0's source, MISC.ASM, SETMEM).
    fn set_call(self, bus: &mut Bus, top: u16) {
        let paragraphs = top.saturating_sub(self.0).min(0xfff).saturating_sub(PARAGRAPHS);
        bus.write8(self.at(CALL), 0x9a);
        bus.write16(self.at(CALL + 1), paragraphs * 16);
        bus.write16(self.at(CALL + 3), 0x0cu16.wrapping_sub(paragraphs));
    }

    /// Returns the parent.
    pub fn parent(self, bus: &Bus) -> Psp {
        Psp(bus.read16(self.at(PARENT)))
    }

    /// Returns where the program returns to.
    pub fn return_address(self, bus: &Bus) -> FarPointer {
        bus.read_far(self.at(RETURN_ADDRESS))
    }

    /// Sets where the program returns to.
    pub fn set_return_address(self, bus: &mut Bus, to: FarPointer) {
        bus.write_far(self.at(RETURN_ADDRESS), to);
    }

    /// Keeps the vectors 22h to 24h.
    fn save_vectors(self, bus: &mut Bus) {
        for (offset, vector) in
            [(RETURN_ADDRESS, 0x22), (BREAK_ADDRESS, 0x23), (ERROR_ADDRESS, 0x24)]
        {
            let handler = bus.read_far(FarPointer::new(0, vector * 4));
            bus.write_far(self.at(offset), handler);
        }
    }

    /// Puts the vectors 22h to 24h back as they were when the program started.
    pub fn restore_vectors(self, bus: &mut Bus) {
        for (offset, vector) in
            [(RETURN_ADDRESS, 0x22), (BREAK_ADDRESS, 0x23), (ERROR_ADDRESS, 0x24)]
        {
            let handler = bus.read_far(self.at(offset));
            bus.write_far(FarPointer::new(0, vector * 4), handler);
        }
    }

    /// Returns the environment's segment.
    pub fn environment(self, bus: &Bus) -> u16 {
        bus.read16(self.at(ENVIRONMENT))
    }

    /// Sets the environment's segment.
    pub fn set_environment(self, bus: &mut Bus, segment: u16) {
        bus.write16(self.at(ENVIRONMENT), segment);
    }

    /// Returns the stack at the program's last DOS call.
    pub fn stack(self, bus: &Bus) -> FarPointer {
        bus.read_far(self.at(STACK))
    }

    /// Sets the stack at the program's last DOS call.
    pub fn set_stack(self, bus: &mut Bus, stack: FarPointer) {
        bus.write_far(self.at(STACK), stack);
    }

    /// Returns the version that the program is told; 0.0 where none was set.
    pub fn version(self, bus: &Bus) -> (u8, u8) {
        (bus.read8(self.at(VERSION)), bus.read8(self.at(VERSION + 1)))
    }

    /// Sets the version that the program is told.
    pub fn set_version(self, bus: &mut Bus, (major, minor): (u8, u8)) {
        bus.write(self.at(VERSION), &[major, minor]);
    }

    /// Copies a command tail, without its length and 0D.
    pub fn set_tail(self, bus: &mut Bus, tail: &[u8]) {
        let tail = &tail[..tail.len().min(TAIL_MAX)];
        bus.write8(self.at(TAIL), tail.len() as u8);
        bus.write(self.at(TAIL + 1), tail);
        bus.write8(self.at(TAIL + 1 + tail.len() as u16), 0x0d);
    }

    /// Returns where the command tail goes, from its length on.
    pub fn tail(self) -> FarPointer {
        self.at(TAIL)
    }

    /// Returns where the two FCBs go.
    pub fn fcbs(self) -> [FarPointer; 2] {
        [self.at(FIRST_FCB), self.at(SECOND_FCB)]
    }

    /// Returns the number of handles that the table has room for.
    pub fn table_len(self, bus: &Bus) -> u16 {
        bus.read16(self.at(TABLE_SIZE))
    }

    /// Returns where the table is.
    pub fn table(self, bus: &Bus) -> FarPointer {
        bus.read_far(self.at(TABLE_POINTER))
    }

    /// Returns where the table inside the PSP is.
    pub fn own_table(self) -> FarPointer {
        self.at(TABLE)
    }

    /// Returns where a handle's byte is.
    ///
    /// # Errors
    /// `InvalidHandle` outside the table.
    pub fn handle_at(self, bus: &Bus, handle: u16) -> Result<FarPointer, DosError> {
        if handle >= self.table_len(bus) {
            return Err(DosError::InvalidHandle);
        }
        Ok(self.table(bus).add(handle))
    }

    /// Returns the lowest free handle.
    ///
    /// # Errors
    /// `TooManyOpenFiles`.
    pub fn free_handle(self, bus: &Bus) -> Result<u16, DosError> {
        let table = self.table(bus);
        (0..self.table_len(bus))
            .find(|handle| bus.read8(table.add(*handle)) == FREE)
            .ok_or(DosError::TooManyOpenFiles)
    }

    /// Moves the table to memory elsewhere, for more handles or fewer.
    pub fn move_table(self, bus: &mut Bus, to: FarPointer, len: u16) {
        let from = self.table(bus);
        let old = self.table_len(bus);
        for handle in 0..len {
            let byte = if handle < old { bus.read8(from.add(handle)) } else { FREE };
            bus.write8(to.add(handle), byte);
        }
        bus.write16(self.at(TABLE_SIZE), len);
        bus.write_far(self.at(TABLE_POINTER), to);
    }
}
