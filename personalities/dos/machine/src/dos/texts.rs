//! The texts of errors that programs of DOS 4 and later ask for by INT 2Fh/122E.
//!
//! ```text
//!   a table (RBIL INT 2F/AX=122E, table 02614): FF, version 4.0, number of errors n
//!   n times error, distance from here to its text; then the texts, each behind its length
//! ```
//!
//! There is one for the errors of AH=59, one for what those of them say that devices and SHARE
//! make (13h to 2Bh), and one for what is wrong with a command line (RBIL table 02616). A program
//! that finds an error in no table prints its number.

use alloc::vec::Vec;

use super::layout::{ERROR_TEXT, ERROR_TEXTS};
use crate::{Bus, FarPointer};

type Texts = [(u16, &'static str)];

/// What INT 2Fh/122E is asked for by DL of 0, 2 and 4.
const TABLES: [&Texts; 3] = [&ERRORS, &COMMAND_LINE, &DEVICES];

const ERRORS: [(u16, &str); 27] = [
    (0x01, "Invalid function"),
    (0x02, "File not found"),
    (0x03, "Path not found"),
    (0x04, "Too many open files"),
    (0x05, "Access denied"),
    (0x06, "Invalid handle"),
    (0x07, "Memory control blocks destroyed"),
    (0x08, "Insufficient memory"),
    (0x09, "Invalid memory block address"),
    (0x0a, "Invalid environment"),
    (0x0b, "Invalid format"),
    (0x0c, "Invalid function parameter"),
    (0x0d, "Invalid data"),
    (0x0f, "Invalid drive specification"),
    (0x10, "Attempt to remove current directory"),
    (0x11, "Not same device"),
    (0x12, "No more files"),
    (0x50, "File exists"),
    (0x52, "Cannot make directory entry"),
    (0x53, "Fail on INT 24"),
    (0x54, "Too many redirections"),
    (0x55, "Duplicate redirection"),
    (0x56, "Invalid password"),
    (0x57, "Invalid parameter"),
    (0x58, "Network data fault"),
    (0x59, "Function not supported by network"),
    (0x5a, "Required system component not installed"),
];

const COMMAND_LINE: [(u16, &str); 10] = [
    (1, "Too many parameters"),
    (2, "Required parameter missing"),
    (3, "Invalid switch"),
    (4, "Invalid keyword"),
    (6, "Parameter value not in allowed range"),
    (7, "Parameter value not allowed"),
    (8, "Parameter value not allowed"),
    (9, "Parameter format not correct"),
    (10, "Invalid parameter"),
    (11, "Invalid parameter combination"),
];

const DEVICES: [(u16, &str); 20] = [
    (0x13, "Write protect error"),
    (0x14, "Invalid unit"),
    (0x15, "Not ready"),
    (0x16, "Invalid device request"),
    (0x17, "Data error"),
    (0x18, "Invalid device request parameters"),
    (0x19, "Seek error"),
    (0x1a, "Invalid media type"),
    (0x1b, "Sector not found"),
    (0x1c, "Printer out of paper error"),
    (0x1d, "Write fault error"),
    (0x1e, "Read fault error"),
    (0x1f, "General failure"),
    (0x20, "Sharing violation"),
    (0x21, "Lock violation"),
    (0x22, "Invalid disk change"),
    (0x23, "FCB unavailable"),
    (0x24, "System resource exhausted"),
    (0x26, "Out of input"),
    (0x27, "Insufficient disk space"),
];

/// Writes the tables, and returns what INT 2Fh/122E gives until a program says something else: where they
/// are, nothing for file systems, and the routine that would read texts from a disk.
pub fn install(bus: &mut Bus) -> [FarPointer; 5] {
    let mut at = ERROR_TEXTS;
    let [errors, command_line, devices] = TABLES.map(|texts| {
        let table = table_of(texts);
        bus.write(at, &table);
        let behind = at.add(table.len() as u16);
        core::mem::replace(&mut at, behind)
    });
    [errors, command_line, devices, FarPointer::default(), ERROR_TEXT]
}

fn table_of(texts: &Texts) -> Vec<u8> {
    const HEADER: [u8; 3] = [0xff, 4, 0];
    const ENTRY_BYTES: usize = 4;
    let mut table = HEADER.to_vec();
    table.push(texts.len() as u8);
    let mut behind = Vec::new();
    for (place, (error, text)) in texts.iter().enumerate() {
        let distance = (texts.len() - place) * ENTRY_BYTES + behind.len();
        table.extend(error.to_le_bytes());
        table.extend((distance as u16).to_le_bytes());
        behind.push(text.len() as u8);
        behind.extend(text.as_bytes());
    }
    table.extend(behind);
    table
}
