//! A virtual real-mode machine with DOS inside: processor, memory, BIOS, DOS kernel.
//!
//! ```text
//!   dos-session (streams and files of the system)        tests (files in memory)
//!        └───────────────────────┬───────────────────────────┘
//!                         trait Host
//!                                │
//!    kamen-dos-machine:   Session ── dos (INT 20h-2Fh) ── bios (INT 10h-1Ah)
//!                                │
//!                               cpu ── Bus (1 MiB of memory, I/O ports)
//! ```
//!
//! Everything that programs may look at lies in guest memory, where DOS has it; everything else
//! comes in through `Host`, so that the whole machine is tested on the host.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod bios;
mod breaking;
mod bus;
mod calls;
pub mod cpu;
mod devices;
mod dos;
pub mod host;
mod idle;
mod memory;
mod mirror;
mod registers;
mod screen;
mod session;
mod waiting;
mod watch;

pub use bus::{Bus, FarPointer, MEMORY_BYTES};
pub use dos::{DosError, Mz, MzError, countries};
pub use session::{End, Session, Start};
