//! The service in a server of its own, many records for each crossing.
//!
//! ```text
//!   shared words:  asked ──> | number × 32 |            answered ──> | status, record × 32 |
//!   client  writes 32 numbers, sets `asked`, rings; waits; takes 32 records
//!   server  waits; answers from `answered` up to `asked`, rings back
//! ```
//! Counts only grow; a place is its count modulo 32. With one batch at a time neither side meets a
//! full ring.

use core::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use alloc::vec::Vec;
use kamen_bench::SAMPLES;
use libipc::{Error, Object};
use record::Record;

use super::{Client, READS, print_reads};
use crate::measure::sample;
use crate::raw;
use crate::world::{Where, World, number};

/// Reads between two doorbells.
const BATCH: u64 = 32;
/// Where in the shared words the parts lie, each side's count in a cache line of its own.
const ASKED_AT: usize = 32;
const ANSWERED_AT: usize = 40;
const NUMBERS_AT: usize = 64;
const ANSWERS_AT: usize = 512;
/// Words of an answer: its status, and the record.
const ANSWER_WORDS: usize = 1 + record::WORDS;

/// Batches through a ring to a server in another space.
pub fn ring(world: &mut World) -> Result<(), Error> {
    let (to, back) = (world.quota.create_notification()?, world.quota.create_notification()?);
    let bells = [number(to), number(back)];
    for at in [ASKED_AT, ANSWERED_AT] {
        raw::shared()[at].store(0, Relaxed);
    }
    let server = world.spawn(Where::Second, serve, bells)?;
    let (mut client, mut asked) = (Client::default(), 0);
    let mut round = || batch(&mut client, &mut asked, bells);
    let rounds = READS / BATCH;
    let mut totals = Vec::with_capacity(SAMPLES);
    sample(rounds, &mut round);
    for _ in 0..SAMPLES {
        totals.push(sample(rounds, &mut round));
    }
    print_reads("ring", totals, rounds);
    server.destroy()?;
    to.destroy()?;
    back.destroy()?;
    client.check()
}

fn batch(client: &mut Client, asked: &mut u64, [to, back]: [u64; 2]) {
    let shared = raw::shared();
    for place in 0..BATCH as usize {
        shared[NUMBERS_AT + place].store(client.next(), Relaxed);
    }
    *asked += BATCH;
    shared[ASKED_AT].store(*asked, Release);
    raw::signal(to, 1);
    while shared[ANSWERED_AT].load(Acquire) != *asked {
        raw::wait(back);
    }
    for answer in answers() {
        let [status, record @ ..] = answer;
        let record: Record = core::array::from_fn(|word| record[word].load(Relaxed));
        client.take(status.load(Relaxed), record);
    }
}

extern "C" fn serve(to: u64, back: u64, _: u64) -> ! {
    let shared = raw::shared();
    let mut answered = 0;
    loop {
        raw::wait(to);
        while answered != shared[ASKED_AT].load(Acquire) {
            let place = (answered % BATCH) as usize;
            let wanted = shared[NUMBERS_AT + place].load(Relaxed);
            answer(&answers()[place], wanted);
            answered += 1;
        }
        shared[ANSWERED_AT].store(answered, Release);
        raw::signal(back, 1);
    }
}

#[inline(always)]
fn answer(place: &[AtomicU64; ANSWER_WORDS], wanted: u64) {
    let [status, words @ ..] = place;
    match record::read(&mut raw::table(), wanted) {
        Ok(found) => {
            status.store(0, Relaxed);
            for (place, word) in words.iter().zip(found) {
                place.store(word, Relaxed);
            }
        }
        Err(fault) => status.store(fault as u64, Relaxed),
    }
}

/// Returns the places of answers.
#[inline(always)]
fn answers() -> &'static [[AtomicU64; ANSWER_WORDS]] {
    let words = &raw::shared()[ANSWERS_AT..][..BATCH as usize * ANSWER_WORDS];
    words.as_chunks().0
}
