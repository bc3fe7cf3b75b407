//! The log's way out of a program of the system: a port, written in one system call a line.

use core::sync::atomic::{AtomicU8, AtomicU16, Ordering::Relaxed};

use kamen_abi::Handle;

use crate::Ports;

/// The debug console's port.
const PORT: u16 = 0xe9;

static PORTS: AtomicU16 = AtomicU16::new(0);
static NAME: [AtomicU8; 16] = [const { AtomicU8::new(0) }; 16];

/// Has lines begin with `name` (its first 16 bytes) and go out through `ports`.
///
/// ```no_run
/// use libipc::{Ports, log, start::Start};
/// # let start = Start::default();
/// if let Some(ports) = start.find::<Ports>("log") {
///     log::connect(start.name(), ports);
/// }
/// ```
pub fn connect(name: &str, ports: Ports) {
    for (have, byte) in NAME.iter().zip(name.bytes().chain([0; 16])) {
        have.store(byte, Relaxed);
    }
    PORTS.store(ports.0.0, Relaxed);
}

/// Calls `use_it` with the name.
pub(super) fn name(use_it: impl FnOnce(&[u8])) {
    let mut name = [0; 16];
    for (byte, have) in name.iter_mut().zip(&NAME) {
        *byte = have.load(Relaxed);
    }
    let len = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    use_it(&name[..len]);
}

/// Writes a line; without ports it is lost.
pub(super) fn write(line: &[u8]) {
    let ports = Handle(PORTS.load(Relaxed));
    if ports != Handle::NULL {
        // There is nobody to tell that the log does not work.
        let _ = Ports(ports).write_bytes(PORT, line);
    }
}
