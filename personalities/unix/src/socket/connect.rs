//! Names, connections and who waits for them.

use crate::Errno;
use crate::context::{Stop, Wait};
use crate::linux::sockets::{Address, Who};
use crate::path::Node;
use crate::socket::{Kind, Sockets};
use crate::wake::Channel;

/// Names that are made up have five digits (unix(7), "Autobind feature").
const MADE_UP_NAMES: u32 = 0x10_0000;

impl Sockets {
    /// Connects two new sockets with each other.
    ///
    /// # Errors
    /// EBADF.
    pub fn pair(&mut self, first: u64, second: u64) -> Result<(), Errno> {
        for (number, peer) in [(first, second), (second, first)] {
            let peer_who = self.get(peer)?.who;
            let socket = self.get_mut(number)?;
            socket.connected = true;
            socket.peer = Some(peer);
            socket.peer_who = peer_who;
        }
        Ok(())
    }

    /// Names a socket by a path, whose node is held.
    ///
    /// # Errors
    /// EBADF.
    pub fn bind_node(&mut self, number: u64, address: Address, node: Node) -> Result<(), Errno> {
        let socket = self.get_mut(number)?;
        socket.address = address;
        socket.node = Some(node);
        self.nodes.insert(node, number);
        Ok(())
    }

    /// Names a socket outside the file tree.
    ///
    /// # Errors
    /// EADDRINUSE; EBADF.
    pub fn bind_name(&mut self, number: u64, name: &[u8]) -> Result<(), Errno> {
        let key = (self.get(number)?.kind, name.to_vec());
        if self.names.contains_key(&key) {
            return Err(Errno::EADDRINUSE);
        }
        self.names.insert(key, number);
        self.get_mut(number)?.address = Address::Abstract(name.to_vec());
        Ok(())
    }

    /// Names a socket by a number in five hexadecimal digits (unix(7), "Autobind feature").
    ///
    /// # Errors
    /// EBADF.
    pub fn bind_any(&mut self, number: u64) -> Result<(), Errno> {
        loop {
            self.last_name = (self.last_name + 1) % MADE_UP_NAMES;
            let name = alloc::format!("{:05x}", self.last_name);
            match self.bind_name(number, name.as_bytes()) {
                Err(Errno::EADDRINUSE) => {}
                result => return result,
            }
        }
    }

    /// Returns the socket of a node.
    pub fn at_node(&self, node: Node) -> Option<u64> {
        self.nodes.get(&node).copied()
    }

    /// Returns the socket of a name outside the file tree.
    pub fn by_name(&self, kind: Kind, name: &[u8]) -> Option<u64> {
        self.names.get(&(kind, name.to_vec())).copied()
    }

    /// Has a socket take connections.
    ///
    /// # Errors
    /// EOPNOTSUPP: it has none; EINVAL: it has no name, or is connected.
    pub fn listen(&mut self, number: u64, most: usize, who: Who) -> Result<(), Errno> {
        let socket = self.get_mut(number)?;
        if !socket.kind.has_connections() {
            return Err(Errno::EOPNOTSUPP);
        }
        if socket.address == Address::Unnamed || socket.connected {
            return Err(Errno::EINVAL);
        }
        socket.backlog.get_or_insert_default().most = most;
        socket.who = who;
        self.wakes.add(Channel::SocketQueue(number));
        Ok(())
    }

    /// Checks that a socket can be connected to a listener now; `who` connects.
    ///
    /// # Errors
    /// Wait; EISCONN, EINVAL: it is connected, or listens; ECONNREFUSED: nobody listens;
    /// EPROTOTYPE: another type.
    pub fn can_connect(&self, number: u64, listener: u64) -> Result<(), Stop> {
        let socket = self.get(number)?;
        let other = self.get(listener).map_err(|_| Errno::ECONNREFUSED)?;
        if other.kind != socket.kind {
            return Err(Errno::EPROTOTYPE.into());
        }
        let backlog = other.backlog.as_ref().ok_or(Errno::ECONNREFUSED)?;
        if other.shut.receiving {
            return Err(Errno::ECONNREFUSED.into());
        }
        if backlog.waiting.len() > backlog.most {
            return Err(Stop::Wait(Wait::on(Channel::SocketQueue(listener))));
        }
        if socket.connected {
            return Err(Errno::EISCONN.into());
        }
        if socket.backlog.is_some() { Err(Errno::EINVAL.into()) } else { Ok(()) }
    }

    /// Connects a socket to a listener, whose side of it is `new` and waits to be accepted.
    ///
    /// # Errors
    /// As [`Sockets::can_connect`]; ENFILE.
    pub fn connect(&mut self, number: u64, listener: u64, new: u64, who: Who) -> Result<(), Stop> {
        self.can_connect(number, listener)?;
        let other = self.get(listener)?;
        let (kind, address, other_who) = (other.kind, other.address.clone(), other.who);
        self.add(new, kind, other_who)?;
        self.get_mut(number)?.who = who;
        self.pair(number, new)?;
        let socket = self.get_mut(number)?;
        socket.peer_address = address.clone();
        let own = socket.address.clone();
        let accepted = self.get_mut(new)?;
        accepted.address = address;
        accepted.peer_address = own;
        accepted.unaccepted = true;
        let backlog = self.get_mut(listener)?.backlog.as_mut().ok_or(Errno::ECONNREFUSED)?;
        backlog.waiting.push_back(new);
        self.wakes.add(Channel::SocketIn(listener));
        self.wakes.add(Channel::SocketOut(number));
        Ok(())
    }

    /// Takes the next connection of a listener.
    ///
    /// # Errors
    /// Wait; EOPNOTSUPP: a type without connections; EINVAL: it does not listen, or no more.
    pub fn accept(&mut self, listener: u64) -> Result<u64, Stop> {
        let socket = self.get_mut(listener)?;
        if !socket.kind.has_connections() {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let is_shut = socket.shut.receiving;
        let backlog = socket.backlog.as_mut().ok_or(Errno::EINVAL)?;
        let Some(new) = backlog.waiting.pop_front() else {
            if is_shut {
                return Err(Errno::EINVAL.into());
            }
            return Err(Stop::Wait(Wait::on(Channel::SocketIn(listener))));
        };
        self.get_mut(new)?.unaccepted = false;
        self.wakes.add(Channel::SocketQueue(listener));
        Ok(new)
    }

    /// Sets where a socket's datagrams go, and from whom it takes any; nowhere is nowhere.
    ///
    /// # Errors
    /// EPERM: the other takes datagrams of its own peer only; EPROTOTYPE: another type.
    pub fn aim(&mut self, number: u64, to: Option<u64>) -> Result<(), Errno> {
        let kind = self.get(number)?.kind;
        let mut address = Address::Unnamed;
        if let Some(to) = to {
            let other = self.get(to).map_err(|_| Errno::ECONNREFUSED)?;
            if other.kind != kind {
                return Err(Errno::EPROTOTYPE);
            }
            if other.peer.is_some_and(|peer| peer != number) {
                return Err(Errno::EPERM);
            }
            address = other.address.clone();
        }
        let socket = self.get_mut(number)?;
        let before = core::mem::replace(&mut socket.peer, to);
        socket.connected = to.is_some();
        socket.peer_address = address;
        if let Some(before) = before.filter(|&before| Some(before) != to) {
            self.forget_datagrams(number, before);
        }
        Ok(())
    }

    /// Drops what a socket received before it turned elsewhere, and tells the one it turned from
    /// (`unix_dgram_disconnected`, net/unix/af_unix.c).
    fn forget_datagrams(&mut self, number: u64, before: u64) {
        let Some(socket) = self.table.get_mut(&number) else { return };
        if !socket.has_incoming() {
            return;
        }
        let empty = crate::socket::Incoming::Packets(crate::socket::Packets::default());
        let incoming = core::mem::replace(&mut socket.incoming, empty);
        self.give_up(incoming, None);
        self.wakes.add(Channel::SocketQueue(number));
        if let Some(other) = self.table.get_mut(&before)
            && other.peer == Some(number)
        {
            other.error = Some(Errno::ECONNRESET);
            self.changed(before);
        }
    }
}
