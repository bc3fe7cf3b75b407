//! System calls as the benchmark makes them: the instruction and the registers it needs, no more.
//!
//! ```text
//!   rows, servers ── raw (this file) ── syscall ── kernel
//!   preparations  ── libipc ────────────┘
//! ```
//!
//! libipc checks results and clears unused words; seL4's benchmark, which the rows are compared
//! with, does neither. Each function here is the shortest stub that a compiler could emit for its
//! shape of call. Statuses are returned for the caller to judge outside of what is measured.
//!
//! Safety, for all of them: the registers are those of `kamen_abi`'s table; the kernel writes to
//! no other memory of this program than the message page, which no Rust reference points to, and
//! for [`copy`] to [`buffer`], which is handed out as an address only.
#![expect(unsafe_code, reason = "the system-call instruction and the clock, without libipc")]

pub mod entry;

use core::arch::{asm, x86_64::_rdtsc};
use core::sync::atomic::AtomicU64;

use libipc::abi::{FOREVER, NOW, Operation, PAGE_SIZE, Place, WORDS};
use record::Record;

/// Where both spaces map the same pages.
pub const SHARED_AT: usize = 0x5000_0000_0000;
/// Pages of them.
pub const SHARED_PAGES: usize = 4;
/// Where both spaces map the table of records.
pub const TABLE_AT: u64 = 0x5300_0000_0000;
/// Records of the table.
pub const RECORDS: u64 = 4096;
/// Words of a message page.
pub const PAGE_WORDS: usize = PAGE_SIZE / 8;

/// A message as it came.
#[derive(Clone, Copy)]
pub struct Received {
    /// The status of the system call.
    pub status: u64,
    /// The open call.
    pub call: u64,
    /// The tag.
    pub tag: u64,
    /// The words.
    pub words: [u64; WORDS],
}

/// Returns the processor's clock: instructions under QEMU's instruction clock.
#[inline(always)]
pub fn ticks() -> u64 {
    // SAFETY: user space may read it (CR4.TSD is clear).
    unsafe { _rdtsc() }
}

/// Returns the table of records that both spaces map.
pub fn table() -> &'static [Record] {
    // SAFETY: `structures::prepare` maps it for good before anybody calls this, filled, and
    // nothing changes it.
    unsafe {
        let first: *const Record = core::ptr::with_exposed_provenance(TABLE_AT as usize);
        core::slice::from_raw_parts(first, RECORDS as usize)
    }
}

/// Returns the words that all threads of both spaces share.
#[inline(always)]
pub fn shared() -> &'static [AtomicU64; SHARED_PAGES * PAGE_WORDS] {
    // SAFETY: `world::World::new` maps the pages in both spaces, for good, before any thread but
    // the first runs; the first calls this after it. Words are accessed atomically only.
    unsafe { &*core::ptr::with_exposed_provenance(SHARED_AT) }
}

/// Returns the words of the message page at an address, which is a thread's own.
#[inline(always)]
pub fn page(address: u64) -> &'static [AtomicU64; PAGE_WORDS] {
    // SAFETY: callers pass the address that `world::World::spawn` or the kernel gave their thread,
    // where its message page is mapped for good; the kernel changes it only in system calls.
    unsafe { &*core::ptr::with_exposed_provenance(address as usize) }
}

/// Does nothing that the compiler could know: what an empty loop is filled with.
#[inline(always)]
pub fn nothing() {
    // SAFETY: there is no instruction.
    unsafe { asm!("", options(nomem, nostack, preserves_flags)) }
}

/// Executes an undefined instruction.
#[inline(always)]
pub fn undefined() {
    // SAFETY: the thread's handler lets it go on after it, all registers as they were.
    unsafe { asm!("ud2", options(nostack)) }
}

/// Writes a byte to a page; the kernel provides it.
#[inline(always)]
pub fn touch(address: u64) {
    // SAFETY: callers have mapped the page writable, and no reference points to it.
    unsafe { core::ptr::with_exposed_provenance_mut::<u8>(address as usize).write_volatile(1) }
}

/// Reads a byte of a page; the kernel provides it.
#[inline(always)]
pub fn look(address: u64) -> u8 {
    // SAFETY: callers have mapped the page, and what it holds are bytes.
    unsafe { core::ptr::with_exposed_provenance::<u8>(address as usize).read_volatile() }
}

/// Executes an operation that takes nothing, as Null and Yield.
#[inline(always)]
pub fn plain(operation: Operation) -> u64 {
    let mut status = operation as u64;
    // SAFETY: see the file's head.
    unsafe {
        asm!("syscall", inlateout("rax") status, lateout("rcx") _, lateout("r11") _,
            options(nostack));
    }
    status
}

/// Executes a foreign system call: its number and first word in, its result out.
#[inline(always)]
pub fn foreign(number: u64, word: u64) -> u64 {
    let mut result = number;
    // SAFETY: see the file's head; the thread is foreign, so that its server decides.
    unsafe {
        asm!("syscall", inlateout("rax") result, in("rdi") word, lateout("rcx") _,
            lateout("r11") _, options(nostack));
    }
    result
}

/// Executes the foreign system call that reads a record; returns its status.
#[inline(always)]
pub fn read_by_branch(number: u64, into: &mut Record) -> u64 {
    let mut status = entry::READ;
    // SAFETY: see the file's head; the entry writes a record to `into`, which is ours alone.
    unsafe {
        asm!("syscall", inlateout("rax") status, in("rdi") number, in("rsi") into,
            lateout("rcx") _, lateout("r11") _);
    }
    status
}

/// Has the benchmark's kernel read a record; returns the status of the system call.
#[inline(always)]
pub fn read_by_trap(number: u64, into: &mut Record) -> u64 {
    let mut status = record::OPERATION;
    // SAFETY: see the file's head; the kernel writes a record to `into`, which is ours alone.
    unsafe {
        asm!("syscall", inlateout("rax") status, in("rdi") number, in("rsi") TABLE_AT,
            in("rdx") RECORDS, in("r10") into, lateout("rcx") _, lateout("r11") _);
    }
    status
}

/// Sets bits of a notification.
#[inline(always)]
pub fn signal(notification: u64, bits: u64) -> u64 {
    let mut status = Operation::Signal as u64;
    // SAFETY: see the file's head.
    unsafe {
        asm!("syscall", inlateout("rax") status, in("r12") notification, in("rdi") bits,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    status
}

/// Waits for bits of a notification; returns status and bits.
#[inline(always)]
pub fn wait(notification: u64) -> (u64, u64) {
    take_bits(notification, FOREVER)
}

/// Takes the bits of a notification; returns status and bits.
#[inline(always)]
pub fn poll(notification: u64) -> (u64, u64) {
    take_bits(notification, NOW)
}

#[inline(always)]
fn take_bits(notification: u64, deadline: u64) -> (u64, u64) {
    let mut status = Operation::Wait as u64;
    let bits: u64;
    // SAFETY: see the file's head.
    unsafe {
        asm!("syscall", inlateout("rax") status, in("r12") notification,
            inlateout("r14") deadline => _, lateout("r13") _, lateout("rdi") bits,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    (status, bits)
}

/// Calls with whatever the word registers hold.
#[inline(always)]
pub fn call(endpoint: u64, tag: u64) -> u64 {
    let mut status = Operation::Call as u64;
    // SAFETY: see the file's head.
    unsafe {
        asm!("syscall", inlateout("rax") status, inlateout("r12") endpoint => _,
            inlateout("r13") tag => _, inlateout("r14") FOREVER => _,
            lateout("rdi") _, lateout("rsi") _, lateout("rdx") _, lateout("r10") _,
            lateout("r8") _, lateout("r9") _, lateout("rcx") _, lateout("r11") _,
            options(nostack));
    }
    status
}

/// Calls with words; returns status and words.
#[inline(always)]
pub fn call_words(endpoint: u64, tag: u64, words: [u64; WORDS]) -> (u64, [u64; WORDS]) {
    let mut status = Operation::Call as u64;
    let [mut w0, mut w1, mut w2, mut w3, mut w4, mut w5] = words;
    // SAFETY: see the file's head.
    unsafe {
        asm!("syscall", inlateout("rax") status, inlateout("r12") endpoint => _,
            inlateout("r13") tag => _, inlateout("r14") FOREVER => _,
            inlateout("rdi") w0, inlateout("rsi") w1, inlateout("rdx") w2,
            inlateout("r10") w3, inlateout("r8") w4, inlateout("r9") w5,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    (status, [w0, w1, w2, w3, w4, w5])
}

/// Answers an open call (0: none) with words and receives the next.
#[inline(always)]
pub fn reply_receive(call: u64, tag: u64, words: [u64; WORDS], endpoint: u64) -> Received {
    let (mut status, mut call, mut tag) = (Operation::ReplyReceive as u64, call, tag);
    let [mut w0, mut w1, mut w2, mut w3, mut w4, mut w5] = words;
    // SAFETY: see the file's head.
    unsafe {
        asm!("syscall", inlateout("rax") status, inlateout("r12") call,
            inlateout("r13") tag, inlateout("r14") FOREVER => _, in("r15") endpoint,
            inlateout("rdi") w0, inlateout("rsi") w1, inlateout("rdx") w2,
            inlateout("r10") w3, inlateout("r8") w4, inlateout("r9") w5,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    Received { status, call, tag, words: [w0, w1, w2, w3, w4, w5] }
}

/// Returns where [`copy`] copies to: bytes of this space that nothing refers to.
pub fn buffer() -> u64 {
    static BUFFER: Buffer = Buffer(core::cell::UnsafeCell::new([0; PAGE_SIZE]));
    BUFFER.0.get().expose_provenance() as u64
}

#[repr(align(4096))]
struct Buffer(core::cell::UnsafeCell<[u8; PAGE_SIZE]>);

// SAFETY: it is only ever used as an address.
unsafe impl Sync for Buffer {}

/// Copies bytes of the first lease of an open call to `to`, which is [`buffer`]; returns status
/// and bytes.
#[inline(always)]
pub fn copy(call: u64, to: u64, bytes: u64) -> (u64, u64) {
    copy_from(Place::Lease0, [call, 0], to, bytes)
}

/// Copies bytes within this space, to pages that no reference points to; returns status and bytes.
pub fn copy_own(from: u64, to: u64, bytes: u64) -> (u64, u64) {
    copy_from(Place::Own, [0, from], to, bytes)
}

#[inline(always)]
fn copy_from(from: Place, [id, offset]: [u64; 2], to: u64, bytes: u64) -> (u64, u64) {
    let mut status = Operation::Copy as u64;
    let mut places = from as u64 | (Place::Own as u64) << 8;
    // SAFETY: see the file's head.
    unsafe {
        asm!("syscall", inlateout("rax") status, inlateout("rdi") places,
            inlateout("rsi") id => _, inlateout("rdx") offset => _, inlateout("r10") 0u64 => _,
            inlateout("r8") to => _, inlateout("r9") bytes => _,
            lateout("r12") _, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    (status, places)
}
