//! Several processors: what the model says whoever runs where.
//!
//! Where a thread runs, and when it gets its turn, the kernel chooses. The model is told who runs
//! on the processor that enters, and checks that it may; all that an operation does to objects,
//! registers and memory is what it is on one processor.

use super::objects::{Name, State};
use super::steps::{Step, Steps};
use super::world::{Call, World};
use super::{Model, Outcome};
use crate::queue::NIL;
use crate::tests::dice::Dice;
use crate::tests::random::processors;
use kamen_abi::{Error, FOREVER, Operation, Rights, boot};

const ANYWHERE: u64 = u64::MAX;

impl Model {
    pub fn set_processor(&mut self, target: u64, processor: u64) -> Outcome {
        let name = self.thread_named(target, Rights::CONTROL)?;
        if processor != ANYWHERE && processor >= self.cpu.processors {
            return Err(Error::InvalidArgument);
        }
        self.thread_mut(name).home = Some(processor).filter(|it| *it != ANYWHERE);
        Ok(())
    }
}

impl World {
    /// Lets another processor enter the kernel, or the same again. What the processors cached is
    /// still true, and they have used all that they could since.
    pub fn enter(&mut self, dice: &mut Dice) {
        let processors = self.model.cpu.processors;
        if processors > 1 {
            self.kernel.vm.machine.check_cached();
            self.kernel.vm.machine.cache();
            processors::on(&mut self.kernel, dice.roll(processors) as u8);
        }
    }

    /// Lets the processor that has entered leave, after those whose timers are due; returns who
    /// runs on it.
    pub fn settle_among(&mut self) -> Option<Name> {
        self.model.cpu.current = None;
        let _ = self.kernel.next();
        while processors::serve_timer(&mut self.kernel) {
            self.model.timer();
        }
        let _ = self.kernel.next();
        let machine = &mut self.kernel.vm.machine;
        let count = machine.processors.len();
        let first = (0..count).filter_map(|number| *machine.timer_of(number)).min();
        let next = self.model.next_event();
        assert!(first.unwrap_or(u64::MAX) <= next, "all timers come too late: {first:?}");
        for cpu in core::iter::once(&self.kernel.cpu).chain(&self.kernel.parked) {
            let Some(name) = self.name_of(cpu.current) else { continue };
            let thread = self.model.thread(name);
            assert_eq!(thread.state, State::Ready, "thread {name} runs");
            let number = u64::from(cpu.number);
            assert!(thread.home.is_none_or(|home| home == number), "{name} runs on {number}");
        }
        self.model.cpu.current = self.name_of(self.kernel.cpu.current);
        self.model.cpu.current
    }

    fn name_of(&self, slot: u16) -> Option<Name> {
        let thread = (slot != NIL).then(|| self.kernel.threads.id_at(slot.into()))??;
        self.name(crate::table::Object::Thread(thread))
    }
}

impl Steps<'_> {
    /// Draws a step of a thread that is not alone.
    pub fn draw_among(&mut self) -> Step {
        let current = self.model.thread(self.model.current());
        match self.dice.roll(40) {
            0 if !current.extended => Step::Exception(7, 0, 0),
            1 | 2 => {
                let words = [self.dice.pick(&[0, 1, 2, ANYWHERE]), 0, 0, 0, 0, 0];
                let target = self.dice.pick(&[boot::THREAD.0.into(), 14, 15, 16]);
                let operation = Operation::SetProcessor as u64;
                Step::Call(Call { operation, target, rest: [0, FOREVER, 0], words })
            }
            _ => self.draw(),
        }
    }
}
