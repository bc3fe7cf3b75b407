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

/// Writes a line, and what the trace recorded last, and stops the machine for good.
pub fn stop(text: Arguments<'_>) -> ! {
    // Writing cannot fail; see above.
    let _ = Epitaph.write_fmt(text);
    let _ = Epitaph.write_str("\n");
    crate::last_events::write(&mut Epitaph);
    // SAFETY: the port belongs to the exit device or to nothing.
    unsafe { Port::new(DEBUG_EXIT).write(EXIT_PANIC) };
    loop {
        x86_64::instructions::interrupts::disable();
        x86_64::instructions::hlt();
    }
}
