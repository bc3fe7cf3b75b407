//! Programs that issue random system calls, and a witness that must not notice.
//!
//! ```text
//!   parent (first task) ── registers ──> victims: threads that execute `syscall`, then `ud2`
//!        ^──────────── fault, or silence ─────┘        (two processes, small quotas)
//!
//!   witness ── call ──> echo       (checksums, timers; equal in priority to the victims)
//! ```
//!
//! The parent draws each call's registers from a seed, so that a run can be repeated under the
//! instruction clock. It keeps a victim from nothing: only the capabilities that the victim holds
//! contain it. A process that is beyond use is destroyed with its quota and made anew; after each
//! era all are, and free pages, pages and objects in use must be what they were before.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod draw;
mod life;
mod parent;
mod witness;

pub use draw::{Dice, draw};
pub use life::Life;
pub use parent::{Order, Parent, Verdict};
pub use witness::{LONGEST_NS, Report, echo, watch};
