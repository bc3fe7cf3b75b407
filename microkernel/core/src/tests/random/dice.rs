//! What random programs do next: nearly valid steps, drawn out to from one number.

use kamen_abi::{FOREVER, NOW, ObjectKind, Operation, PAGE_SIZE, Tag};

use crate::fake::DATA;

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The running thread's system call.
    Call { operation: u64, target: u64, words: [u64; 6], tag: u64, deadline: u64, second: u64 },
    /// The running thread's exception: vector, error code, address.
    Exception(u8, u64, u64),
    /// The running thread's `int n`.
    Interrupt(u8),
    /// An interrupt on a line.
    Line(u32),
    /// Time passes.
    Tick,
}

/// Stands for the open call that the running thread received last.
pub(super) const OPEN: u64 = u64::MAX - 1;

/// What a step's number is drawn out to: dice that fall the same way for the same number.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// Returns a number below `sides` (SplitMix64).
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ bits >> 31) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    fn handle(&mut self) -> u64 {
        match self.roll(16) {
            0..4 => 1 + self.roll(7),
            4..10 => 8 + self.roll(6),
            10..13 => 14 + self.roll(26),
            13 => 0,
            _ => OPEN,
        }
    }

    fn address(&mut self) -> u64 {
        let page = DATA + self.roll(64) * PAGE_SIZE as u64;
        let last = kamen_abi::USER_END as u64 - 4096;
        match self.roll(16) {
            0..12 => page,
            12..15 => page + 4092,
            _ => self.pick(&[last, 1 << 47, u64::MAX - 4095, u64::MAX, 0]),
        }
    }

    fn number(&mut self) -> u64 {
        match self.roll(12) {
            0..8 => self.roll(12),
            8..10 => self.roll(70),
            10 => 4000 + self.roll(5000),
            _ => self.pick(&[u64::MAX, 1 << 63, 1 << 52, 1 << 16, 1 << 27]),
        }
    }

    fn rights(&mut self) -> u64 {
        let any = self.roll(600);
        self.pick(&[12, 12, 255, 255, 4, 20, 8, any])
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
        let (bytes, caps) = (self.roll(70) as usize, self.roll(5) as usize);
        match self.roll(8) {
            0..4 => self.roll(3),
            4..7 => Tag::long(7, bytes, caps, self.roll(5) as usize).0,
            _ => self.roll(u64::MAX),
        }
    }

    /// Messages are half of what happens; whatever destroys is rare.
    fn operation(&mut self) -> u64 {
        match self.roll(32) {
            0..8 => 1 + self.roll(7),
            8..17 => 8 + self.roll(6),
            17..25 => 15 + self.roll(9),
            25..30 => 24 + self.roll(17),
            30 => Operation::Destroy as u64,
            _ => self.roll(Operation::COUNT),
        }
    }

    /// Returns a handle that is likely to be of the kind that an operation wants; see
    /// [`World::new`] for which is where. New objects are in the slots from 4 to 7, then from 14 on.
    fn target(&mut self, operation: u64) -> u64 {
        let any = self.handle();
        let new = self.pick(&[4, 5, 6, 7, 14, 15, 16]);
        let likely = match Operation::from_number(operation) {
            Some(Operation::Call | Operation::Send | Operation::Receive) => self.pick(&[8, 9]),
            Some(Operation::Reply | Operation::ReplyReceive) => OPEN,
            Some(Operation::Signal | Operation::Wait) => 10,
            Some(Operation::Create) => QUOTA,
            Some(Operation::Map | Operation::Unmap | Operation::Protect) => self.pick(&[2, 2, new]),
            Some(
                Operation::Clone
                | Operation::Resize
                | Operation::Commit
                | Operation::Decommit
                | Operation::Supply,
            ) => self.pick(&[MEMORY, new]),
            Some(
                Operation::SetPriority
                | Operation::SetHandler
                | Operation::SetMessagePage
                | Operation::Bind,
            ) => self.pick(&[3, 3, new]),
            Some(
                Operation::ReadRegisters
                | Operation::WriteRegisters
                | Operation::SetSpace
                | Operation::HandOver
                | Operation::CompareExchange,
            ) => self.pick(&[OPEN, OPEN, new]),
            Some(Operation::PortIn | Operation::PortOut | Operation::PortWrite) => 12,
            Some(Operation::Destroy | Operation::Stop) => new,
            _ => self.pick(&[new, any]),
        };
        self.pick(&[likely, likely, likely, any])
    }

    /// Returns the words that an operation would expect, or any.
    fn words(&mut self, operation: u64) -> [u64; 6] {
        let any = [(); 6].map(|()| self.word());
        let (h, a, n, r) = (self.handle(), self.address(), self.number(), self.rights());
        let new = self.pick(&[4, 5, 6, 7, 14, 15]);
        let memory = self.pick(&[MEMORY, new, h]);
        if self.roll(10) == 0 {
            return any;
        }
        match Operation::from_number(operation) {
            Some(Operation::Create) => match self.roll(12) {
                1 => [
                    ObjectKind::Thread as u64,
                    self.pick(&[2, 2, h]),
                    self.pick(&[0, 1, h]),
                    0,
                    0,
                    0,
                ],
                // Memory of the kinds that need no device, the pagers' endpoints being the same.
                6 => [6, 1 + self.roll(10), self.roll(3), self.pick(&[8, 9]), 0, 0],
                kind => [kind, self.pick(&[10, n, h]), self.pick(&[n, h]), n, 0, 0],
            },
            Some(Operation::Copy) => {
                let (from, to) = (self.roll(8), self.roll(8));
                let (to_at, open) = (self.address(), self.pick(&[OPEN, OPEN, h]));
                let id = |place| if place == 1 { memory } else { open };
                let from_at = self.pick(&[a, n, 0]);
                let from_at = if from == 0 { a } else { from_at };
                let to_at = self.pick(&[to_at, n, 8192]);
                [from | to << 8, id(from), from_at, id(to), to_at, self.pick(&[n, 9000])]
            }
            Some(Operation::Commit | Operation::Decommit) => {
                [self.roll(6), self.roll(5), 0, 0, 0, 0]
            }
            Some(Operation::Supply) => {
                [self.roll(6), self.roll(5), self.pick(&[MEMORY, memory]), self.roll(4), 0, 0]
            }
            Some(Operation::Clone) => [h, self.pick(&[8, 9]), 0, 0, 0, 0],
            Some(Operation::Map) => [memory, self.roll(3), a, 1 + self.roll(4), r, 0],
            Some(Operation::Unmap | Operation::Protect) => [a, n, r, 0, 0, 0],
            Some(Operation::Mint) => [self.roll(2), r, n, 0, 0, 0],
            Some(Operation::SetTimer) => [n.wrapping_mul(1000), 0, 0, 0, 0, 0],
            Some(Operation::HandOver) => [self.pick(&[8, 9, h]), n, 0, 0, 0, 0],
            Some(Operation::SetHandler) => [self.pick(&[8, 9, h]), n, self.roll(2), 0, 0, 0],
            Some(Operation::SetMessagePage) => [memory, self.roll(4), 0, 0, 0, 0],
            Some(Operation::Bind) => [self.pick(&[10, new]), 0, 0, 0, 0, 0],
            Some(Operation::SetSpace) => [self.pick(&[2, new]), 0, 0, 0, 0, 0],
            Some(Operation::CompareExchange) => [a & !3, 0, 1, 0, 0, 0],
            Some(Operation::PortIn | Operation::PortOut | Operation::PortWrite) => {
                [0xe9, self.pick(&[1, 2, a]), n, 0, 0, 0]
            }
            Some(Operation::SetPriority | Operation::Resize) => [n, 0, 0, 0, 0, 0],
            _ => [h, n % 16, a, n, h, a],
        }
    }

    fn call(&mut self) -> Step {
        let operation = self.operation();
        let target = self.target(operation);
        let mut words = self.words(operation);
        if operation == Operation::Clone as u64 && self.roll(4) != 0 {
            words[0] = QUOTA;
        }
        let (tag, second) = (self.tag(), self.pick(&[8, 9, 9, target]));
        let later = 1 + self.roll(50_000_000);
        let deadline = self.pick(&[FOREVER, FOREVER, FOREVER, NOW, later]);
        Step::Call { operation, target, words, tag, deadline, second }
    }

    pub(super) fn step(&mut self) -> Step {
        match self.roll(40) {
            0..32 => self.call(),
            32..34 => Step::Exception(14, self.roll(32), self.address()),
            34 => Step::Exception(self.roll(32) as u8, 0, 0),
            35 => Step::Interrupt(self.roll(256) as u8),
            36 => Step::Line(self.roll(30) as u32),
            _ => Step::Tick,
        }
    }
}

/// Where each program has the capability to its quota.
pub(super) const QUOTA: u64 = 13;
/// Where each has the capability to the memory that all share.
pub(super) const MEMORY: u64 = 11;
