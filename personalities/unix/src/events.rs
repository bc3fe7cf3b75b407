//! Descriptors of events: counters, timers, signals, and lists of what somebody is interested in.
//!
//! Each kind is a table of plain entries under numbers; an open file description holds the number
//! (`open::Numbered`). They wake their [`crate::wake::Channel`]s like everything else.

pub mod counter;
pub mod epoll;
pub mod process;
pub mod signals;
pub mod timer;

pub use counter::Counters;
pub use epoll::Epolls;
pub use process::ProcessFiles;
pub use signals::SignalFiles;
pub use timer::TimerFiles;

/// Most descriptors of each kind of event: each is some bytes of this server's memory.
pub const MAX_OF_A_KIND: usize = 2048;
