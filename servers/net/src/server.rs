//! The server: the stack on its card, whichever life the card's driver is in.
//!
//! ```text
//!            ┌ card, open ──> Open ── the driver has begun anew ───────────┐
//!   Closed ──┤ no answer: later    └─ it does not serve the ring: later ───┤
//!      ^     └ NoDevice ──> Absent                                         │
//!      └───────────────────────────────────────────────────────────────────┘
//! ```

use kamen_kit::service::{Alarm, Attention, Protocol, Service};
use libipc::{Caller, Error, Failure, OpenCall, Time, Transport, log, now};
use protocols::ethernet::{EthernetClient, EthernetError};
use protocols::net::{
    Activity, Address, Host, Net, NetError, Origin, net_label, net_reply, serve_net,
};

use crate::card::Card;
use crate::settings::Settings;
use crate::stack::Stack;

/// After how long a driver that does not answer, or does not serve the ring, is asked again.
const AGAIN_MS: u64 = 50;
/// How long at least the stack waits for room in the ring, whose doorbell comes first.
const ROOM_MS: u64 = 10;

/// The server.
pub struct Server<T> {
    ethernet: EthernetClient<T>,
    settings: Settings,
    card: Card,
    way: Way,
    stack: Option<Stack>,
    /// When the next turn is due by itself.
    due: Alarm,
    reopened: u64,
}

/// What the server hears besides requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The driver has rung.
    Ring,
    /// A turn is due.
    Due,
}

/// The way to the driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// The driver is to be asked at this time.
    Closed(Time),
    /// The machine has no card, or its driver was given up.
    Absent,
    /// The driver serves the ring.
    Open,
}

impl<T: Transport> Server<T> {
    /// Returns a server that has not asked the driver yet.
    pub fn new(ethernet: EthernetClient<T>, card: Card, settings: Settings, due: Alarm) -> Self {
        let way = Way::Closed(Time(0));
        Server { ethernet, settings, card, way, stack: None, due, reopened: 0 }
    }

    /// Does what can be done now, and sees to it that it is done again when that is due.
    pub fn go_on(&mut self) {
        let next = self.turn(now());
        if let Err(error) = self.due.set(next) {
            libipc::error!("no alarm: {error:?}");
        }
    }

    /// Does what can be done now; returns when it is to be called again if nothing happens before.
    pub(crate) fn turn(&mut self, now: Time) -> Time {
        if let Way::Closed(at) = self.way
            && now >= at
        {
            self.way = self.open(now);
        }
        match self.way {
            Way::Closed(at) => return at,
            Way::Absent => return Time::FOREVER,
            Way::Open => {}
        }
        self.work(now).unwrap_or_else(|| {
            // A driver that breaks the ring's rules may do so each time.
            let again = now.after_ms(AGAIN_MS);
            self.ring_ended("does not serve the ring", again);
            again
        })
    }

    /// The driver has begun another life, or may have: it is asked anew.
    pub(crate) fn driver_ended(&mut self, now: Time) {
        self.ring_ended("has begun anew", now);
    }

    /// The driver serves the ring no more, for this reason, and is to be asked anew at this time.
    fn ring_ended(&mut self, reason: &str, again: Time) {
        if self.way == Way::Open {
            log!("the network card's driver {reason}: the ring is opened again");
            self.reopened += 1;
        }
        self.way = Way::Closed(again);
    }

    /// Asks the driver for its card, and has it open the ring.
    fn open(&mut self, now: Time) -> Way {
        let opened = self.ethernet.card().and_then(|card| {
            self.card.connect(|memory, bell| self.ethernet.open(memory, bell))?;
            Ok(card.address)
        });
        match opened {
            Ok(address) => {
                let (card, settings) = (&mut self.card, self.settings);
                self.stack.get_or_insert_with(|| Stack::new(card, address, settings, now.0, now));
                Way::Open
            }
            Err(Failure::Protocol(EthernetError::NoDevice)) => {
                log!("no network card: idle");
                Way::Absent
            }
            Err(Failure::Kernel(Error::InvalidHandle)) => {
                log!("the network card's driver was given up: idle");
                Way::Absent
            }
            Err(_) => Way::Closed(now.after_ms(AGAIN_MS)),
        }
    }

    /// Moves frames and has the stack act on them; returns when it is due again, none where the
    /// ring is no longer served.
    fn work(&mut self, now: Time) -> Option<Time> {
        let stack = self.stack.as_mut()?;
        self.card.pump().ok()?;
        let turn = stack.turn(&mut self.card, now);
        if turn.has_moved {
            tell(stack.address());
        }
        for (call, answer) in turn.answers {
            // Who asked may have given up meanwhile.
            let _ = call.reply(&net_reply::ping(answer));
        }
        let is_resting = self.card.rest().ok()?;
        let mut next = turn.next.unwrap_or(Time::FOREVER);
        if !self.card.has_room() {
            next = next.max(now.after_ms(ROOM_MS));
        }
        Some(if is_resting { next } else { now })
    }

    fn stack(&mut self) -> Result<&mut Stack, NetError> {
        self.stack.as_mut().ok_or(NetError::NoCard)
    }
}

impl<T: Transport> Net for Server<T> {
    fn address(&mut self, _: &Caller) -> Result<Address, NetError> {
        self.stack().map(|stack| stack.address())
    }

    fn activity(&mut self, _: &Caller) -> Result<Activity, NetError> {
        let (received, sent, reopened) = (self.card.received, self.card.sent(), self.reopened);
        let stack = self.stack()?;
        let (connections, echoed) = (stack.echo.connections, stack.echo.echoed);
        let open = stack.open_connections();
        Ok(Activity { received, sent, connections, open, echoed, reopened })
    }

    fn ping(&mut self, caller: &Caller, host: Host) -> Option<Result<u64, NetError>> {
        let asked = self.stack().and_then(|stack| stack.ping(caller.call, host.address, now()));
        if asked.is_ok() {
            self.go_on();
        }
        asked.err().map(Err)
    }
}

impl<T: Transport + 'static> Service for Server<T> {
    type Source = Source;
    const PROTOCOLS: &'static [Protocol<Self>] = &[Protocol::new(net_label::PROTOCOL, serve_net)];

    fn occurred(&mut self, source: Source) -> Attention {
        match source {
            Source::Ring | Source::Due => self.go_on(),
        }
        Attention::Done // What is left over is due at once.
    }

    fn cancelled(&mut self, call: OpenCall) {
        if let Some(stack) = &mut self.stack {
            stack.forget(call);
        }
    }

    fn service_restarted(&mut self) {
        self.driver_ended(now());
        self.go_on();
    }
}

/// Tells the stack's new address in the log.
fn tell(address: Address) {
    let Address { origin, own: [a, b, c, d], prefix, .. } = address;
    match origin {
        Origin::None => log!("the network has taken the address back"),
        Origin::Network | Origin::Settings => log!("address {a}.{b}.{c}.{d}/{prefix}"),
    }
}
