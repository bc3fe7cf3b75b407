//! Entries from user space: system calls, exceptions, software interrupts; foreign threads.

use kamen_abi::trace::EventKind;
use kamen_abi::{
    Error, Handle, Kind, MessagePage, OpenCall, Operation, Registers, Rights, Tag, WORDS,
};

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::machine::{FaultAccess, Machine};
use crate::table::Object;
use crate::thread::{Entry, Handler, State};

/// Vector of the device-not-available exception (Intel SDM 3A 6.15).
const DEVICE_NOT_AVAILABLE: u8 = 7;
/// Vector of the page fault.
const PAGE_FAULT: u8 = 14;
/// Length of the `syscall` instruction (Intel SDM 2B SYSCALL: 0F 05).
const SYSCALL_BYTES: u64 = 2;
/// Words of [`Registers`].
const REGISTER_WORDS: usize = Registers::BYTES / 8;

impl<M: Machine> Kernel<M> {
    /// Handles a foreign thread's system call where [`Kernel::pass_foreign`] does not.
    #[inline(never)]
    pub fn foreign_system_call(&mut self) {
        let current = self.cpu.current;
        let number = self.threads[current].registers.rax as u32;
        self.call_handler(current, Tag::short(number).with_kind(Kind::SystemCall));
    }

    /// Handles a native system call where no faster way does: any operation, from the beginning.
    #[inline(never)]
    pub fn native_system_call(&mut self) {
        let current = self.cpu.current;
        let registers = &mut self.threads[current].registers;
        let number = core::mem::replace(&mut registers.rax, 0);
        let (target, words) = (registers.r12, registers.words());
        self.vm.steps.renew();
        if let Err(error) = self.perform(number, target, words) {
            if self.vm.steps.are_refused() {
                self.repeat(current, number);
            } else {
                self.threads[current].registers.rax = error as u64;
            }
        }
        self.vm.machine.shoot_down();
    }

    /// Makes a thread execute its `syscall` again, where it still exists: its operation ran out of
    /// steps. (What it destroyed may be itself; that it created a thread, too, cannot be.) Threads
    /// that the first part of it woke get their turn.
    fn repeat(&mut self, caller: u16, number: u64) {
        let caller = self.threads.id_at(caller as u32);
        if let Some(thread) = caller.and_then(|id| self.threads.get_mut(id)) {
            thread.registers.rax = number;
            thread.registers.rip = thread.registers.rip.wrapping_sub(SYSCALL_BYTES);
        }
        self.give_way();
    }

    #[inline(always)]
    fn perform(&mut self, number: u64, target: u64, words: [u64; WORDS]) -> Result<(), Error> {
        self.trace(EventKind::Entry, self.cpu.current, number as u32, [target, words[0]]);
        match Operation::from_number(number) {
            Some(operation) => self.invoke(operation, target, words),
            None => self.serve(number),
        }
    }

    /// Handles an exception that the current thread met in user space: its vector, error code
    /// and, for a page fault, the address (CR2).
    pub fn exception(&mut self, vector: u8, error: u64, address: u64) {
        let current = self.cpu.current;
        self.vm.steps.renew();
        let rip = self.threads[current].registers.rip;
        self.trace(EventKind::Fault, current, vector, [address, rip]);
        let resolved = match vector {
            PAGE_FAULT => self.page_fault(current, error, address),
            DEVICE_NOT_AVAILABLE => self.first_use_of_extended(current),
            _ => Err(Error::BadAddress),
        };
        self.vm.machine.shoot_down();
        if resolved == Err(Error::PageMissing) && self.ask_pager(address, fault_access(error)) {
            return;
        }
        // Out of steps, the instruction is tried again.
        if resolved.is_err() && !self.vm.steps.are_refused() {
            let address = if vector == PAGE_FAULT { address } else { 0 };
            self.threads[current].fault = [error, address];
            self.call_handler(current, Tag::short(vector as u32).with_kind(Kind::Exception));
        }
    }

    /// Handles a software interrupt (`int n`) of the current thread, whose rip is past it.
    pub fn software_interrupt(&mut self, number: u8) {
        let current = self.cpu.current;
        if self.threads[current].handler.is_some_and(|handler| handler.foreign) {
            let tag = Tag::short(number as u32).with_kind(Kind::Interrupt);
            return self.call_handler(current, tag);
        }
        // To a native thread it is what the processor makes of it: a general protection fault.
        self.threads[current].registers.rip = self.threads[current].registers.rip.wrapping_sub(2);
        self.exception(13, (number as u64) << 3 | 2, 0);
    }

    fn page_fault(&mut self, thread: u16, error: u64, address: u64) -> Result<(), Error> {
        let space = self.threads[thread].space.ok_or(Error::BadAddress)?;
        let address = usize::try_from(address).map_err(|_| Error::BadAddress)?;
        self.vm.fault(space, address, fault_access(error))
    }

    /// Gives a thread that uses the extended state for the first time a place to keep it.
    fn first_use_of_extended(&mut self, thread: u16) -> Result<(), Error> {
        if self.threads[thread].extended.is_some() {
            return Err(Error::Busy);
        }
        self.give_extended(thread)?;
        self.load_extended(thread);
        Ok(())
    }

    /// Gives a thread that has none a frame for its extended state, in its initial state.
    pub(crate) fn give_extended(&mut self, thread: u16) -> Result<(), Error> {
        let quota = self.threads[thread].quota;
        let (mut supply, _) = self.vm.supply();
        let frame = supply.zeroed(quota)?;
        supply.machine.init_extended(frame);
        self.threads[thread].extended = Some(frame);
        self.threads[thread].note_burden();
        // Where it ran before, it was set up to have none.
        self.parked.iter_mut().for_each(|cpu| cpu.reload(thread));
        Ok(())
    }

    /// Operation Recall.
    pub(crate) fn recall(&mut self, thread: u16) -> Result<(), Error> {
        let foreign = self.threads[thread].handler.is_some_and(|handler| handler.foreign);
        let runs = self.threads[thread].state == State::Ready && thread != self.cpu.current;
        if !foreign || !runs && !self.awaits_page(thread) {
            return Err(Error::Busy);
        }
        self.unqueue(thread);
        self.call_handler(thread, Tag::short(0).with_kind(Kind::Recall));
        Ok(())
    }

    /// Operation HandOver.
    pub(crate) fn hand_over(&mut self, call: u64, to: u64, badge: u64) -> Result<(), Error> {
        let caller = self.open_call(OpenCall(call))?;
        let tag = self.threads[caller].tag;
        match tag.kind() {
            Kind::SystemCall | Kind::Interrupt | Kind::Exception | Kind::Recall => {}
            Kind::Message | Kind::Notification | Kind::Cancelled | Kind::Page => {
                return Err(Error::WrongKind);
            }
        }
        let (endpoint, badge) = self.handler_endpoint(to, badge)?;
        let caller_thread = &mut self.threads[caller];
        let foreign = caller_thread.handler.is_some_and(|handler| handler.foreign);
        caller_thread.handler = Some(Handler { endpoint, badge, foreign });
        // The entry was a library of the personality that hands the thread over.
        caller_thread.entry = Entry::default();
        caller_thread.note_calls();
        // Whoever hands it over needs no notice that it is gone.
        caller_thread.answerer = None;
        self.call_handler(caller, Tag::short(tag.label()).with_kind(tag.kind()));
        Ok(())
    }

    /// Returns the endpoint of a handler and the badge that its receiver will see: that of the
    /// capability, where it has one.
    pub(crate) fn handler_endpoint(
        &self,
        to: u64,
        badge: u64,
    ) -> Result<(Id<Endpoint>, u64), Error> {
        let (endpoint, given) = self.endpoint(to, Rights::SEND)?;
        Ok((endpoint, if given != 0 { given } else { badge }))
    }

    /// Returns the thread that `target` names for register access: the caller of an open call
    /// that its handler received, or a stopped thread that the current one has `rights` to.
    pub(crate) fn register_target(&self, target: u64, rights: Rights) -> Result<u16, Error> {
        if target > u16::MAX as u64 {
            let caller = self.open_call(OpenCall(target))?;
            let controlled = self.threads[caller].is_controlled();
            return if controlled { Ok(caller) } else { Err(Error::WrongKind) };
        }
        match self.capability(Handle(target as u16), rights)?.object {
            Object::Thread(id) => {
                let thread = self.threads.get(id).ok_or(Error::InvalidHandle)?;
                let stopped = thread.state == State::Stopped;
                if stopped { Ok(id.index() as u16) } else { Err(Error::Busy) }
            }
            _ => Err(Error::WrongKind),
        }
    }

    /// Operation ReadRegisters.
    pub(crate) fn read_registers(&mut self, thread: u16) -> Result<(), Error> {
        let page = self.threads[self.cpu.current].message_page.ok_or(Error::BadAddress)?;
        for (place, word) in
            to_words(&self.threads[thread].user_registers()).into_iter().enumerate()
        {
            self.vm.machine.store(page, MessagePage::BYTES_AT / 8 + place, word);
        }
        Ok(())
    }

    /// Operation WriteRegisters.
    pub(crate) fn write_registers(&mut self, thread: u16) -> Result<(), Error> {
        let page = self.threads[self.cpu.current].message_page.ok_or(Error::BadAddress)?;
        let load = |place| self.vm.machine.load(page, MessagePage::BYTES_AT / 8 + place);
        let registers = from_words(core::array::from_fn(load));
        let registers = registers.validated().ok_or(Error::InvalidArgument)?;
        let bases = |registers: &Registers| (registers.fs_base, registers.gs_base);
        let before = bases(&self.threads[thread].registers);
        self.threads[thread].set_registers(registers);
        if bases(&registers) != before {
            self.reload(thread);
        }
        Ok(())
    }
}

/// Returns what a page fault's error code says was tried (Intel SDM 3A 4.7).
fn fault_access(error: u64) -> FaultAccess {
    match error {
        _ if error & 1 << 4 != 0 => FaultAccess::Execute,
        _ if error & 1 << 1 != 0 => FaultAccess::Write,
        _ => FaultAccess::Read,
    }
}

/// Returns registers in the order of their layout.
fn to_words(r: &Registers) -> [u64; REGISTER_WORDS] {
    [
        r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12,
        r.r13, r.r14, r.r15, r.rip, r.rflags, r.fs_base, r.gs_base,
    ]
}

fn from_words(words: [u64; REGISTER_WORDS]) -> Registers {
    let [
        rax,
        rcx,
        rdx,
        rbx,
        rsp,
        rbp,
        rsi,
        rdi,
        r8,
        r9,
        r10,
        r11,
        r12,
        r13,
        r14,
        r15,
        rip,
        rflags,
        fs_base,
        gs_base,
    ] = words;
    Registers {
        rax,
        rcx,
        rdx,
        rbx,
        rsp,
        rbp,
        rsi,
        rdi,
        r8,
        r9,
        r10,
        r11,
        r12,
        r13,
        r14,
        r15,
        rip,
        rflags,
        fs_base,
        gs_base,
    }
}
