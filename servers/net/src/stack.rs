//! The stack: smoltcp's interface with its sockets, driven by frames and time.

use alloc::vec::Vec;

use libipc::{OpenCall, Time};
use protocols::net::{Address, NetError, Origin};
use smoltcp::iface::{Config, Interface, PollIngressSingleResult, SocketHandle, SocketSet};
use smoltcp::phy::Device;
use smoltcp::socket::dhcpv4;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address, Ipv4Cidr};

use crate::echo::Echo;
use crate::ping::{Answer, Pings};
use crate::settings::Settings;

/// Most frames that one turn takes in.
const FRAMES: usize = 64;
/// Nanoseconds of smoltcp's unit of time.
const MICROSECOND: u64 = 1000;

/// The stack on one card.
pub struct Stack {
    interface: Interface,
    sockets: SocketSet<'static>,
    /// The socket that asks the network for an address, unless the settings have one.
    dhcp: Option<SocketHandle>,
    address: Address,
    pub(crate) echo: Echo,
    pings: Pings,
}

/// What a turn has led to.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Answers to calls.
    pub(crate) answers: Vec<Answer>,
    /// When the next turn is due, if nothing else happens; at once where frames were left over.
    pub(crate) next: Option<Time>,
    /// Whether the stack's address is another one.
    pub(crate) has_moved: bool,
}

impl Stack {
    /// Returns a stack with the card's address. `seed` is what its random numbers begin with.
    pub fn new(
        device: &mut impl Device,
        card: [u8; 6],
        settings: Settings,
        seed: u64,
        now: Time,
    ) -> Self {
        let mut config = Config::new(EthernetAddress(card).into());
        config.random_seed = seed;
        let mut sockets = SocketSet::new(Vec::new());
        let (echo, pings) = (Echo::new(&mut sockets), Pings::new(&mut sockets));
        let dhcp = (settings == Settings::Network).then(|| sockets.add(dhcpv4::Socket::new()));
        let interface = Interface::new(config, device, instant(now));
        let address = Address { card, ..NOWHERE };
        let mut stack = Stack { interface, sockets, dhcp, address, echo, pings };
        if let Settings::Fixed { own, gateway } = settings {
            stack.move_to(Origin::Settings, own, gateway);
        }
        stack
    }

    /// Takes in frames, acts on them, sends what is to be sent.
    pub(crate) fn turn(&mut self, device: &mut impl Device, now: Time) -> Turn {
        let at = instant(now);
        self.interface.poll_maintenance(at);
        let mut frames = 0;
        while frames < FRAMES && self.take_in(device, at) {
            frames += 1;
        }
        let mut turn = Turn { has_moved: self.ask_network(), ..Turn::default() };
        self.echo.turn(&mut self.sockets);
        turn.answers = self.pings.answers(&mut self.sockets, now);
        self.interface.poll_egress(at, device, &mut self.sockets);
        // Sending may have made room for more.
        if self.echo.turn(&mut self.sockets) {
            self.interface.poll_egress(at, device, &mut self.sockets);
        }
        turn.next = self.next(at, now);
        if frames == FRAMES {
            turn.next = Some(now);
        }
        turn
    }

    fn take_in(&mut self, device: &mut impl Device, at: Instant) -> bool {
        let taken = self.interface.poll_ingress_single(at, device, &mut self.sockets);
        taken != PollIngressSingleResult::None
    }

    /// Returns when something is due by itself.
    fn next(&mut self, at: Instant, now: Time) -> Option<Time> {
        let own = self.interface.poll_at(at, &self.sockets).map(|due| {
            let later = due.total_micros().saturating_sub(at.total_micros()).max(0) as u64;
            now.after_ns(later.saturating_mul(MICROSECOND))
        });
        own.into_iter().chain(self.pings.deadline()).min()
    }

    /// Follows what the network says about the stack's address; returns whether it is another one.
    fn ask_network(&mut self) -> bool {
        let Some(dhcp) = self.dhcp else { return false };
        let event = self.sockets.get_mut::<dhcpv4::Socket<'_>>(dhcp).poll();
        match event {
            Some(dhcpv4::Event::Configured(config)) => {
                let (own, gateway) = (config.address, config.router);
                self.move_to(Origin::Network, own, gateway);
                true
            }
            Some(dhcpv4::Event::Deconfigured) => {
                self.interface.update_ip_addrs(|addresses| addresses.clear());
                self.interface.routes_mut().remove_default_ipv4_route();
                let was = self.address.origin;
                self.address = Address { card: self.address.card, ..NOWHERE };
                was != Origin::None
            }
            None => false,
        }
    }

    fn move_to(&mut self, origin: Origin, own: Ipv4Cidr, gateway: Option<Ipv4Address>) {
        self.interface.update_ip_addrs(|addresses| {
            addresses.clear();
            // It was emptied just now: there is room for one.
            let _ = addresses.push(IpCidr::Ipv4(own));
        });
        let routes = self.interface.routes_mut();
        match gateway {
            // There is room for the one route that there is.
            Some(gateway) => drop(routes.add_default_ipv4_route(gateway)),
            None => drop(routes.remove_default_ipv4_route()),
        }
        self.address = Address {
            origin,
            own: own.address().octets(),
            prefix: own.prefix_len().into(),
            gateway: gateway.map_or([0; 4], |gateway| gateway.octets()),
            card: self.address.card,
        };
    }

    /// Returns the stack's addresses.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Returns how many connections of the echo service are open.
    pub fn open_connections(&self) -> u64 {
        self.echo.open(&self.sockets)
    }

    /// Asks a host for an answer; the next turn sends the request.
    ///
    /// # Errors
    /// NoAddress; Busy.
    pub fn ping(&mut self, call: OpenCall, host: [u8; 4], now: Time) -> Result<(), NetError> {
        if self.address.origin == Origin::None {
            return Err(NetError::NoAddress);
        }
        self.pings.ask(&mut self.sockets, call, host, now)
    }

    /// Forgets calls for whose answer nobody waits any more.
    pub fn forget(&mut self, cancelled: OpenCall) {
        self.pings.forget(cancelled);
    }
}

/// The addresses of a stack that has none.
const NOWHERE: Address =
    Address { origin: Origin::None, own: [0; 4], prefix: 0, gateway: [0; 4], card: [0; 6] };

fn instant(time: Time) -> Instant {
    Instant::from_micros((time.0 / MICROSECOND) as i64)
}
