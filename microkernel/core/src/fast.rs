//! The fast path: messages that find their receiver waiting, from trap to trap.
//!
//! It does what `ipc.rs` does, for the case that nothing stands in the way, with each object
//! looked up once. Every check comes before the first change; where one fails nothing has
//! happened, and the slow path starts from the beginning and finds out what is to be done.
//!
//! ```text
//!   to the slow path goes whatever          call / foreign      reply-and-receive
//!   carries capabilities, or lends memory   tag                 tag
//!   by an answer; is of no valid size
//!   uses a message page that is not there   caller, receiver    server, caller
//!   waits with a deadline (or has one)      caller, receiver    server, caller (*)
//!   is not allowed, or names nothing        capability          capability, open call
//!   finds nobody waiting, or several        receivers           (other receivers)
//!   answers anything but a message, a                           kind and tag, the address
//!   foreign system call, or an exception
//!   with where to go on in user space
//!   finds more to do first                                      senders, notices, bound
//!                                                               notification
//!   must not run next                       the thread is below the processor's bar: somebody
//!                                           ready is above it, the slice is over, or equals are
//!                                           ready and no slice has begun (which an answer
//!                                           begins); or it may not run on
//!                                           this processor
//!   (*) a server that answers nobody only waits
//! ```
//!
//! The words of a short message are not touched: they stay in the processor's registers, from the
//! sender's `syscall` to the receiver's return from it (see [`Passage`]). The sender's are saved
//! as at any entry; what is saved for the receiver is out of date until it enters the kernel again.
//! A longer message is copied, words and page, on the way that a short one takes.

use kamen_abi::{FOREVER, Handle, Kind, MAX_LEASES, OpenCall, Rights, Tag, WORDS};

use crate::arena::{Id, Slots};
use crate::cpu::{Cpu, Turn};
use crate::endpoint::Endpoint;
use crate::ipc::{RESUME_AT, copy_page_part};
use crate::kernel::Kernel;
use crate::machine::{Frame, Machine};
use crate::queue::{NIL, Queue};
use crate::thread::{State, Thread};

/// Which messages are looked for; the machine tries short ones first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// Six words.
    Short,
    /// Words, and bytes or leases of the message page.
    Long,
}

impl Size {
    /// Returns whether a tag as user space set it is that of such a message, with at most as many
    /// leases.
    #[inline(always)]
    fn fits(self, tag: Tag, most_leases: usize) -> bool {
        match self {
            Size::Short => tag.0 <= u32::MAX as u64,
            Size::Long => {
                let is_plain = tag.0 == tag.sanitized().0 && tag.caps() == 0;
                is_plain && !tag.is_short() && tag.is_valid() && tag.leases() <= most_leases
            }
        }
    }
}

/// Whether an answer may begin a time slice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slices {
    /// No: one goes on, or none is needed.
    Go,
    /// Yes; and an answer to nobody only waits.
    Begin,
}

/// Who sends a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sender {
    /// A thread that calls; the receiver knows no more of it than its message.
    Caller,
    /// A foreign thread, all of whose registers the receiver may read and write.
    Foreign,
}

/// A request on its way: what the receiver will see of it.
struct Request {
    endpoint: Id<Endpoint>,
    badge: u64,
    tag: Tag,
}

/// What remains to be done of a message that took the fast path: `thread` returns from its system
/// call with status 0, these three values in r12 to r14, and the sender's words: those of a short
/// message are in the processor's registers, those of a long one saved as the thread's own. All
/// other registers are as saved.
pub struct Passage<'k> {
    /// The thread that runs next.
    pub thread: &'k mut Thread,
    /// For r12: the open call, or what the caller had there.
    pub target: u64,
    /// For r13: the message's tag.
    pub tag: Tag,
    /// For r14: the badge, or what the caller had there.
    pub badge: u64,
    /// Whether the processor is set up for the thread. Where it is not, the message has to be
    /// saved, and [`Kernel::next`] sees to the rest.
    pub is_loaded: bool,
}

/// How a reply on the fast path ends.
pub enum Replied<'k> {
    /// A native caller receives the reply's words.
    Words(Passage<'k>),
    /// A foreign caller, or one that met an exception, goes on with its registers as saved.
    Resumed(&'k mut Thread),
    /// The same, by [`Kernel::next`]: the processor is not set up for it.
    ToResume,
    /// The same, and [`Kernel::charge_current`] comes before that.
    ToCharge,
}

impl Passage<'_> {
    /// Saves all but the words in the thread's registers.
    #[inline(always)]
    pub fn save(&mut self) {
        let registers = &mut self.thread.registers;
        registers.rax = 0;
        registers.r12 = self.target;
        registers.r13 = self.tag.0;
        registers.r14 = self.badge;
    }
}

impl<M: Machine> Kernel<M> {
    /// Moves the current thread's call to the server that waits for it, and switches to it.
    #[inline(always)]
    pub fn pass_call(&mut self, size: Size) -> Option<Passage<'_>> {
        let caller = self.threads.at(self.cpu.current)?;
        let registers = &caller.registers;
        let tag = Tag(registers.r13);
        if !size.fits(tag, MAX_LEASES) || registers.r14 != FOREVER {
            return None;
        }
        let handle = Handle(registers.r12 as u16);
        let table = self.tables.get(caller.table?)?;
        let (endpoint, badge) = table.endpoint(&self.vm.machine, handle, Rights::SEND)?;
        self.pass_request(Request { endpoint, badge, tag }, size, Sender::Caller)
    }

    /// Moves the foreign current thread's system call to its handler, as [`Kernel::pass_call`] does.
    #[inline(always)]
    pub fn pass_foreign(&mut self) -> Option<Passage<'_>> {
        let caller = self.threads.at(self.cpu.current)?;
        let handler = caller.handler?;
        let tag = Tag::short(caller.registers.rax as u32).with_kind(Kind::SystemCall);
        let request = Request { endpoint: handler.endpoint, badge: handler.badge, tag };
        self.pass_request(request, Size::Short, Sender::Foreign)
    }

    #[inline(always)]
    fn pass_request(&mut self, request: Request, size: Size, from: Sender) -> Option<Passage<'_>> {
        let Request { tag, badge, .. } = request;
        let current = self.cpu.current;
        let endpoint = self.endpoints.get_mut(request.endpoint)?;
        let receiver = endpoint.receivers.only()?;
        let mut threads = self.threads.slots();
        let body = Body::of(threads.at(current)?, size)?;
        let server = threads.at(receiver)?;
        if server.obstacles.meet(self.cpu.obstacles) || !self.cpu.admits(server.priority) {
            return None;
        }
        body.copy(&mut self.vm.machine, server, tag)?;

        endpoint.receivers = Queue::default();
        server.state = State::Ready;
        let answerer = server.space;
        let caller = threads.at(current)?;
        if from == Sender::Foreign {
            self.cpu.meter.begin_service(self.vm.machine.entered(), current, caller);
        }
        caller.tag = tag;
        caller.badge = badge;
        caller.sequence += 1;
        caller.state = State::Open(request.endpoint);
        caller.answerer = answerer;
        let target = OpenCall::new(current, caller.sequence).0;
        let thread = threads.into_at(receiver)?;
        let (cpu, machine) = (&mut self.cpu, &mut self.vm.machine);
        let is_loaded = match from {
            Sender::Caller => switch(cpu, machine, receiver, thread),
            Sender::Foreign => switch_to_handler(cpu, machine, receiver, thread),
        };
        Some(Passage { thread, target, tag, badge, is_loaded })
    }

    /// Answers a call and waits for the next, and switches to the caller; begins no time slice.
    #[inline(always)]
    pub fn pass_reply(&mut self) -> Option<Replied<'_>> {
        self.pass_reply_of(Size::Short, Slices::Go)
    }

    /// As [`Kernel::pass_reply`], for what that does not do.
    #[inline(always)]
    pub fn pass_further_reply(&mut self) -> Option<Replied<'_>> {
        let registers = &self.threads.at(self.cpu.current)?.registers;
        if Tag(registers.r13).0 > u32::MAX as u64 {
            self.pass_reply_of(Size::Long, Slices::Go)
        } else {
            self.pass_reply_of(Size::Short, Slices::Begin)
        }
    }

    #[inline(always)]
    fn pass_reply_of(&mut self, size: Size, slices: Slices) -> Option<Replied<'_>> {
        let current = self.cpu.current;
        let mut threads = self.threads.slots();
        let server = threads.at(current)?;
        let registers = &server.registers;
        let (call, tag) = (OpenCall(registers.r12), Tag(registers.r13));
        if !size.fits(tag, 0) || registers.r14 != FOREVER {
            return None;
        }
        if slices == Slices::Go && call == OpenCall::NONE {
            return None;
        }
        if let Some(bound) = server.bound
            && self.notifications.get(bound)?.bits != 0
        {
            return None;
        }
        let handle = Handle(registers.r15 as u16);
        let table = self.tables.get(server.table?)?;
        let (id, _) = table.endpoint(&self.vm.machine, handle, Rights::RECEIVE)?;
        let endpoint = self.endpoints.get_mut(id)?;
        let is_idle = endpoint.senders.is_empty()
            && endpoint.receivers.is_empty()
            && endpoint.notices.is_empty();
        if !is_idle {
            return None;
        }
        if slices == Slices::Begin && call == OpenCall::NONE {
            endpoint.receivers = Queue::of(current);
            server.state = State::Receiving(id);
            self.cpu.current = NIL;
            return Some(Replied::ToResume);
        }
        let space = server.space;
        let body = Body::of_answer(server, size, slices)?;
        let caller = threads.at(call.thread())?;
        let is_open = matches!(caller.state, State::Open(_))
            && caller.sequence == call.sequence()
            && Id::are_same(caller.answerer, space);
        let turn = match slices {
            Slices::Go if self.cpu.admits(caller.priority) => Turn::Now,
            Slices::Go => Turn::Later,
            Slices::Begin => self.cpu.turn(&mut self.vm.machine, caller.priority),
        };
        if !is_open || caller.obstacles.meet(self.cpu.obstacles) || turn == Turn::Later {
            return None;
        }
        if !caller.tag.is_message() {
            resume(&mut threads, current, call.thread(), tag)?;
            endpoint.receivers = Queue::of(current);
            threads.at(current)?.state = State::Receiving(id);
            self.cpu.take(turn);
            let thread = threads.into_at(call.thread())?;
            let is_served = self.cpu.meter.end_service(&self.vm.machine, call.thread(), thread);
            let is_loaded = switch_back(&mut self.cpu, &mut self.vm.machine, call.thread(), thread);
            return Some(match (is_served, is_loaded) {
                (true, true) => Replied::Resumed(thread),
                (true, false) => Replied::ToResume,
                (false, _) => Replied::ToCharge,
            });
        }
        body.copy(&mut self.vm.machine, caller, tag)?;

        endpoint.receivers = Queue::of(current);
        caller.state = State::Ready;
        caller.answerer = None;
        threads.at(current)?.state = State::Receiving(id);
        self.cpu.take(turn);
        let thread = threads.into_at(call.thread())?;
        let (target, badge) = (thread.registers.r12, thread.registers.r14);
        let is_loaded = switch(&mut self.cpu, &mut self.vm.machine, call.thread(), thread);
        Some(Replied::Words(Passage { thread, target, tag, badge, is_loaded }))
    }
}

/// Ends the open call of a caller that sent no message, if the answer is a foreign system call's
/// result, or says where to go on after an exception: the last check, and the first change.
#[inline(always)]
pub(crate) fn resume(
    threads: &mut Slots<'_, Thread>,
    handler: u16,
    caller: u16,
    tag: Tag,
) -> Option<()> {
    let [result, _, rip, rsp, rflags, _] = threads.at(handler)?.registers.words();
    let caller = threads.at(caller)?;
    match caller.tag.kind() {
        Kind::SystemCall if tag.0 == 0 => caller.registers.rax = result,
        Kind::Exception if tag.0 == u64::from(RESUME_AT) => caller.go_on_at(rip, rsp, rflags)?,
        _ => return None,
    }
    caller.state = State::Ready;
    caller.answerer = None;
    Some(())
}

/// What of a message does not stay where it is: nothing of a short one.
struct Body(Option<([u64; WORDS], Option<Frame>)>);

impl Body {
    /// Finds the words and the page of a sender.
    #[inline(always)]
    fn of(sender: &Thread, size: Size) -> Option<Self> {
        match size {
            Size::Short => Some(Body(None)),
            Size::Long => Some(Body(Some((sender.registers.words(), Some(sender.message_page?))))),
        }
    }

    /// As [`Body::of`] for an answer; one that is looked at again has lost what was in registers.
    #[inline(always)]
    fn of_answer(sender: &Thread, size: Size, slices: Slices) -> Option<Self> {
        match (size, slices) {
            (Size::Short, Slices::Begin) => Some(Body(Some((sender.registers.words(), None)))),
            _ => Body::of(sender, size),
        }
    }

    /// Copies them to a receiver, if that has a page: the last check, and the first change.
    #[inline(always)]
    fn copy(self, machine: &mut impl Machine, receiver: &mut Thread, tag: Tag) -> Option<()> {
        if let Body(Some((words, from))) = self {
            if let Some(from) = from {
                copy_page_part(machine, from, receiver.message_page?, tag);
            }
            receiver.registers.set_words(words);
        }
        Some(())
    }
}

/// Makes a thread the current one and sets the processor up for it, if that takes no more than the
/// address space; returns whether it did.
#[inline(always)]
fn switch<M: Machine>(cpu: &mut Cpu, machine: &mut M, slot: u16, thread: &Thread) -> bool {
    cpu.current = slot;
    let is_loaded = !cpu.is_burdened && !thread.is_burdened;
    if is_loaded {
        cpu.loaded = slot;
        if let Some(root) = thread.root {
            machine.activate(root);
        }
    }
    is_loaded
}

/// As [`switch`], for the handler of the current thread: what is set up for that one may stay, the
/// extended state out of reach.
#[inline(always)]
fn switch_to_handler<M: Machine>(
    cpu: &mut Cpu,
    machine: &mut M,
    slot: u16,
    handler: &Thread,
) -> bool {
    let caller = cpu.current;
    if !cpu.is_burdened || handler.is_burdened || cpu.loaded != caller {
        return switch(cpu, machine, slot, handler);
    }
    cpu.current = slot;
    cpu.dive(machine, slot, caller, handler);
    true
}

/// As [`switch`], for a thread whose handler has answered.
#[inline(always)]
fn switch_back<M: Machine>(cpu: &mut Cpu, machine: &mut M, slot: u16, thread: &Thread) -> bool {
    if cpu.beneath != slot {
        return switch(cpu, machine, slot, thread);
    }
    cpu.current = slot;
    cpu.surface(machine, slot, thread);
    true
}
