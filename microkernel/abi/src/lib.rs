//! All that kernel and user space agree on: numbers, layouts, errors, rights.
//!
//! ```text
//!   program / server ── libipc ──┐
//!                                ├── kamen-abi (this crate: no logic, no dependencies)
//!   kamen-core ── kamen-machine ─┘
//! ```
//!
//! A system call is the `syscall` instruction with the operation's number in `rax`
//! ([`Operation`]), its target in `r12` and its arguments in the six message words; it returns
//! a status in `rax` (0, or an [`Error`]). The same registers carry messages, so that a
//! redirected Linux system call *is* a short message.
//!
//! ```text
//!   register               on entry                         on return
//!   rax                    Operation                        0 or Error
//!   r12                    target: handle or open call      open call (receive), handle (create)
//!   r13                    Tag of the message               Tag of the message received
//!   r14                    deadline, ns since boot          badge (receive)
//!   r15                    second handle (reply-receive)    unchanged
//!   rdi rsi rdx r10 r8 r9  words 0 to 5                     words 0 to 5
//!   rcx r11                destroyed by the processor
//!   rbx rbp rsp            unchanged
//! ```
//!
//! Operations that are not messages leave `r13` to `r15` unchanged and return their values in
//! the words. All addresses, sizes and offsets are in bytes unless the name says `pages`.
#![no_std]
#![deny(unsafe_code)]

mod error;
mod handle;
mod memory;
mod message;
mod object;
mod operation;
mod registers;
mod rights;
pub mod snapshot;
pub mod trace;

pub use error::Error;
pub use handle::{Handle, MAX_SLOTS, OpenCall, boot};
pub use memory::{CONTIGUOUS_MAX, MemoryKind, PAGES_MAX};
pub use message::{Kind, Lease, MAX_BYTES, MAX_CAPS, MAX_LEASES, MessagePage, Tag, WORDS};
pub use object::{MAPPING_COST, ObjectKind};
pub use operation::{COPY_MAX, Operation, PORT_WRITE_MAX, Place, PortWidth, WHOLE};
pub use registers::Registers;
pub use rights::Rights;

/// Bytes of a page and of a frame (Intel SDM 3A 4.5, 4-level paging).
pub const PAGE_SIZE: usize = 4096;

/// The first address that user space cannot have: the end of the lower canonical half, less one
/// page, so that no `syscall` can return to a non-canonical address (Intel SDM 2B SYSRET).
pub const USER_END: usize = 0x0000_7fff_ffff_f000;

/// Number of priorities; 0 is the lowest and belongs to programs that soak up idle time.
pub const PRIORITIES: usize = 32;

/// A deadline that never passes.
pub const FOREVER: u64 = u64::MAX;

/// A deadline that has always passed: the operation is tried once and never blocks.
pub const NOW: u64 = 0;
