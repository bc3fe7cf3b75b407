//! The servers that the tutorial shows (docs/tutorial), as the tests run them.
//!
//! ```text
//!   docs/tutorial/src/*.md ── {{#include … :anchor}} ──> this package
//!                                                          │ cargo test: over loopback
//!                                                          └ tests/guest/system.toml: in QEMU
//! ```
//!
//! A server a file, with its protocol: [`sleeper`] answers later, [`checksum`] reads memory that it
//! was lent and a ring, [`tally`] survives its death; [`client`] calls them;
//! [`counter`] is the reader's own. Marks of the form `ANCHOR: name` are for the
//! book, which shows what is between them.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod checksum;
pub mod client;
pub mod counter;
pub mod sleeper;
pub mod tally;
