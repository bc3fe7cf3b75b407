//! A peer that writes anything at any moment: the honest side ends with an error, at worst.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use proptest::prelude::*;

use super::{Refused, pair};
use crate::Time;
use crate::ring::{RingError, Server, Submission};

const ENTRIES: u32 = 4;
/// Words of header and queues: 32, 4 × 4, 4 × 2.
const WORDS: usize = 56;

/// A word that the peer writes: often one that is nearly right.
fn write() -> impl Strategy<Value = (usize, u64)> {
    let word = prop_oneof![Just(8usize), Just(16), Just(9), Just(17), 0..WORDS];
    let value = prop_oneof![
        any::<u64>(),
        (0..4u64, 0..12u64).prop_map(|(generation, count)| generation << 32 | count),
        (0..4u64).prop_map(|generation| 1 << 63 | generation << 32),
        (0..8200u64, 0..8200u64).prop_map(|(at, len)| len << 32 | at),
    ];
    (word, value)
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, u64),
    /// What the honest side does next; which of four things.
    Act(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        write().prop_map(|(word, value)| Step::Write(word, value)),
        (0..4u8).prop_map(Step::Act),
    ];
    prop::collection::vec(step, 0..150)
}

fn store(words: &[AtomicU64], word: usize, value: u64) {
    words[word].store(value, Relaxed);
}

fn is_peers(error: RingError) -> bool {
    matches!(error, RingError::Peer(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_server_survives_any_client(steps in steps()) {
        let mut pair = pair(ENTRIES);
        let (mut tickets, mut closed) = (Vec::new(), None);
        for step in steps {
            let result = match step {
                Step::Write(word, value) => {
                    store(pair.words, word, value);
                    continue;
                }
                Step::Act(0) => pair.server.take().map(|taken| {
                    if let Some((ticket, submission)) = taken {
                        assert!(pair.server.area().contains(submission.buffer));
                        tickets.push(ticket);
                    }
                }),
                Step::Act(1) => {
                    let mut calls = 0;
                    let served = pair.server.serve(|server, ticket, _| {
                        calls += 1;
                        server.complete(ticket, Ok::<_, Refused>(1));
                    });
                    prop_assert!(calls <= ENTRIES);
                    served.map(drop)
                }
                Step::Act(2) => pair.server.rest().map(drop),
                Step::Act(_) => {
                    if let Some(ticket) = tickets.pop() {
                        pair.server.complete(ticket, Err(Refused::Refused));
                    }
                    pair.server.flush()
                }
            };
            prop_assert!(pair.server.held() <= ENTRIES);
            prop_assert_eq!(pair.server.held() as usize, tickets.len());
            if let Err(error) = result {
                prop_assert!(is_peers(error));
                prop_assert!(closed.is_none_or(|closed| closed == error));
                closed = Some(error);
            }
            if let Some(closed) = closed {
                prop_assert_eq!(pair.server.take().err(), Some(closed));
            }
        }
    }

    #[test]
    fn a_client_survives_any_server(steps in steps()) {
        let mut pair = pair(ENTRIES);
        let mut closed = None;
        for step in steps {
            let before = pair.client.in_flight();
            let result = match step {
                Step::Write(word, value) => {
                    store(pair.words, word, value);
                    continue;
                }
                Step::Act(0) => match pair.client.submit(Submission::new(1, 2)) {
                    Err(RingError::Full) => Ok(()),
                    other => other,
                },
                Step::Act(1) => pair.client.poll().map(|found| {
                    assert_eq!(pair.client.in_flight(), before - u32::from(found.is_some()));
                }),
                Step::Act(2) => pair.client.rest().map(drop),
                Step::Act(_) => match pair.client.wait(Time::NEVER_WAIT) {
                    Err(RingError::TimedOut) => Ok(()),
                    other => other.map(drop),
                },
            };
            prop_assert!(pair.client.in_flight() <= ENTRIES);
            match result {
                Ok(()) | Err(RingError::Ended) => {}
                Err(error) => {
                    prop_assert!(is_peers(error));
                    prop_assert!(closed.is_none_or(|closed| closed == error));
                    closed = Some(error);
                }
            }
        }
        pair.client.reset();
        prop_assert_eq!(pair.client.submit(Submission::new(1, 2)), Ok(()));
    }

    #[test]
    fn any_words_are_attached_to_or_refused(writes in prop::collection::vec(write(), 1..20)) {
        let pair = pair(ENTRIES);
        for (word, value) in writes {
            store(pair.words, word, value);
        }
        if let Ok(mut server) = Server::over(pair.words, pair.client_bell) {
            let _ = server.take();
            prop_assert!(server.held() <= 1);
        }
    }
}
