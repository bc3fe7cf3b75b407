//! Facts about leases and compare-exchange: what a server reaches of its callers, and until when.

use kamen_abi::{
    COPY_MAX, Error, FOREVER, Kind, NOW, ObjectKind, Operation, Place, Rights, Tag, USER_END, boot,
};

use crate::fake::{DATA, Process, Rig};

const CALL: Rights = Rights(Rights::SEND.0 | Rights::GRANT.0);
const OWN: u64 = Place::Own as u64;
const PAGE: u64 = 4096;
/// Where a process' message page lies, from [`DATA`]; its leases begin 64 bytes on.
const MESSAGE: u64 = 15 * PAGE;
const SUCCESS: u64 = 0;

/// Which way a lease goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Read,
    Write,
}

/// A range that a client lends: address, length, direction.
type Range = (u64, u64, Way);

/// The first task as server, and a client at a lower priority.
struct Lent {
    rig: Rig,
    endpoint: u64,
    client: Process,
    open: u64,
}

/// Returns the place of a lease.
fn lease(index: u64) -> u64 {
    Place::Lease0 as u64 + index
}

/// A client that has called with leases; its memory is filled with words that tell their offset.
fn lent(ranges: &[Range]) -> Lent {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let client = rig.process(8, &[(endpoint, CALL, 77)]);
    rig.ok(Operation::Start, client.thread, &[]);
    let mut lent = Lent { rig, endpoint, client, open: 0 };
    lent.call(ranges);
    lent
}

impl Lent {
    fn call(&mut self, ranges: &[Range]) {
        self.rig.send(Operation::Receive, self.endpoint, Tag::short(0), FOREVER);
        assert_eq!(self.rig.run(), self.client.slot);
        for offset in (0..4 * PAGE).step_by(8) {
            self.rig.poke(offset, offset);
        }
        self.describe(ranges);
        self.rig.send(Operation::Call, 8, Tag::long(1, 0, 0, ranges.len()), FOREVER);
        assert_eq!(self.rig.run(), 0);
        self.open = self.rig.registers().r12;
    }

    /// Writes descriptors to the running thread's message page.
    fn describe(&mut self, ranges: &[Range]) {
        for (at, (address, len, way)) in (MESSAGE + 64..).step_by(16).zip(ranges) {
            self.rig.poke(at, *address);
            self.rig.poke(at + 8, len | u64::from(*way == Way::Write) << 63);
        }
    }

    /// Copies from a lease to own memory at 8 KiB; returns status and bytes copied.
    fn take(&mut self, index: u64, offset: u64, len: u64) -> (u64, u64) {
        let to = DATA + 2 * PAGE;
        let words = [lease(index) | OWN << 8, self.open, offset, 0, to, len];
        let status = self.rig.invoke(Operation::Copy, 0, &words);
        (status, self.rig.registers().rdi)
    }

    /// Copies the word `value` to a lease; returns the status.
    fn put(&mut self, index: u64, offset: u64, value: u64) -> u64 {
        self.rig.poke(0, value);
        let words = [OWN | lease(index) << 8, 0, DATA, self.open, offset, 8];
        self.rig.invoke(Operation::Copy, 0, &words)
    }

    /// Returns a word that `take` has copied.
    fn taken(&mut self, offset: u64) -> u64 {
        self.rig.peek(2 * PAGE + offset)
    }

    /// Returns a word of the client's memory, while the server runs.
    fn client_word(&mut self, offset: u64) -> u64 {
        let space = self.rig.kernel.threads[self.client.slot].space.unwrap();
        let address = (DATA + offset) as usize;
        let frame = self.rig.kernel.vm.resolve(space, address, crate::FaultAccess::Read).unwrap();
        self.rig.kernel.vm.machine.frames[frame.0 as usize][offset as usize % 4096 / 8]
    }
}

#[test]
fn four_ranges_are_lent_each_for_itself() {
    let ranges = [
        (DATA + 8, 16, Way::Read),
        (DATA + PAGE - 8, 16, Way::Read),
        (DATA + 64, 8, Way::Write),
        (DATA + 2 * PAGE - 8, PAGE, Way::Write),
    ];
    let mut lent = lent(&ranges);
    assert_eq!(lent.take(0, 8, 8), (SUCCESS, 8));
    assert_eq!(lent.taken(0), 16);
    assert_eq!(lent.take(1, 0, 16), (SUCCESS, 16));
    assert_eq!((lent.taken(0), lent.taken(8)), (PAGE - 8, PAGE), "across a page's end");
    assert_eq!(lent.put(2, 0, 0xaa), SUCCESS);
    assert_eq!(lent.put(3, PAGE - 8, 0xbb), SUCCESS);
    assert_eq!((lent.client_word(64), lent.client_word(3 * PAGE - 16)), (0xaa, 0xbb));
    // From lease to lease, without the server seeing it.
    let open = lent.open;
    let words = [lease(0) | lease(3) << 8, open, 0, open, 8, 16];
    lent.rig.ok(Operation::Copy, 0, &words);
    assert_eq!(lent.client_word(2 * PAGE), 8);
}

#[test]
fn what_lies_beyond_a_lease_or_against_its_direction_is_refused() {
    let ranges = [(DATA, 16, Way::Read), (DATA + 64, 16, Way::Write), (DATA, 0, Way::Read)];
    let mut lent = lent(&ranges);
    let (bad, denied) = (Error::InvalidArgument as u64, Error::NoRights as u64);
    let beyond =
        [(0, 17), (9, 8), (16, 1), (17, 0), (u64::MAX, 1), (u64::MAX - 7, 8), (1, 1 << 62)];
    for (offset, len) in beyond {
        assert_eq!(lent.take(0, offset, len).0, bad, "{offset} {len}");
    }
    assert_eq!(lent.take(0, 16, 0), (SUCCESS, 0), "nothing at the end is within");
    assert_eq!(lent.take(2, 0, 1).0, bad);
    assert_eq!(lent.take(3, 0, 1).0, bad, "only three were lent");
    assert_eq!(lent.take(1, 0, 8).0, denied);
    assert_eq!(lent.put(0, 0, 1), denied);
    assert_eq!(lent.put(1, 9, 1), bad);
    assert_eq!((lent.client_word(0), lent.client_word(64)), (0, 64), "nothing was written");
}

#[test]
fn a_lease_of_memory_that_is_not_the_caller_s_gets_nowhere() {
    let address = Error::BadAddress as u64;
    let ends = [USER_END as u64, USER_END as u64 - 8, u64::MAX - 7, 1 << 63, 0x10];
    for at in ends {
        let mut lent = lent(&[(at, 64, Way::Read), (at, 64, Way::Write)]);
        assert_eq!(lent.take(0, 0, 64), (address, 0), "{at:x}");
        assert_eq!(lent.take(0, 32, 8), (address, 0), "{at:x}");
        assert_eq!(lent.put(1, 0, 1), address, "{at:x}");
    }
    // The end of what is mapped stops the copy where it is.
    let mut lent = lent(&[(DATA + 16 * PAGE - 24, 64, Way::Read)]);
    assert_eq!(lent.take(0, 0, 64), (address, 24));
}

#[test]
fn a_lease_for_writing_needs_memory_that_the_caller_may_write() {
    let mut lent = lent(&[(DATA, 64, Way::Write)]);
    let (space, read) = (lent.client.space, Rights::READ.0 as u64);
    lent.rig.ok(Operation::Protect, space, &[DATA, 1, read]);
    assert_eq!(lent.put(0, 0, 1), Error::BadAddress as u64);
    assert_eq!(lent.client_word(0), 0);
}

#[test]
fn a_copy_is_bounded_however_much_is_lent() {
    let mut lent = lent(&[(DATA, 1 << 40, Way::Read)]);
    let big = lent.rig.create(ObjectKind::Memory, &[64]);
    let to_memory = lease(0) | (Place::Memory as u64) << 8;
    let words = [to_memory, lent.open, 0, big, 0, 1 << 40];
    lent.rig.ok(Operation::Copy, 0, &words);
    assert_eq!(lent.rig.registers().rdi, COPY_MAX as u64);
}

#[test]
fn a_caller_that_unmaps_what_it_lends_stops_the_copy_there() {
    let mut lent = lent(&[(DATA, 3 * PAGE, Way::Read), (DATA, 3 * PAGE, Way::Write)]);
    assert_eq!(lent.take(0, 0, 2 * PAGE), (SUCCESS, 2 * PAGE));
    let space = lent.client.space;
    lent.rig.ok(Operation::Unmap, space, &[DATA + PAGE, 1]);
    let address = Error::BadAddress as u64;
    assert_eq!(lent.take(0, 16, 2 * PAGE), (address, PAGE - 16));
    assert_eq!(lent.put(1, PAGE, 1), address);
    assert_eq!(lent.put(1, PAGE - 8, 1), SUCCESS, "the rest is still lent");
    // What is mapped there instead is the caller's as well.
    let other = lent.rig.create(ObjectKind::Memory, &[1]);
    let write = (Rights::READ.0 | Rights::WRITE.0) as u64;
    lent.rig.ok(Operation::Map, space, &[other, 0, DATA + PAGE, 1, write]);
    assert_eq!(lent.put(1, PAGE, 5), SUCCESS);
    assert_eq!(lent.client_word(PAGE), 5);
    // An object that is destroyed is unmapped.
    lent.rig.ok(Operation::Destroy, other, &[]);
    assert_eq!(lent.put(1, PAGE, 5), address);
}

#[test]
fn a_caller_that_changes_its_descriptors_lends_other_memory_of_its_own() {
    let mut lent = lent(&[(DATA, 16, Way::Read)]);
    let page = lent.rig.kernel.threads[lent.client.slot].message_page.unwrap();
    let machine = &mut lent.rig.kernel.vm.machine;
    machine.frames[page.0 as usize][8] = DATA + PAGE;
    machine.frames[page.0 as usize][9] = 8;
    assert_eq!(lent.take(0, 0, 8), (SUCCESS, 8));
    assert_eq!(lent.taken(0), PAGE);
    let bad = Error::InvalidArgument as u64;
    assert_eq!(lent.take(0, 8, 8).0, bad, "it is shorter now");
    // A direction that is turned round gives the server no more than the caller wants.
    lent.rig.kernel.vm.machine.frames[page.0 as usize][9] = 8 | 1 << 63;
    assert_eq!(lent.take(0, 0, 8).0, Error::NoRights as u64);
    assert_eq!(lent.put(0, 0, 3), SUCCESS);
}

#[test]
fn a_caller_that_gets_another_message_page_lends_what_that_says() {
    let mut lent = lent(&[(DATA, 16, Way::Read)]);
    let memory = lent.rig.create(ObjectKind::Memory, &[1]);
    let thread = lent.client.thread;
    lent.rig.ok(Operation::SetMessagePage, thread, &[memory, 0]);
    assert_eq!(lent.take(0, 0, 8).0, Error::InvalidArgument as u64, "an empty range");
    assert_eq!(lent.take(0, 0, 0), (SUCCESS, 0));
}

#[test]
fn leases_end_with_their_call_however_it_ends() {
    let stale = (Error::StaleCall as u64, 0);
    let ranges = [(DATA, 16, Way::Read)];
    let mut answered = lent(&ranges);
    let open = answered.open;
    answered.rig.send(Operation::Reply, open, Tag::short(0), NOW);
    assert_eq!(answered.take(0, 0, 8), stale);

    let mut stopped = lent(&ranges);
    let thread = stopped.client.thread;
    stopped.rig.ok(Operation::Stop, thread, &[]);
    assert_eq!(stopped.take(0, 0, 8), stale);

    for what in [|lent: &Lent| lent.client.thread, |lent: &Lent| lent.client.space] {
        let mut dead = lent(&ranges);
        let object = what(&dead);
        dead.rig.ok(Operation::Destroy, object, &[]);
        assert_eq!(dead.take(0, 0, 8), stale);
    }

    let mut again = lent(&ranges);
    let first = again.open;
    again.rig.send(Operation::Reply, first, Tag::short(0), NOW);
    again.call(&[(DATA + 8, 8, Way::Read)]);
    let second = core::mem::replace(&mut again.open, first);
    assert_eq!(again.take(0, 0, 8), stale, "the call before");
    again.open = second;
    assert_eq!(again.take(0, 0, 8), (SUCCESS, 8));
}

#[test]
fn leases_are_lent_to_the_space_that_received_the_call() {
    let mut lent = lent(&[(DATA, 16, Way::Read)]);
    let endpoint = lent.endpoint;
    let other = lent.rig.process(31, &[(endpoint, Rights::ALL, 0)]);
    lent.rig.ok(Operation::Start, other.thread, &[]);
    lent.rig.invoke(Operation::Yield, 0, &[]);
    assert_eq!(lent.rig.run(), other.slot);
    assert_eq!(lent.take(0, 0, 8).0, Error::StaleCall as u64);
}

/// A foreign thread that has called, with its word at [`DATA`] + 64 set to 64.
fn foreign() -> Lent {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let client = rig.process(8, &[]);
    rig.ok(Operation::SetHandler, client.thread, &[endpoint, 3, 1]);
    rig.ok(Operation::Start, client.thread, &[]);
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    rig.poke(64, 0x1_0000_0040);
    rig.kernel.system_call();
    assert_eq!(rig.run(), 0);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::SystemCall);
    let open = rig.registers().r12;
    Lent { rig, endpoint, client, open }
}

#[test]
fn compare_exchange_sets_one_word_if_it_is_what_was_expected() {
    let mut lent = foreign();
    let open = lent.open;
    for (address, expected, new, was, then) in [
        (64, 64, 7, 64, 0x1_0000_0007),
        (64, 64, 9, 7, 0x1_0000_0007),
        (68, 1, 2, 1, 0x2_0000_0007),
    ] {
        let words = [DATA + address, expected, new];
        lent.rig.ok(Operation::CompareExchange, open, &words);
        assert_eq!(lent.rig.registers().rdi, was);
        assert_eq!(lent.client_word(64), then);
    }
    let bad = Error::InvalidArgument as u64;
    for address in [65, 66, 67] {
        let words = [DATA + address, 64, 7];
        assert_eq!(lent.rig.invoke(Operation::CompareExchange, open, &words), bad);
    }
    let nowhere = Error::BadAddress as u64;
    for address in [0, DATA + 16 * PAGE, USER_END as u64, u64::MAX - 7] {
        let words = [address, 0, 0];
        assert_eq!(lent.rig.invoke(Operation::CompareExchange, open, &words), nowhere);
    }
    // The end of the address space leaves no room for a word.
    assert_eq!(lent.rig.invoke(Operation::CompareExchange, open, &[u64::MAX - 3, 0, 0]), bad);
}

#[test]
fn compare_exchange_writes_only_what_the_caller_may_write_and_its_own_copy() {
    let mut lent = foreign();
    let (open, space) = (lent.open, lent.client.space);
    let read = Rights::READ.0 as u64;
    lent.rig.ok(Operation::Protect, space, &[DATA, 1, read]);
    let words = [DATA + 64, 64, 7];
    let denied = Error::BadAddress as u64;
    assert_eq!(lent.rig.invoke(Operation::CompareExchange, open, &words), denied);

    let original = lent.rig.create(ObjectKind::Memory, &[1]);
    let own = boot::SPACE.0 as u64;
    let write = (Rights::READ.0 | Rights::WRITE.0) as u64;
    lent.rig.ok(Operation::Map, own, &[original, 0, DATA + 20 * PAGE, 1, write]);
    lent.rig.poke(20 * PAGE, 5);
    let clone = lent.rig.ok(Operation::Clone, original, &[boot::QUOTA.0 as u64]);
    lent.rig.ok(Operation::Map, space, &[clone, 0, DATA + 20 * PAGE, 1, write]);
    lent.rig.ok(Operation::CompareExchange, open, &[DATA + 20 * PAGE, 5, 6]);
    assert_eq!(lent.client_word(20 * PAGE), 6);
    assert_eq!(lent.rig.peek(20 * PAGE), 5);
}

#[test]
fn compare_exchange_is_for_foreign_callers_whose_call_is_open() {
    let mut native = lent(&[(DATA, 64, Way::Write)]);
    let open = native.open;
    let denied = Error::NoRights as u64;
    assert_eq!(native.rig.invoke(Operation::CompareExchange, open, &[DATA, 0, 1]), denied);
    let mut lent = foreign();
    let open = lent.open;
    lent.rig.send(Operation::Reply, open, Tag::short(0), NOW);
    let stale = Error::StaleCall as u64;
    assert_eq!(lent.rig.invoke(Operation::CompareExchange, open, &[DATA + 64, 64, 7]), stale);
    assert_eq!(lent.client_word(64), 0x1_0000_0040);
}
