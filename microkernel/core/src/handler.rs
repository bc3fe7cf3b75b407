//! Calls that a thread does not make itself: its faults, foreign system calls, recalls, pages.

use kamen_abi::{Kind, Tag, WORDS};

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::thread::{State, Thread};

impl<M: Machine> Kernel<M> {
    /// Turns the thread's fault, system call or recall into a call on its handler; a thread
    /// without one is stopped for good. The thread is in no queue.
    pub(crate) fn call_handler(&mut self, thread: u16, tag: Tag) {
        let handler = self.threads[thread].handler.filter(|h| self.endpoints.contains(h.endpoint));
        let Some(handler) = handler else {
            self.threads[thread].state = State::Stopped;
            return self.leave(thread);
        };
        self.request(thread, handler.endpoint, handler.badge, tag);
    }

    /// Makes a call that a thread did not ask for, on an endpoint that exists. The thread is in no
    /// queue.
    pub(crate) fn request(&mut self, thread: u16, to: Id<Endpoint>, badge: u64, tag: Tag) {
        let caller = &mut self.threads[thread];
        caller.tag = tag;
        caller.badge = badge;
        caller.state = State::Calling(to);
        self.charge_request(thread);
        match self.endpoints.get(to).and_then(|endpoint| endpoint.receivers.first()) {
            Some(receiver) => self.meet(to, thread, receiver),
            None => self.enqueue_sender(to, thread),
        }
    }
}

/// Returns the words of a thread's message, which for exceptions and missing pages are not those
/// in its registers; see [`Kind`].
#[inline(always)]
pub(crate) fn words(thread: &Thread) -> [u64; WORDS] {
    let registers = &thread.registers;
    let [first, second] = thread.fault;
    match thread.tag.kind() {
        Kind::Exception => [first, second, registers.rip, registers.rsp, registers.rflags, 0],
        Kind::Page => [first, second, 0, 0, 0, 0],
        _ => registers.words(),
    }
}
