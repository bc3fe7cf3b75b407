//! Operations that happen once: the tickets of the last ones, kept with the file system.
//!
//! ```text
//!   record, 32 bytes:  client u64   ticket u64   node that was made u64   0
//!   block 1 is a ring of them; superblock word NEXT_TICKET is where the next one goes
//! ```
//!
//! An operation that succeeds writes its record in its own transaction. Who asks again is one whose
//! server died, so that only records of earlier lives are looked for. A life reads them when it
//! begins and knows them to its end, however slowly a client asks again. A record that as many others
//! have followed as there is room for is overwritten: the lives after that do not know it.

use alloc::collections::BTreeMap;

use protocols::file::{FileError, Node, Ticket};

use crate::layout::{BLOCK, TICKET, TICKETS, superblock};
use crate::store::Store;
use crate::volume::Volume;

/// Records that there is room for.
pub(crate) const RECORDS: u64 = (BLOCK / TICKET) as u64;

/// An operation under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claim {
    client: u64,
    ticket: u64,
    /// The node that it makes, once known.
    pub node: Node,
}

/// What is known of operations besides what the region says.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// The one under way, until its transaction ends.
    pub current: Option<Claim>,
    /// Operations of earlier lives, with the nodes that they made: all that were in the ring when
    /// this life began. They stay, as no ticket comes a second time for something else.
    earlier: BTreeMap<(u64, u64), Node>,
}

impl<S: Store> Volume<'_, S> {
    /// Does `change` for a client, once for each of its tickets: where an earlier life did it,
    /// the answer is `again`'s, which gets the node that was made.
    ///
    /// # Errors
    /// What `change` or `again` says.
    pub fn once<R>(
        &mut self,
        client: u64,
        ticket: Ticket,
        again: impl FnOnce(&Self, Node) -> Result<R, FileError>,
        change: impl FnOnce(&mut Self) -> Result<R, FileError>,
    ) -> Result<R, FileError> {
        if let Some(&node) = self.claims.earlier.get(&(client, ticket.0)) {
            return again(self, node);
        }
        self.claims.current =
            (ticket != Ticket::NONE).then_some(Claim { client, ticket: ticket.0, node: Node(0) });
        let result = change(self);
        self.claims.current = None;
        result
    }

    /// Reads what earlier lives recorded.
    pub(crate) fn recall_tickets(&mut self) {
        for index in 0..RECORDS {
            let at = record(index);
            let (client, ticket, node) = (self.word(at), self.word(at + 8), self.word(at + 16));
            if ticket != Ticket::NONE.0 {
                self.claims.earlier.insert((client, ticket), Node(node));
            }
        }
    }

    /// Records the operation under way, within its transaction.
    pub(crate) fn record_ticket(&mut self) {
        let Some(Claim { client, ticket, node }) = self.claims.current.take() else { return };
        let next = self.word(superblock::NEXT_TICKET) % RECORDS;
        let at = record(next);
        for (index, word) in [client, ticket, node.0].into_iter().enumerate() {
            self.set(at + index * 8, word);
        }
        self.set(superblock::NEXT_TICKET, (next + 1) % RECORDS);
    }
}

fn record(index: u64) -> usize {
    TICKETS + index as usize * TICKET
}
