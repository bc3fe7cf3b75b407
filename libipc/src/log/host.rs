//! The log in tests on the host: standard error.
extern crate std;

use crate::Ports;

/// Does nothing: the host's log needs no capability.
///
/// ```no_run
/// use libipc::{Ports, log, start::Start};
/// # let start = Start::default();
/// if let Some(ports) = start.find::<Ports>("log") {
///     log::connect(start.name(), ports);
/// }
/// ```
pub fn connect(_name: &str, _ports: Ports) {}

/// Calls `use_it` with the name.
pub(super) fn name(use_it: impl FnOnce(&[u8])) {
    use_it(b"test");
}

/// Writes a line.
pub(super) fn write(line: &[u8]) {
    std::eprint!("{}", std::string::String::from_utf8_lossy(line));
}
