//! Small Linux executables, made byte by byte: no compiler for them is needed.
//!
//! Layouts: System V ABI, "ELF-64 Object File Format", figures 2 and 6; instructions: Intel SDM 2.

pub mod forker;

/// Where the programs are loaded.
const BASE: u64 = 0x40_0000;
const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: usize = 56;

const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
const READ_EXECUTE: u32 = 5;

/// Returns a program that reads address 0x10, where nothing is.
pub fn fault() -> Vec<u8> {
    executable(&[0x48, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0], None) // mov rax, [0x10]
}

/// Returns a program whose first instruction is none.
pub fn undefined_instruction() -> Vec<u8> {
    executable(&[0x0f, 0x0b], None) // ud2
}

/// Returns a program that spins forever and calls nobody.
pub fn spin() -> Vec<u8> {
    executable(&[0xeb, 0xfe], None) // jmp $
}

/// Returns a program that forks with all registers in use; it prints [`forker::PRINTS`] where both
/// sides keep theirs.
pub fn forker() -> Vec<u8> {
    executable(&forker::code(), None)
}

/// Returns a program that needs a dynamic linker.
pub fn dynamic() -> Vec<u8> {
    executable(&[0xeb, 0xfe], Some(b"/lib64/ld-linux-x86-64.so.2\0"))
}

/// Returns an ELF executable of one segment that starts at the first byte of `code`.
fn executable(code: &[u8], interpreter: Option<&[u8]>) -> Vec<u8> {
    let count = 1 + usize::from(interpreter.is_some());
    let code_at = HEADER_BYTES + count * PROGRAM_HEADER_BYTES;
    let interpreter_at = code_at + code.len();
    let len = interpreter_at + interpreter.map_or(0, <[u8]>::len);
    let mut bytes = header(BASE + code_at as u64, count as u16);
    if let Some(path) = interpreter {
        bytes.extend(program_header(PT_INTERP, interpreter_at as u64, path.len() as u64));
    }
    bytes.extend(program_header(PT_LOAD, 0, len as u64));
    bytes.extend_from_slice(code);
    bytes.extend_from_slice(interpreter.unwrap_or_default());
    bytes
}

fn header(entry: u64, program_headers: u16) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(&2u16.to_le_bytes()); // an executable
    bytes.extend_from_slice(&62u16.to_le_bytes()); // for x86-64
    bytes.extend_from_slice(&1u32.to_le_bytes()); // version
    bytes.extend_from_slice(&entry.to_le_bytes());
    bytes.extend_from_slice(&(HEADER_BYTES as u64).to_le_bytes()); // program headers
    bytes.extend_from_slice(&0u64.to_le_bytes()); // no sections
    bytes.extend_from_slice(&0u32.to_le_bytes()); // flags
    for half in [HEADER_BYTES as u16, PROGRAM_HEADER_BYTES as u16, program_headers, 64, 0, 0] {
        bytes.extend_from_slice(&half.to_le_bytes());
    }
    bytes
}

fn program_header(kind: u32, offset: u64, len: u64) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), READ_EXECUTE.to_le_bytes()].concat();
    for word in [offset, BASE + offset, BASE + offset, len, len, 0x1000] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{dynamic, fault, forker};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_entry_is_the_code() {
        let bytes = fault();
        let entry = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) - super::BASE;
        assert_eq!(bytes[entry as usize..][..2], [0x48, 0x8b]);
        assert_eq!(bytes.len(), 64 + 56 + 8);
    }

    /// On Linux the registers are kept: what the program says here counts there.
    #[test]
    fn the_forker_runs_on_linux() {
        if !std::arch::is_x86_feature_detected!("avx") {
            return;
        }
        let path = std::env::temp_dir().join(format!("kamen-forker-{}", std::process::id()));
        std::fs::write(&path, forker()).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let output = std::process::Command::new(&path).output();
        std::fs::remove_file(&path).unwrap();
        let output = output.unwrap();
        assert_eq!(output.stdout, forker::PRINTS.as_bytes());
        assert!(output.status.success());
    }

    #[test]
    fn the_interpreter_is_named() {
        let bytes = dynamic();
        assert!(bytes.ends_with(b"ld-linux-x86-64.so.2\0"));
        assert_eq!(bytes[64], 3);
    }
}
