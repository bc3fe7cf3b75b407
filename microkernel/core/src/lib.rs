//! The kernel without the machine: objects, capabilities, IPC, scheduling, memory.
//!
//! ```text
//!   kamen-kernel (boot) ──> kamen-machine (x86-64: traps, paging, timers)
//!                               │ enters                    ▲ acts through
//!                               ▼                           │ trait Machine
//!                          kamen-core (this crate: decides; safe Rust, deterministic)
//!                               │
//!                          kamen-abi
//! ```
//!
//! The machine saves a thread's registers into the thread (which it got from [`Kernel::next`]),
//! calls one of [`Kernel::native_system_call`], [`Kernel::foreign_system_call`], [`Kernel::exception`],
//! [`Kernel::interrupt`] and [`Kernel::timer`], and loads the registers that `next` returns. For
//! system calls there are faster ways, to be tried first: [`Kernel::quick`], and `pass_call`,
//! `pass_foreign` and `pass_reply`.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod across;
mod answer;
mod arena;
mod backing;
mod boot;
mod capacities;
mod clone;
mod commit;
mod copy;
mod cpu;
mod create;
mod deadline;
mod destroy;
mod endpoint;
mod fast;
mod frames;
mod handler;
mod invoke;
mod ipc;
mod kernel;
mod machine;
mod mapping;
mod memory;
mod meter;
mod notice;
mod notification;
mod pager;
mod queue;
mod quick;
mod quota;
mod release;
mod schedule;
#[cfg(feature = "structures")]
mod service;
#[cfg(not(feature = "structures"))]
#[path = "service/none.rs"]
mod service;
mod snapshot;
mod space;
mod steps;
mod sweep;
mod table;
mod thread;
mod trace;
mod trap;
mod tree;
mod unmap;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use boot::{BootInfo, Segment};
pub use capacities::heap_bytes;
pub use fast::{Passage, Replied, Size};
pub use kernel::Kernel;
pub use machine::{Access, FaultAccess, Frame, Machine, Next, NoFrame, Ways};
pub use quick::Outcome;
pub use thread::{Calls, Entry, MAX_PROCESSORS, Thread};
