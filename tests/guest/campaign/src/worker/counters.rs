//! A client of the sample server: it alone changes its counter, so that it knows what is in it.

use kamen_chaos::Dice;
use libipc::Transport;

use super::Worker;
use crate::protocol::CountersClient;
use crate::watched::{Notes, Once, Watched, Witness};

/// The client of one counter.
pub struct CountersWorker<'a, T, W> {
    client: CountersClient<Watched<'a, T, W>>,
    notes: &'a Notes<W>,
    counter: u32,
    model: u64,
}

impl<'a, T: Transport, W: Witness> CountersWorker<'a, T, W> {
    /// Returns the client of a counter, which it sets to 0.
    pub fn new(
        client: CountersClient<Watched<'a, T, W>>,
        notes: &'a Notes<W>,
        counter: u32,
    ) -> Self {
        let mut worker = CountersWorker { client, notes, counter, model: 1 };
        worker.set(0);
        worker
    }

    fn set(&mut self, value: u64) {
        if let Some(answer) = self.notes.repeatable(self.client.set(self.counter, value)) {
            self.notes.expect("set", answer, Ok(()));
            self.model = value;
        }
    }

    /// Returns what the server says that the counter is.
    fn value(&self) -> Option<u64> {
        let answer = self.notes.repeatable(self.client.value(self.counter))?;
        if let Err(error) = answer {
            self.notes.wrong(format_args!("value: {error:?}"));
        }
        answer.ok()
    }

    fn add(&mut self, amount: u64) {
        let sum = self.model + amount;
        match self.notes.once(self.client.add(self.counter, amount)) {
            Once::Answered(answer) => {
                self.notes.expect("add", answer, Ok(sum));
                self.model = sum;
            }
            // Once or not at all: nothing else may be there.
            Once::Restarted => {
                if self.value() == Some(sum) {
                    self.model = sum;
                }
            }
            Once::Broken => {}
        }
    }
}

impl<T: Transport, W: Witness> Worker for CountersWorker<'_, T, W> {
    fn step(&mut self, dice: &mut Dice) {
        match dice.roll(8) {
            0 => self.set(dice.roll(1 << 40)),
            1..4 => self.add(1 + dice.roll(1000)),
            _ => {
                if let Some(value) = self.value() {
                    self.notes.expect("value", value, self.model);
                }
            }
        }
    }

    fn finish(&mut self) {
        self.set(0);
    }
}
