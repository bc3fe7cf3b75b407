//! The stack against another one, over a wire that loses and doubles frames.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Range;

use libipc::{OpenCall, Time};
use protocols::net::{NetError, Origin};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address, Ipv4Cidr};

use crate::echo::{CONNECTIONS, PORT};
use crate::ping::{Answer, PINGS_MAX};
use crate::settings::Settings;
use crate::stack::Stack;

mod driver;

const OWN: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
const PEER: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);
/// Where nobody is.
const SILENT: [u8; 4] = [10, 0, 2, 99];
const CARD: [u8; 6] = [2, 0, 0, 0, 0, 1];
const MS: u64 = 1_000_000;

fn fixed() -> Settings {
    Settings::Fixed { own: Ipv4Cidr::new(OWN, 24), gateway: Some(PEER) }
}

type Frames = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One end of a wire.
struct End {
    incoming: Frames,
    outgoing: Frames,
    /// What becomes of the frames that are sent, by their number.
    fate: fn(u64) -> Fate,
    sent: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Arrives,
    Lost,
    Doubled,
}

fn wire(fate: fn(u64) -> Fate) -> (End, End) {
    let (one, two) = (Frames::default(), Frames::default());
    let end = |incoming: &Frames, outgoing: &Frames| {
        let (incoming, outgoing) = (incoming.clone(), outgoing.clone());
        End { incoming, outgoing, fate, sent: 0 }
    };
    (end(&one, &two), end(&two, &one))
}

impl Device for End {
    type RxToken<'a> = Frame;
    type TxToken<'a> = &'a mut End;

    fn receive(&mut self, _: Instant) -> Option<(Frame, &mut End)> {
        let frame = self.incoming.borrow_mut().pop_front()?;
        Some((Frame(frame), self))
    }

    fn transmit(&mut self, _: Instant) -> Option<&mut End> {
        Some(self)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        (capabilities.medium, capabilities.max_transmission_unit) = (Medium::Ethernet, 1514);
        capabilities
    }
}

struct Frame(Vec<u8>);

impl RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

impl TxToken for &mut End {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        let mut frame = vec![0; len];
        let result = fill(&mut frame);
        let fate = (self.fate)(self.sent);
        self.sent += 1;
        let copies = match fate {
            Fate::Arrives => 1,
            Fate::Lost => 0,
            Fate::Doubled => 2,
        };
        (0..copies).for_each(|_| self.outgoing.borrow_mut().push_back(frame.clone()));
        result
    }
}

/// The other end: a stack with clients.
struct Peer {
    interface: Interface,
    sockets: SocketSet<'static>,
}

impl Peer {
    fn new(end: &mut End) -> Self {
        let config = Config::new(EthernetAddress([2, 0, 0, 0, 0, 2]).into());
        let mut interface = Interface::new(config, end, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::Ipv4(Ipv4Cidr::new(PEER, 24))).unwrap();
        });
        Peer { interface, sockets: SocketSet::new(vec![]) }
    }

    fn connect(&mut self, port: u16) -> SocketHandle {
        let buffer = || SocketBuffer::new(vec![0; 4096]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.connect(self.interface.context(), (OWN, PORT), port).unwrap();
        self.sockets.add(socket)
    }

    fn socket(&mut self, handle: SocketHandle) -> &mut Socket<'static> {
        self.sockets.get_mut(handle)
    }

    fn poll(&mut self, end: &mut End, now: Time) {
        let at = Instant::from_micros((now.0 / 1000) as i64);
        self.interface.poll(at, end, &mut self.sockets);
    }
}

/// A client of the echo service that sends so many bytes and compares what comes back.
struct Client {
    handle: SocketHandle,
    total: usize,
    sent: usize,
    received: usize,
}

fn byte(at: usize) -> u8 {
    (at * 7 + at / 251) as u8
}

impl Client {
    fn turn(&mut self, peer: &mut Peer) {
        let socket = peer.socket(self.handle);
        while self.sent < self.total && socket.can_send() {
            let chunk: Vec<u8> = (self.sent..self.total.min(self.sent + 512)).map(byte).collect();
            self.sent += socket.send_slice(&chunk).unwrap();
        }
        let mut chunk = [0; 512];
        while let Ok(len @ 1..) = socket.recv_slice(&mut chunk) {
            for byte_received in &chunk[..len] {
                assert_eq!(*byte_received, byte(self.received));
                self.received += 1;
            }
        }
        if self.received == self.total {
            socket.close();
        }
    }

    fn is_done(&self, peer: &mut Peer) -> bool {
        let state = peer.socket(self.handle).state();
        self.received == self.total && matches!(state, State::Closed | State::TimeWait)
    }
}

fn echo(connections: usize, total: usize, fate: fn(u64) -> Fate) -> Stack {
    let (mut ours, mut theirs) = wire(fate);
    let mut stack = Stack::new(&mut ours, CARD, fixed(), 1, Time(0));
    let mut peer = Peer::new(&mut theirs);
    let mut clients: Vec<Client> = (0..connections)
        .map(|index| {
            let handle = peer.connect(50_000 + index as u16);
            Client { handle, total, sent: 0, received: 0 }
        })
        .collect();
    let mut done_at = None;
    for ms in 0..600_000 {
        let now = Time(ms * MS);
        stack.turn(&mut ours, now);
        peer.poll(&mut theirs, now);
        clients.iter_mut().for_each(|client| client.turn(&mut peer));
        // The last answers are still under way then.
        if done_at.is_none() && clients.iter().all(|client| client.is_done(&mut peer)) {
            done_at = Some(ms);
        }
        if done_at.is_some_and(|at| ms > at + 5000) {
            return stack;
        }
    }
    panic!("not done after ten minutes");
}

#[test]
fn what_comes_in_goes_back_on_several_connections() {
    let stack = echo(CONNECTIONS, 100_000, |_| Fate::Arrives);
    assert_eq!(stack.echo.connections, CONNECTIONS as u64);
    assert_eq!(stack.echo.echoed, (CONNECTIONS * 100_000) as u64);
    assert_eq!(stack.open_connections(), 0);
}

#[test]
fn lost_and_doubled_frames_change_nothing() {
    let stack = echo(3, 100_000, |number| match number % 11 {
        3 => Fate::Lost,
        7 => Fate::Doubled,
        _ => Fate::Arrives,
    });
    assert_eq!(stack.echo.echoed, 300_000);
}

#[test]
fn one_connection_too_many_is_refused_and_later_ones_are_not() {
    let (mut ours, mut theirs) = wire(|_| Fate::Arrives);
    let mut stack = Stack::new(&mut ours, CARD, fixed(), 1, Time(0));
    let mut peer = Peer::new(&mut theirs);
    let mut run = |stack: &mut Stack, peer: &mut Peer, from: u64| {
        for ms in from..from + 100 {
            stack.turn(&mut ours, Time(ms * MS));
            peer.poll(&mut theirs, Time(ms * MS));
        }
    };
    let first: Vec<_> = (0..CONNECTIONS).map(|index| peer.connect(50_000 + index as u16)).collect();
    run(&mut stack, &mut peer, 0);
    let refused = peer.connect(51_000);
    run(&mut stack, &mut peer, 100);
    assert_eq!(peer.socket(refused).state(), State::Closed);
    assert_eq!(stack.open_connections(), CONNECTIONS as u64);
    first.iter().for_each(|handle| peer.socket(*handle).abort());
    run(&mut stack, &mut peer, 200);
    assert_eq!(stack.open_connections(), 0);
    let later = peer.connect(52_000);
    run(&mut stack, &mut peer, 300);
    assert_eq!(peer.socket(later).state(), State::Established);
}

#[test]
fn a_host_answers_or_does_not() {
    let (mut ours, mut theirs) = wire(|_| Fate::Arrives);
    let mut stack = Stack::new(&mut ours, CARD, fixed(), 1, Time(0));
    let mut peer = Peer::new(&mut theirs);
    let call = OpenCall::NONE;
    assert_eq!(stack.ping(call, PEER.octets(), Time(0)), Ok(()));
    assert_eq!(stack.ping(call, SILENT, Time(0)), Ok(()));
    let mut answers = Vec::new();
    for ms in 0..3000 {
        answers.extend(stack.turn(&mut ours, Time(ms * MS)).answers);
        peer.poll(&mut theirs, Time(ms * MS));
    }
    assert!(matches!(answers[..], [(_, Ok(ns)), (_, Err(NetError::NoAnswer))] if ns < 100 * MS));
}

/// Has the stack and its peer go on for some time; returns what was answered.
fn pass(stack: &mut Stack, ends: &mut (End, End), peer: &mut Peer, ms: Range<u64>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for ms in ms {
        answers.extend(stack.turn(&mut ends.0, Time(ms * MS)).answers);
        peer.poll(&mut ends.1, Time(ms * MS));
    }
    answers
}

#[test]
fn a_host_answers_after_another_one_did_not() {
    let mut ends = wire(|_| Fate::Arrives);
    let mut stack = Stack::new(&mut ends.0, CARD, fixed(), 1, Time(0));
    let mut peer = Peer::new(&mut ends.1);
    assert_eq!(stack.ping(OpenCall::NONE, SILENT, Time(0)), Ok(()));
    let answers = pass(&mut stack, &mut ends, &mut peer, 0..3000);
    assert!(matches!(answers[..], [(_, Err(NetError::NoAnswer))]), "{answers:?}");
    assert_eq!(stack.ping(OpenCall::NONE, PEER.octets(), Time(3000 * MS)), Ok(()));
    let answers = pass(&mut stack, &mut ends, &mut peer, 3000..3100);
    assert!(matches!(answers[..], [(_, Ok(_))]), "{answers:?}");
    // It is known now: nor do those hold it up that still wait.
    assert_eq!(stack.ping(OpenCall::NONE, SILENT, Time(3100 * MS)), Ok(()));
    assert_eq!(stack.ping(OpenCall::NONE, PEER.octets(), Time(3100 * MS)), Ok(()));
    let answers = pass(&mut stack, &mut ends, &mut peer, 3100..3200);
    assert!(matches!(answers[..], [(_, Ok(_))]), "{answers:?}");
}

#[test]
fn a_forgotten_request_is_withdrawn() {
    let mut ends = wire(|_| Fate::Arrives);
    let mut stack = Stack::new(&mut ends.0, CARD, fixed(), 1, Time(0));
    let mut peer = Peer::new(&mut ends.1);
    for _ in 0..PINGS_MAX {
        assert_eq!(stack.ping(OpenCall::NONE, SILENT, Time(0)), Ok(()));
    }
    assert!(pass(&mut stack, &mut ends, &mut peer, 0..100).is_empty());
    stack.forget(OpenCall::NONE);
    assert!(pass(&mut stack, &mut ends, &mut peer, 100..3000).is_empty());
    assert_eq!(ends.0.sent, 1, "its address was asked for once, before");
    assert_eq!(stack.ping(OpenCall::NONE, PEER.octets(), Time(3000 * MS)), Ok(()));
    let answers = pass(&mut stack, &mut ends, &mut peer, 3000..3100);
    assert!(matches!(answers[..], [(_, Ok(_))]), "{answers:?}");
}

#[test]
fn more_requests_than_can_wait_are_refused() {
    let (mut ours, _theirs) = wire(|_| Fate::Lost);
    let mut stack = Stack::new(&mut ours, CARD, fixed(), 1, Time(0));
    for _ in 0..PINGS_MAX {
        assert_eq!(stack.ping(OpenCall::NONE, PEER.octets(), Time(0)), Ok(()));
    }
    assert_eq!(stack.ping(OpenCall::NONE, PEER.octets(), Time(0)), Err(NetError::Busy));
    let late = stack.turn(&mut ours, Time(2000 * MS));
    assert_eq!(late.answers.len(), PINGS_MAX);
}

#[test]
fn without_an_address_nobody_is_asked() {
    let (mut ours, theirs) = wire(|_| Fate::Arrives);
    let mut stack = Stack::new(&mut ours, CARD, Settings::Network, 1, Time(0));
    assert_eq!(stack.address().origin, Origin::None);
    assert_eq!(stack.ping(OpenCall::NONE, PEER.octets(), Time(0)), Err(NetError::NoAddress));
    stack.turn(&mut ours, Time(0));
    assert!(!theirs.incoming.borrow().is_empty(), "the network is asked for one");
}

#[test]
fn an_idle_stack_wants_no_turns() {
    let (mut ours, _theirs) = wire(|_| Fate::Arrives);
    let mut stack = Stack::new(&mut ours, CARD, fixed(), 1, Time(0));
    let next = stack.turn(&mut ours, Time(5 * MS)).next;
    assert!(next.is_none_or(|next| next > Time(5 * MS).after_ms(1000)), "{next:?}");
}
