//! Reading and writing what lies in tables under numbers: which table does it.

use crate::Errno;
use crate::context::Stop;
use crate::events::signals;
use crate::open::{Kind, Numbered};
use crate::socket::{self, How};
use crate::unix::Unix;

/// Reads what has come.
///
/// # Errors
/// Wait; EINVAL: not readable, or no room; what the table says.
pub fn read(unix: &mut Unix, numbered: &Numbered, into: &mut [u8]) -> Result<usize, Stop> {
    let number = numbered.number();
    match numbered.kind() {
        Kind::Socket => Ok(unix.sockets.receive(number, into, How::default())?.count),
        Kind::Counter => unix.counters.read(number, into),
        Kind::Timer => {
            let now = unix.machine.now();
            let count = unix.timer_files.read(number, now, into)?;
            unix.arm_timers();
            Ok(count)
        }
        Kind::Signals => signals::read(unix, number, into),
        Kind::Epoll | Kind::Process => Err(Errno::EINVAL.into()),
    }
}

/// Writes, as much as there is room for.
///
/// # Errors
/// Wait; EINVAL: not writable; what the table says.
pub fn write(unix: &mut Unix, numbered: &Numbered, bytes: &[u8]) -> Result<usize, Stop> {
    let number = numbered.number();
    match numbered.kind() {
        Kind::Socket => socket::write(unix, number, bytes),
        Kind::Counter => unix.counters.write(number, bytes),
        Kind::Timer | Kind::Signals | Kind::Epoll | Kind::Process => Err(Errno::EINVAL.into()),
    }
}
