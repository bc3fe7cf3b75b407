//! Notifications: a word of bits that can be signalled without waiting.

use crate::arena::Id;
use crate::queue::{NIL, Queue};
use crate::quota::Quota;

/// A word of bits and the threads that wait for any of them.
#[derive(Debug)]
pub struct Notification {
    /// Bits signalled and not taken yet.
    pub bits: u64,
    /// Threads that wait; empty while bits are set.
    pub waiters: Queue,
    /// The thread whose receives serve it, too.
    pub bound: u16,
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
}

impl Default for Notification {
    fn default() -> Self {
        Notification { bits: 0, waiters: Queue::default(), bound: NIL, quota: None }
    }
}
