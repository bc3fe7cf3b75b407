//! What happens next: random operations that know what the current thread has.

use super::Model;
use super::objects::{Capability, Name, State, Target, What};
use super::world::{Call, World};
use crate::fake::DATA;
use crate::tests::dice::Dice;
use kamen_abi::{FOREVER, Lease, NOW, ObjectKind, Operation, PAGE_SIZE, Place, Tag};
use std::vec::Vec;

/// A step of the current thread, or of the machine.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Call(Call),
    Exception(u8, u64, u64),
    Interrupt(u8),
    Line(u32),
    Pass(u64),
    /// The thread goes on elsewhere.
    Jump(u64),
    /// Something is put into the message page first: word and value.
    Poke(usize, u64),
}

/// Draws steps.
pub struct Steps<'w> {
    pub dice: &'w mut Dice,
    pub model: &'w Model,
    /// Open calls that somebody has received, the last ones.
    pub calls: &'w [u64],
}

impl Steps<'_> {
    pub fn draw(&mut self) -> Step {
        match self.dice.roll(64) {
            0..50 => Step::Call(self.call()),
            50..54 => Step::Exception(14, self.dice.roll(32), self.address()),
            54 => Step::Exception(self.dice.roll(32) as u8, self.dice.roll(4), self.address()),
            61 => Step::Jump(self.dice.pick(&[0, 0x1000, 0x1001, 0x2000, 0x2001, 0x7fff_0000])),
            55 => Step::Interrupt(self.dice.roll(256) as u8),
            56 => Step::Line(self.dice.roll(30) as u32),
            57..61 => {
                let value = self.page_word();
                let word = self.dice.pick(&[0, 0, 8, 9, 10, 11, 16, 17, 32]);
                Step::Poke(word, if word == 0 { self.handles() } else { value })
            }
            _ => Step::Pass(self.later(3_000_000)),
        }
    }

    /// Returns a time that no other deadline has, so that their order is clear.
    fn later(&mut self, within: u64) -> u64 {
        let deadlines: Vec<u64> = self
            .model
            .threads()
            .filter_map(|(_, thread)| thread.deadline)
            .chain(self.model.timers().filter_map(|(_, timer)| timer.deadline))
            .collect();
        loop {
            let at = self.model.now + 1 + self.dice.roll(within);
            if !deadlines.contains(&at) {
                return at;
            }
        }
    }

    fn deadline(&mut self) -> u64 {
        match self.dice.roll(8) {
            0 => NOW,
            1 | 2 => self.later(20_000_000),
            _ => FOREVER,
        }
    }

    fn held(&self) -> Vec<(u16, Capability)> {
        let thread = self.model.thread(self.model.current());
        let table = thread.table.and_then(|table| self.model.table(table));
        table.map_or_else(Vec::new, |table| table.used.iter().map(|(s, c)| (*s, *c)).collect())
    }

    /// Returns a handle of what fits, mostly.
    fn handle(&mut self, fits: impl Fn(&What) -> bool) -> u64 {
        let held = self.held();
        if self.dice.one_in(16) {
            return match self.dice.roll(4) {
                0 => 0,
                1 => self.dice.roll(64),
                2 => self.dice.roll(1 << 18),
                _ => held
                    .get(self.dice.roll(held.len().max(1) as u64) as usize)
                    .map_or(5, |(slot, _)| *slot as u64),
            };
        }
        let fitting: Vec<u64> = held
            .iter()
            .filter(|(_, capability)| match capability.to {
                Target::Object(name) => {
                    self.model.objects.get(&name).is_some_and(|object| fits(&object.what))
                }
                _ => false,
            })
            .map(|(slot, _)| *slot as u64)
            .collect();
        if fitting.is_empty() { self.dice.roll(20) } else { self.dice.pick(&fitting) }
    }

    /// Returns a handle of something that was made or received, not given at the start.
    fn own_object(&mut self) -> u64 {
        let held = self.held();
        let own: Vec<u64> =
            held.iter().map(|(slot, _)| *slot as u64).filter(|slot| *slot > 13).collect();
        let early = [5, 6, 7].into_iter().filter(|slot| held.iter().any(|(at, _)| at == slot));
        let own: Vec<u64> = own.into_iter().chain(early.map(u64::from)).collect();
        if own.is_empty() { self.dice.roll(64) } else { self.dice.pick(&own) }
    }

    fn endpoint(&mut self) -> u64 {
        self.handle(|what| matches!(what, What::Endpoint(_)))
    }
    fn notification(&mut self) -> u64 {
        self.handle(|what| matches!(what, What::Notification(_)))
    }
    fn thread(&mut self) -> u64 {
        self.handle(|what| matches!(what, What::Thread(_)))
    }
    fn space(&mut self) -> u64 {
        self.handle(|what| matches!(what, What::Space(_)))
    }
    fn memory(&mut self) -> u64 {
        self.handle(|what| matches!(what, What::Memory(_)))
    }
    fn table(&mut self) -> u64 {
        if self.dice.one_in(3) { 0 } else { self.handle(|what| matches!(what, What::Table(_))) }
    }
    fn quota(&mut self) -> u64 {
        self.handle(|what| matches!(what, What::Quota(_)))
    }
    fn any_handle(&mut self) -> u64 {
        self.handle(|_| true)
    }

    /// Returns an open call: one that the current space may answer, or another.
    fn open(&mut self) -> u64 {
        let space = self.model.thread(self.model.current()).space;
        let own: Vec<u64> = self
            .model
            .threads()
            .filter_map(|(_, thread)| match thread.state {
                State::Open { space: Some(at), call, .. } if at == space => Some(call),
                _ => None,
            })
            .collect();
        match self.dice.roll(10) {
            0 => 0,
            1 if !self.calls.is_empty() => self.dice.pick(self.calls),
            2 => self.dice.roll(1 << 24),
            3 => self.any_handle(),
            _ if !own.is_empty() => self.dice.pick(&own),
            _ => 1 << 40,
        }
    }

    fn number(&mut self) -> u64 {
        match self.dice.roll(10) {
            0..8 => self.dice.roll(10),
            8 => self.dice.roll(600),
            _ => self.dice.boundary(),
        }
    }

    fn address(&mut self) -> u64 {
        let page = self.page_address();
        match self.dice.roll(8) {
            0 => self.dice.boundary(),
            1..4 => page + self.dice.pick(&[4, 8, 100, 4000, 4092]),
            _ => page,
        }
    }

    fn page_address(&mut self) -> u64 {
        DATA + self.dice.roll(40) * PAGE_SIZE as u64
    }

    fn rights(&mut self) -> u64 {
        let any = self.dice.any();
        self.dice.pick(&[12, 12, 4, 20, 8, 0, 255, 255, 227, any & 255, any])
    }

    fn tag(&mut self) -> u64 {
        let (bytes, caps) = (self.dice.roll(200) as usize, self.dice.roll(4) as usize);
        match self.dice.roll(8) {
            0..4 => self.dice.roll(3),
            4..7 => Tag::long(5, bytes, caps, self.dice.roll(4) as usize).0,
            _ => self.dice.any(),
        }
    }

    fn handles(&mut self) -> u64 {
        (0..4).fold(0, |word, place| word | (self.any_handle() & 0xffff) << (16 * place))
    }

    fn page_word(&mut self) -> u64 {
        match self.dice.roll(4) {
            0 => self.address(),
            1 => Lease::read(0, self.dice.roll(9000)).len_and_access,
            2 => Lease::write(0, self.dice.roll(9000)).len_and_access,
            _ => self.dice.any(),
        }
    }

    fn operation(&mut self) -> Operation {
        use Operation as O;
        const MESSAGES: [Operation; 12] = [
            O::Call,
            O::Call,
            O::Call,
            O::Send,
            O::Receive,
            O::Receive,
            O::ReplyReceive,
            O::ReplyReceive,
            O::Reply,
            O::Signal,
            O::Wait,
            O::Yield,
        ];
        const OTHERS: [Operation; 36] = [
            O::InspectThread,
            O::SetEntry,
            O::Commit,
            O::Decommit,
            O::Supply,
            O::Supply,
            O::HandOver,
            O::Null,
            O::Now,
            O::Copy,
            O::Copy,
            O::Copy,
            O::Create,
            O::Create,
            O::Mint,
            O::Mint,
            O::Delete,
            O::Map,
            O::Unmap,
            O::Protect,
            O::Clone,
            O::SetPriority,
            O::SetHandler,
            O::SetMessagePage,
            O::Bind,
            O::Start,
            O::Stop,
            O::Recall,
            O::ReadRegisters,
            O::WriteRegisters,
            O::SetSpace,
            O::SetTimer,
            O::BindInterrupt,
            O::Inspect,
            O::Resize,
            O::CompareExchange,
        ];
        const RARE: [Operation; 4] = [O::Destroy, O::Destroy, O::AcknowledgeInterrupt, O::PortIn];
        match self.dice.roll(32) {
            0..16 => self.dice.pick(&MESSAGES),
            16..30 => self.dice.pick(&OTHERS),
            _ => self.dice.pick(&RARE),
        }
    }

    pub fn call(&mut self) -> Call {
        let operation = self.operation();
        let (target, words) = self.arguments(operation);
        let rest = [self.tag(), self.deadline(), self.endpoint()];
        let number = if self.dice.one_in(200) { self.odd_number() } else { operation as u64 };
        Call { operation: number, target, rest, words }
    }

    /// Returns a number that is no operation.
    fn odd_number(&mut self) -> u64 {
        Operation::COUNT + self.dice.boundary() % (u64::MAX - Operation::COUNT)
    }

    fn arguments(&mut self, operation: Operation) -> (u64, [u64; 6]) {
        use Operation as O;
        let any = [(); 6].map(|()| self.number());
        match operation {
            O::Call | O::Send | O::Receive => (self.endpoint(), any),
            O::Reply | O::ReplyReceive => (self.open(), any),
            O::Signal | O::Wait => (self.notification(), any),
            O::Copy => (0, self.copy()),
            O::Create => (self.quota(), self.create()),
            O::Mint => {
                let (table, rights, badge) = (self.table(), self.rights(), self.number());
                let slot = if self.dice.one_in(4) { self.number() } else { 0 };
                let last = if self.dice.one_in(2) { u64::MAX } else { self.number() };
                (self.any_handle(), [table, rights, badge, slot, last, 0])
            }
            O::Delete => (self.table(), [self.own_object(), 0, 0, 0, 0, 0]),
            O::Destroy => (self.own_object(), [0; 6]),
            O::Map => {
                let (first, pages) = (self.dice.roll(4), 1 + self.dice.roll(4));
                let pages = if self.dice.one_in(20) { self.number() % 700 } else { pages };
                let words = [self.memory(), first, self.page_address(), pages, self.rights(), 0];
                (self.space(), words)
            }
            O::Unmap | O::Protect => {
                let pages = if self.dice.one_in(8) { self.number() } else { self.dice.roll(6) };
                (self.space(), [self.page_address(), pages, self.rights(), 0, 0, 0])
            }
            O::Clone => (self.memory(), [self.quota(), self.endpoint(), 0, 0, 0, 0]),
            O::SetPriority => (self.thread(), [self.dice.roll(16), 0, 0, 0, 0, 0]),
            O::SetHandler => {
                let (thread, how) = (self.thread(), self.dice.roll(3));
                let how = if thread == 3 && how == 1 { 0 } else { how };
                (thread, [self.endpoint(), self.number(), how, 0, 0, 0])
            }
            O::SetMessagePage => (self.thread(), [self.memory(), self.dice.roll(4), 0, 0, 0, 0]),
            O::Bind => (self.thread(), [self.notification(), 0, 0, 0, 0, 0]),
            O::Start | O::Stop | O::Recall => (self.thread(), any),
            O::ReadRegisters | O::WriteRegisters => {
                (if self.dice.one_in(2) { self.open() } else { self.thread() }, any)
            }
            O::SetSpace => {
                let target = if self.dice.one_in(2) { self.open() } else { self.thread() };
                (target, [self.space(), 0, 0, 0, 0, 0])
            }
            O::SetTimer => {
                let at = if self.dice.one_in(4) { FOREVER } else { self.later(20_000_000) };
                (self.handle(|what| matches!(what, What::Timer(_))), [at, 0, 0, 0, 0, 0])
            }
            O::BindInterrupt => {
                (12, [self.dice.roll(30), self.notification(), self.number(), 0, 0, 0])
            }
            O::AcknowledgeInterrupt => (12, [self.dice.roll(30), 0, 0, 0, 0, 0]),
            O::PortIn => {
                (self.dice.pick(&[11, 11, 8]), [self.number().wrapping_add(0xe6), 1, 0, 0, 0, 0])
            }
            O::Resize => (self.memory(), [self.number(), 0, 0, 0, 0, 0]),
            O::Commit | O::Decommit => {
                let (first, pages) = (self.dice.roll(5), self.number());
                (self.memory(), [first, pages, 0, 0, 0, 0])
            }
            O::Supply => {
                let (first, pages) = (self.dice.roll(5), 1 + self.dice.roll(4));
                let source = self.memory();
                (self.memory(), [first, pages, source, self.dice.roll(3), 0, 0])
            }
            O::SetEntry => {
                let target = if self.dice.one_in(2) { self.open() } else { self.thread() };
                let start = self.dice.pick(&[0x1000, 0x1000, 0x1000, 0]);
                let end = self.dice.pick(&[0x2000, 0x2000, 0x1000, u64::MAX]);
                (target, [start, end, self.number(), 0, 0, 0])
            }
            O::HandOver => (self.open(), [self.endpoint(), self.number(), 0, 0, 0, 0]),
            O::CompareExchange => (self.open(), [self.address(), self.number(), 7, 0, 0, 0]),
            _ => (self.any_handle(), any),
        }
    }

    fn create(&mut self) -> [u64; 6] {
        let kind = match self.dice.roll(14) {
            0..3 => ObjectKind::Thread as u64,
            3..6 => ObjectKind::Memory as u64,
            rest => rest - 4 + self.dice.roll(3),
        };
        let [w1, w2] = match ObjectKind::from_number(kind) {
            Some(ObjectKind::Thread) => [self.space(), self.table()],
            Some(ObjectKind::Table) => [2 + self.dice.roll(60), 0],
            Some(ObjectKind::Memory) => {
                [1 + self.number() % 2000, self.dice.pick(&[0, 0, 2, 2, 4, 5])]
            }
            Some(ObjectKind::Timer) => [self.notification(), self.number()],
            Some(ObjectKind::Quota) => [self.number(), self.number()],
            _ => [self.number(), self.number()],
        };
        [kind, w1, w2, self.endpoint(), 0, 0]
    }

    fn copy(&mut self) -> [u64; 6] {
        let end = |steps: &mut Self| {
            let kind = steps.dice.pick(&[0, 0, 0, 1, 1, 2, 3, 4, 5, 6]);
            let place = Place::from_number(kind);
            let (id, at) = match place {
                Some(Place::Own) => (0, steps.address()),
                Some(Place::Memory) => (steps.memory(), steps.dice.roll(9000)),
                Some(Place::Caller) => (steps.open(), steps.address()),
                _ => (steps.open(), steps.dice.roll(3000)),
            };
            (kind, id, at)
        };
        let (from, from_id, from_at) = end(self);
        let (to, to_id, to_at) = end(self);
        let odd = if self.dice.one_in(60) { (8 + self.dice.roll(1000)) << 8 } else { 0 };
        let any = self.number();
        let len = self.dice.pick(&[1, 8, 100, 4096, 9000, 20_000, any]);
        [from | to << 8 | odd, from_id, from_at, to_id, to_at, len]
    }
}

impl World {
    /// Performs a step in both.
    pub fn act(&mut self, step: Step, current: Option<Name>) {
        match (step, current) {
            (Step::Call(call), Some(_)) => self.system_call(call),
            (Step::Exception(vector, error, address), Some(_)) => {
                self.exception(vector, error, address);
            }
            (Step::Interrupt(number), Some(_)) => self.software_interrupt(number),
            (Step::Poke(word, value), Some(current)) => self.poke(current, word, value),
            (Step::Jump(to), Some(current)) => self.jump(current, to),
            (Step::Line(line), _) => self.interrupt(line),
            (Step::Pass(until), Some(_)) => self.pass(until),
            // Nobody runs: time passes until something happens.
            (_, None) => {
                let next = self.model.next_event();
                let until = if next == u64::MAX { self.model.now + 1 } else { next };
                self.pass(until.max(self.model.now));
            }
        }
    }
}
