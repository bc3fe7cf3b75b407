//! Sending and receiving.

use alloc::vec::Vec;

use crate::Errno;
use crate::context::{Stop, Wait};
use crate::linux::sockets::{Address, Who};
use crate::socket::queue::take_packet;
use crate::socket::{
    Control, How, Incoming, Kind, MAX_DATAGRAMS, MAX_IN_FLIGHT, MAX_QUEUED, Packet, Received,
    Socket, Sockets,
};
use crate::wake::Channel;

/// Bytes less than its buffer that a socket can send in one message (`unix_dgram_sendmsg`,
/// net/unix/af_unix.c).
const MESSAGE_MARGIN: usize = 32;

impl Sockets {
    /// Sends bytes over a connection, as many as there is room for; what goes with them goes with
    /// the first. `who` is the caller, which the receiver may want to know.
    ///
    /// # Errors
    /// Wait; ENOTCONN, EPIPE, ENOBUFS; ETOOMANYREFS: too many descriptors are in flight.
    pub fn send_bytes(
        &mut self,
        number: u64,
        bytes: &[u8],
        control: &mut Control,
        who: impl FnOnce() -> Who,
    ) -> Result<usize, Stop> {
        let socket = self.get(number)?;
        if !socket.connected {
            return Err(Errno::ENOTCONN.into());
        }
        let (room, records) = (room(socket), socket.options.pass_credentials);
        let (is_shut, peer) = (socket.shut.sending, socket.peer);
        let other = peer.filter(|_| !is_shut).and_then(|peer| self.table.get_mut(&peer));
        let Some(other) = other.filter(|other| !other.shut.receiving) else {
            return Err(Errno::EPIPE.into());
        };
        if bytes.is_empty() {
            return Ok(0);
        }
        if room == 0 {
            return Err(Stop::Wait(Wait::on(Channel::SocketOut(number))));
        }
        let carried = control.rights.len();
        check_limits(self.queued, self.flying + carried)?;
        let mut control = core::mem::take(control);
        record(&mut control, records, other, who);
        let count = bytes.len().min(room);
        let Incoming::Bytes(queue) = &mut other.incoming else { return Err(Errno::EPIPE.into()) };
        let cost = queue.push(&bytes[..count], control);
        self.flying += carried;
        self.was_sent(number, peer, cost);
        Ok(count)
    }

    /// Sends a message, to the peer where no other is given.
    ///
    /// # Errors
    /// Wait; ENOTCONN, EPIPE, EMSGSIZE, ENOBUFS, ETOOMANYREFS; ECONNREFUSED: the peer is gone;
    /// EPERM: the other socket takes messages of its own peer only.
    pub fn send_packet(
        &mut self,
        number: u64,
        to: Option<u64>,
        bytes: &[u8],
        control: &mut Control,
        who: impl FnOnce() -> Who,
    ) -> Result<usize, Stop> {
        let socket = self.get_mut(number)?;
        can_send(socket, bytes.len())?;
        let from = Some(&socket.address).filter(|one| **one != Address::Unnamed).cloned();
        let (room, records) = (room(socket), socket.options.pass_credentials);
        let target = to.or(socket.peer).ok_or(Errno::ENOTCONN)?;
        self.may_send(number, target)?;
        if room == 0 {
            return Err(Stop::Wait(Wait::on(Channel::SocketOut(number))));
        }
        let other = self.table.get_mut(&target).ok_or(Errno::ECONNREFUSED)?;
        let Incoming::Packets(packets) = &mut other.incoming else {
            return Err(Errno::EPROTOTYPE.into());
        };
        let is_own = other.peer == Some(number) || target == number;
        if !is_own && packets.len() > MAX_DATAGRAMS {
            return Err(Stop::Wait(Wait::on(Channel::SocketQueue(target))));
        }
        let carried = control.rights.len();
        check_limits(self.queued, self.flying + carried)?;
        let mut control = core::mem::take(control);
        record(&mut control, records, other, who);
        let packet = Packet { bytes: Vec::from(bytes), control, from, sender: number };
        let cost = packet.cost();
        if let Incoming::Packets(packets) = &mut other.incoming {
            packets.push_back(packet);
        }
        self.flying += carried;
        self.was_sent(number, Some(target), cost);
        Ok(bytes.len())
    }

    /// Checks that a message may go from one socket to another.
    fn may_send(&mut self, number: u64, target: u64) -> Result<(), Errno> {
        let socket = self.get_mut(number)?;
        let (kind, peer) = (socket.kind, socket.peer);
        match self.table.get(&target) {
            None if kind == Kind::Sequenced => Err(Errno::EPIPE),
            None => {
                if peer == Some(target) {
                    self.get_mut(number)?.peer = None;
                }
                Err(Errno::ECONNREFUSED)
            }
            Some(other) if other.peer.is_some_and(|peer| peer != number) => Err(Errno::EPERM),
            Some(other) if other.shut.receiving => Err(Errno::EPIPE),
            Some(_) => Ok(()),
        }
    }

    /// Returns how many bytes a stream takes now; nothing for other sockets. One that is broken
    /// takes any, and says so.
    pub fn room(&self, number: u64) -> Option<usize> {
        let socket = self.table.get(&number)?;
        let broken = socket.shut.sending || !socket.connected;
        let stream = Some(socket).filter(|socket| socket.kind == Kind::Stream)?;
        Some(if broken { stream.options.send_buffer } else { room(stream) })
    }

    pub(super) fn was_sent(&mut self, number: u64, to: Option<u64>, cost: usize) {
        self.queued += cost;
        if let Some(socket) = self.table.get_mut(&number) {
            socket.sent += cost;
        }
        if let Some(to) = to {
            self.wakes.add(Channel::SocketIn(to));
        }
    }

    /// Receives bytes, or one message; nothing at the end.
    ///
    /// # Errors
    /// Wait; EINVAL, ENOTCONN: not connected (unix(7)); the socket's pending error.
    pub fn receive(&mut self, number: u64, into: &mut [u8], how: How) -> Result<Received, Stop> {
        let socket = self.get_mut(number)?;
        let how = How { credentials: socket.options.pass_credentials, ..how };
        match &mut socket.incoming {
            Incoming::Bytes(_) if !socket.connected => Err(Errno::EINVAL.into()),
            Incoming::Bytes(bytes) if !bytes.is_empty() => {
                let received = bytes.take(into, how);
                let sender = socket.peer;
                let from = Some(&socket.peer_address).filter(|one| **one != Address::Unnamed);
                let from = from.cloned();
                if !how.peek {
                    self.flying -= received.control.rights.len();
                    self.paid_back(sender, received.freed);
                }
                Ok(Received { from, ..received })
            }
            Incoming::Packets(_) if socket.kind == Kind::Sequenced && !socket.connected => {
                Err(Errno::ENOTCONN.into())
            }
            Incoming::Packets(packets) if socket.error.is_none() && !packets.is_empty() => {
                let received = take_packet(packets, into, how).unwrap_or_default();
                if !how.peek {
                    self.flying -= received.control.rights.len();
                    self.paid_back(Some(received.sender), received.freed);
                    self.wakes.add(Channel::SocketQueue(number));
                }
                Ok(received)
            }
            Incoming::Bytes(_) | Incoming::Packets(_) => nothing(number, socket),
        }
    }
}

/// Checks that a socket can send a message of so many bytes.
fn can_send(socket: &mut Socket, len: usize) -> Result<(), Errno> {
    if let Some(error) = socket.error.take() {
        return Err(error);
    }
    if socket.kind == Kind::Sequenced && !socket.connected {
        return Err(Errno::ENOTCONN);
    }
    if len + MESSAGE_MARGIN > socket.options.send_buffer {
        return Err(Errno::EMSGSIZE);
    }
    if socket.shut.sending { Err(Errno::EPIPE) } else { Ok(()) }
}

/// Checks what lies in all queues together.
fn check_limits(queued: usize, in_flight: usize) -> Result<(), Errno> {
    if queued >= MAX_QUEUED {
        return Err(Errno::ENOBUFS);
    }
    if in_flight > MAX_IN_FLIGHT { Err(Errno::ETOOMANYREFS) } else { Ok(()) }
}

/// Returns what a receiver gets where nothing has come.
fn nothing(number: u64, socket: &mut Socket) -> Result<Received, Stop> {
    if let Some(error) = socket.error.take() {
        return Err(error.into());
    }
    if socket.shut.receiving {
        return Ok(Received::default());
    }
    Err(Stop::Wait(Wait::on(Channel::SocketIn(number))))
}

fn room(socket: &Socket) -> usize {
    socket.options.send_buffer.saturating_sub(socket.sent)
}

/// Records the sender where one of the two sides wants that, or the other has no owner yet who
/// could say (`maybe_add_creds`, net/unix/af_unix.c).
fn record(control: &mut Control, records: bool, other: &Socket, who: impl FnOnce() -> Who) {
    if control.who.is_none() && (records || other.options.pass_credentials || other.unaccepted) {
        control.who = Some(who());
    }
}
