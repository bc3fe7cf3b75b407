//! Handles of what lies in a table of this server under a number.
//!
//! The tables (`socket`, `events`) hold plain data; a handle in an open file description is what
//! keeps an entry, and dropping it queues the number for the event loop, which takes the entry out.

use alloc::rc::Rc;

use crate::open::Closed;

/// Which table a number is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Sockets.
    Socket,
    /// Interest lists (epoll(7)).
    Epoll,
    /// Event counters (eventfd(2)).
    Counter,
    /// Signal descriptors (signalfd(2)).
    Signals,
    /// Timer descriptors (timerfd_create(2)).
    Timer,
    /// Processes (pidfd_open(2)).
    Process,
}

impl Kind {
    /// Returns how `/proc/PID/fd` shows a descriptor of the kind (proc(5), "/proc/pid/fd/").
    pub fn path(self, number: u64) -> alloc::vec::Vec<u8> {
        match self {
            Kind::Socket => alloc::format!("socket:[{number}]").into_bytes(),
            Kind::Epoll => b"anon_inode:[eventpoll]".to_vec(),
            Kind::Counter => b"anon_inode:[eventfd]".to_vec(),
            Kind::Signals => b"anon_inode:[signalfd]".to_vec(),
            Kind::Timer => b"anon_inode:[timerfd]".to_vec(),
            Kind::Process => b"anon_inode:[pidfd]".to_vec(),
        }
    }
}

/// Keeps an entry of a table; dropping it gives the entry up.
#[derive(Debug)]
pub struct Numbered {
    kind: Kind,
    number: u64,
    closed: Closed,
}

impl Numbered {
    /// Returns the handle of an entry that was made.
    pub fn new(kind: Kind, number: u64, closed: &Closed) -> Rc<Self> {
        Rc::new(Numbered { kind, number, closed: closed.clone() })
    }

    /// Returns which table the number is of.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the number.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Numbered {
    fn drop(&mut self) {
        self.closed.add_numbered(self.kind, self.number);
    }
}

/// The number under which interest lists know an open file description.
#[derive(Debug)]
pub struct Watch {
    number: u64,
    closed: Closed,
}

impl Watch {
    /// Returns a watch, reported when its description is dropped.
    pub fn new(number: u64, closed: &Closed) -> Self {
        Watch { number, closed: closed.clone() }
    }

    /// Returns the number.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.closed.add_watch(self.number);
    }
}
