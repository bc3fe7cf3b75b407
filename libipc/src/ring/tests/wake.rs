//! The steps of `line.rs` in all orders, on processors with store buffers: no wake-up is lost.
//!
//! ```text
//!   producer, for each batch:  publish · fence · load sleeps · (swap 0 · ring)
//!   consumer, for ever:        announce · fence · look · nothing: wait · withdraw · look
//!                                                 something: withdraw · take it
//! ```
//! Each processor sees its own stores at once and others' when they leave its store buffer, in
//! order (Intel SDM 3A 9.2). The bell is the kernel's and never buffered; an entry into the kernel
//! is not counted as a fence. A wake-up is lost where nothing can happen any more, and the consumer
//! has not taken all.
extern crate std;

use alloc::vec::Vec;
use std::collections::HashSet;

const BATCHES: u8 = 3;

/// Which step is left out, to see that the test finds it.
#[derive(Clone, Copy, PartialEq)]
enum Omitted {
    Nothing,
    ProducersFence,
    ConsumersFence,
    SecondLook,
    KeptRing,
    /// A store in the place of the swap.
    Swap,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Word {
    Position,
    Sleeps,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Producer {
    Publish,
    Fence,
    LoadSleeps,
    Clear,
    Ring,
    Done,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Consumer {
    Look,
    Announce,
    Fence,
    LookAgain,
    Wait,
    Withdraw,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct State {
    position: u8,
    sleeps: u8,
    bell: bool,
    /// The store buffers: producer's, consumer's; oldest first.
    buffers: [Vec<(Word, u8)>; 2],
    producer: Producer,
    published: u8,
    consumer: Consumer,
    taken: u8,
}

impl State {
    fn load(&self, who: usize, word: Word) -> u8 {
        let own = self.buffers[who].iter().rev().find(|(of, _)| *of == word);
        let memory = match word {
            Word::Position => self.position,
            Word::Sleeps => self.sleeps,
        };
        own.map_or(memory, |(_, value)| *value)
    }

    fn store(&mut self, who: usize, word: Word, value: u8) {
        self.buffers[who].push((word, value));
    }

    /// The oldest store of a buffer reaches memory.
    fn drain(&self, who: usize) -> Option<State> {
        let mut next = self.clone();
        let (word, value) = (!next.buffers[who].is_empty()).then(|| next.buffers[who].remove(0))?;
        match word {
            Word::Position => next.position = value,
            Word::Sleeps => next.sleeps = value,
        }
        Some(next)
    }

    fn produce(&self, omitted: Omitted) -> Option<State> {
        let mut next = self.clone();
        next.producer = match self.producer {
            Producer::Publish => {
                next.published += 1;
                next.store(0, Word::Position, next.published);
                Producer::Fence
            }
            Producer::Fence if omitted == Omitted::ProducersFence => Producer::LoadSleeps,
            Producer::Fence if !self.buffers[0].is_empty() => return None,
            Producer::Fence => Producer::LoadSleeps,
            Producer::LoadSleeps if self.load(0, Word::Sleeps) == 0 => self.next_batch(),
            Producer::LoadSleeps => Producer::Clear,
            Producer::Clear if omitted == Omitted::Swap => {
                next.store(0, Word::Sleeps, 0);
                Producer::Ring
            }
            // A locked instruction waits for the buffer, and is none of it.
            Producer::Clear if !self.buffers[0].is_empty() => return None,
            Producer::Clear if self.sleeps == 0 => self.next_batch(),
            Producer::Clear => {
                next.sleeps = 0;
                Producer::Ring
            }
            Producer::Ring => {
                // A bell that is not kept rings only for who waits already.
                let is_heard = self.consumer == Consumer::Wait || omitted != Omitted::KeptRing;
                next.bell |= is_heard;
                self.next_batch()
            }
            Producer::Done => return None,
        };
        Some(next)
    }

    fn next_batch(&self) -> Producer {
        if self.published == BATCHES { Producer::Done } else { Producer::Publish }
    }

    fn consume(&self, omitted: Omitted) -> Option<State> {
        let mut next = self.clone();
        let seen = self.load(1, Word::Position);
        next.consumer = match self.consumer {
            Consumer::Look if seen != self.taken => {
                next.taken = seen;
                Consumer::Look
            }
            Consumer::Look => Consumer::Announce,
            Consumer::Announce => {
                next.store(1, Word::Sleeps, 1);
                Consumer::Fence
            }
            Consumer::Fence if omitted == Omitted::ConsumersFence => Consumer::LookAgain,
            Consumer::Fence if !self.buffers[1].is_empty() => return None,
            Consumer::Fence => Consumer::LookAgain,
            Consumer::LookAgain if omitted == Omitted::SecondLook => Consumer::Wait,
            Consumer::LookAgain if seen != self.taken => Consumer::Withdraw,
            Consumer::LookAgain => Consumer::Wait,
            Consumer::Wait if !self.bell => return None,
            Consumer::Wait => {
                next.bell = false;
                Consumer::Withdraw
            }
            Consumer::Withdraw => {
                next.store(1, Word::Sleeps, 0);
                Consumer::Look
            }
        };
        Some(next)
    }
}

/// Tries all orders; returns how many states there are, and one in which a wake-up was lost.
fn explore(omitted: Omitted) -> (usize, Option<State>) {
    let first = State {
        position: 0,
        sleeps: 0,
        bell: false,
        buffers: [Vec::new(), Vec::new()],
        producer: Producer::Publish,
        published: 0,
        consumer: Consumer::Look,
        taken: 0,
    };
    let (mut seen, mut open) = (HashSet::from([first.clone()]), Vec::from([first]));
    while let Some(state) = open.pop() {
        let steps =
            [state.produce(omitted), state.consume(omitted), state.drain(0), state.drain(1)];
        if steps.iter().all(Option::is_none) && state.taken != BATCHES {
            return (seen.len(), Some(state));
        }
        for next in steps.into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    (seen.len(), None)
}

#[test]
fn no_order_of_the_steps_loses_a_wake_up() {
    let (states, lost) = explore(Omitted::Nothing);
    assert_eq!(lost, None);
    assert!(states > 200, "{states} states");
}

#[test]
fn each_step_is_needed() {
    let omissions =
        [Omitted::ProducersFence, Omitted::ConsumersFence, Omitted::SecondLook, Omitted::KeptRing];
    for omitted in omissions {
        assert_ne!(explore(omitted).1, None);
    }
}
