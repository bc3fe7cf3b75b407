//! An in-process entry: system calls of a foreign thread that branch here, in its own space.
//!
//! ```text
//!   at `bench_entry`      rcx: where to return to; r11: the thread's block; rest: the program's
//!   getpid                rax = PID
//!   read record           C function on the block's stack: rdi number, rsi place; rax its status
//!   all others            executed here, where system calls are native
//!   back at rcx           rax changed, rcx and r11 destroyed, as by any system call
//!
//!   block, behind the stack:  | top of the stack | the program's rsp meanwhile |
//! ```
//! The stack of the program is not touched: below it lies the red zone of whoever was compiled
//! with one.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;

use libipc::Error;
use libipc::abi::Operation;
use record::Record;

/// Number of the system call that the entry answers by itself: getpid(2).
pub const GETPID: u64 = 39;
/// What it answers.
pub const PID: u64 = 4711;
/// Number of the one that reads a record.
pub const READ: u64 = 1000;

/// Words of the stack that the entry uses; the block's own are the two after it.
const STACK_WORDS: usize = 1024;

#[repr(C, align(16))]
struct Block {
    stack: [u64; STACK_WORDS],
    top: u64,
    program_rsp: u64,
}

struct Place(UnsafeCell<Block>);

// SAFETY: only the entry uses it, in the one thread that was given it.
unsafe impl Sync for Place {}

static BLOCK: Place =
    Place(UnsafeCell::new(Block { stack: [0; STACK_WORDS], top: 0, program_rsp: 0 }));

global_asm!(
    ".pushsection .text.bench_entry, \"ax\", @progbits",
    ".globl bench_entry",
    "bench_entry:",
    "cmp eax, {getpid}",
    "jne 2f",
    "mov eax, {pid}",
    "jmp rcx",
    "2:",
    "mov [r11 + 8], rsp",
    "mov rsp, [r11]",
    "push r11",
    "push rcx",
    "cmp eax, {read}",
    "jne 3f",
    "push rdx",
    "push rsi",
    "push rdi",
    "push r8",
    "push r9",
    "push r10",
    "call {service}",
    "pop r10",
    "pop r9",
    "pop r8",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "jmp 4f",
    "3:",
    "syscall",
    "4:",
    "pop rcx",
    "pop r11",
    "mov rsp, [r11 + 8]",
    "jmp rcx",
    ".globl bench_entry_end",
    "bench_entry_end:",
    ".popsection",
    getpid = const GETPID,
    pid = const PID,
    read = const READ,
    service = sym service,
);

unsafe extern "C" {
    safe fn bench_entry();
    safe fn bench_entry_end();
}

/// The library: reads a record of the table that the space maps.
extern "C" fn service(number: u64, into: &mut Record) -> u64 {
    match record::read(&mut super::table(), number) {
        Ok(found) => {
            *into = found;
            0
        }
        Err(fault) => fault as u64,
    }
}

/// Gives a stopped thread of this space the entry.
///
/// # Errors
/// What the kernel refused.
pub fn give(thread: u64) -> Result<(), Error> {
    let block = BLOCK.0.get();
    // SAFETY: no thread has been given the block, or that one is gone.
    let block = unsafe {
        let top = &raw mut (*block).top;
        *top = top.expose_provenance() as u64;
        *top
    };
    let (from, to) = (bench_entry as *const () as u64, bench_entry_end as *const () as u64);
    let mut status = Operation::SetEntry as u64;
    // SAFETY: the operation changes no memory; its thread will find a stack in the block.
    unsafe {
        asm!("syscall", inlateout("rax") status, in("r12") thread, in("rdi") from, in("rsi") to,
            in("rdx") block, in("r10") 0, in("r8") 0, in("r9") 0,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    Error::check(status)
}
