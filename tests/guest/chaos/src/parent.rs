//! The parent: draws calls for the victims, makes them anew, and counts what is left of them.

use libipc::abi::{Kind, Operation, boot};
use libipc::{Endpoint, Error, Event, Inbox, Message, Object, OpenCall, Quota, Time, log, now};

use crate::draw::{Dice, draw};
use crate::life::{CODE, Life, Mercy, VICTIMS};

/// Processes at a time.
const LIVES: usize = 2;
/// Calls after which all processes end and the books are checked.
const ERA: u64 = 10_000;
/// Silence after which idle victims are set to work again, in ns.
const SILENCE_NS: u64 = 30_000;
/// Faults in a row that are not the stub's own, after which a process is beyond use.
const PATIENCE: u32 = 6;
/// Exception of `ud2` (Intel SDM 3A 6.15).
const UNDEFINED: u32 = 6;
/// Where the stub ends.
const STUB_END: u64 = CODE + 2;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// From which seed.
    pub seed: u64,
    /// How many calls.
    pub calls: u64,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// Calls made.
    pub calls: u64,
    /// Calls that came back, and those of them that succeeded.
    pub returned: u64,
    /// Calls that returned 0.
    pub succeeded: u64,
    /// Processes made.
    pub lives: u64,
    /// Times that the books were checked, and that they were wrong.
    pub checks: u64,
    /// Times that they were wrong.
    pub leaks: u64,
}

/// What the first task's quota says: free pages, pages and objects in use.
type Books = (u64, u64, u64);

/// A process, and what its victims do.
struct Slot {
    life: Option<Life>,
    badge: u64,
    /// An open call that one of them received.
    open: u64,
    odd: u32,
    operations: [u64; VICTIMS],
}

/// The parent.
pub struct Parent {
    dice: Dice,
    faults: Endpoint,
    shared: Endpoint,
    slots: [Slot; LIVES],
    verdict: Verdict,
}

impl Parent {
    /// Returns a parent without processes.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn new(seed: u64) -> Result<Parent, Error> {
        let quota = Quota(boot::QUOTA);
        let slots = [0, 1].map(|_| Slot {
            life: None,
            badge: 0,
            open: 0,
            odd: 0,
            operations: [0; VICTIMS],
        });
        let (faults, shared) = (quota.create_endpoint()?, quota.create_endpoint()?);
        Ok(Parent { dice: Dice(seed), faults, shared, slots, verdict: Verdict::default() })
    }

    /// Has so many calls made.
    ///
    /// # Errors
    /// What the kernel refused that it may not refuse.
    pub fn run(&mut self, calls: u64) -> Result<Verdict, Error> {
        let before = books()?;
        while self.verdict.calls < calls {
            let until = calls.min(self.verdict.calls + ERA);
            self.era(until)?;
            for slot in &mut self.slots {
                slot.life = None;
            }
            let after = books()?;
            self.verdict.checks += 1;
            if after != before {
                self.verdict.leaks += 1;
                log!("after {} calls: {after:?} in place of {before:?}", self.verdict.calls);
            }
        }
        Ok(self.verdict)
    }

    /// Has calls made until there were so many.
    fn era(&mut self, until: u64) -> Result<(), Error> {
        for index in 0..LIVES {
            self.renew(index)?;
        }
        let mut inbox = Inbox::new(self.faults);
        let mut answer = OpenCall::NONE;
        while self.verdict.calls < until {
            let deadline = now().after_ns(SILENCE_NS);
            let event = inbox.reply_receive(answer, &Message::resume(), deadline);
            answer = OpenCall::NONE;
            match event {
                Ok(Event::Foreign(fault)) if fault.kind == Kind::Exception => {
                    let is_own = fault.number == UNDEFINED && fault.words[2] == STUB_END;
                    let (call, badge) = (fault.caller.call, fault.caller.badge);
                    answer = self.next_call(badge, call, is_own)?;
                }
                Ok(_) => {}
                Err(Error::TimedOut) => self.stir()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives a victim that has come back its next call; returns what is to be answered.
    fn next_call(&mut self, badge: u64, call: OpenCall, is_own: bool) -> Result<OpenCall, Error> {
        let (index, victim) = ((badge / 16) as usize % LIVES, badge as usize % VICTIMS);
        if self.slots[index].badge != badge & !15 {
            return Ok(OpenCall::NONE);
        }
        if is_own {
            self.note_return(index, victim, call);
        } else {
            self.slots[index].odd += 1;
            if self.slots[index].odd > PATIENCE {
                self.renew(index)?;
                return Ok(OpenCall::NONE);
            }
        }
        let registers = self.draw(index, victim);
        match call.write_registers(&registers) {
            Ok(()) => Ok(call),
            // Another victim has taken it away meanwhile.
            Err(_) => Ok(OpenCall::NONE),
        }
    }

    /// Notes what a call has returned.
    fn note_return(&mut self, index: usize, victim: usize, call: OpenCall) {
        self.verdict.returned += 1;
        let slot = &mut self.slots[index];
        slot.odd = 0;
        let Ok(registers) = call.read_registers() else { return };
        self.verdict.succeeded += u64::from(registers.rax == 0);
        let receives = [Operation::Receive as u64, Operation::ReplyReceive as u64];
        if receives.contains(&slot.operations[victim]) && registers.r12 > u64::from(u16::MAX) {
            slot.open = registers.r12;
        }
    }

    fn draw(&mut self, index: usize, victim: usize) -> libipc::Registers {
        let Time(time) = now();
        let slot = &mut self.slots[index];
        let registers = draw(&mut self.dice, time, slot.open);
        slot.operations[victim] = registers.rax;
        self.verdict.calls += 1;
        if self.dice.roll(8) == 0
            && let Some(life) = &slot.life
        {
            let mut words = [(); 9].map(|()| self.dice.any());
            words[0] &= 0x001f_000f_001f_000f;
            for lease in words[1..].chunks_exact_mut(2) {
                lease[0] = registers.rdx;
                lease[1] &= 1 << 63 | 0x3fff;
            }
            life.litter(victim, words);
        }
        registers
    }

    /// Nobody has come back for a while: sets everybody who is idle to work again.
    fn stir(&mut self) -> Result<(), Error> {
        for index in 0..LIVES {
            for victim in 0..VICTIMS {
                let is_idle = self.slots[index].life.as_ref().map(|life| life.is_idle(victim));
                let is_idle = match is_idle {
                    Some(Ok(is_idle)) => is_idle || self.dice.roll(4) == 0,
                    Some(Err(_)) | None => {
                        self.renew(index)?;
                        break;
                    }
                };
                if is_idle && !self.restart(index, victim) {
                    self.renew(index)?;
                    break;
                }
            }
        }
        Ok(())
    }

    fn restart(&mut self, index: usize, victim: usize) -> bool {
        let registers = self.draw(index, victim);
        let (badge, faults) = (self.slots[index].badge, self.faults);
        let life = self.slots[index].life.as_ref();
        life.is_some_and(|life| life.restart(victim, faults, badge, &registers).is_ok())
    }

    /// Replaces a process.
    fn renew(&mut self, index: usize) -> Result<(), Error> {
        self.slots[index].life = None;
        self.verdict.lives += 1;
        let badge = (self.verdict.lives * LIVES as u64 + index as u64) * 16;
        let mercy = if self.dice.roll(2) == 0 { Mercy::Spared } else { Mercy::Exposed };
        let life = Life::new(self.faults, badge, self.shared, mercy)?;
        let slot = &mut self.slots[index];
        (slot.life, slot.badge, slot.open, slot.odd) = (Some(life), badge, 0, 0);
        for victim in 0..VICTIMS {
            self.restart(index, victim);
        }
        Ok(())
    }
}

fn books() -> Result<Books, Error> {
    let told = Quota(boot::QUOTA).inspect()?;
    Ok((told.badge & 0xffff_ffff, told.values[0], told.values[2]))
}
