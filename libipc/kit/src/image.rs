//! Tells what kind of program a file is, by its first bytes and its name.
//!
//! Used by init, the shell and the personalities to find the personality that a program belongs
//! to; none of them looks at magic numbers itself.

/// Value of `e_ident[EI_OSABI]` in native programs (System V ABI: 64 to 255 are the
/// architecture's; 255 is "standalone"), set when the image is packed.
pub const NATIVE_OSABI: u8 = 0xff;

/// Bytes from the beginning of a file that suffice to tell its kind.
pub const HEAD: usize = 64;

/// Longest .COM program: 64 KiB less the 256 bytes of its PSP (RBIL INT 21/AH=4B).
pub const COM_MAX: u64 = 0x1_0000 - 0x100;

/// What kind of program a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An ELF file with Linux' ABI: for the UNIX personality.
    Linux,
    /// An ELF file of this system itself.
    Native,
    /// A text that names its interpreter after `#!`.
    Script,
    /// A DOS program with MZ header (.EXE, whatever its name).
    DosExe,
    /// A DOS program without header: a name that ends in .COM.
    DosCom,
    /// None of these.
    Unknown,
}

impl Kind {
    /// Returns whether the DOS personality runs it.
    pub const fn is_dos(self) -> bool {
        matches!(self, Kind::DosExe | Kind::DosCom)
    }
}

/// Returns the kind of the file that begins with `head` ([`HEAD`] bytes, or all of it) and is
/// called `name` (with or without directories).
pub fn kind(head: &[u8], name: &[u8]) -> Kind {
    match head {
        [0x7f, b'E', b'L', b'F', _, _, _, NATIVE_OSABI, ..] => Kind::Native,
        [0x7f, b'E', b'L', b'F', ..] => Kind::Linux,
        [b'#', b'!', ..] => Kind::Script,
        // Both orders are an .EXE's (RBIL INT 21/AH=4B, table 01594).
        [b'M', b'Z', ..] | [b'Z', b'M', ..] => Kind::DosExe,
        [] => Kind::Unknown,
        _ if has_com_extension(name) => Kind::DosCom,
        _ => Kind::Unknown,
    }
}

fn has_com_extension(name: &[u8]) -> bool {
    match name.split_last_chunk::<4>() {
        Some((stem, extension)) => !stem.is_empty() && extension.eq_ignore_ascii_case(b".com"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elf_files_are_told_apart_by_their_os_abi() {
        assert_eq!(kind(b"\x7fELF\x02\x01\x01\x00", b"ls"), Kind::Linux);
        assert_eq!(kind(b"\x7fELF\x02\x01\x01\x03", b"ls"), Kind::Linux);
        assert_eq!(kind(b"\x7fELF\x02\x01\x01\xff", b"shell"), Kind::Native);
        assert_eq!(kind(b"\x7fELF", b"cut"), Kind::Linux);
    }

    #[test]
    fn com_files_are_known_by_extension_in_any_case() {
        assert_eq!(kind(b"\xb4\x4c\xcd\x21", b"/dos/HELLO.COM"), Kind::DosCom);
        assert_eq!(kind(b"\xb4\x4c\xcd\x21", b"hello.Com"), Kind::DosCom);
        assert_eq!(kind(b"\xb4\x4c\xcd\x21", b"hello"), Kind::Unknown);
        assert_eq!(kind(b"\xb4\x4c\xcd\x21", b".com"), Kind::Unknown);
    }

    #[test]
    fn contents_beat_the_name() {
        assert_eq!(kind(b"MZ\x00", b"TOOL.COM"), Kind::DosExe);
        assert_eq!(kind(b"ZM\x00", b"tool"), Kind::DosExe);
        assert_eq!(kind(b"#!/bin/sh\n", b"x.com"), Kind::Script);
        assert_eq!(kind(b"", b"x.com"), Kind::Unknown);
    }
}
