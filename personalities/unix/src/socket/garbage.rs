//! Sockets that only each other's queues keep: descriptors in flight that nobody can receive.
//!
//! ```text
//!   process ──> 5 ── queue: [7] ──> 7          7 is reached through 5
//!               8 ── queue: [9] ──> 9
//!               ^────────[8] queue ─┘          nobody reaches 8 and 9: they are taken out
//! ```
//!
//! A socket that somebody has open can be received from, and what lies in its queue with it.
//! Looked for when a socket was closed while descriptors are in flight (unix(7) lets programs
//! send a socket over itself; Linux collects these in net/unix/garbage.c).

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::open::{Description, Kind, Object};
use crate::socket::consistency::rights;
use crate::socket::{Incoming, Socket, Sockets};

/// Returns the number of the socket that a description is of.
fn socket_of(file: &Description) -> Option<u64> {
    match &file.borrow().object {
        Object::Numbered(numbered) if numbered.kind() == Kind::Socket => Some(numbered.number()),
        _ => None,
    }
}

impl Sockets {
    /// Empties the queues that nobody can receive from any more; returns what lay in them, to be
    /// dropped.
    pub fn collect(&mut self) -> Vec<Incoming> {
        if self.flying == 0 {
            return Vec::new();
        }
        // How often each socket in flight is in flight, and how often it is open at all.
        let mut flying: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for file in self.table.values().flat_map(rights) {
            if let Some(number) = socket_of(file) {
                let entry = flying.entry(number).or_default();
                *entry = (entry.0 + 1, Rc::strong_count(file));
            }
        }
        if flying.is_empty() {
            return Vec::new();
        }
        let waiting: Vec<u64> = self
            .table
            .values()
            .filter_map(|one| one.backlog.as_ref())
            .flat_map(|one| one.waiting.iter().copied())
            .collect();
        let is_root = |number: &u64| {
            let held = flying.get(number).is_none_or(|&(flights, open)| open > flights);
            held && !waiting.contains(number)
        };
        let mut reached: Vec<u64> = self.table.keys().copied().filter(is_root).collect();
        let mut seen: alloc::collections::BTreeSet<u64> = reached.iter().copied().collect();
        while let Some(number) = reached.pop() {
            let Some(socket) = self.table.get(&number) else { continue };
            let queued = rights(socket).into_iter().filter_map(socket_of);
            let waiting = socket.backlog.iter().flat_map(|backlog| backlog.waiting.iter().copied());
            let next: Vec<u64> = queued.chain(waiting).filter(|one| !seen.contains(one)).collect();
            seen.extend(next.iter().copied());
            reached.extend(next);
        }
        let lost: Vec<u64> = self.table.keys().copied().filter(|one| !seen.contains(one)).collect();
        lost.into_iter().filter_map(|number| self.empty(number)).collect()
    }

    /// Takes out what a socket has received; its senders have room again.
    fn empty(&mut self, number: u64) -> Option<Incoming> {
        let socket = self.table.get_mut(&number)?;
        let empty = Socket::new(socket.kind, socket.who).incoming;
        let incoming = core::mem::replace(&mut socket.incoming, empty);
        let peer = socket.peer;
        Some(self.give_up(incoming, peer))
    }
}
