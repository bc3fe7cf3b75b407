//! Asking hosts for an answer: ICMP echo requests, and who waits for their replies.

use alloc::vec;
use alloc::vec::Vec;

use libipc::{OpenCall, Time};
use protocols::net::NetError;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::icmp::{Endpoint, PacketBuffer, PacketMetadata, Socket};
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, IpAddress, Ipv4Address};

/// Most requests whose answers are waited for.
pub const PINGS_MAX: usize = 16;

/// How long an answer is waited for.
const PATIENCE_MS: u64 = 2000;
/// What tells the first socket's requests from others' (RFC 792); the next ones' follow it.
const IDENTIFIER: u16 = 0x4b41;
/// What a request carries.
const DATA: [u8; 32] = *b"kamen kamen kamen kamen kamen...";
/// Most packets that a socket keeps until the next look: one is the answer, others are foreign.
const REPLIES: usize = 4;

/// Requests and who waits for them, each with a socket of its own: a request stays at the head of
/// its socket until the host's hardware address is known, and would hold up those behind it.
#[derive(Debug)]
pub(crate) struct Pings {
    slots: Vec<Slot>,
    next: u16,
}

#[derive(Debug)]
struct Slot {
    socket: SocketHandle,
    identifier: u16,
    waiting: Option<Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    call: OpenCall,
    host: Ipv4Address,
    sequence: u16,
    asked: Time,
}

/// The answer to somebody's call.
pub(crate) type Answer = (OpenCall, Result<u64, NetError>);

impl Pings {
    /// Makes the sockets for them.
    pub(crate) fn new(sockets: &mut SocketSet<'static>) -> Self {
        let identifiers = (IDENTIFIER..).take(PINGS_MAX);
        let slots = identifiers.map(|identifier| Slot {
            socket: sockets.add(socket(identifier)),
            identifier,
            waiting: None,
        });
        Pings { slots: slots.collect(), next: 0 }
    }

    /// Asks a host.
    ///
    /// # Errors
    /// Busy.
    pub(crate) fn ask(
        &mut self,
        sockets: &mut SocketSet<'_>,
        call: OpenCall,
        host: [u8; 4],
        now: Time,
    ) -> Result<(), NetError> {
        let slot = self.slots.iter_mut().find(|slot| slot.waiting.is_none());
        let slot = slot.ok_or(NetError::Busy)?;
        slot.withdraw(sockets);
        self.next = self.next.wrapping_add(1);
        let (host, sequence) = (Ipv4Address::from(host), self.next);
        let (ident, seq_no) = (slot.identifier, sequence);
        let request = Icmpv4Repr::EchoRequest { ident, seq_no, data: &DATA };
        let socket = sockets.get_mut::<Socket<'_>>(slot.socket);
        let packet = socket.send(request.buffer_len(), IpAddress::Ipv4(host));
        let packet = packet.map_err(|_| NetError::Busy)?;
        request.emit(&mut Icmpv4Packet::new_unchecked(packet), &ChecksumCapabilities::default());
        slot.waiting = Some(Waiting { call, host, sequence, asked: now });
        Ok(())
    }

    /// Takes answers that have come, and gives up what has waited too long.
    pub(crate) fn answers(&mut self, sockets: &mut SocketSet<'_>, now: Time) -> Vec<Answer> {
        self.slots.iter_mut().filter_map(|slot| slot.answer(sockets, now)).collect()
    }

    /// Returns when the first one will have waited too long.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let waiting = self.slots.iter().filter_map(|slot| slot.waiting);
        waiting.map(|waiting| waiting.asked.after_ms(PATIENCE_MS)).min()
    }

    /// Forgets calls for whose answer nobody waits any more.
    pub(crate) fn forget(&mut self, cancelled: OpenCall) {
        for slot in &mut self.slots {
            // Its request is withdrawn at the next turn.
            slot.waiting = slot.waiting.filter(|waiting| !waiting.call.is_ended_by(cancelled));
        }
    }
}

impl Slot {
    /// Takes what has come to the socket; returns the answer if it was among that, or is late.
    fn answer(&mut self, sockets: &mut SocketSet<'_>, now: Time) -> Option<Answer> {
        let mut answer = None;
        let socket = sockets.get_mut::<Socket<'_>>(self.socket);
        while let Ok((packet, from)) = socket.recv() {
            let sequence = sequence_of(packet);
            let is_asked = |waiting: &mut Waiting| {
                sequence == Some(waiting.sequence) && from == IpAddress::Ipv4(waiting.host)
            };
            if let Some(Waiting { call, asked, .. }) = self.waiting.take_if(is_asked) {
                answer = Some((call, Ok(now.0.saturating_sub(asked.0))));
            }
        }
        let is_late = |waiting: &mut Waiting| now >= waiting.asked.after_ms(PATIENCE_MS);
        if let Some(Waiting { call, .. }) = self.waiting.take_if(is_late) {
            answer = Some((call, Err(NetError::NoAnswer)));
        }
        if self.waiting.is_none() {
            self.withdraw(sockets);
        }
        answer
    }

    /// Drops a request that was not sent; a socket cannot, so that another one takes its place.
    fn withdraw(&mut self, sockets: &mut SocketSet<'_>) {
        if sockets.get::<Socket<'_>>(self.socket).send_queue() != 0 {
            drop(sockets.remove(self.socket));
            self.socket = sockets.add(socket(self.identifier));
        }
    }
}

/// Returns a socket for one request and its answer.
fn socket(identifier: u16) -> Socket<'static> {
    let buffer = |packets| {
        let bytes = packets * (DATA.len() + 8);
        PacketBuffer::new(vec![PacketMetadata::EMPTY; packets], vec![0; bytes])
    };
    let mut socket = Socket::new(buffer(REPLIES), buffer(1));
    // It is new, and the identifier is not 0: nothing else is refused.
    let _ = socket.bind(Endpoint::Ident(identifier));
    socket
}

/// Returns the number of the request that a packet answers.
fn sequence_of(packet: &[u8]) -> Option<u16> {
    let packet = Icmpv4Packet::new_checked(packet).ok()?;
    match Icmpv4Repr::parse(&packet, &ChecksumCapabilities::default()).ok()? {
        // Its identifier is the socket's.
        Icmpv4Repr::EchoReply { seq_no, .. } => Some(seq_no),
        _ => None,
    }
}
