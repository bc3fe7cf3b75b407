//! What servers, personalities and native programs share.
//!
//! ```text
//!   servers  personalities  userland
//!        └────────┼─────────────┘
//!             kamen-kit (this crate: arguments, executable formats, program loading, …)
//!                 │
//!         protocols, libipc
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod arguments;
pub mod cpio;
pub mod elf;
pub mod executor;
pub mod fault;
pub mod files;
pub mod image;
pub mod kept;
pub mod linux;
pub mod path;
pub mod process;
pub mod serve;
pub mod service;
pub mod trace;
pub mod tty;
pub mod waits;
pub mod worker;

pub use arguments::{Arguments, ArgumentsError, MAX_BLOCK, MAX_STRINGS};
