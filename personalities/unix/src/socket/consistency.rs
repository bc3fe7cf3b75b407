//! Whether the table of sockets agrees with itself.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::open::Description;
use crate::socket::{Incoming, Socket, Sockets};

/// Returns the descriptions in a socket's queue.
pub(super) fn rights(socket: &Socket) -> Vec<&Description> {
    match &socket.incoming {
        Incoming::Bytes(bytes) => bytes.rights().collect(),
        Incoming::Packets(packets) => {
            packets.iter().flat_map(|packet| &packet.control.rights).collect()
        }
    }
}

impl Sockets {
    /// Returns the descriptions in all queues.
    pub fn in_flight(&self) -> impl Iterator<Item = &Description> {
        self.table.values().flat_map(rights)
    }

    /// Returns the sockets that somebody must have open: all but those that wait to be accepted.
    pub fn open(&self) -> impl Iterator<Item = u64> + '_ {
        self.table.iter().filter(|(_, socket)| !socket.unaccepted).map(|(&number, _)| number)
    }

    /// Returns what does not agree: what was sent and what lies in queues, names and what they
    /// name, the two sides of connections.
    pub fn inconsistencies(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut sent: BTreeMap<u64, usize> = BTreeMap::new();
        let mut queued = 0;
        for socket in self.table.values() {
            let costs: Vec<(Option<u64>, usize)> = match &socket.incoming {
                Incoming::Bytes(bytes) => alloc::vec![(socket.peer, bytes.cost())],
                Incoming::Packets(packets) => {
                    packets.iter().map(|packet| (Some(packet.sender), packet.cost())).collect()
                }
            };
            for (sender, cost) in costs {
                queued += cost;
                *sent.entry(sender.unwrap_or(0)).or_default() += cost;
            }
        }
        for (number, socket) in &self.table {
            let sent = sent.get(number).copied().unwrap_or(0);
            if sent != socket.sent {
                faults.push(format!("socket {number}: {} sent, {sent} queued", socket.sent));
            }
            let peer = socket.peer.filter(|_| socket.kind.has_connections());
            let back = peer.and_then(|peer| self.table.get(&peer)).map(|other| other.peer);
            if back.is_some_and(|back| back != Some(*number)) {
                faults.push(format!("socket {number}: its peer has another"));
            }
        }
        if queued != self.queued || self.in_flight().count() != self.flying {
            faults.push(format!("sockets: {} in queues, {queued} found", self.queued));
        }
        let named = self.nodes.values().chain(self.names.values());
        faults.extend(
            named
                .filter(|one| !self.table.contains_key(one))
                .map(|one| format!("socket {one}: has a name and is gone")),
        );
        faults
    }
}
