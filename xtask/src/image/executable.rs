//! Executables for the image: without debug information, native ones marked.
//!
//! Our linker puts symbols and debug information after everything that is loaded, so that
//! stripping is cutting the file's end off. Offsets: System V ABI, "ELF-64 Object File Format",
//! figures 2 (file header) and 6 (program header).

use anyhow::{Context, Result, bail};
use kamen_kit::image::NATIVE_OSABI;
use std::fs;
use std::path::Path;

const OSABI_AT: usize = 7;
const PROGRAM_HEADERS_AT: usize = 32;
const SECTION_HEADERS_AT: usize = 40;
const PROGRAM_HEADER_COUNT_AT: usize = 56;
const SECTION_COUNT_AT: usize = 60;
const PROGRAM_HEADER_BYTES: usize = 56;

/// Returns the bytes of a native program, marked as one.
///
/// # Errors
/// Where the file can't be read or is no ELF executable.
pub fn native(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = linux(path)?;
    bytes[OSABI_AT] = NATIVE_OSABI;
    Ok(bytes)
}

/// Returns the bytes of the kernel or of a Linux program: as they are, but stripped.
///
/// # Errors
/// Where the file can't be read or is no ELF executable.
pub fn linux(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    stripped(bytes).with_context(|| format!("{} is no ELF executable", path.display()))
}

/// Returns an ELF file without what lies behind its loaded bytes.
fn stripped(mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    if !bytes.starts_with(b"\x7fELF\x02\x01") || bytes.len() < 64 {
        bail!("wrong magic number, class or byte order");
    }
    let headers = number(&bytes, PROGRAM_HEADERS_AT)?;
    let count = usize::from(u16::from_le_bytes([
        bytes[PROGRAM_HEADER_COUNT_AT],
        bytes[PROGRAM_HEADER_COUNT_AT + 1],
    ]));
    let mut end = headers.checked_add(count * PROGRAM_HEADER_BYTES).context("program headers")?;
    for index in 0..count {
        let header = headers + index * PROGRAM_HEADER_BYTES;
        let (offset, len) = (number(&bytes, header + 8)?, number(&bytes, header + 32)?);
        end = end.max(offset.checked_add(len).context("segment")?);
    }
    if end > bytes.len() {
        bail!("a segment ends behind the file");
    }
    bytes.truncate(end);
    bytes[SECTION_HEADERS_AT..SECTION_HEADERS_AT + 8].fill(0);
    bytes[SECTION_COUNT_AT..SECTION_COUNT_AT + 4].fill(0); // their count, and which has the names
    Ok(bytes)
}

fn number(bytes: &[u8], at: usize) -> Result<usize> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk()).context("header is cut off")?;
    Ok(usize::try_from(u64::from_le_bytes(*field))?)
}

#[cfg(test)]
mod tests {
    use super::stripped;

    fn program() -> Vec<u8> {
        let mut bytes = vec![0u8; 300];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[32] = 64; // program headers
        bytes[40] = 200; // section headers
        bytes[56] = 1;
        bytes[60] = 3;
        bytes[64 + 8] = 120; // offset
        bytes[64 + 32] = 30; // bytes in the file
        bytes
    }

    #[test]
    fn what_is_not_loaded_is_cut_off() {
        let bytes = stripped(program()).unwrap();
        assert_eq!(bytes.len(), 150);
        assert_eq!((bytes[40], bytes[60]), (0, 0));
    }

    #[test]
    fn malformed_files_are_refused() {
        assert!(stripped(vec![0; 300]).is_err());
        assert!(stripped(b"\x7fELF\x02\x01".to_vec()).is_err());
        let mut beyond = program();
        beyond[64 + 33] = 1;
        assert!(stripped(beyond).is_err());
        let mut far = program();
        far[32..40].fill(0xff);
        assert!(stripped(far).is_err());
    }
}
