//! A loop whose tasks wait for times and bells while it answers others (kit's `executor`).
//!
//! ```text
//!   worker "long"  ──nap(60 ms)──> task: at(time) ─────────────> reply
//!   worker "short" ──nap(10 ms)──> task: at(time) ──────> reply
//!   worker "asker" ──awake()────> answered at once while both sleep; rings the bell at its end
//!                                  task: bell.next() ──> all three have ended: leave
//! ```

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::executor::{Executor, Signal};
use kamen_kit::service::{Attention, Problem, Protocol, Service, Setup};
use kamen_kit::worker::{Lock, Workers};
use libipc::{Caller, Endpoint, Notification, interface, now};

/// Why the server refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum NapError {
    /// Too many callers sleep.
    Full = 1,
}

/// The server.
#[interface(number = 97, error = NapError)]
pub trait Nap {
    /// Answers so many milliseconds later.
    #[operation(1, deferred)]
    fn nap(&mut self, ms: u64) -> Result<(), NapError>;
    /// Returns how many callers sleep.
    #[operation(2)]
    fn asleep(&mut self) -> Result<u64, NapError>;
}

/// Who has had what, in order.
type Story = Arc<Lock<Vec<&'static str>>>;

/// What is heard besides requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The executor's alarm.
    Time,
    /// A client has ended.
    Ended,
}

/// The server.
pub struct Naps {
    tasks: Executor,
    ended: Signal,
    asleep: Arc<Lock<u64>>,
}

impl Nap for Naps {
    fn nap(&mut self, caller: &Caller, ms: u64) -> Option<Result<(), NapError>> {
        let (call, tasks, asleep) = (caller.call, self.tasks.clone(), Arc::clone(&self.asleep));
        *asleep.lock() += 1;
        let task = async move {
            tasks.at(now().after_ms(ms)).await;
            *asleep.lock() -= 1;
            // Who is gone needs no answer.
            let _ = call.reply(&nap_reply::nap(Ok(())));
        };
        self.tasks.spawn(task).err().map(|_| Err(NapError::Full))
    }

    fn asleep(&mut self, _: &Caller) -> Result<u64, NapError> {
        Ok(*self.asleep.lock())
    }
}

impl Service for Naps {
    type Source = Source;
    const PROTOCOLS: &'static [Protocol<Self>] = &[Protocol::new(nap_label::PROTOCOL, serve_nap)];

    fn occurred(&mut self, source: Source) -> Attention {
        if source == Source::Ended {
            self.ended.ring();
        }
        Attention::Done
    }

    fn executor(&self) -> Option<&Executor> {
        Some(&self.tasks)
    }
}

/// Returns the server, once its three clients have been started; `leave` is told whether they had
/// their answers in the order of their times.
///
/// # Errors
/// What the kernel refused.
pub fn doze(
    setup: &mut Setup<'_, Source>,
    endpoint: Endpoint,
    leave: fn(bool) -> !,
) -> Result<Naps, Problem> {
    let workers = Workers::of(setup.start())?;
    let story = Story::new(Lock::new(Vec::new()));
    let bell = setup.bell(Source::Ended)?;
    let tasks = Executor::new(setup.alarm(Source::Time)?);
    for (name, ms) in [("long", 60), ("short", 10)] {
        let story = Arc::clone(&story);
        workers.start(move || end(NapClient::new(endpoint).nap(ms).is_ok(), name, &story, bell))?;
    }
    let told = Arc::clone(&story);
    workers.start(move || {
        let client = NapClient::new(endpoint);
        // Answered while both sleep, or the story is another one.
        while client.asleep() == Ok(0) {
            libipc::yield_now();
        }
        end(client.asleep().is_ok(), "asker", &told, bell);
    })?;
    let ended = Signal::default();
    let bells = ended.clone();
    let watch = async move {
        while story.lock().len() < 3 {
            bells.next().await;
        }
        leave(*story.lock() == vec!["asker", "short", "long"]);
    };
    tasks.spawn(watch).map_err(|_| Problem::from("no room for a task"))?;
    Ok(Naps { tasks, ended, asleep: Arc::default() })
}

/// Notes that a client has ended, and how.
fn end(is_right: bool, name: &'static str, story: &Lock<Vec<&'static str>>, bell: Notification) {
    story.lock().push(if is_right { name } else { "refused" });
    // The loop lives as long as the process.
    let _ = bell.signal(0);
}
