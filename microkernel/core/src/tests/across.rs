//! Two processors: calls, wakes, stops and shoot-downs across them.

use kamen_abi::{Error, FOREVER, Kind, NOW, ObjectKind, Operation, Place, Rights, Tag, boot};

use crate::fake::{Asked, DATA, Process, Rig};
use crate::queue::NIL;
use crate::thread::State;

/// Two processors; the first task sleeps on the notification `idle`.
struct Two {
    rig: Rig,
    server: Process,
    client: Process,
    other: Process,
}

const ANYWHERE: u64 = u64::MAX;

/// A server at 12 that runs, a client at 8, and another at 8; the latter two not started. They
/// have each other's threads from slot 10 on, and their own spaces in `boot::SPACE`.
fn two() -> Two {
    let mut rig = Rig::with_processors(2);
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let event = rig.create(ObjectKind::Notification, &[]);
    let client = rig.process(8, &[(endpoint, Rights::ALL, 77), (event, Rights::ALL, 0)]);
    let other = rig.process(8, &[(endpoint, Rights::ALL, 78), (event, Rights::ALL, 0)]);
    let quota = boot::QUOTA.0 as u64;
    let give = [
        (endpoint, Rights::ALL, 0),
        (event, Rights::ALL, 0),
        (client.thread, Rights::ALL, 0),
        (other.thread, Rights::ALL, 0),
        (client.space, Rights::ALL, 0),
        (quota, Rights::ALL, 0),
    ];
    let server = rig.process(12, &give);
    rig.ok(Operation::SetHandler, client.thread, &[endpoint, 5, 1]);
    rig.ok(Operation::Start, server.thread, &[]);
    let idle = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
    let mut two = Two { rig, server, client, other };
    // The first task could not let the server wait: the other processor took it.
    assert_eq!(two.rig.run_on(1), Some(server.slot));
    assert_eq!(two.rig.run_on(0), None);
    two
}

/// Handles of the server's.
const CLIENT: u64 = 10;
const OTHER: u64 = 11;
const CLIENT_SPACE: u64 = 12;

impl Two {
    /// The server starts the client, which the idle processor runs.
    fn start_client(&mut self) {
        self.rig.on(1).ok(Operation::Start, CLIENT, &[]);
        assert_eq!(self.rig.run_on(0), Some(self.client.slot));
        assert_eq!(self.rig.run_on(1), Some(self.server.slot));
    }

    fn asked(&mut self) -> std::vec::Vec<Asked> {
        core::mem::take(&mut self.rig.kernel.vm.machine.asked)
    }

    fn state(&self, process: Process) -> State {
        self.rig.kernel.threads[process.slot].state
    }
}

#[test]
fn a_started_thread_goes_to_the_processor_that_idles() {
    let mut two = two();
    two.asked();
    two.rig.on(1).ok(Operation::Start, CLIENT, &[]);
    assert_eq!(two.asked(), [Asked::Nudge(0)]);
    assert_eq!(two.rig.run_on(0), Some(two.client.slot));
    two.rig.on(1).ok(Operation::Start, OTHER, &[]);
    assert_eq!(two.asked(), [], "it would have to wait there as well");
    // The server waits: its processor takes the thread that waits on the first.
    two.rig.on(1).send(Operation::Wait, 9, Tag::short(0), FOREVER);
    assert_eq!(two.rig.run_on(1), Some(two.other.slot));
}

#[test]
fn a_server_follows_its_caller_and_answers_it_there() {
    let mut two = two();
    two.start_client();
    two.rig.on(1).send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(two.rig.run_on(1), None);
    two.rig.on(0).send(Operation::Call, 8, Tag::short(42), FOREVER);
    assert_eq!(two.rig.run_on(0), Some(two.server.slot));
    assert_eq!(two.rig.registers().r14, 5, "a foreign thread's system call");
    let open = two.rig.registers().r12;
    two.rig.registers().r15 = 8;
    two.asked();
    two.rig.send(Operation::ReplyReceive, open, Tag::short(0), FOREVER);
    assert_eq!(two.rig.run_on(0), Some(two.client.slot));
    assert_eq!(two.asked(), []);
}

#[test]
fn a_thread_with_extended_state_in_a_processor_stays_there() {
    let mut two = two();
    two.start_client();
    two.rig.on(0).kernel.exception(7, 0, 0);
    two.rig.on(1).send(Operation::Receive, 8, Tag::short(0), FOREVER);
    two.rig.on(0).send(Operation::Call, 8, Tag::short(1), FOREVER);
    assert_eq!(two.rig.run_on(0), Some(two.server.slot));
    // The server moves; the client is still to run where its registers are.
    let open = two.rig.registers().r12;
    assert_eq!(two.rig.invoke(Operation::SetProcessor, boot::THREAD.0 as u64, &[1]), 0);
    assert_eq!(two.rig.run_on(0), None);
    assert_eq!(two.rig.run_on(1), Some(two.server.slot));
    two.asked();
    two.rig.on(1).registers().r15 = 8;
    two.rig.send(Operation::ReplyReceive, open, Tag::short(0), FOREVER);
    assert_eq!(two.asked(), [Asked::Nudge(0)]);
    assert_eq!(two.rig.run_on(1), None);
    assert_eq!(two.rig.run_on(0), Some(two.client.slot));
    // Its state is asked for where somebody else wants to see it.
    two.rig.on(0).send(Operation::Call, 8, Tag::short(1), FOREVER);
    assert_eq!(two.rig.run_on(1), Some(two.server.slot));
    let open = two.rig.registers().r12;
    two.asked();
    let extended = Place::Extended as u64 | (Place::Own as u64) << 8;
    two.rig.ok(Operation::Copy, 0, &[extended, open, 0, 0, DATA, 512]);
    assert_eq!(two.asked(), [Asked::Save(0)]);
    // Now it is in no processor: the client goes on where it is answered.
    two.rig.registers().r15 = 8;
    two.rig.send(Operation::ReplyReceive, open, Tag::short(0), FOREVER);
    assert_eq!(two.rig.run_on(1), Some(two.client.slot));
}

#[test]
fn a_thread_that_runs_elsewhere_is_stopped_recalled_and_destroyed() {
    let mut two = two();
    two.start_client();
    two.asked();
    two.rig.on(1).ok(Operation::Stop, CLIENT, &[]);
    assert_eq!(two.asked(), [Asked::Fetch(0)]);
    assert_eq!((two.rig.run_on(0), two.state(two.client)), (None, State::Stopped));

    two.start_client();
    two.asked();
    two.rig.on(1).ok(Operation::Recall, CLIENT, &[]);
    assert_eq!(two.asked(), [Asked::Fetch(0)]);
    assert_eq!(two.rig.run_on(0), None);
    two.rig.on(1).send(Operation::Receive, 8, Tag::short(0), NOW);
    assert_eq!(Tag(two.rig.registers().r13).kind(), Kind::Recall);
    let open = two.rig.registers().r12;
    assert_eq!(two.rig.invoke(Operation::Recall, CLIENT, &[]), Error::Busy as u64);
    two.rig.send(Operation::Reply, open, Tag::short(0), NOW);
    assert_eq!(two.rig.run_on(0), Some(two.client.slot));

    two.asked();
    two.rig.on(1).ok(Operation::Destroy, CLIENT_SPACE, &[]);
    assert_eq!(two.asked(), [Asked::Fetch(0), Asked::Leave(0)]);
    assert_eq!(two.rig.run_on(0), None);
    assert_eq!(two.rig.kernel.cpu.current, NIL);
}

#[test]
fn a_page_that_another_processor_uses_is_flushed_there() {
    let mut two = two();
    two.start_client();
    for page in [0, 1] {
        two.rig.on(0).kernel.exception(14, 0b110, DATA + page * 4096);
    }
    two.rig.kernel.vm.machine.cache();
    assert_eq!(two.rig.kernel.vm.machine.processors[0].cached.len(), 2);
    two.asked();
    let read = Rights::READ.0 as u64;
    two.rig.on(1).ok(Operation::Protect, CLIENT_SPACE, &[DATA, 2, read]);
    assert_eq!(two.asked(), [Asked::Flush(0)], "once for both");
    two.rig.kernel.vm.machine.check_cached();
    two.rig.ok(Operation::Unmap, CLIENT_SPACE, &[DATA, 2]);
    assert_eq!(two.asked(), [], "nothing was mapped any more");

    two.rig.on(0).kernel.exception(14, 0b110, DATA + 2 * 4096);
    two.rig.kernel.vm.machine.cache();
    two.asked();
    two.rig.on(1).ok(Operation::Unmap, CLIENT_SPACE, &[DATA + 2 * 4096, 1]);
    assert_eq!(two.asked(), [Asked::Flush(0)]);
    assert!(two.rig.kernel.vm.machine.processors[0].cached.is_empty());
}

#[test]
fn a_thread_is_moved_wherever_it_is() {
    let mut two = two();
    two.start_client();
    two.rig.on(1).ok(Operation::SetProcessor, CLIENT, &[1]);
    assert_eq!(two.rig.run_on(0), None, "taken away, and it may not come back");
    let wrong = Error::InvalidArgument as u64;
    assert_eq!(two.rig.on(1).invoke(Operation::SetProcessor, CLIENT, &[2]), wrong);
    two.rig.ok(Operation::SetProcessor, CLIENT, &[ANYWHERE]);
    assert_eq!(two.rig.run_on(0), Some(two.client.slot));
    two.rig.on(1).invoke(Operation::Now, 0, &[]);
    let [_, here, processors, ..] = two.rig.registers().words();
    assert_eq!((here, processors), (1, 2));
}

#[test]
fn a_deadline_wakes_whichever_processor_noted_it() {
    let mut two = two();
    two.start_client();
    // The server, on the second processor, waits until 500; the timer of either may see to it.
    two.rig.on(1).send(Operation::Wait, 9, Tag::short(0), 500);
    assert_eq!(two.rig.run_on(1), None);
    let timers = [0, 1].map(|processor| two.rig.on(processor).kernel.vm.machine.timer);
    assert_eq!(timers, [None, Some(500)]);
    // An earlier one of the first processor's is its own to see to.
    let client = two.client.slot;
    two.rig.on(0).kernel.set_deadline(client, 300).unwrap();
    assert_eq!(two.rig.kernel.vm.machine.timer, Some(300));
    two.rig.kernel.vm.machine.now = 300;
    two.rig.kernel.timer();
    assert_eq!(two.rig.kernel.vm.machine.timer, Some(500));
    two.rig.kernel.vm.machine.now = 500;
    two.rig.on(1).kernel.timer();
    assert_eq!(two.rig.run_on(1), Some(two.server.slot));
    assert_eq!(two.rig.registers().rax, Error::TimedOut as u64);
}

#[test]
fn priorities_count_across_processors() {
    let mut two = two();
    two.start_client();
    two.rig.on(1).ok(Operation::SetProcessor, OTHER, &[0]);
    two.asked();
    two.rig.on(1).ok(Operation::Start, OTHER, &[]);
    assert_eq!(two.asked(), [Asked::Nudge(0)], "a time slice begins");
    assert_eq!(two.rig.run_on(0), Some(two.client.slot));
    assert!(two.rig.kernel.vm.machine.timer.is_some());
    // The client, which runs, falls below the other, which waits behind it.
    two.asked();
    two.rig.on(1).ok(Operation::SetPriority, CLIENT, &[3]);
    assert_eq!(two.asked(), [Asked::Nudge(0)]);
    assert_eq!(two.rig.run_on(0), Some(two.other.slot));
    assert_eq!(two.state(two.client), State::Ready);
    two.rig.on(1).ok(Operation::SetPriority, CLIENT, &[9]);
    assert_eq!(two.rig.run_on(0), Some(two.client.slot));
}

#[test]
fn an_idle_processor_takes_a_thread_that_waits_behind_one_that_may_not_move() {
    let mut two = two();
    two.rig.on(1).ok(Operation::SetProcessor, CLIENT, &[1]);
    two.rig.on(1).ok(Operation::Start, CLIENT, &[]);
    two.rig.on(1).ok(Operation::SetProcessor, OTHER, &[1]);
    two.rig.on(1).ok(Operation::Start, OTHER, &[]);
    two.rig.on(1).ok(Operation::SetProcessor, OTHER, &[ANYWHERE]);
    assert_eq!(two.rig.run_on(1), Some(two.server.slot));
    assert_eq!(two.rig.run_on(0), Some(two.other.slot));
}
