//! The cpio "newc" archive: a reader without allocation and a writer.
//!
//! The boot archive is a sequence of entries, each of which is
//!
//! ```text
//! +--------+-----------------------+----------+---------+--------+---------+
//! | 070701 | 13 fields of 8 digits | path NUL | 0 to 4n | data   | 0 to 4n |
//! +--------+-----------------------+----------+---------+--------+---------+
//! 0        6                       110
//! ```
//!
//! and it ends with an empty entry called `TRAILER!!!`. The fields are hexadecimal; their order is
//! that of `Field`. Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst and
//! cpio(5). Checksums ("070702") are not supported.
//!
//! [`Archive`] reads, [`Writer`] writes; the program that packs the boot image and the file server
//! that unpacks it share this module.

use alloc::vec::Vec;
use core::fmt;

#[cfg(test)]
mod tests;

const MAGIC: &[u8; 6] = b"070701";
const HEADER_BYTES: usize = 110;
const TRAILER: &[u8] = b"TRAILER!!!";

/// Longest path that the reader accepts, in bytes without the NUL (PATH_MAX of Linux).
pub const PATH_MAX: usize = 4096;

/// Bits of [`Entry::mode`] that hold the file type (POSIX `<sys/stat.h>`, values of Linux).
pub const MODE_TYPE: u32 = 0o170000;

/// Type of a file system object, as the mode's upper bits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A pipe with a name.
    Fifo = 0o010000,
    /// A character device.
    CharacterDevice = 0o020000,
    /// A directory.
    Directory = 0o040000,
    /// A block device.
    BlockDevice = 0o060000,
    /// A file with bytes.
    Regular = 0o100000,
    /// A symbolic link; the entry's data are its target.
    Symlink = 0o120000,
    /// A socket with a name.
    Socket = 0o140000,
}

impl Kind {
    /// Returns the type that `mode` says, or nothing where its bits name none.
    pub fn of_mode(mode: u32) -> Option<Kind> {
        const KINDS: [Kind; 7] = [
            Kind::Fifo,
            Kind::CharacterDevice,
            Kind::Directory,
            Kind::BlockDevice,
            Kind::Regular,
            Kind::Symlink,
            Kind::Socket,
        ];
        KINDS.into_iter().find(|kind| *kind as u32 == mode & MODE_TYPE)
    }

    /// Returns the mode of an object of this type with the given permission bits (0o7777).
    pub fn with_permissions(self, permissions: u32) -> u32 {
        self as u32 | (permissions & 0o7777)
    }
}

/// A device's number, major and minor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Which driver.
    pub major: u32,
    /// Which of its devices.
    pub minor: u32,
}

/// One object in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Path as stored, usually relative (`bin/shell`), without NUL.
    pub path: &'a [u8],
    /// Type and permission bits; see [`Kind`].
    pub mode: u32,
    /// Number of the object; entries with the same one are hard links of one file.
    pub inode: u32,
    /// Number of hard links.
    pub links: u32,
    /// Owner.
    pub user: u32,
    /// Owner's group.
    pub group: u32,
    /// Time of the last change, in seconds since 1970-01-01.
    pub modified_s: u32,
    /// Which device a device node stands for.
    pub device: Device,
    /// Contents; the target of a symbolic link.
    pub data: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Returns an object of user 0 with one link and all other fields zero.
    pub fn new(path: &'a [u8], mode: u32, data: &'a [u8]) -> Entry<'a> {
        Entry {
            path,
            mode,
            inode: 0,
            links: 1,
            user: 0,
            group: 0,
            modified_s: 0,
            device: Device::default(),
            data,
        }
    }

    /// Returns the type that the mode says, or nothing where it names none.
    pub fn kind(&self) -> Option<Kind> {
        Kind::of_mode(self.mode)
    }
}

/// Why an archive can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes end inside an entry, or without the trailer.
    Truncated,
    /// An entry begins with something else than "070701".
    Magic,
    /// A field holds something else than hexadecimal digits.
    Digits,
    /// A path is empty, longer than [`PATH_MAX`], or has its NUL not exactly at its end.
    Path,
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Malformed::Truncated => "archive ends too early",
            Malformed::Magic => "not a cpio newc archive (no 070701)",
            Malformed::Digits => "a header field is not hexadecimal",
            Malformed::Path => "an entry has a malformed path",
        })
    }
}

impl core::error::Error for Malformed {}

/// An archive's bytes, read entry by entry.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a> {
    bytes: &'a [u8],
}

impl<'a> Archive<'a> {
    /// Returns a view of `bytes`, which are checked when the entries are walked.
    pub fn new(bytes: &'a [u8]) -> Archive<'a> {
        Archive { bytes }
    }

    /// Returns the entries in their order, up to the trailer or the first malformed one.
    pub fn entries(&self) -> Entries<'a> {
        Entries { bytes: self.bytes, at: 0, ended: false }
    }

    /// Returns the first entry with exactly this path.
    ///
    /// # Errors
    /// [`Malformed`] where the archive is, before such an entry.
    pub fn find(&self, path: &[u8]) -> Result<Option<Entry<'a>>, Malformed> {
        for entry in self.entries() {
            let entry = entry?;
            if entry.path == path {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

/// Iterator over an archive's entries; ends after the first error.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    bytes: &'a [u8],
    at: usize,
    ended: bool,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let decoded = self.decode();
        self.ended = !matches!(decoded, Ok(Some(_)));
        decoded.transpose()
    }
}

impl<'a> Entries<'a> {
    /// Returns the next entry, or nothing at the trailer.
    fn decode(&mut self) -> Result<Option<Entry<'a>>, Malformed> {
        let header = self.take(HEADER_BYTES)?;
        if !header.starts_with(MAGIC) {
            return Err(Malformed::Magic);
        }
        let field = |field: Field| decode_field(header, field);
        let path_bytes = field(Field::PathBytes)? as usize;
        if !(2..=PATH_MAX + 1).contains(&path_bytes) {
            return Err(Malformed::Path);
        }
        let path = self.take(path_bytes)?;
        let Some((0, path)) = path.split_last() else { return Err(Malformed::Path) };
        if path.contains(&0) {
            return Err(Malformed::Path);
        }
        if path == TRAILER {
            return Ok(None);
        }
        self.align()?;
        let data = self.take(field(Field::DataBytes)? as usize)?;
        self.align()?;
        Ok(Some(Entry {
            path,
            mode: field(Field::Mode)?,
            inode: field(Field::Inode)?,
            links: field(Field::Links)?,
            user: field(Field::User)?,
            group: field(Field::Group)?,
            modified_s: field(Field::Modified)?,
            device: Device { major: field(Field::NodeMajor)?, minor: field(Field::NodeMinor)? },
            data,
        }))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(len).ok_or(Malformed::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(Malformed::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn align(&mut self) -> Result<(), Malformed> {
        self.take(padding(self.at)).map(|_| ())
    }
}

/// The header's fields in their order.
#[derive(Clone, Copy)]
enum Field {
    Inode = 0,
    Mode = 1,
    User = 2,
    Group = 3,
    Links = 4,
    Modified = 5,
    DataBytes = 6,
    // 7 and 8: the device on which the file lay, of no use here.
    NodeMajor = 9,
    NodeMinor = 10,
    PathBytes = 11,
    // 12: checksum, zero in this format.
}

/// Returns the value of a field of a header that is [`HEADER_BYTES`] long.
fn decode_field(header: &[u8], field: Field) -> Result<u32, Malformed> {
    let start = MAGIC.len() + field as usize * 8;
    header[start..start + 8].iter().try_fold(0u32, |value, digit| {
        let digit = (*digit as char).to_digit(16).ok_or(Malformed::Digits)?;
        Ok(value << 4 | digit)
    })
}

/// Returns how many zero bytes follow position `at` up to the next multiple of four.
fn padding(at: usize) -> usize {
    at.wrapping_neg() % 4
}

/// Why an entry can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// The path is empty, longer than [`PATH_MAX`], holds a NUL or is the trailer's name.
    Path,
    /// The data are longer than the format's 32-bit size can say.
    TooLarge,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Unwritable::Path => "path is empty, too long, or holds a NUL",
            Unwritable::TooLarge => "file is larger than 4 GiB",
        })
    }
}

impl core::error::Error for Unwritable {}

/// An archive under construction.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Returns an archive without entries.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`Unwritable`] where the format cannot hold it; nothing is written then.
    pub fn append(&mut self, entry: &Entry<'_>) -> Result<(), Unwritable> {
        let path = entry.path;
        if path.is_empty() || path.len() > PATH_MAX || path.contains(&0) || path == TRAILER {
            return Err(Unwritable::Path);
        }
        self.emit(entry)
    }

    /// Returns the archive's bytes, closed with the trailer.
    pub fn finish(mut self) -> Vec<u8> {
        let trailer = Entry::new(TRAILER, 0, &[]);
        self.emit(&trailer).expect("an empty entry always fits");
        self.bytes
    }

    fn emit(&mut self, entry: &Entry<'_>) -> Result<(), Unwritable> {
        let data_bytes = u32::try_from(entry.data.len()).map_err(|_| Unwritable::TooLarge)?;
        let path_bytes = entry.path.len() as u32 + 1; // at most PATH_MAX + 1
        self.bytes.extend_from_slice(MAGIC);
        for field in [
            entry.inode,
            entry.mode,
            entry.user,
            entry.group,
            entry.links,
            entry.modified_s,
            data_bytes,
            0,
            0,
            entry.device.major,
            entry.device.minor,
            path_bytes,
            0,
        ] {
            self.bytes.extend_from_slice(&digits(field));
        }
        self.bytes.extend_from_slice(entry.path);
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(entry.data);
        self.align();
        Ok(())
    }

    fn align(&mut self) {
        let padded = self.bytes.len() + padding(self.bytes.len());
        self.bytes.resize(padded, 0);
    }
}

/// Returns eight hexadecimal digits.
fn digits(value: u32) -> [u8; 8] {
    core::array::from_fn(|index| b"0123456789abcdef"[(value >> (28 - 4 * index)) as usize & 0xf])
}
