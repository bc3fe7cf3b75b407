//! Signals: what a source tells, for tasks.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};

/// Something that happens again and again, for which tasks wait: the server rings it when the
/// source occurred. Copies of it are the same signal.
#[derive(Clone, Debug, Default)]
pub struct Signal {
    state: Rc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How often it was rung.
    count: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Signal {
    /// Wakes all who wait for the next time.
    pub fn ring(&self) {
        self.state.count.set(self.state.count.get().wrapping_add(1));
        self.state.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// Ends when it is rung after this call.
    pub fn next(&self) -> impl Future<Output = ()> + use<> {
        let (state, before) = (Rc::clone(&self.state), self.state.count.get());
        poll_fn(move |context| {
            if state.count.get() != before {
                return Poll::Ready(());
            }
            let mut waiting = state.waiting.borrow_mut();
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
    }
}
