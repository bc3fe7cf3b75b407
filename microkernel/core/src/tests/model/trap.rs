//! Entries into the model: system calls, exceptions, software interrupts.

use super::objects::{Entry, Handler, Name};
use super::{Model, Outcome};
use kamen_abi::{Error, Kind, MessagePage, Operation, Registers, Rights, Tag};

/// The word of a message page at which the bytes begin.
const BYTES: usize = MessagePage::BYTES_AT / 8;

impl Model {
    pub fn system_call(&mut self) {
        let current = self.current();
        let number = self.thread(current).registers.rax;
        if self.is_foreign(current) {
            let Registers { rip, .. } = self.thread(current).registers;
            match self.thread(current).entry {
                Some(Entry { start, end, .. }) if start < rip && rip <= end => {}
                Some(Entry { start, .. }) => {
                    self.thread_mut(current).registers.rip = start;
                    return;
                }
                None => {
                    let tag = Tag::short(number as u32).with_kind(Kind::SystemCall);
                    return self.call_handler(current, tag);
                }
            }
        }
        self.thread_mut(current).registers.rax = 0;
        if let Err(error) = self.perform(number) {
            self.thread_mut(current).registers.rax = error as u64;
        }
    }

    fn perform(&mut self, number: u64) -> Outcome {
        let operation = Operation::from_number(number).ok_or(Error::InvalidOperation)?;
        let registers = self.thread(self.current()).registers;
        let (target, words) = (registers.r12, registers.words());
        let [w0, w1, w2, ..] = words;
        match operation {
            Operation::Null => Ok(()),
            Operation::Call => self.call(true),
            Operation::Send => self.call(false),
            Operation::Receive => self.receive(target as u16),
            Operation::Reply => self.reply(),
            Operation::ReplyReceive => self.reply_receive(),
            Operation::Signal => {
                let (name, bits) = self.signalled(target, w0)?;
                self.signal(name, bits);
                Ok(())
            }
            Operation::Wait => self.wait(self.notification_named(target, Rights::RECEIVE)?),
            Operation::Yield => {
                self.yield_now();
                Ok(())
            }
            Operation::Now => {
                let [_, told @ ..] = self.oracle.words;
                let words = [self.now, told[0], told[1], told[2], told[3], told[4]];
                self.return_words(words)
            }
            Operation::Copy => self.copy(words),
            Operation::Create => self.create(target, words),
            Operation::Mint => self.mint(target, words),
            Operation::Delete => self.delete(target, w0),
            Operation::Destroy => self.destroy_named(target),
            Operation::Map => self.map(target, words),
            Operation::Unmap => self.unmap(target, w0, w1),
            Operation::Protect => self.protect(target, w0, w1, w2),
            Operation::Clone => self.clone_memory(target, w0, w1),
            Operation::SetPriority => self.set_priority(target, w0),
            Operation::SetHandler => self.set_handler(target, words),
            Operation::SetMessagePage => self.set_message_page(target, w0, w1),
            Operation::Bind => self.bind(target, w0),
            Operation::Start => self.start(target),
            Operation::Stop => self.stop(target),
            Operation::Recall => self.recall(target),
            Operation::ReadRegisters => self.read_registers(target),
            Operation::WriteRegisters => self.write_registers(target),
            Operation::SetSpace => self.set_space(target, w0),
            Operation::SetTimer => self.set_timer(target, w0),
            Operation::BindInterrupt => self.bind_interrupt(target, words),
            Operation::AcknowledgeInterrupt => self.line(target, w0).map(|_| ()),
            Operation::PortIn => {
                let port = self.port(target, w0, w1, Rights::READ)?;
                self.return_word(port)
            }
            Operation::PortOut => self.port(target, w0, w1, Rights::WRITE).map(|_| ()),
            Operation::Inspect => self.inspect(target),
            Operation::Resize => self.resize(target, w0),
            Operation::CompareExchange => self.compare_exchange(target, [w0, w1, w2]),
            Operation::Commit => self.commit(target, w0, w1),
            Operation::Decommit => self.decommit(target, w0, w1),
            Operation::Supply => self.supply(target, words),
            Operation::HandOver => self.hand_over(target, w0, w1),
            Operation::SetEntry => self.set_entry(target, words),
            Operation::SetProcessor => self.set_processor(target, w0),
            Operation::InspectThread => self.inspect_thread(target),
            Operation::PortWrite | Operation::Trace => {
                panic!("{operation:?} is not in the model")
            }
        }
    }

    /// An exception of the current thread.
    pub fn exception(&mut self, vector: u8, error: u64, address: u64) {
        let current = self.current();
        let resolved = match vector {
            7 => self.first_use_of_extended(current),
            14 => {
                let right = match (error & 16, error & 2) {
                    (16, _) => Rights::EXECUTE,
                    (_, 2) => Rights::WRITE,
                    _ => Rights::READ,
                };
                self.resolve(self.thread(current).space, address, right).map(|_| ())
            }
            _ => Err(Error::BadAddress),
        };
        if resolved == Err(Error::PageMissing) && self.ask_pager(address, error) {
            return;
        }
        if resolved.is_err() {
            let address = if vector == 14 { address } else { 0 };
            self.thread_mut(current).fault = [error, address];
            self.call_handler(current, Tag::short(vector as u32).with_kind(Kind::Exception));
        }
    }

    /// An `int n` of the current thread.
    pub fn software_interrupt(&mut self, number: u8) {
        let current = self.current();
        if self.is_foreign(current) {
            let tag = Tag::short(number as u32).with_kind(Kind::Interrupt);
            return self.call_handler(current, tag);
        }
        let registers = &mut self.thread_mut(current).registers;
        registers.rip = registers.rip.wrapping_sub(2);
        self.exception(13, (number as u64) << 3 | 2, 0);
    }

    /// An interrupt line is raised.
    pub fn interrupt(&mut self, line: u32) {
        if let Some(Some((notification, bits))) = self.lines.get(line as usize).copied() {
            self.signal(notification, bits);
        }
    }

    fn is_foreign(&self, name: Name) -> bool {
        self.thread(name).handler.is_some_and(|handler| handler.foreign)
    }

    fn first_use_of_extended(&mut self, name: Name) -> Outcome {
        if self.thread(name).extended {
            return Err(Error::Busy);
        }
        self.afford(self.objects[&name].quota, (1, 1), 0)?;
        self.thread_mut(name).extended = true;
        Ok(())
    }

    fn recall(&mut self, target: u64) -> Outcome {
        let name = self.thread_named(target, Rights::CONTROL)?;
        let is_ready = self.thread(name).state == super::State::Ready;
        let runs = is_ready && self.cpu.current != Some(name);
        if !self.is_foreign(name) || !runs && !self.awaits_page(name) {
            return Err(Error::Busy);
        }
        self.unqueue(name);
        self.call_handler(name, Tag::short(0).with_kind(Kind::Recall));
        Ok(())
    }

    /// The current thread asks the pager of the page that it touched; returns whether there is one.
    fn ask_pager(&mut self, address: u64, error: u64) -> bool {
        let current = self.current();
        let missing = self.missing_at(self.thread(current).space, address);
        let Some((pager, badge, page)) = missing.filter(|(pager, ..)| self.exists(*pager)) else {
            return false;
        };
        let access = match (error & 16, error & 2) {
            (16, _) => 2,
            (_, 2) => 1,
            _ => 0,
        };
        self.thread_mut(current).fault = [page, access];
        let tag = Tag::short(access as u32).with_kind(Kind::Page);
        self.request(current, pager, badge, tag);
        true
    }

    fn hand_over(&mut self, call: u64, to: u64, badge: u64) -> Outcome {
        let caller = self.open_call(call)?;
        if !self.is_handled(caller) {
            return Err(Error::WrongKind);
        }
        let (endpoint, given) = self.pager(to)?;
        let badge = if given != 0 { given } else { badge };
        let foreign = self.is_foreign(caller);
        self.thread_mut(caller).handler = Some(Handler { endpoint, badge, foreign });
        self.thread_mut(caller).entry = None;
        self.take_back(caller);
        let tag = self.thread(caller).tag;
        self.call_handler(caller, Tag::short(tag.label()).with_kind(tag.kind()));
        Ok(())
    }

    fn read_registers(&mut self, target: u64) -> Outcome {
        let name = self.register_target(target, Rights::READ)?;
        let page = self.thread(self.current()).page.ok_or(Error::BadAddress)?;
        let mut words = to_words(&self.thread(name).registers);
        // Those that `syscall` destroys.
        [words[1], words[11]] = self.oracle.destroyed;
        self.page_mut(page)[BYTES..BYTES + 20].copy_from_slice(&words);
        Ok(())
    }

    fn write_registers(&mut self, target: u64) -> Outcome {
        let name = self.register_target(target, Rights::CONTROL)?;
        let page = self.thread(self.current()).page.ok_or(Error::BadAddress)?;
        let words = core::array::from_fn(|place| self.pages[&page][BYTES + place]);
        let registers = from_words(words).validated().ok_or(Error::InvalidArgument)?;
        self.thread_mut(name).registers = registers;
        Ok(())
    }

    fn return_word(&mut self, word: u64) -> Outcome {
        let current = self.current();
        self.thread_mut(current).registers.rdi = word;
        Ok(())
    }

    fn return_words(&mut self, words: [u64; 6]) -> Outcome {
        let current = self.current();
        self.thread_mut(current).registers.set_words(words);
        Ok(())
    }
}

/// Returns registers in the order of their encoding (Intel SDM 2A 2.1), then the others.
pub fn to_words(r: &Registers) -> [u64; 20] {
    [
        r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12,
        r.r13, r.r14, r.r15, r.rip, r.rflags, r.fs_base, r.gs_base,
    ]
}

fn from_words(w: [u64; 20]) -> Registers {
    let mut r = Registers::default();
    [r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi] = core::array::from_fn(|at| w[at]);
    [r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15] = core::array::from_fn(|at| w[8 + at]);
    [r.rip, r.rflags, r.fs_base, r.gs_base] = core::array::from_fn(|at| w[16 + at]);
    r
}
