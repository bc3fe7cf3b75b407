//! DOS attributes of files in permission bits that mean nothing else for them (decisions/0062).
//!
//! ```text
//!   read-only        nobody may write
//!   hidden           set-group-id, where the group may not execute
//!   system           sticky, of a regular file
//!   no archive       set-user-id, where the owner may not execute
//! ```
//!
//! Of directories and programs, for which these bits have a meaning, only read-only is kept. Linux
//! takes set-user-id away when a file is written: it is to be archived again.

use dos_machine::host::flag;
use protocols::file::mode;

/// Permission bits that let anybody write.
const WRITABLE: u32 = 0o222;
const EXECUTABLE: u32 = 0o111;
const NO_ARCHIVE: u32 = 0o4000;
const HIDDEN: u32 = 0o2000;
const SYSTEM: u32 = 0o1000;

/// Returns the attributes of a mode.
pub fn of(bits: u32) -> u8 {
    let read_only = if bits & WRITABLE == 0 { flag::READ_ONLY } else { 0 };
    let is_marked = bits & mode::TYPE == mode::FILE && bits & EXECUTABLE == 0;
    if !is_marked {
        return read_only | flag::ARCHIVE;
    }
    let marks = [(HIDDEN, flag::HIDDEN), (SYSTEM, flag::SYSTEM)];
    let marks = marks.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, flag)| flag);
    let archive = if bits & NO_ARCHIVE == 0 { flag::ARCHIVE } else { 0 };
    marks.fold(read_only | archive, |all, flag| all | flag)
}

/// Returns permissions with attributes set, as far as they have room for them.
pub fn set(permissions: u32, flags: u8) -> u32 {
    let writable = match (flags & flag::READ_ONLY != 0, permissions & WRITABLE) {
        (true, _) => 0,
        (false, 0) => 0o200,
        (false, some) => some,
    };
    let kept = permissions & !WRITABLE | writable;
    if permissions & EXECUTABLE != 0 {
        return kept;
    }
    let kept = kept & !(NO_ARCHIVE | HIDDEN | SYSTEM);
    let bit = |wanted: bool, bit| if wanted { bit } else { 0 };
    kept | bit(flags & flag::HIDDEN != 0, HIDDEN)
        | bit(flags & flag::SYSTEM != 0, SYSTEM)
        | bit(flags & flag::ARCHIVE == 0, NO_ARCHIVE)
}

#[cfg(test)]
mod tests {
    use super::{of, set};
    use dos_machine::host::flag;
    use protocols::file::mode;

    #[test]
    fn all_attributes_of_a_file_are_kept() {
        for flags in (0..=flag::ALL).filter(|flags| flags & !flag::ALL == 0) {
            assert_eq!(of(mode::FILE | set(0o644, flags)), flags, "{flags:02x}");
        }
    }

    #[test]
    fn nothing_gets_rights_from_attributes() {
        let all = flag::READ_ONLY | flag::HIDDEN | flag::SYSTEM;
        assert_eq!(set(0o755, all), 0o555);
        assert_eq!(of(mode::FILE | 0o4755), flag::ARCHIVE);
        assert_eq!(of(mode::DIRECTORY | 0o1777), flag::ARCHIVE);
    }
}
