//! Messages in the model: call, send, receive, reply, notifications.

use super::objects::{Capability, Name, State, What};
use super::{Model, Outcome};
use kamen_abi::{Error, FOREVER, Handle, Kind, MAX_BYTES, MAX_CAPS, MAX_LEASES, NOW, Rights, Tag};
use std::vec::Vec;

/// The words of a message page at which the leases begin, and the bytes.
const LEASES: usize = 8;
const BYTES: usize = 128;

impl Model {
    pub fn call(&mut self, expects_reply: bool) -> Outcome {
        let current = self.current();
        let registers = self.thread(current).registers;
        let (endpoint, badge) = self.endpoint(registers.r12 as u16, Rights::SEND)?;
        let tag = Tag(registers.r13).sanitized();
        self.check_long(current, tag, expects_reply)?;
        let receiver = self.endpoint_mut(endpoint).receivers.front().copied();
        if receiver.is_none() || expects_reply && registers.r14 != NOW {
            self.set_deadline(current, registers.r14)?;
        }
        let thread = self.thread_mut(current);
        (thread.tag, thread.badge) = (tag, badge);
        thread.state =
            if expects_reply { State::Calling(endpoint) } else { State::Sending(endpoint) };
        self.send_off(endpoint, current);
        Ok(())
    }

    /// A fault, a foreign system call or a recall becomes a call on the thread's handler.
    pub fn call_handler(&mut self, name: Name, tag: Tag) {
        let handler = self.thread(name).handler.filter(|handler| self.exists(handler.endpoint));
        let Some(handler) = handler else {
            self.thread_mut(name).state = State::Stopped;
            return self.leave(name);
        };
        self.request(name, handler.endpoint, handler.badge, tag);
    }

    /// A call that a thread did not ask for.
    pub fn request(&mut self, name: Name, endpoint: Name, badge: u64, tag: Tag) {
        let thread = self.thread_mut(name);
        (thread.tag, thread.badge) = (tag, badge);
        thread.state = State::Calling(endpoint);
        self.send_off(endpoint, name);
    }

    /// A pager died: who asked it asks its next life, or finds out that there is none.
    pub fn ask_again(&mut self, name: Name, endpoint: Name, tag: Tag) {
        if self.exists(endpoint) {
            let badge = self.thread(name).badge;
            self.request(name, endpoint, badge, tag);
        } else {
            self.wake(name);
        }
    }

    /// Returns whether a thread waits for its pager.
    pub fn awaits_page(&self, name: Name) -> bool {
        let thread = self.thread(name);
        let waits = matches!(thread.state, State::Calling(_) | State::Open { .. });
        waits && thread.tag.kind() == Kind::Page
    }

    /// Nobody may answer a call any more; returns where it was received.
    pub fn take_back(&mut self, caller: Name) -> Name {
        let State::Open { at, space, .. } = &mut self.thread_mut(caller).state else {
            panic!("{caller} has no open call");
        };
        *space = None;
        *at
    }

    /// The server of a call that has ended is told.
    fn tell_cancelled(&mut self, caller: Name) {
        let State::Open { at, space: Some(_), call } = self.thread(caller).state else { return };
        self.take_back(caller);
        if !self.exists(at) {
            return;
        }
        let (badge, slot) = (self.thread(caller).badge, self.objects[&caller].order);
        if let Some(receiver) = self.endpoint_mut(at).receivers.pop_front() {
            self.deliver_notice(receiver, call, badge);
            return self.end_wait(receiver, Ok(()));
        }
        let is_noticed = |what: &What| matches!(what, What::Endpoint(it) if it.notices.iter().any(|(.., it)| *it == slot));
        if self.objects.values().any(|object| is_noticed(&object.what)) {
            self.endpoint_mut(at).unnamed = true;
        } else {
            self.endpoint_mut(at).notices.push((call, badge, slot));
        }
    }

    fn deliver_notice(&mut self, receiver: Name, call: u64, badge: u64) {
        let registers = &mut self.thread_mut(receiver).registers;
        registers.set_words([call, 0, 0, 0, 0, 0]);
        let tag = Tag::short(0).with_kind(Kind::Cancelled);
        [registers.r12, registers.r13, registers.r14] = [0, tag.0, badge];
    }

    /// Hands a message to who waits for it, or puts its sender into the queue.
    fn send_off(&mut self, endpoint: Name, sender: Name) {
        let Some(receiver) = self.endpoint_mut(endpoint).receivers.pop_front() else {
            self.endpoint_mut(endpoint).senders.push_back(sender);
            return self.leave(sender);
        };
        if let Err(error) = self.deliver(sender, receiver) {
            self.endpoint_mut(endpoint).receivers.push_front(receiver);
            self.thread_mut(sender).deadline = None;
            self.set_status(sender, Err(error));
            self.thread_mut(sender).state = State::Ready;
            if self.cpu.current != Some(sender) {
                self.wake(sender);
            }
            return;
        }
        let thread = self.thread_mut(receiver);
        (thread.deadline, thread.registers.rax) = (None, 0);
        let is_open = matches!(self.thread(sender).state, State::Open { .. });
        if is_open && self.cpu.current.is_none_or(|current| current == sender) {
            return self.switch_to(receiver);
        }
        if !is_open {
            self.thread_mut(sender).deadline = None;
            self.set_status(sender, Ok(()));
            self.thread_mut(sender).state = State::Ready;
        }
        self.wake(receiver);
    }

    pub fn receive(&mut self, handle: u16) -> Outcome {
        let current = self.current();
        let (endpoint, _) = self.endpoint(handle, Rights::RECEIVE)?;
        if self.receive_ready(endpoint) {
            return Ok(());
        }
        let deadline = self.thread(current).registers.r14;
        if let Err(error) = self.set_deadline(current, deadline) {
            self.give_way();
            return Err(error);
        }
        self.await_message(current, endpoint);
        self.cpu.current = None;
        Ok(())
    }

    pub fn reply(&mut self) -> Outcome {
        let caller = self.answer()?;
        self.wake(caller);
        Ok(())
    }

    pub fn reply_receive(&mut self) -> Outcome {
        let current = self.current();
        let registers = self.thread(current).registers;
        let caller = if registers.r12 == 0 { None } else { self.answer().ok() };
        let found = self.endpoint(registers.r15 as u16, Rights::RECEIVE);
        let endpoint = match found {
            Ok((endpoint, _)) => endpoint,
            Err(error) => {
                caller.inspect(|caller| self.wake(*caller));
                return Err(error);
            }
        };
        let waits = if self.receive_ready(endpoint) {
            Ok(false)
        } else {
            self.set_deadline(current, registers.r14).map(|()| true)
        };
        if waits == Ok(true) {
            self.await_message(current, endpoint);
            match caller {
                Some(caller) => self.switch_to(caller),
                None => self.cpu.current = None,
            }
            return Ok(());
        }
        caller.inspect(|caller| self.wake(*caller));
        self.give_way();
        waits.map(|_| ())
    }

    /// Returns the notification that a handle allows to signal, and the bits.
    pub fn signalled(&self, handle: u64, bits: u64) -> Result<(Name, u64), Error> {
        let name = self.notification_named(handle, Rights::SEND)?;
        let badge = self.capability(handle, Rights::SEND)?.badge;
        Ok((name, if badge != 0 { badge } else { bits }))
    }

    pub fn signal(&mut self, name: Name, bits: u64) {
        if !self.exists(name) {
            return;
        }
        let notification = self.notification_mut(name);
        notification.bits |= bits;
        if notification.bits == 0 {
            return;
        }
        if let Some(waiter) = notification.waiters.pop_front() {
            let bits = core::mem::take(&mut notification.bits);
            self.thread_mut(waiter).registers.rdi = bits;
            self.end_wait(waiter, Ok(()));
        } else if let Some(bound) = notification.bound
            && let State::Receiving(endpoint) = self.thread(bound).state
        {
            self.endpoint_mut(endpoint).receivers.retain(|receiver| *receiver != bound);
            self.deliver_bits(bound, name);
            self.end_wait(bound, Ok(()));
        }
    }

    pub fn wait(&mut self, name: Name) -> Outcome {
        let current = self.current();
        let bits = core::mem::take(&mut self.notification_mut(name).bits);
        if bits != 0 {
            self.thread_mut(current).registers.rdi = bits;
            return Ok(());
        }
        let deadline = self.thread(current).registers.r14;
        self.set_deadline(current, deadline)?;
        self.thread_mut(current).state = State::Waiting(name);
        self.notification_mut(name).waiters.push_back(current);
        self.cpu.current = None;
        Ok(())
    }

    /// Somebody's time is over.
    pub fn expire(&mut self, name: Name) {
        if let Some(timer) = self.timer_of(name) {
            timer.deadline = None;
            let (notification, bits) = (timer.notification, timer.bits);
            return self.signal(notification, bits);
        }
        self.thread_mut(name).deadline = None;
        self.interrupt_wait(name, Error::TimedOut);
    }

    /// Ends whatever a thread waits for.
    pub fn interrupt_wait(&mut self, name: Name, error: Error) {
        match self.thread(name).state {
            State::Stopped | State::Ready => {}
            _ => {
                self.unqueue(name);
                self.end_wait(name, Err(error));
            }
        }
    }

    /// Takes a thread out of every queue.
    pub fn unqueue(&mut self, name: Name) {
        self.leave(name);
        self.cpu.remove(name);
        match self.thread(name).state {
            State::Calling(endpoint) | State::Sending(endpoint) => {
                self.endpoint_mut(endpoint).senders.retain(|sender| *sender != name);
            }
            State::Receiving(endpoint) => {
                self.endpoint_mut(endpoint).receivers.retain(|receiver| *receiver != name);
            }
            State::Waiting(notification) => {
                self.notification_mut(notification).waiters.retain(|waiter| *waiter != name);
            }
            State::Open { .. } => self.tell_cancelled(name),
            State::Stopped | State::Ready => {}
        }
    }

    fn end_wait(&mut self, name: Name, result: Outcome) {
        self.thread_mut(name).deadline = None;
        self.set_status(name, result);
        self.wake(name);
    }

    /// A foreign thread in a call keeps its registers; to others it tells how the wait ended.
    pub fn set_status(&mut self, name: Name, result: Outcome) {
        let thread = self.thread_mut(name);
        let calls = matches!(thread.state, State::Calling(_) | State::Open { .. });
        if thread.tag.kind() == Kind::Message || !calls {
            thread.registers.rax = result.err().map_or(0, |error| error as u64);
        }
    }

    pub fn leave(&mut self, name: Name) {
        if self.cpu.current == Some(name) {
            self.cpu.current = None;
        }
    }

    fn await_message(&mut self, name: Name, endpoint: Name) {
        self.thread_mut(name).state = State::Receiving(endpoint);
        self.endpoint_mut(endpoint).receivers.push_back(name);
    }

    /// Receives what is there already; returns whether anything was.
    fn receive_ready(&mut self, endpoint: Name) -> bool {
        let current = self.current();
        let meeting = self.endpoint_mut(endpoint);
        let unnamed = core::mem::take(&mut meeting.unnamed);
        if let Some((call, badge, _)) = meeting.notices.pop() {
            meeting.unnamed = unnamed;
            self.deliver_notice(current, call, badge);
            return true;
        }
        if unnamed {
            self.deliver_notice(current, 0, 0);
            return true;
        }
        if let Some(bound) = self.thread(current).bound
            && self.notification_mut(bound).bits != 0
        {
            self.deliver_bits(current, bound);
            return true;
        }
        while let Some(sender) = self.next_sender(endpoint) {
            let sending = matches!(self.thread(sender).state, State::Sending(_));
            let delivered = self.deliver(sender, current);
            if sending || delivered.is_err() {
                self.thread_mut(sender).deadline = None;
                self.set_status(sender, delivered);
                self.make_ready(sender);
            }
            if delivered.is_ok() {
                self.give_way();
                return true;
            }
        }
        false
    }

    /// Takes the sender that is served next.
    fn next_sender(&mut self, endpoint: Name) -> Option<Name> {
        let sender = self.senders_in_order(endpoint).into_iter().next()?;
        self.endpoint_mut(endpoint).senders.retain(|other| *other != sender);
        Some(sender)
    }

    /// Returns who waits at an endpoint to be received: the highest first, equals as they came.
    pub fn senders_in_order(&self, endpoint: Name) -> Vec<Name> {
        let mut senders = Vec::from_iter(self.endpoint_of(endpoint).senders.iter().copied());
        senders.sort_by_key(|sender| core::cmp::Reverse(self.thread(*sender).priority));
        senders
    }

    fn deliver_bits(&mut self, receiver: Name, notification: Name) {
        let bits = core::mem::take(&mut self.notification_mut(notification).bits);
        let registers = &mut self.thread_mut(receiver).registers;
        registers.set_words([bits, 0, 0, 0, 0, 0]);
        registers.r12 = 0;
        registers.r13 = Tag::short(0).with_kind(Kind::Notification).0;
        registers.r14 = 0;
    }

    /// Moves a message; a call is open afterwards.
    fn deliver(&mut self, sender: Name, receiver: Name) -> Outcome {
        let from = self.thread(sender);
        let (tag, badge, state) = (from.tag, from.badge, from.state);
        let words = match tag.kind() {
            Kind::Exception => {
                let ([error, address], at) = (from.fault, from.registers);
                [error, address, at.rip, at.rsp, at.rflags, 0]
            }
            Kind::Page => [from.fault[0], from.fault[1], 0, 0, 0, 0],
            _ => from.registers.words(),
        };
        self.transfer(sender, receiver, tag)?;
        let mut open = 0;
        if let State::Calling(at) = state {
            open = self.new_open_call();
            let space = Some(self.thread(receiver).space);
            self.thread_mut(sender).state = State::Open { at, space, call: open };
            self.thread_mut(sender).calls += 1;
        }
        let registers = &mut self.thread_mut(receiver).registers;
        registers.set_words(words);
        [registers.r12, registers.r13, registers.r14] = [open, tag.0, badge];
        Ok(())
    }

    fn answer(&mut self) -> Result<Name, Error> {
        let current = self.current();
        let registers = self.thread(current).registers;
        let caller = self.open_call(registers.r12)?;
        let tag = Tag(registers.r13).sanitized();
        self.check_long(current, tag, false)?;
        let kind = self.thread(caller).tag.kind();
        if kind == Kind::Message {
            self.transfer(current, caller, tag)?;
        }
        if kind == Kind::Exception && tag.label() == 2 {
            let moved = kamen_abi::Registers {
                rip: registers.rdx,
                rsp: registers.r10,
                rflags: registers.r8,
                ..self.thread(caller).registers
            };
            let moved = moved.validated().ok_or(Error::InvalidArgument)?;
            self.thread_mut(caller).registers = moved;
        }
        let thread = self.thread_mut(caller);
        (thread.deadline, thread.state) = (None, State::Ready);
        match kind {
            Kind::Message => {
                thread.registers.set_words(registers.words());
                [thread.registers.r13, thread.registers.rax] = [tag.0, 0];
            }
            Kind::SystemCall | Kind::Interrupt if tag.label() == 0 => {
                thread.registers.rax = registers.rdi;
            }
            _ => {}
        }
        Ok(caller)
    }

    /// Returns the caller of an open call that the current thread's space received.
    pub fn open_call(&self, call: u64) -> Result<Name, Error> {
        let space = self.thread(self.current()).space;
        let is_it = |state| {
            matches!(state, State::Open { space: Some(at), call: open, .. }
                if (at, open) == (space, call))
        };
        let found = self.threads().find(|(_, thread)| is_it(thread.state));
        found.map(|(name, _)| name).ok_or(Error::StaleCall)
    }

    fn endpoint(&self, handle: u16, rights: Rights) -> Result<(Name, u64), Error> {
        let capability = self.capability(handle as u64, rights)?;
        let name = self.endpoint_named(handle as u64, rights)?;
        Ok((name, capability.badge))
    }

    pub fn set_deadline(&mut self, name: Name, deadline: u64) -> Outcome {
        match deadline {
            FOREVER => {}
            NOW => return Err(Error::WouldBlock),
            _ => self.thread_mut(name).deadline = Some(deadline),
        }
        Ok(())
    }

    fn check_long(&self, name: Name, tag: Tag, lends: bool) -> Outcome {
        if tag.is_short() {
            return Ok(());
        }
        let page = self.thread(name).page.ok_or(Error::BadAddress)?;
        let bounded = tag.bytes() <= MAX_BYTES && tag.caps() <= MAX_CAPS;
        let leases = if lends { MAX_LEASES } else { 0 };
        if !bounded || tag.leases() > leases {
            return Err(Error::InvalidArgument);
        }
        self.sent(self.thread(name).table, self.pages[&page][0], tag).map(|_| ())
    }

    /// Returns the capabilities that the first word of a page names.
    fn sent(&self, table: Option<Name>, word: u64, tag: Tag) -> Result<Vec<Capability>, Error> {
        let slots = (0..tag.caps()).map(|place| Handle((word >> (16 * place)) as u16));
        let sent = slots.map(|slot| {
            let table = table.and_then(|table| self.table(table)).ok_or(Error::InvalidHandle)?;
            let capability = table.used.get(&slot.0).ok_or(Error::InvalidHandle)?;
            let granted = capability.rights.contains(Rights::GRANT);
            if granted { Ok(*capability) } else { Err(Error::NoRights) }
        });
        sent.collect()
    }

    /// Moves what a message has in the page.
    fn transfer(&mut self, sender: Name, receiver: Name, tag: Tag) -> Outcome {
        if tag.is_short() {
            return Ok(());
        }
        let from = self.thread(sender).page.ok_or(Error::BadAddress)?;
        let to = self.thread(receiver).page.ok_or(Error::BadAddress)?;
        let source = self.pages[&from].clone();
        let sent = self.sent(self.thread(sender).table, source[0], tag)?;
        if !sent.is_empty() {
            let table = self.thread(receiver).table;
            let table = table.and_then(|table| self.table_mut(table)).ok_or(Error::TableFull)?;
            let slots = table.free(sent.len());
            if slots.len() < sent.len() {
                return Err(Error::TableFull);
            }
            let mut word = 0;
            for (place, (slot, capability)) in slots.into_iter().zip(sent).enumerate() {
                table.used.insert(slot, capability);
                word |= (slot as u64) << (16 * place);
            }
            self.page_mut(to)[0] = word;
        }
        let target = self.page_mut(to);
        for word in LEASES..LEASES + 2 * tag.leases() {
            target[word] = source[word];
        }
        if from != to {
            super::memory::copy_bytes(&source, BYTES, target, BYTES, tag.bytes());
        }
        Ok(())
    }
}
