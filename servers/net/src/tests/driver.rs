//! The server with a driver that dies: connections go on over its next life.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use kamen_kit::service::Alarm;
use libipc::loopback::{self, HostCall, Loopback};
use libipc::ring::{self, Submission, Ticket};
use libipc::{Caller, Endpoint, Handle, Memory, Notification, Time};
use protocols::ethernet::{
    self, Ethernet, EthernetClient, EthernetError, Link, RECEIVE, TRANSMIT, Traffic, serve_ethernet,
};
use protocols::net::{Host, Net, NetError};
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr,
};

use super::{CARD, Client, End, Fate, MS, OWN, PEER, Peer, fixed, wire};
use crate::card::{Card, ENTRIES, shape};
use crate::server::Server;

/// One life of a driver whose card is an end of a wire, and whether there is a card.
struct Driver {
    end: End,
    has_card: bool,
    ring: Option<ring::Server>,
    posted: VecDeque<(Ticket, Submission)>,
    /// Whether what is transmitted stays in flight, and what does.
    is_stuck: bool,
    stuck: Vec<Ticket>,
    /// Whether a second server is attached to each ring, and it.
    has_twin: bool,
    twin: Option<ring::Server>,
}

impl Driver {
    fn turn(&mut self) {
        let Some(ring) = &mut self.ring else { return };
        let (end, posted, stuck) = (&mut self.end, &mut self.posted, &mut self.stuck);
        let served = ring.serve(|ring, ticket, submission| match submission.operation {
            TRANSMIT if self.is_stuck => stuck.push(ticket),
            TRANSMIT => {
                let mut frame = vec![0; submission.buffer.len() as usize];
                ring.area().read(submission.buffer, &mut frame);
                end.outgoing.borrow_mut().push_back(frame);
                ring.complete::<EthernetError>(ticket, Ok(0));
            }
            RECEIVE => posted.push_back((ticket, submission)),
            _ => panic!("no such operation"),
        });
        let _ = served.unwrap();
        while !posted.is_empty() && !end.incoming.borrow().is_empty() {
            let frame = end.incoming.borrow_mut().pop_front().unwrap();
            let (ticket, submission) = posted.pop_front().unwrap();
            let len = ring.area().write(submission.buffer, &frame);
            ring.complete::<EthernetError>(ticket, Ok(len as u64));
        }
        ring.flush().unwrap();
    }

    /// Transmits again, to nowhere what was stuck.
    fn unstick(&mut self) {
        self.is_stuck = false;
        let ring = self.ring.as_mut().unwrap();
        self.stuck.drain(..).for_each(|ticket| ring.complete::<EthernetError>(ticket, Ok(0)));
    }

    /// Completes two submissions; the next time one, so that the ring's count goes back.
    fn cheat(&mut self) {
        let (mut ring, submissions) = match (self.ring.take(), self.twin.take()) {
            (Some(ring), twin) => {
                self.twin = twin;
                (ring, 2)
            }
            (None, Some(twin)) => (twin, 1),
            (None, None) => return,
        };
        for _ in 0..submissions {
            let (ticket, _) = ring.take().unwrap().unwrap();
            ring.complete(ticket, Err(EthernetError::NoRoom));
        }
        ring.flush().unwrap();
    }

    /// Ends this life: what it was about to do is forgotten, the next one begins.
    fn die(&mut self) {
        self.ring = None;
        self.posted.clear();
        self.stuck.clear();
    }
}

impl Ethernet for Driver {
    fn open(
        &mut self,
        _: &Caller,
        memory: Memory,
        bell: Notification,
    ) -> Result<Notification, EthernetError> {
        let attach = |bell| ring::Server::attach(memory, bell).unwrap();
        self.twin = self.has_twin.then(|| attach(loopback::notification()));
        self.ring = Some(attach(bell));
        Ok(loopback::notification())
    }

    fn card(&mut self, _: &Caller) -> Result<ethernet::Card, EthernetError> {
        let card = ethernet::Card { address: CARD, mtu: 1500, link: Link::Up };
        if self.has_card { Ok(card) } else { Err(EthernetError::NoDevice) }
    }

    fn traffic(&mut self, _: &Caller) -> Result<Traffic, EthernetError> {
        Ok(Traffic::default())
    }
}

fn rig(has_card: bool) -> (Rc<RefCell<Driver>>, Server<Loopback<'static>>, End) {
    let (end, theirs) = wire(|_| Fate::Arrives);
    let (posted, stuck) = (VecDeque::new(), Vec::new());
    let driver = Driver {
        end,
        has_card,
        ring: None,
        posted,
        is_stuck: false,
        stuck,
        has_twin: false,
        twin: None,
    };
    let driver = Rc::new(RefCell::new(driver));
    let served = driver.clone();
    let loopback =
        Loopback::new(1, move |request| serve_ethernet(&mut *served.borrow_mut(), request));
    let card = Card::new(loopback::memory(shape().pages()), loopback::notification()).unwrap();
    let ethernet = EthernetClient::with(Endpoint(Handle(1)), loopback);
    (driver, Server::new(ethernet, card, fixed(), Alarm::default()), theirs)
}

#[test]
fn connections_go_on_over_the_drivers_lives() {
    let (driver, mut server, mut theirs) = rig(true);
    let mut peer = Peer::new(&mut theirs);
    let handle = peer.connect(50_000);
    let mut client = Client { handle, total: 200_000, sent: 0, received: 0 };
    let mut lives = 0;
    for ms in 0..600_000 {
        let now = Time(ms * MS);
        if ms % 400 == 7 {
            driver.borrow_mut().die();
            server.driver_ended(now);
            lives += 1;
        }
        let _ = server.turn(now);
        driver.borrow_mut().turn();
        peer.poll(&mut theirs, now);
        client.turn(&mut peer);
        if client.is_done(&mut peer) && lives > 5 {
            let activity = server.activity(&HostCall::new(1).caller()).unwrap();
            assert_eq!((activity.reopened, activity.connections), (lives, 1));
            assert_eq!(activity.echoed, 200_000);
            return;
        }
    }
    panic!("{} of {} bytes after ten minutes", client.received, client.total);
}

/// Returns a frame that asks for the stack's hardware address (RFC 826).
fn question() -> Vec<u8> {
    let peer = EthernetAddress([2, 0, 0, 0, 0, 2]);
    let question = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: peer,
        source_protocol_addr: PEER,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: OWN,
    };
    let header = EthernetRepr {
        src_addr: peer,
        dst_addr: EthernetAddress::BROADCAST,
        ethertype: EthernetProtocol::Arp,
    };
    let mut bytes = vec![0; header.buffer_len() + question.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    header.emit(&mut frame);
    question.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    bytes
}

#[test]
fn frames_wait_for_room_without_a_busy_loop() {
    let (driver, mut server, theirs) = rig(true);
    driver.borrow_mut().is_stuck = true;
    // As many answers as there are buffers for them are in flight, and more are wanted.
    let questions = ENTRIES / 2 + 5;
    (0..questions).for_each(|_| theirs.outgoing.borrow_mut().push_back(question()));
    for ms in 0..5 {
        let _ = server.turn(Time(ms * MS));
        driver.borrow_mut().turn();
    }
    let now = Time(10 * MS);
    let _ = server.turn(now);
    assert!(server.turn(now) > now, "the driver rings when there is room");
    let caller = HostCall::new(1).caller();
    let activity = server.activity(&caller).unwrap();
    assert_eq!((activity.received, activity.sent), (questions.into(), u64::from(ENTRIES / 2)));
    driver.borrow_mut().unstick();
    driver.borrow_mut().turn();
    let _ = server.turn(now);
    assert_eq!(server.activity(&caller).unwrap().sent, questions.into());
}

#[test]
fn a_driver_that_breaks_the_rules_is_not_asked_again_at_once() {
    let (driver, mut server, _theirs) = rig(true);
    driver.borrow_mut().has_twin = true;
    let second = 1000 * MS;
    let (mut now, mut turns) = (Time(0), 0);
    while now < Time(second) {
        let next = server.turn(now);
        driver.borrow_mut().cheat();
        // The driver rings when it has a ring.
        let is_rung = next == Time::FOREVER;
        now = if is_rung { now } else { next };
        turns += 1;
        assert!(turns < 1000, "a loop at {now:?}");
    }
    let reopened = server.activity(&HostCall::new(1).caller()).unwrap().reopened;
    assert_eq!(reopened, 20, "every 50 ms");
}

#[test]
fn without_a_card_the_server_is_idle_and_says_so() {
    let (_driver, mut server, _theirs) = rig(false);
    assert_eq!(server.turn(Time(MS)), Time::FOREVER);
    let caller = HostCall::new(1).caller();
    assert_eq!(server.address(&caller), Err(NetError::NoCard));
    assert_eq!(server.activity(&caller), Err(NetError::NoCard));
    assert_eq!(server.ping(&caller, Host { address: [10, 0, 2, 2] }), Some(Err(NetError::NoCard)));
}

#[test]
fn the_ring_is_as_large_as_the_manifest_says() {
    let manifest = include_str!("../../../system.toml");
    assert!(manifest.contains(&alloc::format!("rings = {{ ethernet = {} }}", shape().pages())));
}
