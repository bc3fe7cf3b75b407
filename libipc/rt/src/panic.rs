//! The end of a program that panicked: a line in the log and on standard error, exit status 101.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use libipc::transport::{Lend, Outgoing};
use libipc::{Transport, Within, error};

use crate::backtrace;
use crate::entry::{PANICKED, exit, stderr};

/// Label of `write` of the stream protocol; a panic handler has no room for its client.
const WRITE_LABEL: u32 = 1 << 16 | 2;
/// How long telling may take.
const BRIEFLY: Within = Within(100);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let mut text = Text { bytes: [0; 256], len: 0 };
    // What does not fit is cut off.
    let _ = match info.location() {
        Some(at) => write!(text, "panic at {}:{}: {}", at.file(), at.line(), info.message()),
        None => write!(text, "panic: {}", info.message()),
    };
    error!("{}", text.as_str());
    backtrace::tell();
    if let Some(stderr) = stderr() {
        let _ = text.write_str("\n");
        let leases = [Lend::read(text.as_str().as_bytes())];
        // The first word: do not wait.
        let words = [0; 6];
        let request =
            Outgoing { label: WRITE_LABEL, words, slices: &[], caps: &[], leases: &leases };
        // Whom it does not reach has the log.
        let _ = BRIEFLY.call(stderr, &request);
    }
    exit(PANICKED)
}

/// Text of bounded length; the last byte is kept for the end of the line.
struct Text {
    bytes: [u8; 256],
    len: usize,
}

impl Text {
    fn as_str(&self) -> &str {
        // Only whole pieces of text were put, so that it is UTF-8 unless one was cut in two.
        self.bytes[..self.len].utf8_chunks().next().map_or("", |chunk| chunk.valid())
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = if text == "\n" { self.bytes.len() } else { self.bytes.len() - 1 };
        let len = text.len().min(room - self.len);
        self.bytes[self.len..self.len + len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
        if len < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}
