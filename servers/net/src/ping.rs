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
/// What tells our requests from others' (RFC 792).
const IDENTIFIER: u16 = 0x4b41;
/// What a request carries.
const DATA: [u8; 32] = *b"kamen kamen kamen kamen kamen...";

/// Requests and who waits for them.
#[derive(Debug)]
pub(crate) struct Pings {
    socket: SocketHandle,
    waiting: Vec<Waiting>,
    next: u16,
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
    /// Makes the socket for them.
    pub(crate) fn new(sockets: &mut SocketSet<'static>) -> Self {
        let buffer = || {
            let bytes = PINGS_MAX * (DATA.len() + 8);
            PacketBuffer::new(vec![PacketMetadata::EMPTY; PINGS_MAX], vec![0; bytes])
        };
        let mut socket = Socket::new(buffer(), buffer());
        // It is new, and the identifier is not 0: nothing else is refused.
        let _ = socket.bind(Endpoint::Ident(IDENTIFIER));
        Pings { socket: sockets.add(socket), waiting: Vec::new(), next: 0 }
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
        if self.waiting.len() == PINGS_MAX {
            return Err(NetError::Busy);
        }
        self.next = self.next.wrapping_add(1);
        let (host, sequence) = (Ipv4Address::from(host), self.next);
        let request = Icmpv4Repr::EchoRequest { ident: IDENTIFIER, seq_no: sequence, data: &DATA };
        let socket = sockets.get_mut::<Socket<'_>>(self.socket);
        let packet = socket.send(request.buffer_len(), IpAddress::Ipv4(host));
        let packet = packet.map_err(|_| NetError::Busy)?;
        request.emit(&mut Icmpv4Packet::new_unchecked(packet), &ChecksumCapabilities::default());
        self.waiting.push(Waiting { call, host, sequence, asked: now });
        Ok(())
    }

    /// Takes answers that have come, and gives up what has waited too long.
    pub(crate) fn answers(&mut self, sockets: &mut SocketSet<'_>, now: Time) -> Vec<Answer> {
        let mut answers = Vec::new();
        let socket = sockets.get_mut::<Socket<'_>>(self.socket);
        while let Ok((packet, from)) = socket.recv() {
            let is_asked = |waiting: &Waiting| {
                sequence_of(packet) == Some(waiting.sequence)
                    && from == IpAddress::Ipv4(waiting.host)
            };
            if let Some(place) = self.waiting.iter().position(is_asked) {
                let Waiting { call, asked, .. } = self.waiting.swap_remove(place);
                answers.push((call, Ok(now.0.saturating_sub(asked.0))));
            }
        }
        self.waiting.retain(|waiting| {
            let is_late = now >= waiting.asked.after_ms(PATIENCE_MS);
            if is_late {
                answers.push((waiting.call, Err(NetError::NoAnswer)));
            }
            !is_late
        });
        answers
    }

    /// Returns when the first one will have waited too long.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.waiting.iter().map(|waiting| waiting.asked.after_ms(PATIENCE_MS)).min()
    }

    /// Forgets calls for whose answer nobody waits any more.
    pub(crate) fn forget(&mut self, cancelled: OpenCall) {
        self.waiting.retain(|waiting| !waiting.call.is_ended_by(cancelled));
    }
}

/// Returns the number of the request that a packet answers.
fn sequence_of(packet: &[u8]) -> Option<u16> {
    let packet = Icmpv4Packet::new_checked(packet).ok()?;
    match Icmpv4Repr::parse(&packet, &ChecksumCapabilities::default()).ok()? {
        Icmpv4Repr::EchoReply { ident: IDENTIFIER, seq_no, .. } => Some(seq_no),
        _ => None,
    }
}
