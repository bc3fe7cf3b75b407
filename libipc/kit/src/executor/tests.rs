//! Tasks with a clock and events fed by hand, and a ring to a server in the same process.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use libipc::loopback;
use libipc::ring::{Buffer, Client, RingError, Server, Shape};
use libipc::{Memory, Notification, Object, ProtocolError, Rights, Time};

use super::*;

#[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
enum TestError {
    Odd = 1,
}

/// What tasks did, in order.
type Deeds = Rc<RefCell<Vec<u64>>>;

struct Rig {
    tasks: Executor,
    alarm: Alarm,
    deeds: Deeds,
    now: Rc<Cell<u64>>,
}

impl Rig {
    fn new() -> Self {
        let alarm = Alarm::default();
        let tasks = Executor::new(alarm.clone());
        Rig { tasks, alarm, deeds: Deeds::default(), now: Rc::default() }
    }

    fn turn(&self) -> Attention {
        self.tasks.turn(|| Time(self.now.get()))
    }

    /// Has the clock go on, and the alarm come where its time has.
    fn go_to(&self, now: u64) {
        self.now.set(now);
        if self.alarm.due().is_some_and(|due| due <= Time(now)) {
            self.alarm.cancel().unwrap();
        }
        assert_eq!(self.turn(), Attention::Done);
    }

    fn deeds(&self) -> Vec<u64> {
        self.deeds.take()
    }

    /// Spawns a task that notes a number when a time has come.
    fn note_at(&self, time: u64, deed: u64) {
        let (at, deeds) = (self.tasks.at(Time(time)), Rc::clone(&self.deeds));
        let task = async move {
            at.await;
            deeds.borrow_mut().push(deed);
        };
        self.tasks.spawn(task).unwrap();
    }
}

/// Gives way once.
async fn give_way() {
    let mut is_first = true;
    core::future::poll_fn(|context| match core::mem::take(&mut is_first) {
        true => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
        false => Poll::Ready(()),
    })
    .await;
}

#[test]
fn a_task_begins_at_the_next_turn_and_goes_when_it_ends() {
    let rig = Rig::new();
    let deeds = Rc::clone(&rig.deeds);
    rig.tasks.spawn(async move { deeds.borrow_mut().push(1) }).unwrap();
    assert!(rig.tasks.is_awake());
    assert_eq!((rig.tasks.len(), rig.deeds()), (1, vec![]));
    assert_eq!(rig.turn(), Attention::Done);
    assert_eq!((rig.tasks.is_empty(), rig.deeds()), (true, vec![1]));
    assert!(!rig.tasks.is_awake());
}

#[test]
fn a_task_that_wakes_itself_lets_the_loop_look_first() {
    let rig = Rig::new();
    let deeds = Rc::clone(&rig.deeds);
    let task = async move {
        deeds.borrow_mut().push(1);
        give_way().await;
        deeds.borrow_mut().push(2);
    };
    rig.tasks.spawn(task).unwrap();
    assert_eq!((rig.turn(), rig.deeds()), (Attention::More, vec![1]));
    assert_eq!((rig.turn(), rig.deeds()), (Attention::Done, vec![2]));
}

#[test]
fn times_come_in_their_order() {
    let rig = Rig::new();
    for (time, deed) in [(300, 3), (100, 1), (200, 2), (100, 11)] {
        rig.note_at(time, deed);
    }
    rig.go_to(0);
    assert_eq!(rig.alarm.due(), Some(Time(100)));
    rig.go_to(99);
    assert_eq!(rig.deeds(), []);
    rig.go_to(100);
    assert_eq!((rig.deeds(), rig.alarm.due()), (vec![1, 11], Some(Time(200))));
    rig.go_to(250);
    assert_eq!((rig.deeds(), rig.alarm.due()), (vec![2], Some(Time(300))));
    rig.go_to(1000);
    assert_eq!((rig.deeds(), rig.alarm.due()), (vec![3], None));
    assert!(rig.tasks.is_empty());
}

#[test]
fn a_time_that_is_past_ends_at_once() {
    let rig = Rig::new();
    rig.now.set(500);
    rig.note_at(100, 1);
    assert_eq!(rig.turn(), Attention::Done);
    // An alarm for a time that is past comes at once.
    rig.go_to(500);
    assert_eq!(rig.deeds(), [1]);
}

#[test]
fn a_sooner_time_takes_the_alarms_place() {
    let rig = Rig::new();
    rig.note_at(300, 3);
    rig.go_to(0);
    rig.note_at(200, 2);
    rig.go_to(0);
    assert_eq!(rig.alarm.due(), Some(Time(200)));
    rig.go_to(200);
    assert_eq!((rig.deeds(), rig.alarm.due()), (vec![2], Some(Time(300))));
}

#[test]
fn a_signal_wakes_all_who_wait_and_not_for_what_was_before() {
    let rig = Rig::new();
    let signal = Signal::default();
    signal.ring();
    for deed in [1, 2] {
        let (signal, deeds) = (signal.clone(), Rc::clone(&rig.deeds));
        let task = async move {
            for round in 0..2 {
                signal.next().await;
                deeds.borrow_mut().push(deed + 10 * round);
            }
        };
        rig.tasks.spawn(task).unwrap();
    }
    assert_eq!((rig.turn(), rig.deeds()), (Attention::Done, vec![]));
    signal.ring();
    assert_eq!((rig.turn(), rig.deeds()), (Attention::Done, vec![1, 2]));
    signal.ring();
    assert_eq!((rig.turn(), rig.deeds()), (Attention::Done, vec![11, 12]));
}

#[test]
fn tasks_spawn_tasks_and_are_bounded() {
    let rig = Rig::new();
    let (tasks, deeds) = (rig.tasks.clone(), Rc::clone(&rig.deeds));
    let task = async move {
        let spawned = (0..).take_while(|_| tasks.spawn(core::future::pending()).is_ok()).count();
        deeds.borrow_mut().push(spawned as u64);
    };
    rig.tasks.spawn(task).unwrap();
    assert_eq!(rig.turn(), Attention::More);
    assert_eq!(rig.deeds(), [MAX_TASKS as u64 - 1]);
    assert_eq!(rig.tasks.len(), MAX_TASKS - 1);
    assert_eq!(rig.tasks.spawn(async {}), Ok(()));
    assert_eq!(rig.tasks.spawn(async {}), Err(Full));
}

#[test]
fn a_deferred_reply_comes_from_a_task() {
    let rig = Rig::new();
    let call = loopback::HostCall::new(7);
    let (open, at) = (call.caller().call, rig.tasks.at(Time(50)));
    let task = async move {
        at.await;
        open.reply(&libipc::Message::success()).unwrap();
    };
    rig.tasks.spawn(task).unwrap();
    rig.go_to(0);
    assert_eq!(call.answer(), None);
    rig.go_to(50);
    assert_eq!(call.answer(), Some(libipc::Message::success()));
}

/// A ring of two entries, and its server's side.
fn ring() -> (Submissions, Server, Notification) {
    let shape = Shape::new(2, 64).unwrap();
    let server_bell = loopback::notification();
    let mut server = None;
    let open = |memory: Memory, bell: Notification| {
        let copies = (memory.mint(Rights::ALL, 0)?, bell.mint(Rights::ALL, 0)?);
        server = Some(Server::attach(copies.0, copies.1)?);
        Ok::<_, RingError>(server_bell.mint(Rights::SEND, 1)?)
    };
    let memory = loopback::memory(shape.pages());
    let client = Client::open(memory, loopback::notification(), shape, open).unwrap();
    (Submissions::new(client), server.unwrap(), server_bell)
}

/// Has the server answer all that was submitted: with twice the argument, odd ones with an error.
fn serve(server: &mut Server) {
    let answer = |ring: &mut Server, ticket, submission: libipc::ring::Submission| {
        let [number, _] = submission.arguments;
        let odd = number % 2 == 1;
        ring.complete(ticket, if odd { Err(TestError::Odd) } else { Ok(number * 2) });
    };
    while server.serve(answer) == Ok(libipc::ring::Served::More) {}
}

#[test]
fn submissions_end_with_their_completion_however_many_there_are() {
    let rig = Rig::new();
    let (ring, mut server, _bell) = ring();
    for number in 0..5 {
        let (ring, deeds) = (ring.clone(), Rc::clone(&rig.deeds));
        let task = async move {
            let done = ring.submit(1, Buffer::new(0, 0), [number, 0]).await.unwrap();
            deeds.borrow_mut().push(done.result::<TestError>().unwrap_or(99));
        };
        rig.tasks.spawn(task).unwrap();
    }
    // Two have room at a time.
    for expected in [&[0, 99][..], &[4, 99], &[8]] {
        while rig.turn() == Attention::More {}
        assert_eq!(rig.deeds(), []);
        serve(&mut server);
        ring.rung().unwrap();
        while rig.turn() == Attention::More {}
        assert_eq!(rig.deeds(), expected);
    }
    assert!(rig.tasks.is_empty());
}

#[test]
fn what_is_in_flight_when_a_ring_ends_fails() {
    let rig = Rig::new();
    let (ring, server, server_bell) = ring();
    let (shared, deeds) = (ring.clone(), Rc::clone(&rig.deeds));
    let task = async move {
        let failed = shared.submit(1, Buffer::new(0, 0), [2, 0]).await;
        deeds.borrow_mut().push(u64::from(failed == Err(RingError::Ended)));
        // Nothing more can be submitted.
        let failed = shared.submit(1, Buffer::new(0, 0), [2, 0]).await;
        deeds.borrow_mut().push(u64::from(failed == Err(RingError::Ended)));
    };
    rig.tasks.spawn(task).unwrap();
    server_bell.destroy().unwrap();
    while rig.turn() == Attention::More {}
    assert_eq!(rig.deeds(), [1, 1]);
    drop(server);
}

#[test]
fn an_outside_buffer_is_refused() {
    let rig = Rig::new();
    let (ring, _server, _bell) = ring();
    let deeds = Rc::clone(&rig.deeds);
    let task = async move {
        let refused = ring.submit(1, Buffer::new(0, 1 << 20), [0; 2]).await;
        deeds.borrow_mut().push(u64::from(refused == Err(RingError::Outside)));
    };
    rig.tasks.spawn(task).unwrap();
    assert_eq!((rig.turn(), rig.deeds()), (Attention::Done, vec![1]));
}
