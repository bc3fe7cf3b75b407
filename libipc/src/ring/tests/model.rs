//! Random interleavings of both sides' operations, against a model of two queues.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Pair, Refused, pair};
use crate::ring::{Buffer, Completion, RingError, Submission, Ticket};

const ENTRIES: u32 = 4;

#[derive(Clone, Debug)]
enum Step {
    Submit(u32, Buffer, [u64; 2]),
    FlushClient,
    RestClient,
    Poll,
    Take,
    Complete(usize, Option<u64>),
    FlushServer,
    RestServer,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let buffer = (0..512u32, 0..4096u32).prop_map(|(at, len)| Buffer::new(at * 8, len));
    prop_oneof![
        4 => (any::<u32>(), buffer, any::<[u64; 2]>()).prop_map(|(t, b, a)| Step::Submit(t, b, a)),
        3 => Just(Step::FlushClient),
        1 => Just(Step::RestClient),
        4 => Just(Step::Poll),
        4 => Just(Step::Take),
        4 => (any::<usize>(), any::<Option<u64>>()).prop_map(|(which, v)| Step::Complete(which, v)),
        3 => Just(Step::FlushServer),
        1 => Just(Step::RestServer),
        1 => Just(Step::Reset),
    ]
}

/// What an ideal ring holds at each of its places.
#[derive(Default)]
struct Model {
    submitted: VecDeque<Submission>,
    shown: VecDeque<Submission>,
    taken: Vec<(Ticket, bool)>,
    completed: VecDeque<Completion>,
    visible: VecDeque<Completion>,
    in_flight: u32,
    /// Whether the server has seen the last reset.
    is_current: bool,
}

impl Model {
    fn show(&mut self) {
        self.shown.append(&mut self.submitted);
    }

    /// What the server does when it looks and finds that the client has reset the ring.
    fn catch_up(&mut self) {
        if !self.is_current {
            self.is_current = true;
            self.completed.clear();
            self.taken.iter_mut().for_each(|(_, is_stale)| *is_stale = true);
        }
    }

    fn reset(&mut self) {
        self.submitted.clear();
        self.shown.clear();
        self.visible.clear();
        self.in_flight = 0;
        self.is_current = false;
    }
}

fn perform(pair: &mut Pair, model: &mut Model, step: Step) -> Result<(), TestCaseError> {
    match step {
        Step::Submit(token, buffer, arguments) => {
            let submission =
                Submission::new(token, token ^ 5).with_buffer(buffer).with_arguments(arguments);
            let inside = buffer.at() + buffer.len() <= 4096;
            let expected = match (model.in_flight < ENTRIES, inside) {
                (false, _) => Err(RingError::Full),
                (true, false) => Err(RingError::Outside),
                (true, true) => Ok(()),
            };
            prop_assert_eq!(pair.client.submit(submission), expected);
            if expected.is_ok() {
                model.submitted.push_back(submission);
                model.in_flight += 1;
            }
        }
        Step::FlushClient => {
            model.show();
            prop_assert_eq!(pair.client.flush(), Ok(()));
        }
        Step::RestClient => {
            model.show();
            prop_assert_eq!(pair.client.rest(), Ok(model.visible.is_empty()));
        }
        Step::Poll => {
            let expected = model.visible.pop_front();
            model.in_flight -= u32::from(expected.is_some());
            prop_assert_eq!(pair.client.poll(), Ok(expected));
        }
        Step::Take => take(pair, model)?,
        Step::Complete(which, value) if !model.taken.is_empty() => {
            let (ticket, is_stale) = model.taken.swap_remove(which % model.taken.len());
            let (token, status) = (ticket.token(), if value.is_some() { 0 } else { 3 });
            pair.server.complete(ticket, value.ok_or(Refused::Refused));
            if !is_stale {
                let value = value.unwrap_or(0);
                model.completed.push_back(Completion { token, status, value });
            }
        }
        Step::Complete(..) => {}
        Step::FlushServer => {
            prop_assert_eq!(pair.server.flush(), Ok(()));
            show_completed(model);
        }
        Step::RestServer => {
            show_completed(model);
            let rests = pair.server.rest();
            // It looks only where nothing is left of the last look; what is seen then is seen.
            prop_assert!(rests.is_ok());
        }
        Step::Reset => {
            pair.client.reset();
            model.reset();
        }
    }
    prop_assert_eq!(pair.client.in_flight(), model.in_flight);
    prop_assert!(pair.server.held() <= ENTRIES);
    Ok(())
}

fn show_completed(model: &mut Model) {
    if model.is_current {
        model.visible.append(&mut model.completed);
    } else {
        model.completed.clear();
    }
}

/// After a reset the server may still take what it had seen before: such tickets are stale.
fn take(pair: &mut Pair, model: &mut Model) -> Result<(), TestCaseError> {
    let taken = pair.server.take();
    prop_assert!(taken.is_ok());
    let Ok(Some((ticket, submission))) = taken else {
        let is_full = pair.server.held() == ENTRIES;
        prop_assert!(is_full || model.shown.is_empty());
        return Ok(());
    };
    if pair.server.is_current(&pair.client) {
        model.catch_up();
        prop_assert_eq!(Some(submission), model.shown.pop_front());
        model.taken.push((ticket, false));
    } else {
        model.taken.push((ticket, true));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_ring_is_two_queues(steps in prop::collection::vec(step(), 0..200)) {
        let (mut pair, mut model) = (pair(ENTRIES), Model { is_current: true, ..Model::default() });
        for step in steps {
            perform(&mut pair, &mut model, step)?;
            if pair.server.is_current(&pair.client) {
                model.catch_up();
            }
        }
    }
}
