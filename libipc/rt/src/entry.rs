//! From the kernel to `main` and back: entry and exit.
//!
//! ```text
//!   register  at _start
//!   rdi       address of the message page (boot::MESSAGE_PAGE)
//!   rsi       bytes of the boot archive (first task), else 0
//!   rsp       end of the stack
//! ```

use core::arch::{asm, naked_asm};
use core::sync::atomic::{AtomicU16, Ordering::Relaxed};

use libipc::abi::{MessagePage, boot};
use libipc::start::{EXIT_LABEL, Start};
use libipc::{Endpoint, Handle, Ports, Time};

/// Exit status of a program that panicked.
pub(crate) const PANICKED: i32 = 101;

/// Where [`exit`] is asked for; the null handle before the program knows.
static PROCESS: AtomicU16 = AtomicU16::new(0);

/// Where a panic is told; the null handle where nobody listens.
static STDERR: AtomicU16 = AtomicU16::new(0);

/// Makes `fn main(start: &Start) -> i32` the program's entry; it returns the exit status.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        // SAFETY: no other symbol of this name exists, because a program has one entry.
        #[unsafe(no_mangle)]
        extern "Rust" fn kamen_main(start: &$crate::Start) -> i32 {
            let main: fn(&$crate::Start) -> i32 = $main;
            main(start)
        }
    };
}

unsafe extern "Rust" {
    /// The program's main, which [`entry!`](crate::entry!) defines.
    safe fn kamen_main(start: &Start) -> i32;
}

/// The first instructions: aligns the stack as the calling convention wants it.
// SAFETY: no other symbol of this name exists in a program without the C library.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn _start() -> ! {
    naked_asm!("xor ebp, ebp", "and rsp, -16", "call {run}", "ud2", run = sym run)
}

/// Goes on where Rust's rules hold.
extern "C" fn run(page: *const MessagePage, archive_len: usize) -> ! {
    // SAFETY: the page is mapped readable, and nothing changes it before the first message.
    let bytes = unsafe { &(*page).bytes };
    let start = Start::parse(bytes).unwrap_or_else(|| Start::first(archive_len));
    if let Some(process) = start.find::<Endpoint>("process") {
        PROCESS.store(process.0.0, Relaxed);
    }
    if let Some(stderr) = start.find::<Endpoint>("stderr") {
        STDERR.store(stderr.0.0, Relaxed);
    }
    if let Some(ports) = start.find::<Ports>("log") {
        libipc::log::connect(start.name(), ports);
    }
    if let Some(filter) = start.variable("log") {
        libipc::log::set_filter(filter, start.name());
    }
    crate::capabilities::tell(&start);
    exit(kamen_main(&start))
}

/// Returns the program's standard error.
#[cfg_attr(not(kamen), expect(dead_code, reason = "the panic handler is the guest's"))]
pub(crate) fn stderr() -> Option<Endpoint> {
    let handle = Handle(STDERR.load(Relaxed));
    (handle != Handle::NULL).then_some(Endpoint(handle))
}

/// Returns the boot archive, which only the first task has; to others it is empty.
pub fn boot_archive(start: &Start) -> &'static [u8] {
    let address = core::ptr::with_exposed_provenance(boot::ARCHIVE_AT);
    match start.archive_len() {
        0 => &[],
        // SAFETY: the kernel maps that many bytes there, read-only, for the first task's life.
        len => unsafe { core::slice::from_raw_parts(address, len) },
    }
}

/// Ends the program with a status from 0 to 255, or, for a session that a signal ended, 256 + its
/// number (`protocols::process::ExitStatus`).
///
/// Asks `exit` of the process protocol; a program that nobody started, or whose request fails,
/// executes an undefined instruction, so that its handler learns of it.
pub fn exit(status: i32) -> ! {
    let process = Handle(PROCESS.load(Relaxed));
    if process != Handle::NULL {
        let status = match u64::try_from(status) {
            Ok(signal @ 257..=320) => signal,
            _ => u64::from(status as u8),
        };
        let words = [status, 0, 0, 0, 0, 0];
        // Where it fails, the instruction below is the way out.
        let _ = Endpoint(process).call(EXIT_LABEL, words, Time::FOREVER);
    }
    // SAFETY: the exception ends the program; nothing after it is reached.
    unsafe { asm!("ud2", options(noreturn)) }
}

/// The precompiled `alloc` refers to it, although nothing unwinds here.
// SAFETY: no other symbol of this name exists in a program without an unwinder.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    exit(PANICKED)
}
