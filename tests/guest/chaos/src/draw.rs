//! Random system calls: nearly valid, and anything.

use libipc::abi::{
    FOREVER, NOW, ObjectKind, Operation, PAGE_SIZE, Registers, Tag, USER_END, WHOLE,
};

use crate::life::{CODE, DATA, DATA_PAGES};

/// Numbers that come the same way from the same seed (SplitMix64: Steele, Lea, Flood, 2014).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// Returns any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// Returns a number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.any() % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    /// Returns a number near a boundary, or any.
    fn boundary(&mut self) -> u64 {
        let power = 1u64 << self.roll(64);
        match self.roll(5) {
            0 => power.wrapping_sub(self.roll(3)),
            1 => power.wrapping_add(self.roll(3)),
            2 => 0u64.wrapping_sub(self.roll(5)),
            3 => (USER_END as u64).wrapping_add(PAGE_SIZE as u64 * self.roll(3)),
            _ => self.any() >> self.roll(64),
        }
    }

    /// Returns a handle: what a process is given is in the slots to 15, new objects above.
    fn handle(&mut self) -> u64 {
        match self.roll(16) {
            0..9 => 1 + self.roll(14),
            9..14 => 14 + self.roll(16),
            14 => 0,
            _ => self.boundary(),
        }
    }

    fn address(&mut self) -> u64 {
        let page = DATA + self.roll(2 * DATA_PAGES) * PAGE_SIZE as u64;
        match self.roll(12) {
            0..7 => page,
            7..11 => page + self.pick(&[4, 8, 100, 4092]),
            _ => self.boundary(),
        }
    }

    fn number(&mut self) -> u64 {
        match self.roll(10) {
            0..7 => self.roll(12),
            7 | 8 => self.roll(700),
            _ => self.boundary(),
        }
    }

    fn rights(&mut self) -> u64 {
        let any = self.any();
        self.pick(&[12, 12, 4, 20, 8, 255, 255, 227, any & 255, any])
    }

    fn word(&mut self) -> u64 {
        match self.roll(4) {
            0 => self.handle(),
            1 => self.address(),
            2 => self.number(),
            _ => self.rights(),
        }
    }

    fn tag(&mut self) -> u64 {
        let (bytes, caps) = (self.roll(500) as usize, self.roll(5) as usize);
        match self.roll(8) {
            0..4 => self.roll(3),
            4..7 => Tag::long(7, bytes, caps, self.roll(5) as usize).0,
            _ => self.any(),
        }
    }

    fn operation(&mut self) -> Operation {
        let all = &Operation::ALL[..];
        let messages = &all[Operation::Call as usize..=Operation::Yield as usize];
        match self.roll(16) {
            0..6 => self.pick(messages),
            _ => self.pick(all),
        }
    }

    /// Returns words as an operation would have them, mostly.
    fn words(&mut self, operation: Operation, open: u64) -> [u64; 6] {
        let any = [(); 6].map(|()| self.word());
        if self.roll(8) == 0 {
            return any;
        }
        let (handle, number, rights) = (self.handle(), self.number(), self.rights());
        let (from, to) = (self.address(), self.address());
        match operation {
            Operation::Copy => {
                let places = [self.roll(8), self.roll(8)];
                let mut id = |place| if place == 1 { self.handle() } else { open };
                let ids = [id(places[0]), id(places[1])];
                let len = self.pick(&[8, 100, 4096, 20_000, number]);
                let at = |place, address: u64| {
                    if matches!(place, 0 | 2) { address } else { address % 9000 }
                };
                let kinds = places[0] | places[1] << 8;
                [kinds, ids[0], at(places[0], from), ids[1], at(places[1], to), len]
            }
            Operation::Create => {
                let kind = 1 + self.roll(ObjectKind::Trace as u64);
                let first = self.pick(&[2, 10, 1 + self.0 % 30, number]);
                [kind, first, self.pick(&[0, 1, 2, 30, number]), handle, number, 0]
            }
            Operation::Mint => {
                let last = self.pick(&[number, WHOLE]);
                [self.pick(&[0, 0, 1, handle]), rights, number, 0, last, 0]
            }
            Operation::Map => [handle, self.roll(4), from, self.roll(6), rights, 0],
            Operation::Unmap | Operation::Protect => [from, self.roll(8), rights, 0, 0, 0],
            Operation::SetHandler | Operation::HandOver => {
                [self.pick(&[8, 9, handle]), number, self.roll(3), 0, 0, 0]
            }
            Operation::SetTimer => [self.0 % 1_000_000_000, 0, 0, 0, 0, 0],
            Operation::SetEntry => [CODE, CODE + PAGE_SIZE as u64, number, 0, 0, 0],
            Operation::PortIn | Operation::PortOut => {
                [0x80, self.pick(&[1, 2, 4]), any[0], 0, 0, 0]
            }
            Operation::PortWrite => [0x80, from, number, 0, 0, 0],
            Operation::CompareExchange => [from & !3, number, 1, 0, 0, 0],
            _ => [handle, number, from, number, handle, to],
        }
    }

    fn target(&mut self, operation: Operation, open: u64) -> u64 {
        let any = self.handle();
        match operation {
            Operation::Call | Operation::Send | Operation::Receive => self.pick(&[8, 9, 9, any]),
            Operation::Reply
            | Operation::ReplyReceive
            | Operation::HandOver
            | Operation::CompareExchange => self.pick(&[open, open, open ^ 1, any]),
            Operation::Signal | Operation::Wait => self.pick(&[10, 10, any]),
            Operation::Create => self.pick(&[4, 4, 4, any]),
            Operation::Map | Operation::Unmap | Operation::Protect => self.pick(&[2, 2, any]),
            // Whoever destroyed what it lives by each time would not come far.
            Operation::Destroy => 14 + self.roll(20),
            _ => any,
        }
    }
}

/// Returns the registers of a thread that is about to execute `syscall`; `open` is an open call
/// that it may have received.
pub fn draw(dice: &mut Dice, now: u64, open: u64) -> Registers {
    let mut registers = Registers {
        rip: CODE,
        rsp: DATA + PAGE_SIZE as u64,
        rbx: dice.any(),
        rbp: dice.any(),
        ..Registers::default()
    };
    if dice.roll(20) == 0 {
        registers.set_words([(); 6].map(|()| dice.boundary()));
        registers.rax = dice.roll(Operation::COUNT + 20);
        registers.r12 = dice.boundary();
        registers.r13 = dice.any();
        registers.r14 = dice.boundary();
        registers.r15 = dice.boundary();
        return registers;
    }
    let operation = dice.operation();
    registers.rax = operation as u64;
    registers.r12 = dice.target(operation, open);
    registers.set_words(dice.words(operation, open));
    let soon = now + dice.roll(200_000);
    registers.r13 = dice.tag();
    registers.r14 = dice.pick(&[FOREVER, FOREVER, NOW, soon, soon]);
    registers.r15 = dice.pick(&[8, 9, 9, registers.r12]);
    registers
}
