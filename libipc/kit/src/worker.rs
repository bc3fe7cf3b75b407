//! Worker threads: more threads in a server's process, each with its own stack and message page.
//!
//! ```text
//!   start(run) ── slot ── thread, stack with a guard below, message page ── begin ── run
//!                                                   panic, fault ── the process ends
//! ```
//!
//! A worker does what would keep the server's loop from its clients, or serves the same endpoint
//! beside it ([`crate::serve::run`]). It shares the program's memory and capabilities, has the
//! priority of the thread that started it, and tells the loop of its results through a bell
//! ([`Setup::bell`](crate::service::Setup::bell)). What several threads change lies in a [`Lock`].
//!
//! ```no_run
//! extern crate alloc;
//! use alloc::sync::Arc;
//! use kamen_kit::service::Problem;
//! use kamen_kit::worker::{Lock, Workers};
//! use libipc::{Notification, start::Start};
//!
//! fn sum_meanwhile(start: &Start, bell: Notification) -> Result<Arc<Lock<u64>>, Problem> {
//!     let sum = Arc::new(Lock::new(0));
//!     let shared = Arc::clone(&sum);
//!     Workers::of(start)?.start(move || {
//!         *shared.lock() = (0..1_000_000).sum();
//!         let _ = bell.signal(0); // The loop's `occurred` looks at the sum.
//!     })?;
//!     Ok(sum)
//! }
//! ```
//!
//! A worker whose function returns stops; its stack is the next one's. Limit: a worker that panics
//! or faults ends the process, as there is no state that could be trusted afterwards.

use alloc::boxed::Box;

use libipc::abi::{PAGE_SIZE, PRIORITIES, boot};
use libipc::start::Start;
use libipc::{
    Endpoint, Error, Handling, Memory, Object, Quota, Registers, Rights, Space, Table, Thread,
    stacks, yield_now,
};
use spin::RelaxStrategy;
use spin::mutex::SpinMutex;

use crate::service::{Problem, cannot};

/// Most workers of a process at a time.
pub const MAX_WORKERS: usize = 16;

/// Pages of a worker's stack, as of a program's first thread.
const STACK_PAGES: u64 = (boot::STACK_BYTES / PAGE_SIZE) as u64;
const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);

/// A value that several threads change, one at a time. Who has to wait lets others run.
pub type Lock<T> = SpinMutex<T, GiveWay>;

/// Waits by letting others run.
#[derive(Clone, Copy, Debug)]
pub struct GiveWay;

impl RelaxStrategy for GiveWay {
    fn relax() {
        yield_now();
    }
}

/// What a worker runs.
type Run = Box<dyn FnOnce() + Send>;

/// The process' workers.
static SLOTS: Lock<[Slot; MAX_WORKERS]> = Lock::new([const { Slot::new() }; MAX_WORKERS]);

/// A place for a worker.
struct Slot {
    /// What it runs, until it begins.
    run: Option<Run>,
    /// Its thread, while it has one; one that has ended stands still.
    thread: Option<Thread>,
    /// Its stack and message page, mapped once and for all.
    memory: Option<Memory>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Taken,
    /// Its function has returned.
    Ended,
}

impl Slot {
    const fn new() -> Self {
        Slot { run: None, thread: None, memory: None, state: State::Free }
    }
}

/// Starts workers of this process.
#[derive(Clone, Copy, Debug)]
pub struct Workers {
    /// Who hears of their faults: who started the process.
    handler: Endpoint,
}

impl Workers {
    /// Returns the workers of a program.
    ///
    /// # Errors
    /// The program was not given "process", whose server hears of workers' faults.
    pub fn of(start: &Start) -> Result<Self, Problem> {
        let handler = start.find("process").ok_or_else(|| Problem::missing("process"))?;
        Ok(Workers { handler })
    }

    /// Starts a worker.
    ///
    /// # Errors
    /// There are [`MAX_WORKERS`]; the kernel refused a thread or its memory.
    pub fn start(self, run: impl FnOnce() + Send + 'static) -> Result<(), Problem> {
        let place = take_slot().ok_or("cannot start a worker: it has 16 already")?;
        let prepared = self.prepare(place, Box::new(run));
        prepared.map_err(|error| {
            SLOTS.lock()[place].state = State::Ended;
            cannot("start a worker")(error)
        })
    }

    fn prepare(self, place: usize, run: Run) -> Result<(), Error> {
        let memory = memory_of(place)?;
        let thread =
            Quota(boot::QUOTA).create_thread(Space(boot::SPACE), Some(Table(boot::TABLE)))?;
        SLOTS.lock()[place].thread = Some(thread);
        thread.set_message_page(memory, STACK_PAGES)?;
        thread.set_handler(self.handler, 0, Handling::Faults)?;
        set_own_priority(thread)?;
        thread.write_registers(&registers(place))?;
        SLOTS.lock()[place].run = Some(run);
        thread.start()
    }
}

/// Returns a free slot, which is taken now; one of a worker that has ended loses its thread.
fn take_slot() -> Option<usize> {
    let mut slots = SLOTS.lock();
    let place = slots.iter().position(|slot| slot.state != State::Taken)?;
    let slot = &mut slots[place];
    slot.state = State::Taken;
    if let Some(thread) = slot.thread.take() {
        // It stands still, or is about to: nothing of it is needed any more.
        let _ = thread.destroy();
        let _ = thread.delete();
    }
    Some(place)
}

/// Returns a slot's stack and message page, mapped where its thread looks for them.
fn memory_of(place: usize) -> Result<Memory, Error> {
    if let Some(memory) = SLOTS.lock()[place].memory {
        return Ok(memory);
    }
    let top = stacks::top(place + 1);
    let page = stacks::message_page(top - 1) as u64;
    let memory = Quota(boot::QUOTA).create_memory(STACK_PAGES + 1)?;
    let space = Space(boot::SPACE);
    let mapped = space
        .map(memory, 0, (top - boot::STACK_BYTES) as u64, STACK_PAGES, READ_WRITE)
        .and_then(|()| space.map(memory, STACK_PAGES, page, 1, READ_WRITE));
    if let Err(error) = mapped {
        // Its mappings go with it.
        let _ = memory.destroy();
        let _ = memory.delete();
        return Err(error);
    }
    SLOTS.lock()[place].memory = Some(memory);
    Ok(memory)
}

/// Gives a thread the priority of this one: the highest that it may give.
fn set_own_priority(thread: Thread) -> Result<(), Error> {
    let found = (0..PRIORITIES as u8).rev().any(|priority| thread.set_priority(priority).is_ok());
    if found { Ok(()) } else { Err(Error::NoRights) }
}

/// Returns the registers with which a worker begins.
fn registers(place: usize) -> Registers {
    Registers {
        rip: begin as extern "C" fn(usize) -> ! as usize as u64,
        // As after a call: 8 below a multiple of 16.
        rsp: stacks::top(place + 1) as u64 - 8,
        rdi: place as u64,
        rflags: Registers::FIXED_FLAGS,
        ..Registers::default()
    }
}

/// A worker's first instructions.
extern "C" fn begin(place: usize) -> ! {
    let run = SLOTS.lock()[place].run.take();
    if let Some(run) = run {
        run();
    }
    let thread = {
        let mut slots = SLOTS.lock();
        slots[place].state = State::Ended;
        slots[place].thread
    };
    loop {
        // Whoever takes the slot destroys the thread.
        if let Some(thread) = thread {
            let _ = thread.stop();
        }
        yield_now();
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn workers_need_who_hears_of_their_faults() {
        let problem = Workers::of(&Start::default()).unwrap_err();
        assert!(format!("{problem}").contains("\"process\""));
    }

    #[test]
    fn slots_are_bounded_and_taken_again() {
        let taken: alloc::vec::Vec<_> = core::iter::from_fn(take_slot).collect();
        assert_eq!(taken.len(), MAX_WORKERS);
        let workers = Workers { handler: Endpoint(libipc::Handle(1)) };
        let problem = workers.start(|| {}).unwrap_err();
        assert_eq!(format!("{problem}"), "cannot start a worker: it has 16 already");
        SLOTS.lock()[3].state = State::Ended;
        // On the host there is no kernel to have a thread from; the slot is free nevertheless.
        let problem = workers.start(|| {}).unwrap_err();
        assert_eq!(format!("{problem}"), "cannot start a worker: InvalidOperation");
        assert_eq!(take_slot(), Some(3));
        SLOTS.lock().iter_mut().for_each(|slot| slot.state = State::Free);
    }

    #[test]
    fn a_worker_begins_at_the_end_of_its_own_stack() {
        let registers = registers(2);
        assert_eq!(registers.rsp as usize, stacks::top(3) - 8);
        assert_eq!(registers.rdi, 2);
    }
}
