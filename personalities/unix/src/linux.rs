//! Linux's numbers and layouts: flags, request codes, structures that programs read and write.
//!
//! Each module cites the header (of Linux 6.1) it was taken from; the x86-64 values.

pub mod flags;
pub mod signals;
pub mod sockets;
pub mod structures;
pub mod terminal;
