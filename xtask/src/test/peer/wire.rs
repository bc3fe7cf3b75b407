//! A host on the guest's wire: frames by hand, ARP and ICMP echo (RFC 826, RFC 792).

use anyhow::{Context, Result, bail};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr, Icmpv4Packet, Icmpv4Repr, IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr,
};
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const OURS: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const OUR_IP: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);
const GUEST_IP: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// After how long a request that may have met a guest without stack is made again.
const AGAIN: Duration = Duration::from_millis(200);
const IDENTIFIER: u16 = 77;
/// Bytes of data in a request: none, odd, and as many as a frame takes.
const SIZES: [usize; 4] = [0, 1, 56, 1472];

/// The wire.
pub struct Wire {
    socket: UnixDatagram,
    qemu: PathBuf,
}

/// A frame's meaning to us.
#[derive(Debug)]
enum Heard {
    /// Somebody asks for our address.
    AsksAddress(ArpRepr),
    /// The guest tells its address.
    Address(EthernetAddress),
    /// The guest asks us for an answer.
    Asks(u16, u16, Vec<u8>),
    /// The guest answers.
    Answers(u16, u16, Vec<u8>),
}

impl Wire {
    /// Makes our end.
    ///
    /// # Errors
    /// Where the socket can't be made.
    pub fn new(own: &Path, qemu: &Path) -> Result<Wire> {
        let socket = UnixDatagram::bind(own).context("the wire's socket")?;
        socket.set_read_timeout(Some(AGAIN))?;
        Ok(Wire { socket, qemu: qemu.to_owned() })
    }

    /// Asks for the guest's address, then it for answers; all have to come as they should.
    ///
    /// # Errors
    /// What did not.
    pub fn ping(&self, count: u16) -> Result<()> {
        let guest = self.resolve()?;
        for number in 0..count {
            let data = data(number);
            let deadline = Instant::now() + PATIENCE;
            self.send(guest, &echo_request(number, &data))?;
            loop {
                match self.hear()? {
                    Some(Heard::Answers(IDENTIFIER, sequence, back)) if sequence == number => {
                        if back != data {
                            bail!("the answer to request {number} has other data");
                        }
                        break;
                    }
                    Some(heard) => self.react(&heard)?,
                    None if Instant::now() > deadline => bail!("no answer to request {number}"),
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Answers the guest until the end is asked for; it must have asked at least once.
    ///
    /// # Errors
    /// Where it has not, or a frame can't be sent.
    pub fn answer(&self, end: &AtomicBool) -> Result<()> {
        let mut answered = 0;
        while !end.load(Ordering::Relaxed) {
            if let Some(heard) = self.hear()? {
                answered += u32::from(matches!(heard, Heard::Asks(..)));
                self.react(&heard)?;
            }
        }
        if answered == 0 { bail!("the guest has asked for nothing") } else { Ok(()) }
    }

    /// Returns the guest's hardware address; its stack may not be up yet.
    fn resolve(&self) -> Result<EthernetAddress> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let request = arp(ArpOperation::Request, EthernetAddress([0; 6]), GUEST_IP);
            self.send_arp(EthernetAddress::BROADCAST, &request)?;
            while let Some(heard) = self.hear()? {
                if let Heard::Address(address) = heard {
                    return Ok(address);
                }
                self.react(&heard)?;
            }
        }
        bail!("the guest tells no address")
    }

    /// Answers what asks for an answer.
    fn react(&self, heard: &Heard) -> Result<()> {
        match heard {
            Heard::AsksAddress(ArpRepr::EthernetIpv4 {
                source_hardware_addr,
                source_protocol_addr,
                ..
            }) => {
                let reply = arp(ArpOperation::Reply, *source_hardware_addr, *source_protocol_addr);
                self.send_arp(*source_hardware_addr, &reply)
            }
            Heard::Asks(ident, seq_no, data) => {
                let guest = self.resolve()?;
                self.send(guest, &Icmpv4Repr::EchoReply { ident: *ident, seq_no: *seq_no, data })
            }
            Heard::AsksAddress(_) | Heard::Address(_) | Heard::Answers(..) => Ok(()),
        }
    }

    /// Returns the next frame that means something, none after a while without.
    fn hear(&self) -> Result<Option<Heard>> {
        let mut frame = [0; 2048];
        let deadline = Instant::now() + AGAIN;
        while Instant::now() < deadline {
            match self.socket.recv(&mut frame) {
                Ok(len) => {
                    if let Some(heard) = understand(&frame[..len]) {
                        return Ok(Some(heard));
                    }
                }
                Err(error) if is_pause(error.kind()) => {}
                Err(error) => return Err(error).context("the wire"),
            }
        }
        Ok(None)
    }

    fn send(&self, to: EthernetAddress, message: &Icmpv4Repr<'_>) -> Result<()> {
        let checksums = ChecksumCapabilities::default();
        let ip = Ipv4Repr {
            src_addr: OUR_IP,
            dst_addr: GUEST_IP,
            next_header: IpProtocol::Icmp,
            payload_len: message.buffer_len(),
            hop_limit: 64,
        };
        let mut payload = vec![0; ip.buffer_len() + message.buffer_len()];
        ip.emit(&mut Ipv4Packet::new_unchecked(&mut payload), &checksums);
        let data = &mut payload[ip.buffer_len()..];
        message.emit(&mut Icmpv4Packet::new_unchecked(data), &checksums);
        self.send_frame(to, EthernetProtocol::Ipv4, &payload)
    }

    fn send_arp(&self, to: EthernetAddress, message: &ArpRepr) -> Result<()> {
        let mut payload = vec![0; message.buffer_len()];
        message.emit(&mut ArpPacket::new_unchecked(&mut payload));
        self.send_frame(to, EthernetProtocol::Arp, &payload)
    }

    fn send_frame(
        &self,
        to: EthernetAddress,
        kind: EthernetProtocol,
        payload: &[u8],
    ) -> Result<()> {
        let header = EthernetRepr { src_addr: OURS, dst_addr: to, ethertype: kind };
        let mut frame = vec![0; header.buffer_len() + payload.len()];
        header.emit(&mut EthernetFrame::new_unchecked(&mut frame));
        frame[header.buffer_len()..].copy_from_slice(payload);
        self.socket.send_to(&frame, &self.qemu).context("QEMU's end of the wire")?;
        Ok(())
    }
}

fn is_pause(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn data(number: u16) -> Vec<u8> {
    let len = SIZES[usize::from(number) % SIZES.len()];
    (0..len).map(|at| (at as u16 + number) as u8).collect()
}

fn echo_request(number: u16, data: &[u8]) -> Icmpv4Repr<'_> {
    Icmpv4Repr::EchoRequest { ident: IDENTIFIER, seq_no: number, data }
}

fn arp(operation: ArpOperation, to: EthernetAddress, ip: Ipv4Address) -> ArpRepr {
    ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: OURS,
        source_protocol_addr: OUR_IP,
        target_hardware_addr: to,
        target_protocol_addr: ip,
    }
}

fn understand(frame: &[u8]) -> Option<Heard> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    match frame.ethertype() {
        EthernetProtocol::Arp => of_arp(frame.payload()),
        EthernetProtocol::Ipv4 => of_ipv4(frame.payload()),
        _ => None,
    }
}

fn of_arp(bytes: &[u8]) -> Option<Heard> {
    let message = ArpRepr::parse(&ArpPacket::new_checked(bytes).ok()?).ok()?;
    let ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr,
        source_protocol_addr,
        target_protocol_addr,
        ..
    } = message
    else {
        return None;
    };
    match operation {
        ArpOperation::Request if target_protocol_addr == OUR_IP => {
            Some(Heard::AsksAddress(message))
        }
        ArpOperation::Reply if source_protocol_addr == GUEST_IP => {
            Some(Heard::Address(source_hardware_addr))
        }
        _ => None,
    }
}

fn of_ipv4(bytes: &[u8]) -> Option<Heard> {
    let checksums = ChecksumCapabilities::default();
    let packet = Ipv4Packet::new_checked(bytes).ok()?;
    let ip = Ipv4Repr::parse(&packet, &checksums).ok()?;
    if ip.next_header != IpProtocol::Icmp || (ip.src_addr, ip.dst_addr) != (GUEST_IP, OUR_IP) {
        return None;
    }
    let message = Icmpv4Packet::new_checked(packet.payload()).ok()?;
    match Icmpv4Repr::parse(&message, &checksums).ok()? {
        Icmpv4Repr::EchoRequest { ident, seq_no, data } => {
            Some(Heard::Asks(ident, seq_no, data.into()))
        }
        Icmpv4Repr::EchoReply { ident, seq_no, data } => {
            Some(Heard::Answers(ident, seq_no, data.into()))
        }
        _ => None,
    }
}
