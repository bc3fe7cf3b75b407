//! An executor: tasks of one thread, for a server that waits for several things at a time.
//!
//! ```text
//!   loop: occurred(source) ── Signal::ring, Submissions::rung ──> wake ─┐
//!         a time has come ── Alarm ──────────────────────────────> wake ─┤
//!         before each wait: Executor::turn ── polls who is awake <───────┘
//!   task: signal.next().await   tasks.at(time).await   ring.submit(…).await   call.reply(…)
//! ```
//!
//! A request that has to wait for something is not answered by its method (an operation marked
//! `deferred`): it spawns a task, which answers the caller's open call when it has what is needed.
//! Other requests are answered meanwhile, as the loop polls tasks only between events, and each
//! once before it looks for the next event.
//!
//! A waker may be called by a worker thread as well, but the loop notices only at its next event: the
//! worker rings a bell besides.
//!
//! The server gives the loop its executor ([`Service::executor`](crate::service::Service)). What it
//! shares with its tasks lies in an `Rc<RefCell<…>>`; no borrow may be held over an `await`.
//!
//! A server that answers when a second has passed, whatever else it is asked:
//!
//! ```
//! use kamen_kit::executor::Executor;
//! use kamen_kit::service::{self, Protocol, Service};
//! use libipc::start::Start;
//! use libipc::{Caller, ProtocolError, interface, now};
//!
//! #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
//! #[repr(u8)]
//! pub enum SleepError {
//!     /// Too many callers sleep.
//!     Full = 1,
//! }
//!
//! /// Sleep.
//! #[interface(number = 99, error = SleepError)]
//! pub trait Sleep {
//!     /// Answers a second later.
//!     #[operation(1, deferred)]
//!     fn sleep(&mut self) -> Result<(), SleepError>;
//! }
//!
//! struct Server {
//!     tasks: Executor,
//! }
//!
//! impl Sleep for Server {
//!     fn sleep(&mut self, caller: &Caller) -> Option<Result<(), SleepError>> {
//!         let (call, tasks) = (caller.call, self.tasks.clone());
//!         let task = async move {
//!             tasks.at(now().after_ms(1000)).await;
//!             let _ = call.reply(&sleep_reply::sleep(Ok(()))); // Who is gone needs no answer.
//!         };
//!         self.tasks.spawn(task).err().map(|_| Err(SleepError::Full))
//!     }
//! }
//!
//! impl Service for Server {
//!     type Source = ();
//!     const PROTOCOLS: &'static [Protocol<Self>] =
//!         &[Protocol::new(sleep_label::PROTOCOL, serve_sleep)];
//!
//!     fn executor(&self) -> Option<&Executor> {
//!         Some(&self.tasks)
//!     }
//! }
//!
//! fn main_of_server(start: &Start) -> i32 {
//!     service::run(start, |setup| Ok(Server { tasks: Executor::new(setup.alarm(())?) }))
//! }
//! # fn main() {
//! #     assert_eq!(main_of_server(&Start::default()), 1);
//! # }
//! ```

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::cell::RefCell;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};

use libipc::{Time, log};

use crate::service::{Alarm, Attention};

mod signal;
mod submissions;
#[cfg(test)]
mod tests;
mod times;

pub use signal::Signal;
pub use submissions::Submissions;

use times::Times;

/// Most tasks of an executor at a time.
pub const MAX_TASKS: usize = 64;

/// What a task is.
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Why a task is not spawned: there are [`MAX_TASKS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// Tasks, and what they wait for. Copies of it are the same executor.
#[derive(Clone)]
pub struct Executor {
    /// Those that are to be polled: a bit for each.
    awake: Arc<AtomicU64>,
    state: Rc<RefCell<State>>,
    times: Rc<RefCell<Times>>,
}

/// The tasks.
struct State {
    tasks: [Option<Task>; MAX_TASKS],
    /// A bit for each place that is taken, also while its task is polled.
    taken: u64,
}

impl Executor {
    /// Returns an executor without tasks, whose times an alarm tells of; what the alarm's source
    /// does when it occurs is nothing.
    pub fn new(alarm: Alarm) -> Self {
        let state = State { tasks: [const { None }; MAX_TASKS], taken: 0 };
        let times = Rc::new(RefCell::new(Times::new(alarm)));
        Executor { awake: Arc::default(), state: Rc::new(RefCell::new(state)), times }
    }

    /// Begins a task, which is polled for the first time before the loop waits next.
    ///
    /// # Errors
    /// Full.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) -> Result<(), Full> {
        let mut state = self.state.borrow_mut();
        let place = state.taken.trailing_ones() as usize;
        let slot = state.tasks.get_mut(place).ok_or(Full)?;
        *slot = Some(Box::pin(task));
        state.taken |= 1 << place;
        self.awake.fetch_or(1 << place, Ordering::Relaxed);
        Ok(())
    }

    /// Ends when a time has come.
    pub fn at(&self, time: Time) -> impl Future<Output = ()> + use<> {
        times::At::new(Rc::clone(&self.times), time)
    }

    /// Returns how many tasks there are.
    pub fn len(&self) -> usize {
        self.state.borrow().taken.count_ones() as usize
    }

    /// Returns whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a task is to be polled, or a time may have come.
    pub(crate) fn is_awake(&self) -> bool {
        self.awake.load(Ordering::Relaxed) != 0 || self.times.borrow().is_due()
    }

    /// Polls every task that is awake, once and in no order; More: some have woken each other, or
    /// themselves. The loop calls it, or a test in the loop's place.
    pub fn turn(&self, now: impl Fn() -> Time) -> Attention {
        if self.times.borrow().is_due() {
            self.times.borrow_mut().wake(now());
        }
        let awake = self.awake.swap(0, Ordering::Relaxed);
        for place in (0..MAX_TASKS).filter(|place| awake & 1 << place != 0) {
            self.poll(place);
        }
        if let Err(error) = self.times.borrow_mut().arm() {
            log!("a time is missed: {error:?}");
        }
        match self.awake.load(Ordering::Relaxed) {
            0 => Attention::Done,
            _ => Attention::More,
        }
    }

    fn poll(&self, place: usize) {
        // Taken out, so that the task may spawn others.
        let Some(mut task) = self.state.borrow_mut().tasks[place].take() else { return };
        let waker = Waker::from(Arc::new(Bell { awake: Arc::clone(&self.awake), bit: 1 << place }));
        match task.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => self.state.borrow_mut().tasks[place] = Some(task),
            Poll::Ready(()) => {
                // What it owned may spawn when it goes.
                drop(task);
                self.state.borrow_mut().taken &= !(1 << place);
            }
        }
    }
}

/// What wakes a task. One that is left over may wake a later task of the same place, which then is
/// polled once for nothing.
struct Bell {
    awake: Arc<AtomicU64>,
    bit: u64,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.awake.fetch_or(self.bit, Ordering::Relaxed);
    }
}
