//! The loop's decisions, with events fed by hand.

use alloc::format;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use libipc::loopback::{self, Loopback};
use libipc::start::event::{PING, SERVICE_RESTARTED};
use libipc::{Caller, Endpoint, Error, Failure, Handle, Interrupt, Kind as CallKind, Notification};
use libipc::{ProtocolError, interface};

use super::sources::{Kind, Line, Sources};
use super::*;
use crate::executor::{Executor, Signal};

#[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
pub enum TestError {
    Refused = 1,
}

/// One of the server's protocols.
#[interface(number = 90, error = TestError)]
pub trait One {
    /// Returns what it was given, and one more.
    #[operation(1)]
    fn add(&mut self, to: u64) -> Result<u64, TestError>;
}

/// The other.
#[interface(number = 91, error = TestError)]
pub trait Two {
    /// Takes a capability.
    #[operation(1)]
    fn take(&mut self, bell: Notification) -> Result<(), TestError>;
}

/// A protocol that the server does not serve.
#[interface(number = 92, error = TestError)]
pub trait Three {
    /// Takes a capability.
    #[operation(1)]
    fn take(&mut self, bell: Notification) -> Result<(), TestError>;
}

/// What happened, in order.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Deed {
    Occurred(u8),
    Acknowledged(u32),
    Restarted,
    Pinged,
    Cancelled(OpenCall),
    Foreign(u32),
}

type Deeds = Rc<RefCell<Vec<Deed>>>;

struct Server {
    deeds: Deeds,
    tasks: Executor,
    /// How often each source wants to go on.
    more: [usize; 70],
}

impl One for Server {
    fn add(&mut self, _: &Caller, to: u64) -> Result<u64, TestError> {
        Ok(to + 1)
    }
}

impl Two for Server {
    fn take(&mut self, _: &Caller, _: Notification) -> Result<(), TestError> {
        Err(TestError::Refused)
    }
}

impl Service for Server {
    type Source = u8;
    const PROTOCOLS: &'static [Protocol<Self>] = &[
        Protocol::new(one_label::PROTOCOL, serve_one),
        Protocol::new(two_label::PROTOCOL, serve_two),
    ];

    fn occurred(&mut self, source: u8) -> Attention {
        self.deeds.borrow_mut().push(Deed::Occurred(source));
        let more = &mut self.more[usize::from(source)];
        if *more == 0 {
            return Attention::Done;
        }
        *more -= 1;
        Attention::More
    }

    fn cancelled(&mut self, call: OpenCall) {
        self.deeds.borrow_mut().push(Deed::Cancelled(call));
    }

    fn foreign(&mut self, foreign: &Foreign) -> Option<Message> {
        self.deeds.borrow_mut().push(Deed::Foreign(foreign.number));
        Some(Message::success())
    }

    fn executor(&self) -> Option<&Executor> {
        Some(&self.tasks)
    }

    fn service_restarted(&mut self) {
        self.deeds.borrow_mut().push(Deed::Restarted);
    }
}

/// In the kernel's place.
struct Fake {
    deeds: Deeds,
    now: Rc<Cell<u64>>,
}

impl World for Fake {
    fn now(&self) -> Time {
        Time(self.now.get())
    }

    fn acknowledge(&mut self, line: Line) {
        self.deeds.borrow_mut().push(Deed::Acknowledged(line.number));
    }

    fn answer_ping(&mut self) {
        self.deeds.borrow_mut().push(Deed::Pinged);
    }
}

struct Rig {
    turn: Turn<Server, Fake>,
    tasks: Executor,
    deeds: Deeds,
    now: Rc<Cell<u64>>,
}

impl Rig {
    fn new(kinds: Vec<Kind>) -> Self {
        let mut sources = Sources::new();
        for (place, kind) in kinds.into_iter().enumerate() {
            assert_eq!(sources.next_bit(), Ok(1 << place));
            sources.add(place as u8, kind);
        }
        let (deeds, now) = (Deeds::default(), Rc::default());
        let tasks = Executor::new(Alarm::default());
        let server = Server { deeds: Rc::clone(&deeds), tasks: tasks.clone(), more: [0; 70] };
        let world = Fake { deeds: Rc::clone(&deeds), now: Rc::clone(&now) };
        Rig { turn: Turn { server, desk: Desk::new(sources), world }, tasks, deeds, now }
    }

    /// Has the loop hear of bits; returns what it did.
    fn notify(&mut self, bits: u64) -> Vec<Deed> {
        assert_eq!(self.turn.event(Event::Notified(bits)), None);
        self.deeds()
    }

    /// Has the loop make ready to wait; returns how long, and what it did before.
    fn rest(&mut self) -> (Time, Vec<Deed>) {
        (self.turn.rest(), self.deeds())
    }

    fn deeds(&self) -> Vec<Deed> {
        self.deeds.borrow_mut().drain(..).collect()
    }
}

fn interrupt(number: u32, trigger: Trigger) -> Kind {
    Kind::Line(Line { interrupt: Interrupt(Handle(9)), number, trigger })
}

#[test]
fn requests_go_to_their_protocol() {
    let mut rig = Rig::new(vec![]);
    let serve = |request: &Request<'_>| rig.turn.event(Event::Request(*request));
    let loopback = Loopback::new(1, serve);
    let endpoint = Endpoint(Handle(1));
    assert_eq!(OneClient::with(endpoint, loopback.clone()).add(4), Ok(5));
    let refused = TwoClient::with(endpoint, loopback).take(Notification(Handle(7)));
    assert_eq!(refused, Err(Failure::Protocol(TestError::Refused)));
}

#[test]
fn other_protocols_are_refused_and_their_capabilities_go() {
    let mut rig = Rig::new(vec![]);
    let loopback = Loopback::new(1, |request| rig.turn.event(Event::Request(*request)));
    let refused = ThreeClient::with(Endpoint(Handle(1)), loopback).take(Notification(Handle(7)));
    assert_eq!(refused, Err(Failure::Kernel(Error::InvalidOperation)));
    assert_eq!(loopback::take_deleted(), [Handle(7)]);
}

#[test]
fn sources_are_handled_in_the_order_of_their_declaration() {
    let mut rig = Rig::new(vec![Kind::Bell, Kind::Bell, Kind::Bell]);
    assert_eq!(rig.notify(0b101), [Deed::Occurred(0), Deed::Occurred(2)]);
    assert_eq!(rig.rest(), (Time::FOREVER, vec![]));
}

#[test]
fn bits_of_an_earlier_life_are_nothing() {
    let mut rig = Rig::new(vec![Kind::Bell]);
    assert_eq!(rig.notify(1 << 61 | 1 << 1), []);
}

#[test]
fn an_edge_is_acknowledged_before_the_device_is_looked_at() {
    let mut rig = Rig::new(vec![interrupt(4, Trigger::Edge)]);
    assert_eq!(rig.notify(1), [Deed::Acknowledged(4), Deed::Occurred(0)]);
}

#[test]
fn a_level_is_acknowledged_after_the_device_is_dealt_with() {
    let mut rig = Rig::new(vec![interrupt(11, Trigger::Level)]);
    assert_eq!(rig.notify(1), [Deed::Occurred(0), Deed::Acknowledged(11)]);
    rig.turn.server.more[0] = 1;
    // As long as it is not, the line stays masked.
    assert_eq!(rig.notify(1), [Deed::Occurred(0)]);
    assert_eq!(rig.rest(), (Time::NEVER_WAIT, vec![]));
    let deeds = vec![Deed::Occurred(0), Deed::Acknowledged(11)];
    assert_eq!(rig.rest(), (Time::FOREVER, deeds));
}

#[test]
fn who_wants_to_go_on_lets_others_have_a_turn_first() {
    let mut rig = Rig::new(vec![interrupt(4, Trigger::Edge), Kind::Bell]);
    rig.turn.server.more[0] = 2;
    assert_eq!(rig.notify(1), [Deed::Acknowledged(4), Deed::Occurred(0)]);
    // The loop looks whether anything is there, without waiting, between two turns.
    assert_eq!(rig.rest(), (Time::NEVER_WAIT, vec![]));
    assert_eq!(rig.notify(2), [Deed::Occurred(1)]);
    assert_eq!(rig.rest(), (Time::NEVER_WAIT, vec![Deed::Occurred(0)]));
    assert_eq!(rig.rest(), (Time::FOREVER, vec![Deed::Occurred(0)]));
    assert_eq!(rig.rest(), (Time::FOREVER, vec![]));
}

#[test]
fn an_alarm_comes_once_when_its_time_has() {
    let alarm = Alarm::default();
    let mut rig = Rig::new(vec![Kind::Alarm(alarm.clone())]);
    alarm.set(Time(100)).unwrap();
    rig.now.set(100);
    assert_eq!(rig.notify(1), [Deed::Occurred(0)]);
    assert_eq!(alarm.due(), None);
    assert_eq!(rig.notify(1), []);
}

#[test]
fn a_signal_of_an_alarm_that_was_set_anew_or_cancelled_is_nothing() {
    let alarm = Alarm::default();
    let mut rig = Rig::new(vec![Kind::Alarm(alarm.clone())]);
    // The signal is on its way when the server changes its mind.
    alarm.set(Time(100)).unwrap();
    rig.now.set(110);
    alarm.set(Time(200)).unwrap();
    assert_eq!(rig.notify(1), []);
    rig.now.set(200);
    assert_eq!(rig.notify(1), [Deed::Occurred(0)]);
    alarm.set(Time(300)).unwrap();
    rig.now.set(310);
    alarm.cancel().unwrap();
    assert_eq!(rig.notify(1), []);
}

#[test]
fn tasks_go_on_between_events_and_let_requests_have_a_turn() {
    let mut rig = Rig::new(vec![Kind::Bell]);
    let (signal, deeds) = (Signal::default(), Rc::clone(&rig.deeds));
    let (next, spawned) = (signal.next(), rig.tasks.clone());
    let task = async move {
        next.await;
        deeds.borrow_mut().push(Deed::Occurred(60));
        let more = async move { deeds.borrow_mut().push(Deed::Occurred(61)) };
        spawned.spawn(more).unwrap();
    };
    rig.tasks.spawn(task).unwrap();
    assert_eq!(rig.rest(), (Time::FOREVER, vec![]));
    // The loop sleeps while no task is awake.
    assert_eq!(rig.notify(1), [Deed::Occurred(0)]);
    assert_eq!(rig.rest(), (Time::FOREVER, vec![]));
    signal.ring();
    assert_eq!(rig.rest(), (Time::NEVER_WAIT, vec![Deed::Occurred(60)]));
    assert_eq!(rig.rest(), (Time::FOREVER, vec![Deed::Occurred(61)]));
}

#[test]
fn a_tasks_time_comes_through_the_loops_alarm() {
    let mut rig = Rig::new(vec![]);
    let alarm = Alarm::default();
    let tasks = Executor::new(alarm.clone());
    let mut sources = Sources::new();
    sources.add(0, Kind::Alarm(alarm.clone()));
    (rig.turn.desk, rig.turn.server.tasks) = (Desk::new(sources), tasks.clone());
    let (at, deeds) = (tasks.at(Time(100)), Rc::clone(&rig.deeds));
    let task = async move {
        at.await;
        deeds.borrow_mut().push(Deed::Occurred(60));
    };
    tasks.spawn(task).unwrap();
    assert_eq!(rig.rest(), (Time::FOREVER, vec![]));
    assert_eq!(alarm.due(), Some(Time(100)));
    rig.now.set(100);
    assert_eq!(rig.notify(1), [Deed::Occurred(0)]);
    assert_eq!(rig.rest(), (Time::FOREVER, vec![Deed::Occurred(60)]));
}

#[test]
fn the_supervisor_is_answered_after_all_else() {
    let mut rig = Rig::new(vec![Kind::Bell]);
    let deeds = [Deed::Restarted, Deed::Occurred(0), Deed::Pinged];
    assert_eq!(rig.notify(PING | SERVICE_RESTARTED | 1), deeds);
}

#[test]
fn a_supervisor_that_is_answered_gets_a_signal() {
    let alive = Notification(Handle(12));
    Kernel { alive: Some(alive) }.answer_ping();
    assert_eq!(loopback::take_signals(), [(Handle(12), 0)]);
    Kernel { alive: None }.answer_ping();
    assert_eq!(loopback::take_signals(), []);
}

#[test]
fn cancelled_and_foreign_calls_are_told() {
    let mut rig = Rig::new(vec![]);
    let call = OpenCall::from_raw(5);
    assert_eq!(rig.turn.event(Event::Cancelled(call)), None);
    let caller = Caller { badge: 1, call, replayed: false };
    let foreign = Foreign { caller, kind: CallKind::Page, number: 8, words: [0; 6] };
    assert_eq!(rig.turn.event(Event::Foreign(foreign)), Some(Message::success()));
    assert_eq!(rig.deeds(), [Deed::Cancelled(call), Deed::Foreign(8)]);
}

#[test]
fn sources_are_bounded() {
    let rig = Rig::new(vec![Kind::Bell; MAX_SOURCES]);
    let (mut sources, more) = (Sources::new(), MAX_SOURCES);
    (0..more).for_each(|place| sources.add(place, Kind::Bell));
    let problem = sources.next_bit().unwrap_err();
    assert_eq!(format!("{problem}"), "cannot start: it has more sources than 62");
    drop(rig);
}

#[test]
fn a_missing_capability_is_named_and_ends_the_program() {
    let start = Start::default();
    let setup = Setup::<u8>::new(&start).unwrap();
    let problem = setup.find::<Endpoint>("disk").unwrap_err();
    let text = "cannot start: it was not given \"disk\"; its entry in servers/system.toml should \
                name it";
    assert_eq!(format!("{problem}"), text);
    let deeds = Deeds::default();
    let tasks = Executor::new(Alarm::default());
    let server = Server { deeds: Rc::clone(&deeds), tasks, more: [0; 70] };
    assert_eq!(run(&start, |_| Ok(server)), 1);
}

#[test]
fn a_server_that_cannot_be_made_ends_the_program() {
    let endpoint = Endpoint(Handle(1));
    let status = run_at::<Server>(endpoint, &Start::default(), |_| Err("no disk".into()));
    assert_eq!(status, FAILED);
}

#[test]
fn what_the_kernel_refuses_is_told() {
    let setup_of = |act: &dyn Fn(&mut Setup<'_, u8>) -> Result<(), Problem>| {
        let start = Start::default();
        let mut setup = Setup::new(&start).unwrap();
        format!("{}", act(&mut setup).unwrap_err())
    };
    let refused = "cannot have a notification: InvalidOperation";
    assert_eq!(setup_of(&|setup| setup.alarm(1).map(drop)), refused);
    assert_eq!(setup_of(&|setup| setup.bell(1).map(drop)), refused);
    let missing = setup_of(&|setup| setup.interrupt("line", Trigger::Edge, 1));
    assert!(missing.contains("\"line\""), "{missing}");
}
