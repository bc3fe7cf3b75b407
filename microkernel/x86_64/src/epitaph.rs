//! Last words: the debug console, and the end of the machine.
//!
//! Both are devices of QEMU (isa-debugcon, isa-debug-exit); elsewhere the ports are unused and
//! writing to them does nothing. The serial port is not touched: it is user space's.

use core::fmt::{Arguments, Write};

use x86_64::instructions::port::Port;

const DEBUG_CONSOLE: u16 = 0xe9;
/// The port of the device that ends the machine.
pub(crate) const DEBUG_EXIT: u16 = 0xf4;
/// What the exit device gets when the kernel panics; QEMU exits with `value << 1 | 1` = 35.
const EXIT_PANIC: u32 = 0x11;

/// The debug console.
pub struct Epitaph;

impl Write for Epitaph {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the port belongs to the debug console or to nothing.
            unsafe { Port::new(DEBUG_CONSOLE).write(byte) };
        }
        Ok(())
    }
}

/// How much a line of the kernel's matters; names and form are those of `libipc::log`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    /// The kernel's end.
    Error,
    /// The machine is less than it should be.
    Warn,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
        }
    }
}

/// Writes a line to the log.
pub(crate) fn line(level: Level, text: Arguments<'_>) {
    let microseconds = crate::clock::since_boot() / 1000;
    let (seconds, rest, level) = (microseconds / 1_000_000, microseconds % 1_000_000, level.name());
    // Writing cannot fail; see above.
    let _ = writeln!(Epitaph, "{seconds}.{rest:06} {level} kernel: {text}");
}

/// Writes a line, how the kernel came here, and what the trace recorded last, and stops the machine
/// for good.
pub fn stop(text: Arguments<'_>) -> ! {
    end(text, None)
}

/// The same after an exception in the kernel, where rip and rsp were these.
pub(crate) fn stop_at(rip: u64, rsp: u64, text: Arguments<'_>) -> ! {
    end(text, Some((rip, rsp)))
}

fn end(text: Arguments<'_>, trap: Option<(u64, u64)>) -> ! {
    line(Level::Error, text);
    crate::backtrace::tell(trap);
    crate::last_events::write();
    // SAFETY: the port belongs to the exit device or to nothing.
    unsafe { Port::new(DEBUG_EXIT).write(EXIT_PANIC) };
    loop {
        x86_64::instructions::interrupts::disable();
        x86_64::instructions::hlt();
    }
}
