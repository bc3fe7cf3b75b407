//! Sockets of the family UNIX (unix(7)): a table of plain entries that name each other by number.
//!
//! ```text
//!   descriptor ── Numbered(Socket, 7) ──> 7: Stream, peer 8, incoming ....   <── sent by 8
//!                                         8: Stream, peer 7, incoming ..     <── sent by 7
//!                                         9: Stream, backlog [8]   (listens; 8 not yet accepted)
//! ```
//!
//! What one socket sends lies in the queue of the other, and the sender pays for it (`sent`) until
//! it is received. Data moves in `transfer`, connections are made in `connect`, descriptors in
//! flight that nobody can reach any more are found by `garbage`.

mod connect;
mod consistency;
mod garbage;
mod queue;
mod small;
#[cfg(test)]
mod tests;
mod transfer;

use alloc::collections::{BTreeMap, VecDeque};

use crate::Errno;
use crate::context::Stop;
use crate::linux::flags::poll as bits;
use crate::linux::sockets::{Address, Who, kind};
use crate::path::Node;
use crate::process::{Processes, ThreadNumber, Threads};
use crate::readiness::Readiness;
use crate::unix::Unix;
use crate::wake::{Channel, Wakes};

pub use queue::{Bytes, Control, How, Packet, Packets, Received};
pub use small::Plain;

/// Most sockets: each is some hundred bytes of this server's memory, and its queue more.
pub const MAX_SOCKETS: usize = 4096;
/// Most bytes in all queues together: they are this server's memory.
pub const MAX_QUEUED: usize = 16 << 20;
/// Bytes that a socket may have sent without their being received (`net.core.wmem_default` of
/// Linux on x86-64, socket(7)).
pub const DEFAULT_BUFFER: usize = 212_992;
/// Datagrams that wait at a socket from others than its peer (`net.unix.max_dgram_qlen`, Linux
/// networking/ip-sysctl.rst), not counting the one that finds the queue not yet full.
pub const MAX_DATAGRAMS: usize = 10;
/// Most descriptors in flight: each keeps an open file (unix(7), ETOOMANYREFS).
pub const MAX_IN_FLIGHT: usize = 1024;

/// What a socket moves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Bytes over a connection.
    Stream,
    /// Messages to anybody.
    Datagram,
    /// Messages over a connection.
    Sequenced,
}

impl Kind {
    /// Returns the type of a number as socket(2) takes it.
    pub fn from_number(number: u32) -> Option<Kind> {
        match number {
            kind::STREAM => Some(Kind::Stream),
            // What Linux makes of it (`unix_create`, net/unix/af_unix.c).
            kind::DATAGRAM | kind::RAW => Some(Kind::Datagram),
            kind::SEQUENCED => Some(Kind::Sequenced),
            _ => None,
        }
    }

    /// Returns the number.
    pub fn number(self) -> u32 {
        match self {
            Kind::Stream => kind::STREAM,
            Kind::Datagram => kind::DATAGRAM,
            Kind::Sequenced => kind::SEQUENCED,
        }
    }

    /// Returns whether it is connected before anything moves.
    pub fn has_connections(self) -> bool {
        self != Kind::Datagram
    }
}

/// Directions that are shut down (shutdown(2)).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Shut {
    /// Nothing more is received.
    pub receiving: bool,
    /// Nothing more is sent.
    pub sending: bool,
}

/// Connections that wait to be accepted.
#[derive(Clone, Default, Debug)]
pub struct Backlog {
    /// How many may wait beside the one that is next.
    pub most: usize,
    /// Their sockets on this side.
    pub waiting: VecDeque<u64>,
}

/// Options that setsockopt(2) sets and that have an effect.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether received messages tell who sent them.
    pub pass_credentials: bool,
    /// Bytes that may be under way.
    pub send_buffer: usize,
    /// What `SO_RCVBUF` was set to: the sender's buffer is what counts (socket(7)).
    pub receive_buffer: usize,
    /// Those that are on or off and have no effect, a bit each.
    pub switches: u32,
    /// How long receiving waits, in ns; 0: without end.
    pub receive_timeout: u64,
    /// How long sending waits, in ns; 0: without end.
    pub send_timeout: u64,
}

/// What a socket has received.
#[derive(Debug)]
pub enum Incoming {
    /// Bytes.
    Bytes(Bytes),
    /// Messages.
    Packets(Packets),
}

/// A socket.
#[derive(Debug)]
pub struct Socket {
    /// What it moves.
    pub kind: Kind,
    /// Who made it, or had it listen or connect.
    pub who: Who,
    /// Its name.
    pub address: Address,
    /// The node of its name, which is held.
    pub node: Option<Node>,
    /// Whether it is connected, or was until its peer went.
    pub connected: bool,
    /// The other side, or where datagrams go.
    pub peer: Option<u64>,
    /// The name of the other side.
    pub peer_address: Address,
    /// Who is on the other side.
    pub peer_who: Who,
    /// Connections to be accepted, where it listens.
    pub backlog: Option<Backlog>,
    /// Whether it waits in a backlog itself.
    pub unaccepted: bool,
    /// What is shut down.
    pub shut: Shut,
    /// What the next call fails with.
    pub error: Option<Errno>,
    /// What it received.
    pub incoming: Incoming,
    /// What it sent and nobody received yet, with overhead.
    pub sent: usize,
    /// Its options.
    pub options: Options,
}

impl Socket {
    fn new(kind: Kind, who: Who) -> Self {
        Socket {
            kind,
            who,
            address: Address::Unnamed,
            node: None,
            connected: false,
            peer: None,
            peer_address: Address::Unnamed,
            peer_who: Who { pid: 0, uid: u32::MAX, gid: u32::MAX },
            backlog: None,
            unaccepted: false,
            shut: Shut::default(),
            error: None,
            incoming: match kind {
                Kind::Stream => Incoming::Bytes(Bytes::default()),
                Kind::Datagram | Kind::Sequenced => Incoming::Packets(Packets::default()),
            },
            sent: 0,
            options: Options {
                pass_credentials: false,
                send_buffer: DEFAULT_BUFFER,
                receive_buffer: DEFAULT_BUFFER,
                switches: 0,
                receive_timeout: 0,
                send_timeout: 0,
            },
        }
    }

    /// Returns whether so little is under way that more may be sent (`unix_writable`,
    /// net/unix/af_unix.c: a quarter).
    fn has_room(&self) -> bool {
        self.backlog.is_none() && self.sent * 4 <= self.options.send_buffer
    }

    fn has_incoming(&self) -> bool {
        let waiting = self.backlog.as_ref().is_some_and(|backlog| !backlog.waiting.is_empty());
        waiting
            || match &self.incoming {
                Incoming::Bytes(bytes) => !bytes.is_empty(),
                Incoming::Packets(packets) => !packets.is_empty(),
            }
    }

    /// Returns how many bytes can be received: all of a stream, the first message otherwise.
    pub fn bytes_ready(&self) -> usize {
        match &self.incoming {
            Incoming::Bytes(bytes) => bytes.len(),
            Incoming::Packets(packets) => packets.front().map_or(0, |packet| packet.bytes.len()),
        }
    }
}

/// All sockets.
#[derive(Debug)]
pub struct Sockets {
    table: BTreeMap<u64, Socket>,
    /// Sockets by the node of their path.
    nodes: BTreeMap<Node, u64>,
    /// Sockets by their name outside the file tree; each type has names of its own.
    names: BTreeMap<(Kind, alloc::vec::Vec<u8>), u64>,
    /// Bytes in all queues, with overhead.
    queued: usize,
    /// Descriptors in all queues.
    flying: usize,
    /// The last name that was made up.
    last_name: u32,
    wakes: Wakes,
}

impl Sockets {
    /// Returns an empty table that reports changes.
    pub fn new(wakes: &Wakes) -> Self {
        Sockets {
            table: BTreeMap::new(),
            nodes: BTreeMap::new(),
            names: BTreeMap::new(),
            queued: 0,
            flying: 0,
            last_name: 0,
            wakes: wakes.clone(),
        }
    }

    /// Adds a socket.
    ///
    /// # Errors
    /// ENFILE: there are [`MAX_SOCKETS`].
    pub fn add(&mut self, number: u64, kind: Kind, who: Who) -> Result<(), Errno> {
        if self.table.len() >= MAX_SOCKETS {
            return Err(Errno::ENFILE);
        }
        self.table.insert(number, Socket::new(kind, who));
        Ok(())
    }

    /// Returns a socket.
    ///
    /// # Errors
    /// EBADF: it is gone.
    pub fn get(&self, number: u64) -> Result<&Socket, Errno> {
        self.table.get(&number).ok_or(Errno::EBADF)
    }

    /// Returns a socket, to be changed.
    ///
    /// # Errors
    /// EBADF: it is gone.
    pub fn get_mut(&mut self, number: u64) -> Result<&mut Socket, Errno> {
        self.table.get_mut(&number).ok_or(Errno::EBADF)
    }

    /// Returns how many sockets there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Returns what a socket can do (`unix_poll`, `unix_dgram_poll` in net/unix/af_unix.c).
    pub fn readiness(&self, number: u64) -> Readiness {
        let channels = [Some(Channel::SocketIn(number)), Some(Channel::SocketOut(number))];
        let Some(socket) = self.table.get(&number) else { return Readiness::default() };
        let mut events = 0;
        if socket.error.is_some() {
            events |= bits::ERROR;
        }
        if socket.shut.receiving {
            events |= bits::READ_HANG_UP | bits::IN | bits::READ_NORMAL;
            if socket.shut.sending {
                events |= bits::HANG_UP;
            }
        }
        if socket.has_incoming() {
            events |= bits::IN | bits::READ_NORMAL;
        }
        if socket.kind.has_connections() && !socket.connected && socket.backlog.is_none() {
            events |= bits::HANG_UP;
        }
        if socket.has_room() && !self.is_peer_full(number, socket) {
            events |= bits::OUT | bits::WRITE_NORMAL | bits::WRITE_BAND;
        }
        // Who sends datagrams waits for the queue of the one who gets them, too.
        let queue = socket.peer.filter(|_| !socket.kind.has_connections());
        let [incoming, room] = channels;
        Readiness { events, channels: [incoming, room, queue.map(Channel::SocketQueue)] }
    }

    /// Returns whether the queue of a peer that is not connected back takes no more.
    fn is_peer_full(&self, number: u64, socket: &Socket) -> bool {
        let Some(peer) = socket.peer.and_then(|peer| self.table.get(&peer)) else { return false };
        match &peer.incoming {
            Incoming::Packets(packets) => {
                peer.peer != Some(number) && packets.len() > MAX_DATAGRAMS
            }
            Incoming::Bytes(_) => false,
        }
    }

    /// Shuts directions of a connection down, and the opposite ones at the other side.
    ///
    /// # Errors
    /// EBADF.
    pub fn shut_down(&mut self, number: u64, shut: Shut) -> Result<(), Errno> {
        let socket = self.get_mut(number)?;
        socket.shut.receiving |= shut.receiving;
        socket.shut.sending |= shut.sending;
        let peer = socket.peer.filter(|_| socket.kind.has_connections());
        self.changed(number);
        if let Some(peer) = peer
            && let Some(other) = self.table.get_mut(&peer)
        {
            other.shut.receiving |= shut.sending;
            other.shut.sending |= shut.receiving;
            self.changed(peer);
        }
        Ok(())
    }

    /// Takes a socket out that nobody has open any more, and those that wait in its backlog;
    /// returns the nodes to be released.
    pub fn remove(&mut self, number: u64) -> alloc::vec::Vec<Node> {
        let mut nodes = alloc::vec::Vec::new();
        let Some(mut socket) = self.table.remove(&number) else { return nodes };
        if let Some(node) = socket.node {
            self.nodes.remove(&node);
            nodes.push(node);
        }
        if let Address::Abstract(name) = &socket.address
            && self.names.get(&(socket.kind, name.clone())) == Some(&number)
        {
            self.names.remove(&(socket.kind, name.clone()));
        }
        if socket.kind.has_connections()
            && let Some(peer) = socket.peer
            && let Some(other) = self.table.get_mut(&peer)
        {
            other.shut = Shut { receiving: true, sending: true };
            if socket.has_incoming() || socket.unaccepted {
                other.error = Some(Errno::ECONNRESET);
            }
        }
        self.changed(number);
        if let Some(peer) = socket.peer {
            self.changed(peer);
        }
        for waiting in socket.backlog.take().unwrap_or_default().waiting {
            nodes.extend(self.remove(waiting));
        }
        self.give_up(socket.incoming, socket.peer);
        nodes
    }

    /// Counts what lies in a queue as gone: its senders have room again. Returns it, to be dropped.
    fn give_up(&mut self, incoming: Incoming, peer: Option<u64>) -> Incoming {
        match &incoming {
            Incoming::Bytes(bytes) => {
                self.flying -= bytes.rights().count();
                self.paid_back(peer, bytes.cost());
            }
            Incoming::Packets(packets) => {
                for packet in packets {
                    self.flying -= packet.control.rights.len();
                    self.paid_back(Some(packet.sender), packet.cost());
                }
            }
        }
        incoming
    }

    /// Counts what a sender has under way no more; wakes it where that makes room.
    fn paid_back(&mut self, sender: Option<u64>, freed: usize) {
        self.queued -= freed;
        let Some(number) = sender else { return };
        let Some(socket) = self.table.get_mut(&number) else { return };
        socket.sent -= freed;
        if socket.has_room() {
            self.wakes.add(Channel::SocketOut(number));
        }
    }

    fn changed(&self, number: u64) {
        self.wakes.add(Channel::SocketIn(number));
        self.wakes.add(Channel::SocketOut(number));
        self.wakes.add(Channel::SocketQueue(number));
    }
}

/// Writes to a socket without anything that goes with it.
///
/// # Errors
/// Those of [`Sockets::send_bytes`] and [`Sockets::send_packet`].
pub fn write(unix: &mut Unix, number: u64, bytes: &[u8]) -> Result<usize, Stop> {
    let mut control = Control::default();
    match unix.sockets.get(number)?.kind {
        Kind::Stream => send_bytes(unix, number, bytes, &mut control),
        Kind::Datagram | Kind::Sequenced => send_packet(unix, number, None, bytes, &mut control),
    }
}

/// Sends bytes as whoever acts.
///
/// # Errors
/// Those of [`Sockets::send_bytes`].
pub fn send_bytes(
    unix: &mut Unix,
    number: u64,
    bytes: &[u8],
    control: &mut Control,
) -> Result<usize, Stop> {
    let Unix { sockets, threads, processes, acting, .. } = unix;
    sockets.send_bytes(number, bytes, control, || who(threads, processes, *acting))
}

/// Sends a message as whoever acts.
///
/// # Errors
/// Those of [`Sockets::send_packet`].
pub fn send_packet(
    unix: &mut Unix,
    number: u64,
    to: Option<u64>,
    bytes: &[u8],
    control: &mut Control,
) -> Result<usize, Stop> {
    let Unix { sockets, threads, processes, acting, .. } = unix;
    sockets.send_packet(number, to, bytes, control, || who(threads, processes, *acting))
}

/// Returns who acts, as messages tell it: by its real ids (`scm_set_cred`, net/scm.h).
fn who(threads: &Threads, processes: &Processes, acting: ThreadNumber) -> Who {
    let process = threads.get(&acting).and_then(|thread| processes.get(&thread.pid));
    process.map_or(Who::NOBODY, |process| {
        let (user, group) = (process.credentials.user, process.credentials.group);
        Who { pid: process.pid.0, uid: user.real, gid: group.real }
    })
}
