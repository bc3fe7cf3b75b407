//! System calls that are not messages: arguments are decoded and checked, then acted upon.

use kamen_abi::{
    Error, FOREVER, Handle, MemoryKind, ObjectKind, Operation, PAGE_SIZE, PortWidth, Rights,
    USER_END, WHOLE, WORDS,
};

use crate::arena::Id;
use crate::deadline::Waiter;
use crate::kernel::Kernel;
use crate::machine::{Frame, Machine};
use crate::memory::Memory;
use crate::notification::Notification;
use crate::quota::{self, Quota};
use crate::space::{NewMapping, Space};
use crate::table::{Capability, Object, Table};
use crate::thread::{Entry, Handler, State, Thread};

/// Defines methods that look a handle up as one kind of object, alive and with the rights.
macro_rules! lookups {
    ($($name:ident: $variant:ident in $($arena:ident).+ => $kind:ty;)*) => {$(
        pub(crate) fn $name(&self, handle: u64, rights: Rights) -> Result<Id<$kind>, Error> {
            let (id, ..) = self.named(handle, ObjectKind::$variant, rights)?;
            if self.$($arena).+.contains(id) { Ok(id) } else { Err(Error::InvalidHandle) }
        }
    )*};
}

impl<M: Machine> Kernel<M> {
    lookups! {
        thread: Thread in threads => Thread;
        space: Space in vm.spaces => Space;
        table: Table in tables => Table;
        notification: Notification in notifications => Notification;
        memory: Memory in vm.memories => Memory;
        quota: Quota in vm.quotas => Quota;
    }

    /// Performs an operation of the current thread.
    #[inline(always)]
    pub(crate) fn invoke(
        &mut self,
        operation: Operation,
        target: u64,
        words: [u64; WORDS],
    ) -> Result<(), Error> {
        let [w0, w1, w2, w3, w4, _] = words;
        match operation {
            Operation::Null => Ok(()),
            Operation::Call => self.call(true),
            Operation::Send => self.call(false),
            Operation::Receive => self.receive(Handle(target as u16)),
            Operation::Reply => self.reply(),
            Operation::ReplyReceive => self.reply_receive(),
            Operation::Signal => self.signal_operation(target, w0),
            Operation::Wait => self.wait(self.notification(target, Rights::RECEIVE)?),
            Operation::Yield => {
                self.yield_now();
                Ok(())
            }
            Operation::Now => {
                self.now();
                Ok(())
            }
            Operation::Copy => self.copy(words),
            Operation::Create => self.create(target, words),
            Operation::Mint => self.mint(target, [w0, w1, w2, w3, w4]),
            Operation::Delete => self.delete(target, w0),
            Operation::Destroy => self.destroy_operation(target),
            Operation::Map => self.map_operation(target, words),
            Operation::Unmap => self.unmap(target, w0, w1),
            Operation::Protect => self.protect(target, w0, w1, w2),
            Operation::Clone => self.clone_operation(target, words),
            Operation::SetPriority => self.set_priority(target, w0),
            Operation::SetHandler => self.set_handler(target, w0, w1, w2),
            Operation::SetMessagePage => self.set_message_page(target, w0, w1),
            Operation::Bind => self.bind(target, w0),
            Operation::Start => self.start(target),
            Operation::Stop => self.stop(target),
            Operation::Recall => self.recall(self.thread(target, Rights::CONTROL)?.index() as u16),
            Operation::ReadRegisters => {
                self.read_registers(self.register_target(target, Rights::READ)?)
            }
            Operation::WriteRegisters => {
                self.write_registers(self.register_target(target, Rights::CONTROL)?)
            }
            Operation::SetSpace => self.set_space(target, w0),
            Operation::SetEntry => self.set_entry(target, [w0, w1, w2]),
            Operation::SetTimer => self.set_timer(target, w0),
            Operation::BindInterrupt => self.bind_interrupt(target, w0, w1, w2),
            Operation::AcknowledgeInterrupt => {
                let line = self.line(target, w0)?;
                self.vm.machine.unmask(line as u32);
                Ok(())
            }
            Operation::PortIn => {
                let width = PortWidth::from_number(w1).ok_or(Error::InvalidArgument)?;
                let port = self.port(target, w0, width, Rights::READ)?;
                self.give(|kernel| Ok(kernel.vm.machine.port_in(port, width) as u64))
            }
            Operation::PortOut => {
                let width = PortWidth::from_number(w1).ok_or(Error::InvalidArgument)?;
                let port = self.port(target, w0, width, Rights::WRITE)?;
                self.vm.machine.port_out(port, width, w2 as u32);
                Ok(())
            }
            Operation::PortWrite => {
                let port = self.port(target, w0, PortWidth::Byte, Rights::WRITE)?;
                self.port_write(port, w1, w2)
            }
            Operation::Inspect => self.inspect(target),
            Operation::Resize => {
                let memory = self.memory(target, Rights::CONTROL)?;
                self.vm.resize_memory(memory, usize::try_from(w0).unwrap_or(usize::MAX))
            }
            Operation::CompareExchange => self.compare_exchange(target, [w0, w1, w2]),
            Operation::Commit => self.commit(target, w0, w1),
            Operation::Decommit => self.decommit(target, w0, w1),
            Operation::Supply => self.supply(target, [w0, w1, w2, w3]),
            Operation::HandOver => self.hand_over(target, w0, w1),
            Operation::Trace => self.set_trace(target, w0),
            Operation::SetProcessor => self.set_processor(target, w0),
            Operation::InspectThread => self.inspect_thread(target, w0),
        }
    }

    /// Returns a value in word 0.
    fn give(&mut self, value: impl FnOnce(&mut Self) -> Result<u64, Error>) -> Result<(), Error> {
        let value = value(self)?;
        let current = self.cpu.current;
        self.threads[current].registers.rdi = value;
        Ok(())
    }

    /// Returns a new capability's handle in r12.
    pub(crate) fn give_handle(&mut self, handle: Handle) {
        let current = self.cpu.current;
        self.threads[current].registers.r12 = handle.0 as u64;
    }

    /// Returns the current thread's own table.
    pub(crate) fn own_table(&self) -> Result<Id<Table>, Error> {
        self.threads[self.cpu.current].table.ok_or(Error::InvalidHandle)
    }

    /// Returns the table that a handle names; 0 names the caller's own.
    fn table_or_own(&self, handle: u64) -> Result<Id<Table>, Error> {
        if handle == 0 { self.own_table() } else { self.table(handle, Rights::CONTROL) }
    }

    fn signal_operation(&mut self, target: u64, bits: u64) -> Result<(), Error> {
        let (id, bits) = self.signalled(target, bits)?;
        self.signal(id, bits);
        Ok(())
    }

    /// Returns the notification that a handle allows to signal, and the bits: the badge of the
    /// capability, where it has one, whoever signals on its holder's behalf.
    pub(crate) fn signalled(
        &self,
        handle: u64,
        bits: u64,
    ) -> Result<(Id<Notification>, u64), Error> {
        let (id, _, badge) = self.named(handle, ObjectKind::Notification, Rights::SEND)?;
        if !self.notifications.contains(id) {
            return Err(Error::InvalidHandle);
        }
        Ok((id, if badge != 0 { badge } else { bits }))
    }

    fn yield_now(&mut self) {
        let priority = self.threads[self.cpu.current].priority;
        if self.cpu.ready.has_at(priority) {
            self.rotate();
        }
    }

    fn mint(&mut self, target: u64, words: [u64; 5]) -> Result<(), Error> {
        let [table, rights, badge, slot, last] = words;
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        let source = self.capability(handle, Rights::GRANT)?;
        let table = self.table_or_own(table)?;
        let minted = Capability {
            object: narrowed(source.object, badge, last)?,
            rights: source.rights.intersection(Rights(rights as u16)),
            badge: match source.object {
                Object::Endpoint(_) | Object::Notification(_) if source.badge == 0 => badge,
                _ => source.badge,
            },
        };
        let table = self.tables.get_mut(table).ok_or(Error::InvalidHandle)?;
        let (mut supply, _) = self.vm.supply();
        let handle = match u16::try_from(slot).map_err(|_| Error::InvalidArgument)? {
            0 => table.insert(&mut supply, minted)?,
            slot => table.insert_at(&mut supply, Handle(slot), minted)?,
        };
        self.give_handle(handle);
        Ok(())
    }

    fn delete(&mut self, target: u64, slot: u64) -> Result<(), Error> {
        let table = self.table_or_own(target)?;
        let slot = u16::try_from(slot).map_err(|_| Error::InvalidHandle)?;
        self.delete_slot(table, Handle(slot))
    }

    /// Empties a slot.
    pub(crate) fn delete_slot(&mut self, table: Id<Table>, slot: Handle) -> Result<(), Error> {
        let table = self.tables.get_mut(table).ok_or(Error::InvalidHandle)?;
        table.remove(&mut self.vm.machine, slot).map(|_| ())
    }

    fn map_operation(&mut self, target: u64, words: [u64; 6]) -> Result<(), Error> {
        let [memory, first_page, address, pages, rights, _] = words;
        let space = self.space(target, Rights::CONTROL)?;
        let rights = mapping_rights(rights)?;
        let (id, mut most, _) = self.named(memory, ObjectKind::Memory, rights)?;
        let memory = self.vm.memories.get(id).ok_or(Error::InvalidHandle)?;
        if memory.backing.kind() == MemoryKind::Device {
            // What a fetch from a device's registers does is the device's secret.
            most = Rights(most.0 & !Rights::EXECUTE.0);
            if !most.contains(rights) {
                return Err(Error::NoRights);
            }
        }
        let new = NewMapping {
            memory: id,
            first_page: first_page as usize,
            address: address as usize,
            pages: pages as usize,
            rights,
            most,
        };
        self.vm.map(space, new)
    }

    fn set_handler(&mut self, target: u64, to: u64, badge: u64, how: u64) -> Result<(), Error> {
        let thread = self.thread(target, Rights::CONTROL)?.index() as u16;
        let (endpoint, badge) = self.handler_endpoint(to, badge)?;
        if how > 1 {
            return Err(Error::InvalidArgument);
        }
        self.threads[thread].handler = Some(Handler { endpoint, badge, foreign: how == 1 });
        self.threads[thread].note_calls();
        Ok(())
    }

    fn set_message_page(&mut self, target: u64, memory: u64, page: u64) -> Result<(), Error> {
        let thread = self.thread(target, Rights::CONTROL)?.index() as u16;
        let memory = self.memory(memory, Rights::READ.union(Rights::WRITE))?;
        let payer = self.threads[thread].quota;
        let cost = usize::from(self.threads[thread].message_page.is_none());
        quota::charge(&mut self.vm.quotas, payer, cost, 0)?;
        let pinned = self.pin(memory, page as usize);
        let frame = pinned.inspect_err(|_| {
            quota::refund(&mut self.vm.quotas, payer, cost, 0);
        })?;
        if let Some(old) = self.threads[thread].message_page.replace(frame) {
            self.vm.frames.unpin(old);
        }
        Ok(())
    }

    fn pin(&mut self, memory: Id<Memory>, page: usize) -> Result<Frame, Error> {
        let frame = self.vm.frame(memory, page, true)?;
        if self.vm.frames.pin(frame) { Ok(frame) } else { Err(Error::Busy) }
    }

    fn bind(&mut self, target: u64, notification: u64) -> Result<(), Error> {
        let thread = self.thread(target, Rights::CONTROL)?;
        let id = self.notification(notification, Rights::RECEIVE)?;
        let bound = self.notifications.get_mut(id).ok_or(Error::InvalidHandle)?;
        if bound.bound != crate::queue::NIL {
            return Err(Error::Busy);
        }
        bound.bound = thread.index() as u16;
        let thread = self.threads.get_mut(thread).ok_or(Error::InvalidHandle)?;
        // One that is being destroyed, too: it would unbind the thread from the new one.
        let old = thread.bound.replace(id).and_then(|old| self.notifications.find_mut(old));
        if let Some(old) = old {
            old.bound = crate::queue::NIL;
        }
        // Bits that nobody has taken yet.
        self.signal(id, 0);
        Ok(())
    }

    fn start(&mut self, target: u64) -> Result<(), Error> {
        let thread = self.thread(target, Rights::CONTROL)?.index() as u16;
        if self.threads[thread].state != State::Stopped {
            return Err(Error::Busy);
        }
        let registers = self.threads[thread].user_registers().validated();
        self.threads[thread].set_registers(registers.ok_or(Error::InvalidArgument)?);
        self.wake(thread);
        Ok(())
    }

    fn stop(&mut self, target: u64) -> Result<(), Error> {
        let thread = self.thread(target, Rights::CONTROL)?.index() as u16;
        if self.threads[thread].state == State::Stopped {
            return Ok(());
        }
        self.trace_broken(thread, Error::Cancelled);
        self.unqueue(thread);
        self.clear_deadline(thread);
        let waited = self.threads[thread].state != State::Ready;
        if waited {
            self.set_status(thread, Err(Error::Cancelled));
        }
        self.threads[thread].state = State::Stopped;
        Ok(())
    }

    fn set_space(&mut self, target: u64, space: u64) -> Result<(), Error> {
        let thread = self.register_target(target, Rights::CONTROL)?;
        let space = self.space(space, Rights::CONTROL)?;
        self.threads[thread].space = Some(space);
        self.threads[thread].root = self.vm.spaces.get(space).and_then(|space| space.root);
        // The entry was code of the space that is left.
        self.threads[thread].entry = Entry::default();
        self.threads[thread].note_calls();
        self.reload(thread);
        Ok(())
    }

    fn set_entry(&mut self, target: u64, [start, end, block]: [u64; 3]) -> Result<(), Error> {
        let thread = if target > u16::MAX as u64 {
            self.register_target(target, Rights::NONE)?
        } else {
            self.thread(target, Rights::CONTROL)?.index() as u16
        };
        if start != 0 && !(start < end && end <= USER_END as u64) {
            return Err(Error::InvalidArgument);
        }
        self.threads[thread].entry = Entry { start, end, block };
        self.threads[thread].note_calls();
        Ok(())
    }

    fn set_timer(&mut self, target: u64, deadline: u64) -> Result<(), Error> {
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        let Object::Timer(id) = self.capability(handle, Rights::CONTROL)?.object else {
            return Err(Error::WrongKind);
        };
        if !self.timers.contains(id) {
            return Err(Error::InvalidHandle);
        }
        let waiter = Waiter::Timer(id.index() as u16);
        match deadline {
            FOREVER => self.deadlines.remove(waiter),
            _ => self.deadlines.insert(deadline, waiter),
        }
        self.arm();
        Ok(())
    }

    fn line(&self, target: u64, line: u64) -> Result<u16, Error> {
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        match self.capability(handle, Rights::CONTROL)?.object {
            Object::Interrupt(first, last)
                if (first as u64..=last as u64).contains(&line)
                    && line < self.lines.len() as u64 =>
            {
                Ok(line as u16)
            }
            Object::Interrupt(..) => Err(Error::InvalidArgument),
            _ => Err(Error::WrongKind),
        }
    }

    fn bind_interrupt(
        &mut self,
        target: u64,
        line: u64,
        notification: u64,
        bits: u64,
    ) -> Result<(), Error> {
        let line = self.line(target, line)?;
        self.lines[line as usize] = Some(self.signalled(notification, bits)?);
        self.vm.machine.unmask(line as u32);
        Ok(())
    }

    /// Returns the port, if a capability covers all ports that an access of that width touches.
    fn port(&self, target: u64, port: u64, width: PortWidth, rights: Rights) -> Result<u16, Error> {
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        match self.capability(handle, rights)?.object {
            Object::Ports(first, last) => {
                let port = u16::try_from(port).map_err(|_| Error::InvalidArgument)?;
                let end = port.checked_add(width as u16 - 1).ok_or(Error::InvalidArgument)?;
                if first <= port && end <= last { Ok(port) } else { Err(Error::InvalidArgument) }
            }
            _ => Err(Error::WrongKind),
        }
    }

    /// Operation Inspect.
    fn inspect(&mut self, target: u64) -> Result<(), Error> {
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        let capability = self.capability(handle, Rights::NONE)?;
        let rest = match capability.object {
            Object::Memory(id) => self.vm.memories.get(id).map(|memory| {
                let told = capability.rights.contains(Rights::CONTROL);
                let first = memory.contiguous(&self.vm.machine).filter(|_| told);
                let address = first.map_or(0, |frame| frame.0 as u64 * PAGE_SIZE as u64);
                [memory.pages as u64, address, memory.backing.kind() as u64]
            }),
            Object::Quota(id) => self.vm.quotas.get(id).map(|quota| {
                let objects = quota.objects_used as u64 | (quota.objects_limit as u64) << 32;
                [quota.pages_used as u64, quota.pages_limit as u64, objects]
            }),
            Object::Thread(id) => self.threads.get(id).map(|thread| {
                let slot = id.index() as u64;
                let state = match thread.state {
                    State::Stopped => 0,
                    State::Ready => 1,
                    _ => 2,
                };
                [state, self.times(slot as u16)[0], slot]
            }),
            Object::Space(id) => self.vm.spaces.get(id).map(|s| [u64::from(s.tables), 0, 0]),
            Object::Table(id) => self.tables.get(id).map(|_| [0; 3]),
            Object::Endpoint(id) => self.endpoints.get(id).map(|_| [0, 0, id.index() as u64]),
            Object::Notification(id) => self.notifications.get(id).map(|_| [0; 3]),
            Object::Timer(id) => self.timers.get(id).map(|_| [0; 3]),
            Object::Ports(first, last) | Object::Interrupt(first, last) => {
                Some([first as u64, last as u64, 0])
            }
            Object::Physical(first, last) => Some([first as u64, last as u64, 0]),
            Object::Trace => {
                let [kinds, rings] = self.trace_settings();
                Some([kinds, rings, 0])
            }
        };
        let [w3, w4, w5] = rest.ok_or(Error::InvalidHandle)?;
        let w2 = match capability.object {
            Object::Quota(id) if self.vm.quotas.get(id).is_some_and(|q| q.parent.is_none()) => {
                (self.ram_pages as u64) << 32 | self.vm.frames.free() as u64
            }
            Object::Thread(id) => self.times(id.index() as u16)[1],
            _ => capability.badge,
        };
        let kind: ObjectKind = capability.object.kind();
        let current = self.cpu.current;
        let words = [kind as u64, capability.rights.0 as u64, w2, w3, w4, w5];
        self.threads[current].registers.set_words(words);
        Ok(())
    }
}

/// Returns the rights of a mapping: to read, and at most one of write and execute. Either brings
/// the right to read, as the processor's page tables know no other way.
pub(crate) fn mapping_rights(word: u64) -> Result<Rights, Error> {
    let rights = Rights(u16::try_from(word).map_err(|_| Error::InvalidArgument)?);
    let both = Rights::WRITE.union(Rights::EXECUTE);
    let all = both.union(Rights::READ);
    if !all.contains(rights) || rights.contains(both) {
        return Err(Error::InvalidArgument);
    }
    Ok(if rights == Rights::NONE { rights } else { rights.union(Rights::READ) })
}

/// Returns the object of a minted capability: ports, lines and frames may be fewer.
fn narrowed(object: Object, first: u64, last: u64) -> Result<Object, Error> {
    Ok(match object {
        Object::Ports(from, to) => {
            let (first, last) = narrowed_range(from, to, first, last)?;
            Object::Ports(first, last)
        }
        Object::Interrupt(from, to) => {
            let (first, last) = narrowed_range(from, to, first, last)?;
            Object::Interrupt(first, last)
        }
        Object::Physical(from, to) => {
            let (first, last) = narrowed_range(from, to, first, last)?;
            Object::Physical(first, last)
        }
        other => other,
    })
}

/// Returns a part of a range, or all of it.
fn narrowed_range<T>(from: T, to: T, first: u64, last: u64) -> Result<(T, T), Error>
where
    T: Copy + Ord + TryFrom<u64>,
{
    match (T::try_from(first), T::try_from(last)) {
        _ if (first, last) == (0, WHOLE) => Ok((from, to)),
        (Ok(first), Ok(last)) if from <= first && first <= last && last <= to => Ok((first, last)),
        _ => Err(Error::InvalidArgument),
    }
}
