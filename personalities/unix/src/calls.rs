//! The handlers of system calls, by what they are about; `table` lists them all.
//!
//! A handler takes its arguments from `context.words` and returns a value or a `Stop`. One that
//! has to wait changes nothing first: it is called again from its beginning.

pub mod adjtimex;
pub mod attributes;
pub mod capabilities;
pub mod descriptors;
pub mod directories;
pub mod epoll;
pub mod events;
pub mod execveat;
pub mod extended;
pub mod futex;
pub mod identity;
pub mod info;
pub mod io;
pub mod limits;
pub mod locks;
pub mod membarrier;
pub mod memfd;
pub mod memory;
pub mod names;
pub mod openat2;
pub mod pidfd;
pub mod poll;
pub mod prctl;
pub mod processes;
mod reopen;
pub mod scheduling;
pub mod signals;
pub mod sockets;
pub mod space;
pub mod splice;
pub mod system;
pub mod terminal;
pub mod time;
pub mod timers;
pub mod times;
pub mod wait;

/// What uname(2) calls the system: programs look for it.
pub const SYSTEM: &str = "Linux";
/// The Linux version whose interface is offered.
pub const RELEASE: &str = "6.1.0-kamen";
