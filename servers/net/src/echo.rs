//! The echo service of TCP (RFC 862): what comes in goes back, on several connections at once.

use alloc::vec;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Duration;

/// The service's port (RFC 862).
pub const PORT: u16 = 7;
/// Most connections at once; others are refused.
pub const CONNECTIONS: usize = 8;

/// Bytes of each direction's buffer.
const BUFFER: usize = 16 * 1024;
/// Bytes that are moved at a time.
const CHUNK: usize = 2048;
/// Most chunks of a connection in one turn: as many as its buffer has.
const CHUNKS: usize = BUFFER / CHUNK;
/// After so long without any sign of it a peer is taken to be gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so long without traffic it is asked for one.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The service.
#[derive(Debug)]
pub(crate) struct Echo {
    places: [Place; CONNECTIONS],
    /// Connections that were made.
    pub(crate) connections: u64,
    /// Bytes that were sent back.
    pub(crate) echoed: u64,
}

/// A place for a connection.
#[derive(Clone, Copy, Debug)]
struct Place {
    socket: SocketHandle,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// It waits for a connection.
    Listening,
    /// It has had one since it listened last.
    Connected,
}

impl Echo {
    /// Makes the service's sockets.
    pub(crate) fn new(sockets: &mut SocketSet<'static>) -> Self {
        let places = core::array::from_fn(|_| {
            let buffer = || SocketBuffer::new(vec![0; BUFFER]);
            let mut socket = Socket::new(buffer(), buffer());
            socket.set_timeout(Some(PATIENCE));
            socket.set_keep_alive(Some(KEEP_ALIVE));
            socket.set_nagle_enabled(false);
            Place { socket: sockets.add(socket), phase: Phase::Listening }
        });
        Echo { places, connections: 0, echoed: 0 }
    }

    /// Sends back what has come, and listens where there is no connection; returns whether there
    /// is something new to be sent.
    pub(crate) fn turn(&mut self, sockets: &mut SocketSet<'_>) -> bool {
        let mut has_moved = false;
        for place in &mut self.places {
            let socket = sockets.get_mut::<Socket<'_>>(place.socket);
            if place.phase == Phase::Listening && socket.may_send() {
                place.phase = Phase::Connected;
                self.connections += 1;
            }
            let moved = give_back(socket);
            self.echoed += moved as u64;
            has_moved |= moved > 0;
            if socket.state() == State::CloseWait && socket.recv_queue() == 0 {
                // What is still to be sent goes out before the end.
                socket.close();
                has_moved = true;
            }
            // Also one that waits for stray segments of its last connection listens again: this
            // side has never ended one first, so that there can be none.
            if !socket.is_open() && socket.listen(PORT).is_ok() {
                place.phase = Phase::Listening;
            }
        }
        has_moved
    }

    /// Returns how many connections are open.
    pub(crate) fn open(&self, sockets: &SocketSet<'_>) -> u64 {
        let is_open = |place: &&Place| sockets.get::<Socket<'_>>(place.socket).is_active();
        self.places.iter().filter(is_open).count() as u64
    }
}

/// Moves bytes from what was received to what is to be sent; returns how many.
fn give_back(socket: &mut Socket<'_>) -> usize {
    let mut chunk = [0; CHUNK];
    let mut moved = 0;
    for _ in 0..CHUNKS {
        let room = if socket.can_send() { socket.send_capacity() - socket.send_queue() } else { 0 };
        let len = room.min(CHUNK);
        let Ok(got @ 1..) = socket.recv_slice(&mut chunk[..len]) else { break };
        // There is room for all of it.
        moved += socket.send_slice(&chunk[..got]).unwrap_or(0);
    }
    moved
}
