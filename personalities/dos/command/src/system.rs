//! What the interpreter needs of DOS: INT 21h functions that return at once.
//!
//! Handles are those of the shell's own job file table; paths are as a program gives them.

use alloc::vec::Vec;

/// Why DOS refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// An error code (RBIL INT 21/AH=59, table 01680).
    Error(u16),
    /// Ctrl-C, or the session's end, came meanwhile.
    Break,
}

/// What a function returns.
pub type Outcome<T> = Result<T, Refused>;

/// Error codes that the interpreter tells apart.
pub mod code {
    /// The file does not exist.
    pub const FILE_NOT_FOUND: u16 = 2;
    /// A directory on the way does not exist.
    pub const PATH_NOT_FOUND: u16 = 3;
    /// Attributes or kind forbid it.
    pub const ACCESS_DENIED: u16 = 5;
    /// No block of memory is large enough.
    pub const NO_MEMORY: u16 = 8;
    /// A program file is malformed.
    pub const BAD_FORMAT: u16 = 11;
    /// The disk is full.
    pub const DISK_FULL: u16 = 39;
}

/// Attribute bits (RBIL table 01420).
pub mod attribute {
    /// Read-only.
    pub const READ_ONLY: u8 = 0x01;
    /// Hidden.
    pub const HIDDEN: u8 = 0x02;
    /// System.
    pub const SYSTEM: u8 = 0x04;
    /// Volume label.
    pub const LABEL: u8 = 0x08;
    /// Directory.
    pub const DIRECTORY: u8 = 0x10;
    /// Changed since the last backup.
    pub const ARCHIVE: u8 = 0x20;
}

/// Date and time as directories keep them (RBIL tables 01665, 01666).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Stamp {
    /// Year from 1980, month, day in 7, 4 and 5 bits.
    pub date: u16,
    /// Hour, minute, two seconds in 5, 6 and 5 bits.
    pub time: u16,
}

impl Stamp {
    /// Returns a time as directories keep it.
    pub fn of(now: &Clock) -> Stamp {
        let [hour, minute, second] = [now.hour, now.minute, now.second / 2].map(u16::from);
        let date = Stamp::packed_date((now.year, now.month, now.day));
        Stamp { date, time: hour << 11 | minute << 5 | second }
    }

    /// Returns a year, month and day as a directory keeps them.
    pub fn packed_date((year, month, day): (u16, u8, u8)) -> u16 {
        (year.saturating_sub(1980) & 0x7f) << 9 | u16::from(month & 15) << 5 | u16::from(day & 31)
    }
}

/// An entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its short name, `NAME.EXT`.
    pub name: Vec<u8>,
    /// Its attributes.
    pub attributes: u8,
    /// When it was changed.
    pub stamp: Stamp,
    /// Its length in bytes.
    pub size: u32,
}

impl Found {
    /// Returns whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.attributes & attribute::DIRECTORY != 0
    }
}

/// Date and time of day.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Clock {
    /// The year, 1980 to 2099.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day, from 1.
    pub day: u8,
    /// The day of the week; Sunday is 0.
    pub weekday: u8,
    /// The hour.
    pub hour: u8,
    /// The minute.
    pub minute: u8,
    /// The second.
    pub second: u8,
    /// Hundredths of a second.
    pub hundredth: u8,
}

/// Memory, as MEM tells of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Memory {
    /// Conventional memory, KiB (INT 12h).
    pub conventional_kib: u32,
    /// Extended memory, KiB (INT 15h, AH=88, and what XMS has of it).
    pub extended_kib: u32,
    /// What XMS has left of it, KiB (XMS function 08).
    pub xms_free_kib: u32,
    /// The chain of memory blocks.
    pub blocks: Vec<Block>,
}

/// A block of memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The segment behind its control block.
    pub segment: u16,
    /// Its size without its control block.
    pub paragraphs: u16,
    /// The PSP of its owner; 0 where it is free, 8 where it is DOS's.
    pub owner: u16,
    /// The name in its control block.
    pub name: Vec<u8>,
}

/// The order of a date's parts (RBIL table 01399, offset 00).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum DateOrder {
    /// The USA's.
    MonthDayYear = 0,
    /// Europe's.
    DayMonthYear = 1,
    /// Japan's.
    YearMonthDay = 2,
}

/// How a country writes dates and times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Customs {
    /// The order of a date's parts.
    pub date: DateOrder,
    /// What is between them.
    pub date_sign: u8,
    /// What is between hours, minutes and seconds.
    pub time_sign: u8,
    /// What is before the hundredths.
    pub decimal: u8,
    /// Whether hours are counted to 24, not to 12.
    pub has_24_hours: bool,
}

/// How lines come from standard input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// A terminal that gives keys: lines are edited here.
    Keys,
    /// A terminal that edits and echoes lines itself.
    Lines,
    /// A file or pipe.
    File,
}

/// Something that is on or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// VERIFY (AH=2E, 54).
    Verify,
    /// BREAK (AX=3300, 3301).
    Break,
}

/// Whether somebody wants the interpreter to stop what it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Nobody.
    No,
    /// Ctrl-C was typed.
    Break,
    /// The session ends.
    End,
}

/// DOS, as the shell's program sees it.
pub trait System {
    /// AH=40; returns how many bytes were taken.
    ///
    /// # Errors
    /// As the function.
    fn write(&mut self, handle: u16, bytes: &[u8]) -> Outcome<usize>;
    /// AH=3F; 0 bytes are the end.
    ///
    /// # Errors
    /// As the function.
    fn read(&mut self, handle: u16, into: &mut [u8]) -> Outcome<usize>;
    /// Returns bytes that the stub has read.
    fn typed(&mut self, count: usize) -> Vec<u8>;
    /// AH=3D with the mode in AL.
    ///
    /// # Errors
    /// As the function.
    fn open(&mut self, path: &[u8], mode: u8) -> Outcome<u16>;
    /// AH=3C.
    ///
    /// # Errors
    /// As the function.
    fn create(&mut self, path: &[u8]) -> Outcome<u16>;
    /// AH=5A: a new file in a directory, and its path.
    ///
    /// # Errors
    /// As the function.
    fn create_temporary(&mut self, directory: &[u8]) -> Outcome<(u16, Vec<u8>)>;
    /// AH=3E.
    fn close(&mut self, handle: u16);
    /// AH=42 from the start.
    ///
    /// # Errors
    /// As the function.
    fn seek(&mut self, handle: u16, position: u32) -> Outcome<()>;
    /// AH=42 to the end; returns the position.
    ///
    /// # Errors
    /// As the function.
    fn seek_end(&mut self, handle: u16) -> Outcome<u32>;
    /// AX=4400, bit 7: whether a handle is a device.
    fn is_device(&mut self, handle: u16) -> bool;
    /// Whether reading a handle may wait for keys.
    fn waits_for_keys(&mut self, handle: u16) -> bool;
    /// How handle 0 gives lines.
    fn input(&mut self) -> Input;
    /// A byte of the job file table.
    fn table_entry(&mut self, handle: u16) -> u8;
    /// Changes a byte of the job file table.
    fn set_table_entry(&mut self, handle: u16, entry: u8);
    /// AX=5700.
    ///
    /// # Errors
    /// As the function.
    fn stamp(&mut self, handle: u16) -> Outcome<Stamp>;
    /// AX=5701.
    ///
    /// # Errors
    /// As the function.
    fn set_stamp(&mut self, handle: u16, stamp: Stamp) -> Outcome<()>;
    /// AH=4E and 4F to the end; no match is an empty list.
    ///
    /// # Errors
    /// As the functions, where the directory does not exist.
    fn find(&mut self, pattern: &[u8], attributes: u8) -> Outcome<Vec<Found>>;
    /// AX=4300.
    ///
    /// # Errors
    /// As the function.
    fn attributes(&mut self, path: &[u8]) -> Outcome<u8>;
    /// AX=4301.
    ///
    /// # Errors
    /// As the function.
    fn set_attributes(&mut self, path: &[u8], attributes: u8) -> Outcome<()>;
    /// AH=41.
    ///
    /// # Errors
    /// As the function.
    fn delete(&mut self, path: &[u8]) -> Outcome<()>;
    /// AH=56.
    ///
    /// # Errors
    /// As the function.
    fn rename(&mut self, from: &[u8], to: &[u8]) -> Outcome<()>;
    /// AH=39.
    ///
    /// # Errors
    /// As the function.
    fn make_directory(&mut self, path: &[u8]) -> Outcome<()>;
    /// AH=3A.
    ///
    /// # Errors
    /// As the function.
    fn remove_directory(&mut self, path: &[u8]) -> Outcome<()>;
    /// AH=3B.
    ///
    /// # Errors
    /// As the function.
    fn change_directory(&mut self, path: &[u8]) -> Outcome<()>;
    /// AH=47: without drive and leading backslash; drive 0 is A.
    ///
    /// # Errors
    /// As the function.
    fn directory(&mut self, drive: u8) -> Outcome<Vec<u8>>;
    /// AH=19.
    fn drive(&mut self) -> u8;
    /// AH=0E; returns whether the drive exists.
    fn select_drive(&mut self, drive: u8) -> bool;
    /// AH=60.
    ///
    /// # Errors
    /// As the function.
    fn true_name(&mut self, path: &[u8]) -> Outcome<Vec<u8>>;
    /// Whether two paths lead to one file: drives may overlap, and a file have two names.
    fn is_same_file(&mut self, one: &[u8], other: &[u8]) -> bool;
    /// AH=36: free bytes.
    fn free_bytes(&mut self, drive: u8) -> Option<u64>;
    /// AX=6900: a volume's serial number.
    fn serial(&mut self, drive: u8) -> Option<u32>;
    /// The environment's strings, from guest memory.
    fn environment(&mut self) -> Vec<Vec<u8>>;
    /// Puts the environment's strings in guest memory.
    ///
    /// # Errors
    /// `NO_MEMORY` where they do not fit.
    fn set_environment(&mut self, strings: &[Vec<u8>]) -> Outcome<()>;
    /// Lets the environment's block have so many bytes, and some more than are used.
    ///
    /// # Errors
    /// `NO_MEMORY` where they are not there.
    fn reserve_environment(&mut self, bytes: usize) -> Outcome<()>;
    /// AH=2A and 2C.
    fn clock(&mut self) -> Clock;
    /// AH=38: the country's dates and times.
    fn customs(&mut self) -> Customs;
    /// AH=2B; returns whether there is such a date.
    fn set_date(&mut self, year: u16, month: u8, day: u8) -> bool;
    /// AH=2D; returns whether there is such a time.
    fn set_time(&mut self, hour: u8, minute: u8, second: u8, hundredth: u8) -> bool;
    /// Sets a drive's label; an empty one takes it away (AH=13, 3C).
    ///
    /// # Errors
    /// As the functions.
    fn set_label(&mut self, drive: u8, label: &[u8]) -> Outcome<()>;
    /// AX=71AA: lets a drive stand for a directory, or no longer.
    ///
    /// # Errors
    /// As the function.
    fn substitute(&mut self, drive: u8, path: Option<&[u8]>) -> Outcome<()>;
    /// AX=71AA: the directory that a drive stands for.
    fn substituted(&mut self, drive: u8) -> Option<Vec<u8>>;
    /// A clock that only goes forward, ms.
    fn milliseconds(&mut self) -> u64;
    /// Does nothing for so long, or until something happens.
    fn rest(&mut self, milliseconds: u64);
    /// What memory there is, and who has it.
    fn memory(&mut self) -> Memory;
    /// AH=30: major and minor.
    fn version(&mut self) -> (u8, u8);
    /// Whether a setting is on.
    fn setting(&mut self, setting: Setting) -> bool;
    /// Switches a setting.
    fn set_setting(&mut self, setting: Setting, on: bool);
    /// AX=6601.
    fn code_page(&mut self) -> u16;
    /// AX=6506: the collating table.
    fn collating_weights(&mut self) -> [u8; 256];
    /// AH=4D: code, and how the program ended.
    fn exit_code(&mut self) -> (u8, u8);
    /// The name of the tool that the shell's file is; nothing where it is COMMAND.COM.
    fn tool(&mut self) -> Vec<u8>;
    /// The command tail in the shell's PSP.
    fn tail(&mut self) -> Vec<u8>;
    /// The line that INT 2Eh's caller wants carried out.
    fn command_line(&mut self) -> Vec<u8>;
    /// Whether a program has hooked INT 2Fh, by which it may extend this interpreter.
    fn may_be_extended(&mut self) -> bool;
    /// The name and the line of the last [`Request::Extension`](crate::Request), as they are now.
    fn extended(&mut self) -> (Vec<u8>, Vec<u8>);
    /// Tells, and forgets, whether somebody wants a stop.
    fn stop(&mut self) -> Stop;
    /// Whether no other shell lies below this one.
    fn is_first(&mut self) -> bool;
    /// Whether a file is a program of the system around DOS.
    fn is_foreign(&mut self, path: &[u8]) -> bool;
    /// Runs such a program to its end, with standard streams of the shell's; returns its status.
    ///
    /// # Errors
    /// Where it cannot be started.
    fn run_foreign(&mut self, path: &[u8], arguments: &[Vec<u8>]) -> Outcome<u8>;
}
