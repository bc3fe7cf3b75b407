//! The end of a program that panicked: a line in the log, exit status 101.

use core::panic::PanicInfo;

use libipc::log;

use crate::entry::{PANICKED, exit};

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    match info.location() {
        Some(at) => log!("panic at {}:{}: {}", at.file(), at.line(), info.message()),
        None => log!("panic: {}", info.message()),
    }
    exit(PANICKED)
}
