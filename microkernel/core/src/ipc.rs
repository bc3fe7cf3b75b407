//! Messages: call, send, receive, reply; how a sender and a receiver meet.
//!
//! A thread that sends keeps its message in its own saved registers until somebody receives it;
//! nothing is buffered. Each operation is two halves: everything that can be refused first.

use kamen_abi::trace::EventKind;
use kamen_abi::{
    Error, FOREVER, Handle, Kind, MAX_CAPS, MAX_LEASES, MessagePage, NOW, ObjectKind, OpenCall,
    Rights, Tag,
};

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::handler;
use crate::kernel::Kernel;
use crate::machine::{Frame, Machine};
use crate::steps;
use crate::table::Capability;
use crate::thread::State;

/// Label of an answer to an exception that says where the thread goes on.
pub(crate) const RESUME_AT: u32 = 2;

/// Whether a message can lend memory: a lease lasts as long as its call, which others have none of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leases {
    Lent,
    Refused,
}

impl<M: Machine> Kernel<M> {
    /// Operation Call (`expects_reply`), and Send.
    #[inline]
    pub(crate) fn call(&mut self, expects_reply: bool) -> Result<(), Error> {
        let current = self.cpu.current;
        let registers = &self.threads[current].registers;
        let (handle, deadline) = (Handle(registers.r12 as u16), registers.r14);
        let tag = Tag(registers.r13).sanitized();
        let (endpoint, badge) = self.endpoint(handle.0.into(), Rights::SEND)?;
        if !tag.is_short() {
            let leases = if expects_reply { Leases::Lent } else { Leases::Refused };
            self.check_long(current, tag, leases)?;
        }
        let receiver = self.endpoints.get(endpoint).ok_or(Error::InvalidHandle)?.receivers.first();
        if receiver.is_none() || expects_reply && deadline != NOW {
            self.set_deadline(current, deadline)?;
        }
        let thread = &mut self.threads[current];
        thread.tag = tag;
        thread.badge = badge;
        thread.state =
            if expects_reply { State::Calling(endpoint) } else { State::Sending(endpoint) };
        match receiver {
            Some(receiver) => self.meet(endpoint, current, receiver),
            None => self.enqueue_sender(endpoint, current),
        }
        Ok(())
    }

    /// Operation Receive.
    #[inline]
    pub(crate) fn receive(&mut self, handle: Handle) -> Result<(), Error> {
        let current = self.cpu.current;
        let (endpoint, _) = self.endpoint(handle.0.into(), Rights::RECEIVE)?;
        if self.receive_ready(endpoint)? {
            return Ok(());
        }
        let deadline = self.threads[current].registers.r14;
        if let Err(error) = self.set_deadline(current, deadline) {
            self.give_way();
            return Err(error);
        }
        self.await_message(endpoint);
        self.give_up();
        Ok(())
    }

    /// Operation Reply.
    pub(crate) fn reply(&mut self) -> Result<(), Error> {
        let caller = self.answer()?;
        self.wake(caller);
        Ok(())
    }

    /// Operation ReplyReceive: answers the open call, then receives; switches straight to the
    /// caller where nothing else is to be done first.
    #[inline]
    pub(crate) fn reply_receive(&mut self) -> Result<(), Error> {
        let current = self.cpu.current;
        let registers = &self.threads[current].registers;
        let (call, handle) = (OpenCall(registers.r12), Handle(registers.r15 as u16));
        let deadline = registers.r14;
        let caller = if call == OpenCall::NONE { None } else { self.answer().ok() };
        let (endpoint, _) = match self.endpoint(handle.0.into(), Rights::RECEIVE) {
            Ok(found) => found,
            Err(error) => {
                caller.inspect(|caller| self.wake(*caller));
                return Err(error);
            }
        };
        let blocked = match self.receive_ready(endpoint) {
            Ok(true) => Ok(false),
            Ok(false) => self.set_deadline(current, deadline).map(|()| true),
            Err(error) => Err(error),
        };
        match (blocked, caller) {
            (Ok(true), Some(caller)) => {
                self.await_message(endpoint);
                self.switch_to(caller);
                self.charge_answered(caller, current);
            }
            (Ok(true), None) => {
                self.await_message(endpoint);
                self.give_up();
            }
            (other, caller) => {
                caller.inspect(|caller| self.wake(*caller));
                self.give_way();
                other?;
            }
        }
        Ok(())
    }

    /// Ends whatever a thread waits for, with an error; one that does not wait is left alone.
    pub(crate) fn interrupt_wait(&mut self, thread: u16, error: Error) {
        match self.threads[thread].state {
            State::Stopped | State::Ready => return,
            _ => {
                self.trace_broken(thread, error);
                self.unqueue(thread);
            }
        }
        self.end_wait(thread, Err(error));
    }

    /// Takes a thread out of the queue that its state names, and out of its open call.
    pub(crate) fn unqueue(&mut self, thread: u16) {
        match self.threads[thread].state {
            State::Stopped => {}
            State::Ready => self.take_off(thread),
            State::Open(_) => {
                if self.threads[thread].answerer.take().is_some() {
                    self.notify_cancelled(thread);
                }
            }
            State::Calling(_) | State::Sending(_) => drop(self.take_from_senders(thread)),
            State::Receiving(endpoint) => self.unqueue_receiver(endpoint, thread),
            State::Waiting(notification) => {
                if let Some(notification) = self.notifications.find_mut(notification) {
                    notification.waiters.remove(&mut self.threads.slots(), thread);
                }
            }
        }
    }

    /// Lets a thread go on that waited and is in no queue; `rax` tells why.
    pub(crate) fn end_wait(&mut self, thread: u16, result: Result<(), Error>) {
        self.clear_deadline(thread);
        self.set_status(thread, result);
        self.wake(thread);
    }

    /// Sets what the thread's system call returns; a foreign thread's registers are not touched.
    pub(crate) fn set_status(&mut self, thread: u16, result: Result<(), Error>) {
        let thread = &mut self.threads[thread];
        if thread.tag.kind() == Kind::Message
            || !matches!(thread.state, State::Calling(_) | State::Open(_))
        {
            thread.registers.rax = result.err().map_or(0, |error| error as u64);
        }
    }

    pub(crate) fn unqueue_receiver(&mut self, endpoint: Id<Endpoint>, thread: u16) {
        if let Some(endpoint) = self.endpoints.find_mut(endpoint) {
            endpoint.receivers.remove(&mut self.threads.slots(), thread);
        }
    }

    pub(crate) fn enqueue_sender(&mut self, endpoint: Id<Endpoint>, sender: u16) {
        let tag = self.threads[sender].tag.0;
        self.trace(EventKind::Queued, sender, endpoint.index(), [0, tag]);
        self.push_sender(endpoint, sender);
        self.leave(sender);
    }

    /// Puts a sender behind its equals.
    pub(crate) fn push_sender(&mut self, endpoint: Id<Endpoint>, sender: u16) {
        if let Some(endpoint) = self.endpoints.find_mut(endpoint) {
            endpoint.senders.push(&mut self.threads.slots(), sender);
        }
    }

    /// Takes a thread out of the queue of senders that it is in, and returns whose that is.
    pub(crate) fn take_from_senders(&mut self, thread: u16) -> Option<Id<Endpoint>> {
        let (State::Calling(id) | State::Sending(id)) = self.threads[thread].state else {
            return None;
        };
        self.endpoints.find_mut(id)?.senders.remove(&mut self.threads.slots(), thread);
        Some(id)
    }

    /// Takes the processor from a thread if it has it.
    pub(crate) fn leave(&mut self, thread: u16) {
        if self.cpu.current == thread {
            self.give_up();
        }
    }

    /// Hands a sender's message to a waiting receiver, who runs next if nobody is above it.
    #[inline]
    pub(crate) fn meet(&mut self, endpoint: Id<Endpoint>, sender: u16, receiver: u16) {
        self.unqueue_receiver(endpoint, receiver);
        if let Err(error) = self.deliver(sender, receiver) {
            // The receiver did nothing wrong and goes on waiting, first in its queue.
            if let Some(endpoint) = self.endpoints.get_mut(endpoint) {
                endpoint.receivers.push_front(&mut self.threads.slots(), receiver);
            }
            self.clear_deadline(sender);
            self.set_status(sender, Err(error));
            self.threads[sender].state = State::Ready;
            if self.cpu.current != sender {
                self.wake(sender);
            }
            return;
        }
        self.clear_deadline(receiver);
        self.threads[receiver].registers.rax = 0;
        if let State::Open(_) = self.threads[sender].state {
            if self.cpu.current == sender || self.cpu.current == crate::queue::NIL {
                self.switch_to(receiver);
            } else {
                self.wake(receiver);
            }
        } else {
            self.clear_deadline(sender);
            self.set_status(sender, Ok(()));
            self.threads[sender].state = State::Ready;
            self.wake(receiver);
        }
    }

    /// Receives what is there already: notices of cancelled calls, so that nothing is done for
    /// them any more, bits of the bound notification, then the first sender whose message can be
    /// delivered. Returns whether there was anything.
    #[inline]
    fn receive_ready(&mut self, endpoint: Id<Endpoint>) -> Result<bool, Error> {
        let current = self.cpu.current;
        if self.receive_notice(endpoint) {
            self.charge(current);
            return Ok(true);
        }
        if let Some(bound) = self.threads[current].bound
            && self.notifications.get(bound).is_some_and(|notification| notification.bits != 0)
        {
            self.charge(current);
            self.deliver_bits(current, bound);
            return Ok(true);
        }
        loop {
            let meeting = self.endpoints.get_mut(endpoint).ok_or(Error::InvalidHandle)?;
            let Some(sender) = meeting.senders.pop(&mut self.threads.slots()) else {
                return Ok(false);
            };
            let sending = matches!(self.threads[sender].state, State::Sending(_));
            let delivered = self.deliver(sender, current);
            if sending || delivered.is_err() {
                // Not `wake`: the receiver keeps the processor until its own wait is settled.
                self.clear_deadline(sender);
                self.set_status(sender, delivered);
                self.make_ready(sender);
            }
            if delivered.is_ok() {
                self.charge_caller(if sending { current } else { sender });
                self.give_way();
                return Ok(true);
            }
            self.vm.steps.spend(steps::THREAD)?;
        }
    }

    #[inline]
    fn await_message(&mut self, endpoint: Id<Endpoint>) {
        let current = self.cpu.current;
        self.threads[current].state = State::Receiving(endpoint);
        if let Some(endpoint) = self.endpoints.get_mut(endpoint) {
            endpoint.receivers.push(&mut self.threads.slots(), current);
        }
    }

    /// Moves a message into a receiver's registers and page. The sender is in no queue any more
    /// and is Calling or Sending; where it calls, its call is open afterwards.
    #[inline]
    fn deliver(&mut self, sender: u16, receiver: u16) -> Result<(), Error> {
        let from = &self.threads[sender];
        let (tag, badge) = (from.tag, from.badge);
        let words = handler::words(from);
        if !tag.is_short() {
            self.transfer(sender, receiver, tag)?;
        }
        let answerer = self.threads[receiver].space;
        let from = &mut self.threads[sender];
        let mut open = OpenCall::NONE;
        if let State::Calling(endpoint) = from.state {
            from.sequence += 1;
            from.state = State::Open(endpoint);
            from.answerer = answerer;
            open = OpenCall::new(sender, from.sequence);
        }
        let registers = &mut self.threads[receiver].registers;
        registers.set_words(words);
        registers.r12 = open.0;
        registers.r13 = tag.0;
        registers.r14 = badge;
        if self.trace.closes_ways() {
            let page = self.threads[receiver].message_page;
            self.record_message(EventKind::Message, [sender, receiver], open, (tag, words, page));
        }
        Ok(())
    }

    /// Answers the open call in the current thread's r12 and returns the caller, ready to run.
    #[inline]
    fn answer(&mut self) -> Result<u16, Error> {
        let current = self.cpu.current;
        let registers = &self.threads[current].registers;
        let caller = self.open_call(OpenCall(registers.r12))?;
        let (tag, words) = (Tag(registers.r13).sanitized(), registers.words());
        if !tag.is_short() {
            self.check_long(current, tag, Leases::Refused)?;
        }
        let kind = self.threads[caller].tag.kind();
        if kind == Kind::Message && !tag.is_short() {
            self.transfer(current, caller, tag)?;
        }
        if kind == Kind::Exception && tag.label() == RESUME_AT {
            let [_, _, rip, rsp, rflags, _] = words;
            self.threads[caller].go_on_at(rip, rsp, rflags).ok_or(Error::InvalidArgument)?;
        }
        self.clear_deadline(caller);
        self.charge_answer(caller);
        let registers = &mut self.threads[caller].registers;
        match kind {
            Kind::Message => {
                registers.set_words(words);
                registers.r13 = tag.0;
                registers.rax = 0;
            }
            Kind::SystemCall | Kind::Interrupt if tag.label() == 0 => registers.rax = words[0],
            _ => {}
        }
        let caller_thread = &mut self.threads[caller];
        caller_thread.state = State::Ready;
        caller_thread.answerer = None;
        let call = OpenCall::new(caller, caller_thread.sequence);
        if self.trace.closes_ways() {
            let page = self.threads[current].message_page;
            self.record_message(EventKind::Reply, [current, caller], call, (tag, words, page));
        }
        Ok(caller)
    }

    /// Returns the caller of an open call that the current thread may answer.
    #[inline]
    pub(crate) fn open_call(&self, call: OpenCall) -> Result<u16, Error> {
        let answerer = self.threads[self.cpu.current].space;
        let caller = self.threads.id_at(call.thread() as u32).and_then(|id| self.threads.get(id));
        match caller {
            Some(caller)
                if matches!(caller.state, State::Open(_))
                    && caller.sequence == call.sequence()
                    && caller.answerer == answerer =>
            {
                Ok(call.thread())
            }
            _ => Err(Error::StaleCall),
        }
    }

    /// Returns the endpoint that a handle names, alive, and the capability's badge.
    #[inline]
    pub(crate) fn endpoint(
        &self,
        handle: u64,
        rights: Rights,
    ) -> Result<(Id<Endpoint>, u64), Error> {
        let (id, _, badge) = self.named(handle, ObjectKind::Endpoint, rights)?;
        if self.endpoints.contains(id) { Ok((id, badge)) } else { Err(Error::InvalidHandle) }
    }

    /// Checks that a thread can send a long message: bounds, its page, its capabilities.
    fn check_long(&self, thread: u16, tag: Tag, leases: Leases) -> Result<(), Error> {
        let page = self.threads[thread].message_page.ok_or(Error::BadAddress)?;
        if !tag.is_valid() || leases == Leases::Refused && tag.leases() > 0 {
            return Err(Error::InvalidArgument);
        }
        let handles = self.vm.machine.load(page, MessagePage::CAPS_AT / 8);
        for place in 0..tag.caps() {
            self.capability(handle_at(handles, place), Rights::GRANT)?;
        }
        Ok(())
    }

    /// Copies the long part of a message from page to page and installs its capabilities.
    fn transfer(&mut self, sender: u16, receiver: u16, tag: Tag) -> Result<(), Error> {
        let from = self.threads[sender].message_page.ok_or(Error::BadAddress)?;
        let to = self.threads[receiver].message_page.ok_or(Error::BadAddress)?;
        let caps = self.sent_capabilities(sender, tag)?;
        let target = self.threads[receiver].table;
        if tag.caps() > 0 {
            let target = target.and_then(|id| self.tables.get_mut(id)).ok_or(Error::TableFull)?;
            let (mut supply, _) = self.vm.supply();
            target.reserve(&mut supply, tag.caps())?;
            let mut handles = 0;
            for (place, capability) in caps.iter().flatten().enumerate() {
                handles |= (target.insert(&mut supply, *capability)?.0 as u64) << (16 * place);
            }
            self.vm.machine.store(to, MessagePage::CAPS_AT / 8, handles);
        }
        copy_page_part(&mut self.vm.machine, from, to, tag);
        Ok(())
    }

    /// Looks up the capabilities that a sender's page names.
    fn sent_capabilities(
        &self,
        sender: u16,
        tag: Tag,
    ) -> Result<[Option<Capability>; MAX_CAPS], Error> {
        let mut caps = [None; MAX_CAPS];
        if tag.caps() == 0 {
            return Ok(caps);
        }
        let page = self.threads[sender].message_page.ok_or(Error::BadAddress)?;
        let table = self.threads[sender].table.and_then(|id| self.tables.get(id));
        let table = table.ok_or(Error::InvalidHandle)?;
        let handles = self.vm.machine.load(page, MessagePage::CAPS_AT / 8);
        for (place, slot) in caps.iter_mut().enumerate().take(tag.caps()) {
            let capability = table.get(&self.vm.machine, handle_at(handles, place))?;
            if !capability.rights.contains(Rights::GRANT) {
                return Err(Error::NoRights);
            }
            *slot = Some(capability);
        }
        Ok(caps)
    }
}

/// Copies leases and bytes of a message from page to page; its tag is valid.
#[inline(always)]
pub(crate) fn copy_page_part(machine: &mut impl Machine, from: Frame, to: Frame, tag: Tag) {
    let leases = MessagePage::LEASES_AT / 8;
    for word in leases..leases + 2 * tag.leases().min(MAX_LEASES) {
        let value = machine.load(from, word);
        machine.store(to, word, value);
    }
    if tag.bytes() > 0 && from != to {
        let bytes = MessagePage::BYTES_AT;
        machine.copy(from, bytes, to, bytes, tag.bytes());
    }
}

/// Returns handle `place` of the four in the first word of a message page.
fn handle_at(handles: u64, place: usize) -> Handle {
    Handle((handles >> (16 * place)) as u16)
}

const _: () = assert!(FOREVER > NOW);
