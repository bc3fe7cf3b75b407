//! A few bytes on their way through a stream, with which nothing else goes.
//!
//! What is not as plain as that is left to `transfer`, which begins anew: nothing has happened.

use crate::socket::{Control, Incoming, MAX_QUEUED, Socket, Sockets};

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

    /// Returns the receiver of what is sent as write(2) does, if it wants to know nothing of the
    /// sender.
    #[inline]
    fn plain_receiver(&self, socket: &Socket) -> Option<u64> {
        let is_plain = socket.connected && !socket.shut.sending && !socket.options.pass_credentials;
        let peer = socket.peer.filter(|_| is_plain)?;
        let other = self.table.get(&peer)?;
        let is_open = !other.shut.receiving && !other.unaccepted;
        (is_open && !other.options.pass_credentials).then_some(peer)
    }

    /// Returns the receiver of what is sent as write(2) does, if all that was sent it has taken.
    pub fn empty_receiver(&self, number: u64) -> Option<u64> {
        let peer = self.plain_receiver(self.table.get(&number)?)?;
        match &self.table.get(&peer)?.incoming {
            Incoming::Bytes(queue) if queue.is_empty() => Some(peer),
            _ => None,
        }
    }

    /// Sends bytes as write(2) does, where there is room for them all and the receiver wants to know
    /// nothing of their sender.
    pub fn send_plain(&mut self, number: u64, bytes: &[u8]) -> Option<()> {
        let socket = self.table.get(&number)?;
        let room = socket.options.send_buffer.saturating_sub(socket.sent);
        let peer = self.plain_receiver(socket)?;
        if room < bytes.len() || self.queued >= MAX_QUEUED {
            return None;
        }
        let Incoming::Bytes(queue) = &mut self.table.get_mut(&peer)?.incoming else { return None };
        let cost = queue.push(bytes, Control::default());
        self.was_sent(number, Some(peer), cost);
        Some(())
    }
}
