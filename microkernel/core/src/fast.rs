//! The fast path: short call, foreign system call, reply-and-receive, from trap to trap.
//!
//! It does what `ipc.rs` does, for the case that nothing stands in the way, with each object
//! looked up once. Every check comes before the first change; where one fails nothing has
//! happened, and the slow path starts from the beginning and finds out what is to be done.
//!
//! ```text
//!   to the slow path goes whatever          call / foreign      reply-and-receive
//!   uses the message page                   tag                 tag
//!   waits with a deadline (or has one)      caller, receiver    server, caller
//!   is not allowed, or names nothing        capability          capability, open call
//!   finds nobody waiting, or several        receivers           (other receivers)
//!   finds more to do first                                      senders, notices, bound notification
//!   must not run next                       somebody ready is above, or the slice is over;
//!                                           equals are ready and no slice has begun
//! ```

use kamen_abi::{FOREVER, Handle, Kind, OpenCall, Operation, Rights, Tag};

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::queue::Queue;
use crate::table::Object;
use crate::thread::State;

/// A request on its way: what the receiver will see of it.
struct Request {
    endpoint: Id<Endpoint>,
    badge: u64,
    tag: Tag,
}

impl<M: Machine> Kernel<M> {
    /// Performs the current thread's system call if it is one of the three and nothing stands in
    /// the way; returns whether it did.
    #[inline(always)]
    pub(crate) fn fast_system_call(&mut self) -> bool {
        const CALL: u64 = Operation::Call as u64;
        const REPLY_RECEIVE: u64 = Operation::ReplyReceive as u64;
        let Some(thread) = self.threads.at(self.cpu.current) else { return false };
        if let Some(handler) = thread.handler
            && handler.foreign
        {
            let tag = Tag::short(thread.registers.rax as u32).with_kind(Kind::SystemCall);
            let request = Request { endpoint: handler.endpoint, badge: handler.badge, tag };
            return self.fast_request(request).is_some();
        }
        match thread.registers.rax {
            CALL => self.fast_call().is_some(),
            REPLY_RECEIVE => self.fast_reply_receive().is_some(),
            _ => false,
        }
    }

    #[inline(always)]
    fn fast_call(&mut self) -> Option<()> {
        let caller = self.threads.at(self.cpu.current)?;
        let registers = &caller.registers;
        let tag = Tag(registers.r13);
        if tag.0 > u32::MAX as u64 || registers.r14 != FOREVER {
            return None;
        }
        let table = self.tables.get(caller.table?)?;
        let capability = table.get(Handle(registers.r12 as u16)).ok()?;
        let Object::Endpoint(endpoint) = capability.object else { return None };
        if !capability.rights.contains(Rights::SEND) {
            return None;
        }
        self.fast_request(Request { endpoint, badge: capability.badge, tag })
    }

    /// Moves the current thread's request to the server that waits for it, and switches to it.
    #[inline(always)]
    fn fast_request(&mut self, request: Request) -> Option<()> {
        let current = self.cpu.current;
        let endpoint = self.endpoints.get_mut(request.endpoint)?;
        let receiver = endpoint.receivers.only()?;
        let (caller, server) = self.threads.pair(current, receiver)?;
        if server.timed || self.cpu.is_contended(server.priority) {
            return None;
        }

        endpoint.receivers = Queue::default();
        caller.tag = request.tag;
        caller.badge = request.badge;
        caller.sequence += 1;
        caller.state = State::Open(request.endpoint);
        caller.answerer = server.space;
        server.state = State::Ready;
        server.registers.set_words(caller.registers.words());
        server.registers.rax = 0;
        server.registers.r12 = OpenCall::new(current, caller.sequence).0;
        server.registers.r13 = request.tag.0;
        server.registers.r14 = request.badge;
        self.cpu.current = receiver;
        Some(())
    }

    /// Answers a call and waits for the next, and switches to the caller.
    #[inline(always)]
    fn fast_reply_receive(&mut self) -> Option<()> {
        let current = self.cpu.current;
        let server = self.threads.at(current)?;
        let registers = &server.registers;
        let (call, tag) = (OpenCall(registers.r12), Tag(registers.r13));
        if tag.0 > u32::MAX as u64 || registers.r14 != FOREVER {
            return None;
        }
        if let Some(bound) = server.bound
            && self.notifications.get(bound)?.bits != 0
        {
            return None;
        }
        let table = self.tables.get(server.table?)?;
        let capability = table.get(Handle(registers.r15 as u16)).ok()?;
        let Object::Endpoint(id) = capability.object else { return None };
        let endpoint = self.endpoints.get_mut(id)?;
        let receives = capability.rights.contains(Rights::RECEIVE);
        if !receives || !endpoint.senders.is_empty() || !endpoint.receivers.is_empty() {
            return None;
        }
        if !endpoint.notices.is_empty() {
            return None;
        }
        let (server, caller) = self.threads.pair(current, call.thread())?;
        let is_open = matches!(caller.state, State::Open(_))
            && caller.sequence == call.sequence()
            && caller.answerer == server.space;
        if !is_open || caller.timed || self.cpu.is_contended(caller.priority) {
            return None;
        }
        match caller.tag.kind() {
            Kind::Message => {
                caller.registers.set_words(server.registers.words());
                caller.registers.r13 = tag.0;
                caller.registers.rax = 0;
            }
            Kind::SystemCall if tag.label() == 0 => caller.registers.rax = server.registers.rdi,
            _ => return None,
        }

        endpoint.receivers = Queue::of(current);
        server.state = State::Receiving(id);
        caller.state = State::Ready;
        caller.answerer = None;
        self.cpu.current = call.thread();
        Some(())
    }
}
