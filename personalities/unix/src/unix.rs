//! The personality's state, and what happens on each event.
//!
//! ```text
//!   system call ─> table ─> handler ─> Ok(value) ────────────> leave: signals, then reply
//!                              │ Err(Stop::Wait) ─> parked ─┐
//!   event (pipe, child, …) ─> Wakes ─> settle: make the calls that waited for it again
//! ```
//!
//! Single-threaded: an event is handled to its end, then `Unix::settle` runs until nothing that
//! changed concerns a parked call.

mod answers;
mod consistency;
mod contents;
mod ending;
mod faults;
mod hand_over;
mod numbered;
mod orphans;
mod processes;
mod ptys;
mod robust;
mod scarcity;
mod schedule;
mod set_id;
mod signals;
mod take_up;
mod terminal;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::vec::Vec;

use libipc::{Foreign, Kind, OpenCall, Thread as Handle};

use crate::context::{Context, Stop};
use crate::events::{Counters, Epolls, ProcessFiles, SignalFiles, TimerFiles};
use crate::exec::Images;
use crate::fifo::Fifos;
use crate::filesystem::FileSystem;
use crate::futex::Futexes;
use crate::kept::{Kept, Tables};
use crate::linux::signals as linux_signals;
use crate::locks::Locks;
use crate::machine::Machine;
use crate::memory::{Backing, MappedFile, Trash};
use crate::open::{Closed, Description, Paused};
use crate::path::Node;
use crate::pipe::Pipes;
use crate::process::{Answer, Pid, Processes, RunTime, ThreadNumber, Threads};
use crate::serve::NativeWait;
use crate::servers::Servers;
use crate::socket::Sockets;
use crate::table::{self, Handler, Look};
use crate::terminal::Terminals;
use crate::timers::Timers;
use crate::wake::{Channel, Waiters, Wakes};

pub use processes::Launch;
pub(crate) use terminal::Leader;

/// Bits of the notification that reports events to this server; the console's are its own
/// (`protocols::console::event`).
pub mod event {
    /// The timer has expired.
    pub const TIMER: u64 = 1;
    /// The readiness of a stream has changed.
    pub const STREAM: u64 = 2;
    /// A native program has ended.
    pub const NATIVE: u64 = 4;
}

/// Most unknown calls that the log tells of, each once: programs can make up any number of them.
const MAX_UNKNOWN: usize = 64;

/// What the event loop answers a call with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A value for rax.
    Value(u64),
    /// The registers as they are.
    Resume,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Value(value) => Answer::Value(value),
            Reply::Resume => Answer::Registers,
        }
    }
}

/// The UNIX personality.
pub struct Unix {
    /// The machine.
    pub machine: Box<dyn Machine>,
    /// The file server.
    pub files: Box<dyn FileSystem>,
    /// The root directory, which is asked for once.
    pub root: Option<Node>,
    /// The other servers.
    pub servers: Box<dyn Servers>,
    /// All processes.
    pub processes: Processes,
    /// All threads.
    pub threads: Threads,
    /// The terminals that sessions may have.
    pub terminals: Terminals,
    /// Timers that send signals.
    pub timers: Timers,
    /// What has changed.
    pub wakes: Wakes,
    /// Who waits for what.
    pub waiters: Waiters,
    /// Room for what has changed and who waits for it, kept from one time to the next.
    spare: (Vec<Channel>, Vec<ThreadNumber>),
    /// What outlives this server.
    pub kept: &'static Tables,
    /// Pipes.
    pub pipes: Pipes,
    /// The host's name, once it was set or asked for.
    pub host_name: Option<Vec<u8>>,
    /// Names this boot (`/proc/sys/kernel/random/boot_id`), once it was asked for.
    pub boot_id: Option<[u8; 16]>,
    /// The domain's name, once it was set.
    pub domain_name: Option<Vec<u8>>,
    /// Named pipes in use.
    pub fifos: Fifos,
    /// Sockets.
    pub sockets: Sockets,
    /// Event counters.
    pub counters: Counters,
    /// Timer descriptors.
    pub timer_files: TimerFiles,
    /// Signal descriptors.
    pub signal_files: SignalFiles,
    /// Descriptors of processes.
    pub process_files: ProcessFiles,
    /// Interest lists.
    pub epolls: Epolls,
    /// The thread whose call is handled, for the first time or again.
    pub acting: ThreadNumber,
    /// What was closed.
    pub closed: Closed,
    /// Files in the middle of long calls.
    pub paused: Paused,
    /// Locks on files.
    pub locks: Locks,
    /// Who waits for which futex.
    pub futexes: Futexes,
    /// Memory without users.
    pub trash: Trash,
    /// Files whose pages are in memory.
    pub mapped: BTreeMap<Node, Rc<MappedFile>>,
    /// Programs that were executed lately.
    pub images: Images,
    /// Files without set-ID bits.
    pub(crate) plain: set_id::Plain,
    /// The pages of the system that every process has.
    pub vdso: Option<Rc<Backing>>,
    /// Descriptions that native programs use as their streams, by badge.
    pub exported: BTreeMap<u64, Description>,
    /// How long all threads that have ended have run.
    pub(crate) ended_time: RunTime,
    pub(crate) native_waits: Vec<NativeWait>,
    pub(crate) next_number: u64,
    pub(crate) last_pid: u32,
    /// Threads whose parked call a signal may end.
    interrupted: Vec<ThreadNumber>,
    /// What bytes go through, kept for the next call.
    buffer: Vec<u8>,
    /// The call being handled, and its answer.
    current: Option<(ThreadNumber, OpenCall)>,
    reply: Option<Reply>,
    /// What a reader is answered when the transaction has ended.
    handed: hand_over::Handed,
    /// What the timer is set to.
    timer: u64,
    /// When what the file server keeps for nobody is to be given back.
    tidy_at: Option<u64>,
    /// Threads of the kernel's to be destroyed when their end counts.
    doomed: Vec<Handle>,
    unknown: BTreeSet<u32>,
    scarcity: scarcity::Scarcity,
}

impl Unix {
    /// Returns the personality with no process, whose tables lie in kept memory.
    pub fn new(
        machine: Box<dyn Machine>,
        files: Box<dyn FileSystem>,
        servers: Box<dyn Servers>,
        mut kept: Kept,
    ) -> Self {
        let wakes = Wakes::default();
        let (tables, pipes) = (kept.tables, Pipes::new(&mut kept, &wakes));
        let locks = Locks::new(&wakes);
        Unix {
            machine,
            files,
            root: None,
            servers,
            processes: Processes::new(tables),
            threads: Threads::default(),
            terminals: Terminals::default(),
            timers: Timers::new(),
            sockets: Sockets::new(&wakes),
            counters: Counters::new(&wakes),
            timer_files: TimerFiles::new(&wakes),
            signal_files: SignalFiles::default(),
            process_files: ProcessFiles::default(),
            epolls: Epolls::new(&wakes),
            acting: ThreadNumber(0),
            wakes,
            waiters: Waiters::default(),
            spare: (Vec::new(), Vec::new()),
            kept: tables,
            pipes,
            host_name: None,
            boot_id: None,
            domain_name: None,
            fifos: Fifos::default(),
            closed: Closed::default(),
            paused: Paused::default(),
            locks,
            futexes: Futexes::default(),
            trash: Trash::default(),
            mapped: BTreeMap::new(),
            images: Images::default(),
            plain: set_id::Plain::default(),
            vdso: None,
            exported: BTreeMap::new(),
            ended_time: RunTime::default(),
            native_waits: Vec::new(),
            next_number: 1,
            last_pid: 1,
            interrupted: Vec::new(),
            buffer: Vec::new(),
            current: None,
            reply: None,
            handed: None,
            timer: u64::MAX,
            tidy_at: None,
            doomed: Vec::new(),
            unknown: BTreeSet::new(),
            scarcity: scarcity::Scarcity::default(),
        }
    }

    /// Handles a call of a foreign thread; returns its answer, if it is to be answered now.
    #[inline(never)]
    pub fn foreign(&mut self, foreign: &Foreign) -> Option<Reply> {
        let number = ThreadNumber(foreign.caller.badge);
        let call = foreign.caller.call;
        let pid = self.threads.get(&number)?.pid;
        self.current = Some((number, call));
        let kept = if foreign.caller.replayed { self.answered_before(number, call) } else { None };
        match foreign.kind {
            _ if let Some(reply) = kept => self.leave(number, call, reply.into()),
            Kind::SystemCall => {
                if let Some(value) = self.system_call(pid, foreign) {
                    self.current = None;
                    return Some(Reply::Value(value));
                }
            }
            Kind::Exception => self.exception(number, call, foreign.number, &foreign.words),
            Kind::Interrupt => self.interrupt_instruction(number, call),
            Kind::Recall => self.leave(number, call, Answer::Registers),
            Kind::Message | Kind::Notification | Kind::Cancelled | Kind::Page => {}
        }
        self.settle_caller(number, call);
        self.current = None;
        let reply = self.reply.take();
        if reply.is_none() {
            // With an answer everything counted; what was settled after it does, too.
            self.commit();
        }
        reply
    }

    /// Settles; a caller whose answer is ready takes the signals, or stays in the stop, that come
    /// of that: the kernel recalls nobody whose call is open.
    #[inline(always)]
    fn settle_caller(&mut self, number: ThreadNumber, call: OpenCall) {
        if self.is_settled() {
            return;
        }
        self.settle();
        while !self.goes_on(number)
            && let Some(reply) = self.reply.take()
        {
            self.leave(number, call, reply.into());
            self.settle();
        }
    }

    /// Handles bits of the notification ([`event`], and the console's).
    pub fn notified(&mut self, bits: u64) {
        if bits & event::TIMER != 0 {
            self.timer_expired();
        }
        if bits & event::NATIVE != 0 {
            self.natives_changed();
        }
        if bits & event::STREAM != 0 {
            self.wakes.add(Channel::Streams);
        }
        self.terminal_events(bits);
        self.settle();
        self.commit();
    }

    /// Takes the buffer that bytes go through, of at least so many bytes; whatever was in it is
    /// still there.
    pub(crate) fn take_buffer(&mut self, len: usize) -> Vec<u8> {
        let mut buffer = core::mem::take(&mut self.buffer);
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        buffer
    }

    /// Gives the buffer back.
    pub(crate) fn keep_buffer(&mut self, buffer: Vec<u8>) {
        self.buffer = buffer;
    }

    /// Returns the number of the thread of a process whose call is handled, or of its first one.
    pub(crate) fn calling_thread(&self, pid: Pid) -> Pid {
        let current = self.current.and_then(|(number, _)| self.threads.get(&number));
        current.filter(|thread| thread.pid == pid).map_or(pid, |thread| thread.tid)
    }

    /// Returns a number that was not used before, for pipes, threads and streams.
    pub fn unique(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Handles a system call; returns its value where nothing is left to do but to answer it.
    #[inline(always)]
    fn system_call(&mut self, pid: Pid, foreign: &Foreign) -> Option<u64> {
        let Foreign { caller, number, words, .. } = *foreign;
        let (thread, call) = (ThreadNumber(caller.badge), caller.call);
        let entry = table::find(number);
        if let Some(&table::Entry { handler: Handler::Looks(look), .. }) = entry
            && let Some(value) = self.look(thread, look)
        {
            return Some(value);
        }
        if let Some(errno) = self.refused(pid, number) {
            self.leave(thread, call, Answer::Value(errno.to_rax()));
            return None;
        }
        let mut context = Context::new(self, pid, thread, call, words);
        if caller.replayed {
            context.go_on();
        }
        match entry {
            Some(entry) => {
                let result = entry.handler.run(&mut context);
                self.conclude(thread, call, number, words, result);
            }
            None => {
                let refused = table::refusal(number).map(|one| one.errno);
                let errno = refused.unwrap_or_else(|| {
                    self.log_unknown(pid, number);
                    crate::Errno::ENOSYS
                });
                self.leave(thread, call, Answer::Value(errno.to_rax()));
            }
        }
        None
    }

    /// Returns what a thread sees of itself, if it has nothing else to do.
    #[inline(always)]
    fn look(&self, number: ThreadNumber, look: Look) -> Option<u64> {
        let thread = self.threads.get(&number)?;
        let process = self.processes.get(&thread.pid)?;
        signals::goes_on(thread, process).then(|| look(thread, process))
    }

    /// An `int n` instruction is a fault in 64-bit Linux programs, except for `int 0x80`, whose
    /// 32-bit system calls do not exist here.
    fn interrupt_instruction(&mut self, thread: ThreadNumber, call: OpenCall) {
        let info = crate::signal::Info::of_system(linux_signals::SIGSEGV);
        self.force_signal(thread, info, "software interrupt");
        self.leave(thread, call, Answer::Registers);
    }

    fn log_unknown(&mut self, pid: Pid, number: u32) {
        if self.unknown.len() < MAX_UNKNOWN && self.unknown.insert(number) {
            let name = self.processes.get(&pid).map(crate::process::Process::display_name);
            let name = name.unwrap_or_default();
            let line = alloc::format!("{name}: system call {number} is unknown (ENOSYS)");
            self.machine.log(&line);
        }
    }

    /// Does with a handler's result what it says.
    #[inline(always)]
    fn conclude(
        &mut self,
        thread: ThreadNumber,
        call: OpenCall,
        number: u32,
        words: [u64; 6],
        result: Result<u64, Stop>,
    ) {
        let goes_on = self.goes_on(thread);
        let answer = match result {
            // What nearly every call comes to.
            Ok(value) if goes_on => return self.answer(thread, call, Reply::Value(value)),
            Err(Stop::Wait(wait)) if goes_on => {
                return self.park(thread, wait.parked(call, number, words));
            }
            Ok(value) => Answer::Value(value),
            Err(Stop::Errno(errno)) => Answer::Value(errno.to_rax()),
            Err(Stop::Wait(wait)) => Answer::Wait(wait.parked(call, number, words)),
            Err(Stop::Resume) => Answer::Registers,
            Err(Stop::Gone) => return,
        };
        self.leave(thread, call, answer);
    }

    /// Answers a call: the one being handled through the event loop, others at once.
    #[inline(always)]
    fn answer(&mut self, number: ThreadNumber, call: OpenCall, reply: Reply) {
        self.commit_answer(number, call, reply);
        if self.current.is_some_and(|(_, current)| current == call) {
            self.reply = Some(reply);
            return;
        }
        match reply {
            Reply::Value(value) => self.machine.reply(call, value),
            Reply::Resume => self.machine.resume(call),
        }
    }

    /// Shares a description with a native program; returns the badge that names it.
    pub fn export(&mut self, description: Description) -> u64 {
        let badge = self.unique();
        self.exported.insert(badge, Rc::clone(&description));
        badge
    }
}
