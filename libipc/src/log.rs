//! The log: lines of text for whoever watches the system.
//!
//! ```text
//!   SECONDS.MICROSECONDS LEVEL NAME: TEXT       1.042113 warn unix: pid 7 asks for what is not there
//! ```
//!
//! In the system it goes to the debug console (I/O port 0xe9, Bochs' "port E9 hack", QEMU
//! isa-debugcon) through the ports capability that [`connect`] was given; on the host to standard
//! error, which tests capture. Seconds are those since boot.
//!
//! A program writes lines down to its own [`Level`], [`Level::Info`] where nobody set another; a
//! line below it costs a comparison. The host's `--log` sets it, by the program's name.
//!
//! ```
//! use libipc::log::{self, LINE_MAX, Level};
//! libipc::log!("disk has {} sectors", 2880);
//! log::set_level(Level::Warn);
//! assert!(!log::is_on(Level::Info));
//! log::line(Level::Error, format_args!("at most {LINE_MAX} bytes, whatever the level"));
//! ```

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::now;

pub mod crash;
mod level;

#[cfg(not(kamen))]
#[path = "log/host.rs"]
mod sink;
#[cfg(kamen)]
#[path = "log/kernel.rs"]
mod sink;

pub use level::{Level, chosen, parts};
pub use sink::connect;

/// Most bytes of one line; what exceeds them is cut off.
pub const LINE_MAX: usize = 512;

/// The level down to which lines are written.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Writes a line of level info to the log: `log!("disk has {} sectors", sectors)`.
///
/// ```
/// libipc::log!("disk has {} sectors", 2880);
/// ```
#[macro_export]
macro_rules! log {
    ($($format:tt)*) => { $crate::log_at!($crate::log::Level::Info, $($format)*) };
}

/// Writes a line of level error to the log: something failed that should not.
///
/// ```
/// libipc::error!("can't read the disk: {:?}", libipc::Error::TimedOut);
/// ```
#[macro_export]
macro_rules! error {
    ($($format:tt)*) => { $crate::log_at!($crate::log::Level::Error, $($format)*) };
}

/// Writes a line of level warn to the log: something is worse than it should be.
///
/// ```
/// libipc::warn!("{} of {} blocks are bad", 3, 2880);
/// ```
#[macro_export]
macro_rules! warn {
    ($($format:tt)*) => { $crate::log_at!($crate::log::Level::Warn, $($format)*) };
}

/// Writes a line of level debug to the log: what helps to find a mistake.
///
/// ```
/// libipc::debug!("queue: {:?}", [1, 2]);
/// ```
#[macro_export]
macro_rules! debug {
    ($($format:tt)*) => { $crate::log_at!($crate::log::Level::Debug, $($format)*) };
}

/// Writes a line of level trace to the log: every step.
///
/// ```
/// libipc::trace!("block {} is read", 7);
/// ```
#[macro_export]
macro_rules! trace {
    ($($format:tt)*) => { $crate::log_at!($crate::log::Level::Trace, $($format)*) };
}

/// Writes a line of any level to the log: `log_at!(level, "{} tries", tries)`.
///
/// ```
/// libipc::log_at!(libipc::log::Level::Warn, "{} tries", 3);
/// ```
#[macro_export]
macro_rules! log_at {
    ($level:expr, $($format:tt)*) => {
        if $crate::log::is_on($level) {
            $crate::log::line($level, ::core::format_args!($($format)*))
        }
    };
}

/// Has lines down to this level written from now on.
///
/// ```
/// use libipc::log::{Level, is_on, set_level};
/// set_level(Level::Debug);
/// assert!(is_on(Level::Debug) && !is_on(Level::Trace));
/// ```
pub fn set_level(level: Level) {
    LEVEL.store(level as u8, Relaxed);
}

/// Sets the level that a filter chooses for the program of this name, if it chooses one.
///
/// ```
/// use libipc::log::{Level, is_on, set_filter};
/// set_filter("unix=trace,warn", "unix");
/// assert!(is_on(Level::Trace));
/// ```
pub fn set_filter(filter: &str, name: &str) {
    if let Some(level) = chosen(filter, name) {
        set_level(level);
    }
}

/// Returns whether lines of this level are written.
///
/// ```
/// use libipc::log::{Level, is_on};
/// assert!(is_on(Level::Error), "always");
/// ```
#[inline]
pub fn is_on(level: Level) -> bool {
    level as u8 <= LEVEL.load(Relaxed)
}

/// Calls `use_it` with the name that lines begin with, if it is text.
///
/// ```
/// libipc::log::with_name(|name| assert!(!name.is_empty()));
/// ```
pub fn with_name(use_it: impl FnOnce(&str)) {
    sink::name(|name| core::str::from_utf8(name).map_or((), use_it));
}

/// Writes a line to the log whatever its level; [`log!`](crate::log!) and its like call it.
///
/// ```
/// libipc::log::line(libipc::log::Level::Info, format_args!("{} sectors", 2880));
/// ```
pub fn line(level: Level, text: fmt::Arguments<'_>) {
    let mut line = Line { bytes: [0; LINE_MAX], len: 0 };
    let microseconds = now().0 / 1000;
    let (seconds, rest) = (microseconds / 1_000_000, microseconds % 1_000_000);
    // A line that is too long is cut off, which is no reason not to log it.
    let _ = write!(line, "{seconds}.{rest:06} {} ", level.name());
    sink::name(|name| line.push(name));
    line.push(b": ");
    let _ = line.write_fmt(text);
    line.end();
}

/// Tells the host's tool something that is not for people, whatever the level: a line that begins
/// with the byte 1.
///
/// ```
/// libipc::log::mark(format_args!("trace begins"));
/// ```
pub fn mark(text: fmt::Arguments<'_>) {
    let mut line = Line { bytes: [0; LINE_MAX], len: 0 };
    line.push(b"\x01");
    let _ = line.write_fmt(text);
    line.end();
}

/// A line under construction; the last byte is kept for its end.
struct Line {
    bytes: [u8; LINE_MAX],
    len: usize,
}

impl Line {
    fn push(&mut self, text: &[u8]) {
        let len = text.len().min(LINE_MAX - 1 - self.len);
        self.bytes[self.len..self.len + len].copy_from_slice(&text[..len]);
        self.len += len;
    }

    /// Writes it out.
    fn end(mut self) {
        self.bytes[self.len] = b'\n';
        sink::write(&self.bytes[..=self.len]);
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_beyond_its_bound_is_cut_off() {
        let mut line = Line { bytes: [0; LINE_MAX], len: 0 };
        for _ in 0..LINE_MAX {
            line.push(b"ab");
        }
        assert_eq!(line.len, LINE_MAX - 1);
        log!("{:1000}|", "");
    }

    #[test]
    fn a_line_that_is_filtered_out_is_not_even_put_together() {
        // No other test of this crate sets the level.
        let put_together = core::cell::Cell::new(0);
        let text = || put_together.set(put_together.get() + 1);
        let log_all = || {
            error!("{:?}", text());
            warn!("{:?}", text());
            log!("{:?}", text());
            debug!("{:?}", text());
            trace!("{:?}", text());
        };
        for (filter, lines) in [("test=error,trace", 1), ("other=trace,debug", 4), ("info", 3)] {
            put_together.set(0);
            set_filter(filter, "test");
            log_all();
            assert_eq!(put_together.get(), lines, "{filter}");
        }
    }
}
