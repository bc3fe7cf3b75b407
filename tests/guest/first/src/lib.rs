//! What a program needs that is tested as first task, alone on the kernel.
//!
//! Its boot archive has two files: `program`, its own executable, from which it may start
//! processes, and `arguments`, one string for each case. It has every right and the whole
//! machine, and ends with a verdict.
//!
//! ```text
//!   xtask ── archive(program, arguments) ──> FirstTask::new ──> … ──> leave(status)
//! ```
#![no_std]
#![deny(unsafe_code)]

use kamen_kit::cpio::Archive;
use libipc::abi::boot;
use libipc::{Handle, PortWidth, Ports};

/// The debug console, where the log goes and the verdict.
const LOG_PORT: u16 = 0xe9;
/// QEMU's isa-debug-exit (xtask/src/qemu.rs).
const EXIT_PORT: u16 = 0xf4;

/// A first task: its own file, and what it is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstTask<'a> {
    /// Its own executable.
    pub program: &'a [u8],
    /// Its case's arguments.
    pub arguments: &'a str,
}

impl<'a> FirstTask<'a> {
    /// Returns the first task whose boot archive this is; none for other programs, whose archive
    /// is empty, and under an archive of another form.
    pub fn new(archive: &'a [u8]) -> Option<Self> {
        let file = |path: &[u8]| Some(Archive::new(archive).find(path).ok()??.data);
        let arguments = core::str::from_utf8(file(b"arguments")?).ok()?;
        Some(FirstTask { program: file(b"program")?, arguments })
    }

    /// Returns the number after `name=` among the arguments, which blanks part.
    pub fn number(&self, name: &str) -> Option<u64> {
        let mut words = self.arguments.split_ascii_whitespace();
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    }
}

/// Tells the host the exit status, 0 to 255, and powers off.
pub fn leave(status: u8) {
    let ports = Ports(boot::PORTS);
    let digits = [status / 100, status / 10 % 10, status % 10].map(|digit| b'0' + digit);
    // Without the ports there is no way to tell; the host's time limit ends the test then.
    let _ = ports.write_bytes(LOG_PORT, b"\x01exit ");
    let _ = ports.write_bytes(LOG_PORT, &digits);
    let _ = ports.write_bytes(LOG_PORT, b"\n");
    let _ = ports.write(EXIT_PORT, PortWidth::Byte, 0x10);
}

/// Returns the port of the log, first and last, for a capability that a process gets.
pub const fn log_ports() -> (Handle, u16, u16) {
    (boot::PORTS, LOG_PORT, LOG_PORT)
}

#[cfg(test)]
mod tests {
    use super::FirstTask;

    #[test]
    fn numbers_are_found_by_their_names() {
        let task = FirstTask { program: &[], arguments: "seed=7 calls=100 x" };
        assert_eq!(task.number("seed"), Some(7));
        assert_eq!(task.number("calls"), Some(100));
        assert_eq!(task.number("x"), None);
        assert_eq!(task.number("see"), None);
    }

    #[test]
    fn another_archive_makes_no_first_task() {
        assert_eq!(FirstTask::new(&[]), None);
    }
}
