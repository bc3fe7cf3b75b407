//! The log: lines of text for whoever watches the system.
//!
//! A line goes out as "name: text". In the system it goes to the debug console (I/O port 0xe9,
//! Bochs' "port E9 hack", QEMU isa-debugcon) through the ports capability that [`connect`] was
//! given; on the host to standard error, which tests capture.

use core::fmt::{self, Write};

#[cfg(not(kamen))]
#[path = "log/host.rs"]
mod sink;
#[cfg(kamen)]
#[path = "log/kernel.rs"]
mod sink;

pub use sink::connect;

/// Most bytes of one line; what exceeds them is cut off.
pub const LINE_MAX: usize = 512;

/// Writes a line to the log: `log!("disk has {} sectors", sectors)`.
#[macro_export]
macro_rules! log {
    ($($format:tt)*) => {
        $crate::log::line(::core::format_args!($($format)*))
    };
}

/// Writes a line to the log; [`log!`](crate::log!) calls it.
pub fn line(text: fmt::Arguments<'_>) {
    let mut line = Line { bytes: [0; LINE_MAX], len: 0 };
    sink::name(|name| line.push(name));
    line.push(b": ");
    // A line that is too long is cut off, which is no reason not to log it.
    let _ = line.write_fmt(text);
    line.bytes[line.len] = b'\n';
    sink::write(&line.bytes[..=line.len]);
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
}
