//! A few bytes on their way through a stream, with which nothing else goes.
//!
//! What is not as plain as that is left to `transfer`, which begins anew: nothing has happened.

use crate::socket::{Control, Incoming, MAX_QUEUED, Sockets};

/// What a plain receive came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plain {
    /// So many bytes were taken, at least one.
    Bytes(usize),
    /// There are none, and more may come.
    Nothing,
}

impl Sockets {
    /// Receives bytes as read(2) does, where only bytes are there or nothing at all.
    pub fn receive_plain(&mut self, number: u64, into: &mut [u8]) -> Option<Plain> {
        let socket = self.table.get_mut(&number)?;
        let options = &socket.options;
        let is_plain = socket.connected
            && socket.error.is_none()
            && !socket.shut.receiving
            && !options.pass_credentials
            && options.receive_timeout == 0;
        let Incoming::Bytes(bytes) = &mut socket.incoming else { return None };
        if !is_plain || bytes.has_marks() {
            return None;
        }
        if bytes.is_empty() {
            return Some(Plain::Nothing);
        }
        let count = bytes.take_plain(into);
        let sender = socket.peer;
        self.paid_back(sender, count);
        Some(Plain::Bytes(count))
    }

    /// Sends bytes as write(2) does, where there is room for them all and the receiver wants to know
    /// nothing of their sender.
    pub fn send_plain(&mut self, number: u64, bytes: &[u8]) -> Option<()> {
        let socket = self.table.get(&number)?;
        let is_plain = socket.connected && !socket.shut.sending && !socket.options.pass_credentials;
        let room = socket.options.send_buffer.saturating_sub(socket.sent);
        let peer = socket.peer?;
        if !is_plain || room < bytes.len() || self.queued >= MAX_QUEUED {
            return None;
        }
        let other = self.table.get_mut(&peer)?;
        if other.shut.receiving || other.options.pass_credentials || other.unaccepted {
            return None;
        }
        let Incoming::Bytes(queue) = &mut other.incoming else { return None };
        let cost = queue.push(bytes, Control::default());
        self.was_sent(number, Some(peer), cost);
        Some(())
    }
}
