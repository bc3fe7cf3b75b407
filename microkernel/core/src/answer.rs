//! The quick way of an answer after which its server goes on: the caller's turn comes later.
//!
//! A personality answers some calls while it handles another: a reader that waited for what a
//! writer brings. As in `fast.rs`, every check comes before the first change, and the slow path does
//! what is not as usual:
//!
//! ```text
//!   capabilities, bytes     the answer has them
//!   the call                is a message, or not open to the server; its caller has a deadline
//!   a label                 the answer is neither a foreign system call's result, nor says where to
//!                           go on after an exception
//!   time                    the caller pays for what the processor does now
//!   others                  the caller is not below the server; there are several processors, one
//!                           of which might take the caller
//! ```

use kamen_abi::{OpenCall, Operation, Tag};

use crate::arena::Id;
use crate::fast::resume;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::thread::State;

impl<M: Machine> Kernel<M> {
    /// Performs the current thread's Reply, if that is its operation and can be done at once;
    /// returns whether it did.
    #[inline(always)]
    pub fn pass_answer(&mut self) -> bool {
        self.try_answer().is_some()
    }

    #[inline(always)]
    fn try_answer(&mut self) -> Option<()> {
        let current = self.cpu.current;
        let mut threads = self.threads.slots();
        let server = threads.at(current)?;
        let (space, priority, registers) = (server.space, server.priority, &server.registers);
        let (call, tag) = (OpenCall(registers.r12), Tag(registers.r13));
        let is_answer = registers.rax == Operation::Reply as u64 && tag.0 <= u32::MAX as u64;
        if !is_answer || !self.parked.is_empty() {
            return None;
        }
        let caller = threads.at(call.thread())?;
        let is_open = matches!(caller.state, State::Open(_))
            && caller.sequence == call.sequence()
            && Id::are_same(caller.answerer, space);
        let is_below = caller.priority < priority && !caller.obstacles.is_timed();
        let pays = self.cpu.meter.is_payer(call.thread());
        if !is_open || !is_below || pays || caller.tag.is_message() {
            return None;
        }
        resume(&mut threads, current, call.thread(), tag)?;
        self.cpu.enqueue(&mut threads, call.thread());
        self.cpu.bar = self.cpu.bar_by_ready();
        threads.at(current)?.registers.rax = 0;
        Some(())
    }
}
