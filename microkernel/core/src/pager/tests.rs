//! Facts about pagers: who asks, who supplies, and what happens when either goes midway.

use kamen_abi::{
    Error, FOREVER, Kind, MemoryKind, NOW, ObjectKind, Operation, Place, Rights, Tag, boot,
};

use crate::fake::{DATA, Process, Rig};
use crate::machine::Machine;
use crate::thread::State;

const QUOTA: u64 = boot::QUOTA.0 as u64;
const ACCESS: u64 = (Rights::READ.0 | Rights::WRITE.0) as u64;
const PAGE: u64 = 4096;
const OFFSET: u64 = 0x10_0000;
const AT: u64 = DATA + OFFSET;
/// The badge of the object at its pager.
const BADGE: u64 = 0x0b7ec7;
/// Error codes of page faults: a read, a write (Intel SDM 3A 4.7).
const READ: u64 = 4;
const WRITE: u64 = 6;

/// A client that maps a pager-backed object of 4 pages at [`AT`], and the first task as its pager,
/// which is above it and holds what the fields name.
struct Paged {
    rig: Rig,
    endpoint: u64,
    memory: u64,
    /// An anonymous object of 4 pages, mapped at [`AT`] as well: what the pager supplies.
    store: u64,
    client: Process,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Native,
    Foreign,
}

fn paged(client: Client) -> Paged {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let badged = rig.ok(Operation::Mint, endpoint, &[0, Rights::SEND.0 as u64, BADGE]);
    let memory = rig.create(ObjectKind::Memory, &[4, MemoryKind::Pager as u64, badged]);
    let store = rig.create(ObjectKind::Memory, &[4]);
    rig.ok(Operation::Map, boot::SPACE.0 as u64, &[store, 0, AT, 4, ACCESS]);
    let process = rig.process(8, &[]);
    rig.ok(Operation::Map, process.space, &[memory, 0, AT, 4, ACCESS]);
    let foreign = u64::from(client == Client::Foreign);
    rig.ok(Operation::SetHandler, process.thread, &[endpoint, 99, foreign]);
    rig.ok(Operation::Start, process.thread, &[]);
    Paged { rig, endpoint, memory, store, client: process }
}

impl Paged {
    /// The pager waits, and the client touches a page; returns what the pager received.
    fn touch(&mut self, page: u64, error: u64) -> (Tag, u64, [u64; 6]) {
        self.receive();
        assert_eq!(self.rig.run(), self.client.slot);
        self.rig.kernel.exception(14, error, AT + page * PAGE + 17);
        self.received()
    }

    fn receive(&mut self) {
        self.rig.send(Operation::Receive, self.endpoint, Tag::short(0), FOREVER);
    }

    fn received(&mut self) -> (Tag, u64, [u64; 6]) {
        assert_eq!(self.rig.run(), 0);
        let registers = self.rig.registers();
        (Tag(registers.r13), registers.r14, registers.words())
    }

    /// The pager hears that nobody waits for an answer any more.
    fn cancelled(&mut self, call: u64) {
        self.rig.send(Operation::Receive, self.endpoint, Tag::short(0), NOW);
        let (tag, badge, words) = self.received();
        assert_eq!((tag.kind(), badge, words[0]), (Kind::Cancelled, BADGE, call));
    }

    fn open(&mut self) -> u64 {
        self.rig.registers().r12
    }

    fn supply(&mut self, page: u64, pages: u64) {
        let words = [page, pages, self.store, page];
        self.rig.ok(Operation::Supply, self.memory, &words);
        assert_eq!(self.rig.registers().words()[0], pages);
    }

    fn reply(&mut self, call: u64) -> u64 {
        self.rig.send(Operation::Reply, call, Tag::short(0), NOW)
    }

    /// Returns whether the client's page tables show a page.
    fn is_mapped(&self, page: u64) -> bool {
        let root = self.rig.kernel.threads[self.client.slot].root.unwrap();
        self.rig.kernel.vm.machine.lookup(root, (AT + page * PAGE) as usize).is_some()
    }
}

#[test]
fn a_missing_page_is_a_call_and_its_reply_a_second_try() {
    for client in [Client::Native, Client::Foreign] {
        let mut paged = paged(client);
        let registers = {
            paged.rig.kernel.threads[paged.client.slot].registers.rax = 77;
            paged.rig.kernel.threads[paged.client.slot].registers
        };
        let (tag, badge, words) = paged.touch(2, WRITE);
        assert_eq!((tag.kind(), tag.label(), tag.is_replayed()), (Kind::Page, 1, false));
        assert_eq!((badge, words), (BADGE, [2, 1, 0, 0, 0, 0]));
        paged.rig.poke(OFFSET + 2 * PAGE, 0x5eed);
        let open = paged.open();
        paged.supply(2, 1);
        assert_eq!(paged.reply(open), 0);
        let now = paged.rig.kernel.threads[paged.client.slot].registers;
        assert_eq!(now, registers, "the instruction is tried again");
        paged.receive();
        assert_eq!(paged.rig.run(), paged.client.slot);
        paged.rig.kernel.exception(14, WRITE, AT + 2 * PAGE + 17);
        assert_eq!(paged.rig.run(), paged.client.slot, "nobody is asked");
        assert!(paged.is_mapped(2));
        assert_eq!(paged.rig.peek(OFFSET + 2 * PAGE), 0x5eed);
    }
}

#[test]
fn a_reply_without_the_page_has_it_asked_for_again() {
    let mut paged = paged(Client::Native);
    for _ in 0..3 {
        let (tag, _, words) = paged.touch(0, READ);
        assert_eq!((tag.kind(), words[..2].to_vec()), (Kind::Page, [0, 0].to_vec()));
        let open = paged.open();
        assert_eq!(paged.reply(open), 0);
    }
    assert!(!paged.is_mapped(0));
}

#[test]
fn a_supplied_page_is_copied_by_whoever_writes_it_first() {
    let mut paged = paged(Client::Native);
    for page in 0..4 {
        paged.rig.poke(OFFSET + page * PAGE, 1 + page);
    }
    let free = paged.rig.kernel.vm.frames.free();
    paged.supply(0, 4);
    assert_eq!(free - paged.rig.kernel.vm.frames.free(), 1, "only the tree's node");
    paged.rig.poke(OFFSET, 100);
    paged.receive();
    assert_eq!(paged.rig.run(), paged.client.slot);
    assert_eq!(paged.rig.peek(OFFSET), 1, "the pager wrote to its own copy");
    paged.rig.poke(OFFSET + PAGE, 200);
    assert_eq!(paged.rig.peek(OFFSET + PAGE), 200);
    paged.rig.kernel.exception(14, READ, 0x10);
    assert_eq!(paged.rig.run(), 0);
    assert_eq!(paged.rig.peek(OFFSET + PAGE), 2, "the client wrote to its own copy");
}

#[test]
fn what_the_pager_s_page_tables_let_it_write_is_protected_by_supply() {
    let mut paged = paged(Client::Native);
    let space = paged.rig.kernel.threads[0].space.unwrap();
    let root = paged.rig.kernel.threads[0].root.unwrap();
    for page in 0..2 {
        let address = (AT + page * PAGE) as usize;
        paged.rig.kernel.vm.fault(space, address, crate::FaultAccess::Write).unwrap();
    }
    paged.supply(0, 1);
    let access = |page: u64| {
        paged.rig.kernel.vm.machine.lookup(root, (AT + page * PAGE) as usize).unwrap().1
    };
    assert_eq!(access(0), crate::Access::Read);
    assert_eq!(access(1), crate::Access::Write, "others are left alone");
}

#[test]
fn supply_keeps_pages_and_charges_the_target() {
    let mut paged = paged(Client::Native);
    let rig = &mut paged.rig;
    let quota = rig.create(ObjectKind::Quota, &[3, 5]);
    let kind = MemoryKind::Pager as u64;
    let words = [ObjectKind::Memory as u64, 4, kind, paged.endpoint];
    let small = rig.ok(Operation::Create, quota, &words);
    rig.poke(OFFSET, 1);
    rig.ok(Operation::Supply, small, &[1, 1, paged.store, 0]);
    rig.poke(OFFSET, 2);
    rig.ok(Operation::Supply, small, &[1, 1, paged.store, 0]);
    let from = Place::Memory as u64 | (Place::Own as u64) << 8;
    rig.ok(Operation::Copy, 0, &[from, small, PAGE, 0, DATA, 8]);
    assert_eq!(rig.peek(0), 1, "what was there first");
    let full = Error::QuotaExhausted as u64;
    assert_eq!(rig.invoke(Operation::Supply, small, &[0, 4, paged.store, 0]), full);
    assert_eq!(rig.registers().words()[0], 2, "one, and the one that was there");
    rig.ok(Operation::Destroy, quota, &[]);
}

#[test]
fn supply_wants_a_pager_backed_target_and_an_anonymous_source() {
    let Paged { mut rig, memory, store, .. } = paged(Client::Native);
    let bad = Error::InvalidArgument as u64;
    assert_eq!(rig.invoke(Operation::Supply, store, &[0, 1, store, 1]), bad);
    assert_eq!(rig.invoke(Operation::Supply, memory, &[0, 1, memory, 1]), bad);
    let archive = boot::ARCHIVE.0 as u64;
    assert_eq!(rig.invoke(Operation::Supply, memory, &[0, 1, archive, 0]), bad);
    let range = Error::BadRange as u64;
    assert_eq!(rig.invoke(Operation::Supply, memory, &[3, 2, store, 0]), range);
    assert_eq!(rig.invoke(Operation::Supply, memory, &[0, 2, store, 3]), range);
    assert_eq!(rig.invoke(Operation::Supply, memory, &[0, u64::MAX, store, 3]), range);
    let denied = Error::NoRights as u64;
    let poor = rig.ok(Operation::Mint, memory, &[0, ACCESS]);
    assert_eq!(rig.invoke(Operation::Supply, poor, &[0, 1, store, 0]), denied);
    let kept = rig.ok(Operation::Mint, store, &[0, Rights::READ.0 as u64]);
    assert_eq!(rig.invoke(Operation::Supply, memory, &[0, 1, kept, 0]), denied);
}

#[test]
fn a_pager_has_no_hold_on_the_thread_that_asks() {
    let mut paged = paged(Client::Foreign);
    paged.touch(0, READ);
    let open = paged.open();
    let wrong = Error::WrongKind as u64;
    let rig = &mut paged.rig;
    assert_eq!(rig.invoke(Operation::ReadRegisters, open, &[]), wrong);
    assert_eq!(rig.invoke(Operation::WriteRegisters, open, &[]), wrong);
    assert_eq!(rig.invoke(Operation::SetSpace, open, &[boot::SPACE.0 as u64]), wrong);
    let from = Place::Caller as u64 | (Place::Own as u64) << 8;
    let denied = Error::NoRights as u64;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[from, open, DATA, 0, DATA, 8]), denied);
    assert_eq!(rig.invoke(Operation::CompareExchange, open, &[DATA, 0, 1]), denied);
    let extended = Place::Extended as u64 | (Place::Own as u64) << 8;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[extended, open, 0, 0, DATA, 8]), wrong);
    let lease = Place::Lease0 as u64 | (Place::Own as u64) << 8;
    let bad = Error::InvalidArgument as u64;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[lease, open, 0, 0, DATA, 8]), bad);
}

#[test]
fn a_thread_that_waits_for_a_page_can_be_recalled_stopped_and_destroyed() {
    let mut paged = paged(Client::Foreign);
    paged.touch(0, READ);
    let stale = Error::StaleCall as u64;
    let asked = paged.open();
    paged.rig.ok(Operation::Recall, paged.client.thread, &[]);
    assert_eq!(paged.reply(asked), stale);
    paged.cancelled(asked);
    paged.rig.send(Operation::Receive, paged.endpoint, Tag::short(0), NOW);
    let (tag, badge, _) = paged.received();
    assert_eq!((tag.kind(), badge), (Kind::Recall, 99));
    let recalled = paged.open();
    assert_eq!(paged.rig.invoke(Operation::ReadRegisters, recalled, &[]), 0);
    assert_eq!(paged.reply(recalled), 0);

    let (tag, ..) = paged.touch(0, READ);
    assert_eq!(tag.kind(), Kind::Page, "it tries again");
    let asked = paged.open();
    paged.rig.ok(Operation::Stop, paged.client.thread, &[]);
    assert_eq!(paged.reply(asked), stale);
    paged.cancelled(asked);
    paged.rig.ok(Operation::Start, paged.client.thread, &[]);

    paged.touch(0, READ);
    let asked = paged.open();
    paged.rig.ok(Operation::Destroy, paged.client.thread, &[]);
    assert_eq!(paged.reply(asked), stale);
}

#[test]
fn a_request_waits_for_its_pager_and_for_the_next_life_of_a_dead_one() {
    let mut paged = paged(Client::Native);
    let endpoint = paged.endpoint;
    let pager = paged.rig.process(12, &[(endpoint, Rights::ALL, 0)]);
    paged.rig.ok(Operation::Start, pager.thread, &[]);
    let tick = paged.rig.create(ObjectKind::Notification, &[]);
    let timer = paged.rig.create(ObjectKind::Timer, &[tick, 1]);
    paged.rig.ok(Operation::SetTimer, timer, &[50]);
    paged.rig.send(Operation::Wait, tick, Tag::short(0), FOREVER);
    // The pager receives the request and dies.
    assert_eq!(paged.rig.run(), pager.slot);
    paged.rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(paged.rig.run(), paged.client.slot);
    paged.rig.kernel.exception(14, WRITE, AT + 3 * PAGE);
    assert_eq!(paged.rig.run(), pager.slot);
    assert!(!Tag(paged.rig.registers().r13).is_replayed());
    paged.rig.kernel.vm.machine.now = 50;
    paged.rig.kernel.timer();
    paged.rig.ok(Operation::Destroy, pager.space, &[]);
    let queued = matches!(paged.rig.kernel.threads[paged.client.slot].state, State::Calling(_));
    assert!(queued);
    paged.rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    let (tag, badge, words) = paged.received();
    assert_eq!((tag.kind(), tag.is_replayed(), badge), (Kind::Page, true, BADGE));
    assert_eq!(words, [3, 1, 0, 0, 0, 0]);
    let open = paged.open();
    paged.supply(3, 1);
    assert_eq!(paged.reply(open), 0);
}

#[test]
fn without_its_pager_s_endpoint_a_missing_page_is_a_fault() {
    let mut paged = paged(Client::Native);
    // The handler lives on an endpoint of its own.
    let handler = paged.rig.create(ObjectKind::Endpoint, &[]);
    paged.rig.ok(Operation::SetHandler, paged.client.thread, &[handler, 5, 0]);
    let tick = paged.rig.create(ObjectKind::Notification, &[]);
    paged.rig.send(Operation::Wait, tick, Tag::short(0), 50);
    assert_eq!(paged.rig.run(), paged.client.slot);
    paged.rig.kernel.exception(14, READ, AT);
    assert!(matches!(paged.rig.kernel.threads[paged.client.slot].state, State::Calling(_)));
    paged.rig.kernel.vm.machine.now = 50;
    paged.rig.kernel.timer();
    assert_eq!(paged.rig.run(), 0);
    paged.rig.ok(Operation::Destroy, paged.endpoint, &[]);
    assert_eq!(paged.rig.kernel.threads[paged.client.slot].state, State::Ready, "it tries again");
    paged.rig.send(Operation::Receive, handler, Tag::short(0), FOREVER);
    assert_eq!(paged.rig.run(), paged.client.slot);
    paged.rig.kernel.exception(14, READ, AT);
    let (tag, badge, words) = paged.received();
    assert_eq!((tag.kind(), tag.label(), badge), (Kind::Exception, 14, 5));
    assert_eq!(words[..2], [READ, AT]);
}

#[test]
fn a_copy_stops_at_a_missing_page_and_goes_on_when_it_is_there() {
    let mut paged = paged(Client::Native);
    for page in 0..4 {
        paged.rig.poke(OFFSET + page * PAGE, 1 + page);
    }
    paged.supply(0, 1);
    let Paged { mut rig, memory, .. } = paged;
    let missing = Error::PageMissing as u64;
    let from = Place::Memory as u64 | (Place::Own as u64) << 8;
    let words = [from, memory, 8, 0, DATA, 2 * PAGE];
    assert_eq!(rig.invoke(Operation::Copy, 0, &words), missing);
    assert_eq!(rig.registers().words()[..3], [PAGE - 8, BADGE, 1]);
    rig.ok(Operation::Supply, memory, &[1, 1, paged.store, 1]);
    let on = [from, memory, PAGE, 0, DATA + PAGE - 8, PAGE + 8];
    assert_eq!(rig.invoke(Operation::Copy, 0, &on), missing);
    assert_eq!(rig.registers().words()[..3], [PAGE, BADGE, 2]);
    assert_eq!(rig.peek(PAGE - 8), 2);
    // The other way round, and from a place of the same kind.
    let to = Place::Own as u64 | (Place::Memory as u64) << 8;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[to, 0, DATA, memory, 3 * PAGE, 8]), missing);
    assert_eq!(rig.registers().words()[..3], [0, BADGE, 3]);
    let both = Place::Memory as u64 | (Place::Memory as u64) << 8;
    let words = [both, memory, 2 * PAGE, memory, 0, 8];
    assert_eq!(rig.invoke(Operation::Copy, 0, &words), missing);
    assert_eq!(rig.registers().words()[..3], [0, BADGE, 2]);
    // Nor does a commit make up what only the pager knows.
    assert_eq!(rig.invoke(Operation::Commit, memory, &[0, 4]), missing);
    assert_eq!(rig.registers().words()[..3], [2, BADGE, 2]);
}

#[test]
fn a_copy_to_or_from_a_caller_stops_at_its_missing_page() {
    let mut paged = paged(Client::Foreign);
    paged.receive();
    assert_eq!(paged.rig.run(), paged.client.slot);
    paged.rig.registers().rax = 39;
    paged.rig.kernel.system_call();
    let (tag, ..) = paged.received();
    assert_eq!(tag.kind(), Kind::SystemCall);
    let open = paged.open();
    paged.supply(0, 1);
    let missing = Error::PageMissing as u64;
    let from = Place::Caller as u64 | (Place::Own as u64) << 8;
    let words = [from, open, AT + PAGE - 24, 0, DATA, 64];
    assert_eq!(paged.rig.invoke(Operation::Copy, 0, &words), missing);
    assert_eq!(paged.rig.registers().words()[..3], [24, BADGE, 1]);
    let words = [AT + PAGE, 0, 1];
    assert_eq!(paged.rig.invoke(Operation::CompareExchange, open, &words), missing);
    assert_eq!(paged.rig.registers().words()[1..3], [BADGE, 1]);
    paged.supply(1, 1);
    assert_eq!(paged.rig.invoke(Operation::CompareExchange, open, &words), 0);
    assert_eq!(paged.reply(open), 0);
}

#[test]
fn a_decommitted_page_is_asked_for_again() {
    let mut paged = paged(Client::Native);
    paged.supply(0, 4);
    paged.receive();
    assert_eq!(paged.rig.run(), paged.client.slot);
    paged.rig.kernel.exception(14, WRITE, AT);
    assert!(paged.is_mapped(0));
    paged.rig.poke(OFFSET, 0xd1);
    paged.rig.kernel.exception(6, 0, 0);
    // The pager reads what is dirty, and takes the page back.
    paged.received();
    let (memory, open) = (paged.memory, paged.open());
    let from = Place::Memory as u64 | (Place::Own as u64) << 8;
    paged.rig.ok(Operation::Copy, 0, &[from, memory, 0, 0, DATA, 8]);
    assert_eq!(paged.rig.peek(0), 0xd1);
    paged.rig.ok(Operation::Decommit, memory, &[0, 1]);
    assert!(!paged.is_mapped(0));
    assert_eq!(paged.reply(open), 0);
    let (tag, _, words) = paged.touch(0, READ);
    assert_eq!((tag.kind(), words[0]), (Kind::Page, 0));
}

#[test]
fn a_clone_asks_its_own_pager_for_what_misses_in_both() {
    let mut paged = paged(Client::Native);
    paged.rig.poke(OFFSET, 1);
    paged.supply(0, 1);
    let (memory, endpoint) = (paged.memory, paged.endpoint);
    let handle = Error::InvalidHandle as u64;
    assert_eq!(paged.rig.invoke(Operation::Clone, memory, &[QUOTA, 0]), handle);
    let badged = paged.rig.ok(Operation::Mint, endpoint, &[0, Rights::SEND.0 as u64, 0xc10e]);
    let clone = paged.rig.ok(Operation::Clone, memory, &[QUOTA, badged]);
    let space = paged.client.space;
    paged.rig.ok(Operation::Map, space, &[clone, 0, AT + 4 * PAGE, 4, ACCESS]);
    let (tag, badge, words) = paged.touch(4 + 1, READ);
    assert_eq!((tag.kind(), badge, words[0]), (Kind::Page, 0xc10e, 1));
    let open = paged.open();
    paged.rig.ok(Operation::Supply, clone, &[1, 1, paged.store, 1]);
    assert_eq!(paged.reply(open), 0);
    paged.receive();
    assert_eq!(paged.rig.run(), paged.client.slot);
    assert_eq!(paged.rig.peek(OFFSET + 4 * PAGE), 1, "shared with the original");
    paged.rig.poke(OFFSET + 4 * PAGE, 2);
    assert_eq!(paged.rig.peek(OFFSET), 1);
    let (tag, badge, words) = {
        paged.rig.kernel.exception(14, READ, AT + PAGE);
        paged.received()
    };
    assert_eq!((tag.kind(), badge, words[0]), (Kind::Page, BADGE, 1), "not in the original");
}

#[test]
fn whoever_creates_a_pager_backed_object_may_send_to_its_pager() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let receiver = rig.ok(Operation::Mint, endpoint, &[0, Rights::RECEIVE.0 as u64]);
    let kind = MemoryKind::Pager as u64;
    let create = |rig: &mut Rig, words: [u64; 3]| {
        let [pages, kind, pager] = words;
        let words = [ObjectKind::Memory as u64, pages, kind, pager];
        rig.invoke(Operation::Create, QUOTA, &words)
    };
    assert_eq!(create(&mut rig, [1, kind, receiver]), Error::NoRights as u64);
    assert_eq!(create(&mut rig, [1, kind, 0]), Error::InvalidHandle as u64);
    assert_eq!(create(&mut rig, [1, kind, QUOTA]), Error::WrongKind as u64);
    let bad = Error::InvalidArgument as u64;
    assert_eq!(create(&mut rig, [0, kind, endpoint]), bad);
    assert_eq!(create(&mut rig, [1, MemoryKind::Archive as u64, 0]), bad);
    assert_eq!(create(&mut rig, [1, 5, 0]), bad);
    assert_eq!(create(&mut rig, [1, kind, endpoint]), 0);
}
