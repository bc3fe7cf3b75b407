//! Several servers and clients in one test, under a scheduler that follows from a seed.
//!
//! ```text
//!   client threads ── calls, waits ──┐                 ┌── Inbox ── server threads, by lives
//!                                    ├── simulation ───┤
//!   seed ── chooses who goes on ─────┘  of the kernel  └── deaths, virtual time
//! ```
//!
//! Each client and each server is a thread of its own that uses libipc as in the system: clients
//! by [`Kernel`](crate::Kernel), servers by [`Inbox`](crate::Inbox) or a loop above it;
//! notifications, timers, rings' memory and leases work, too. Exactly one thread runs at a time. At
//! each call, receipt, reply, signal, wait and copy the scheduler chooses which one goes on, whether
//! time passes, and whether a server dies: the same seed, the same run. So a test tries hundreds
//! of orders, and one that fails is told with its seed, which repeats it.
//!
//! What is not simulated: several processors at once (memory that is shared is seen in one
//! order), priorities, rights, quotas, foreign threads.
//!
//! A server that loses an update between two calls, and the simulation that finds it:
//!
//! ```
//! use libipc::simulation::{self, Simulation};
//! use libipc::{Caller, Endpoint, Event, Inbox, Message, OpenCall, ProtocolError, Time, interface};
//!
//! #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
//! #[repr(u8)]
//! pub enum CellError {
//!     /// The value is too large.
//!     TooLarge = 1,
//! }
//!
//! /// A number that clients read and write.
//! #[interface(number = 99, error = CellError)]
//! pub trait Cell {
//!     /// Returns it.
//!     #[operation(1, idempotent)]
//!     fn load(&mut self) -> Result<u64, CellError>;
//!     /// Sets it.
//!     #[operation(2, idempotent)]
//!     fn store(&mut self, value: u64) -> Result<(), CellError>;
//! }
//!
//! struct Server(u64);
//!
//! impl Cell for Server {
//!     fn load(&mut self, _: &Caller) -> Result<u64, CellError> {
//!         Ok(self.0)
//!     }
//!     fn store(&mut self, _: &Caller, value: u64) -> Result<(), CellError> {
//!         self.0 = value;
//!         Ok(())
//!     }
//! }
//!
//! fn serve(endpoint: Endpoint) {
//!     let (mut server, mut inbox) = (Server(0), Inbox::new(endpoint));
//!     let (mut call, mut answer) = (OpenCall::NONE, Message::success());
//!     while let Ok(event) = inbox.reply_receive(call, &answer, Time::FOREVER) {
//!         call = event.call().unwrap_or(OpenCall::NONE);
//!         if let Event::Request(request) = event {
//!             answer = serve_cell(&mut server, &request).expect("it answers at once");
//!         }
//!     }
//! }
//!
//! fn two_that_add_one(simulation: &mut Simulation) {
//!     let cell = simulation.endpoint("cell");
//!     simulation.server("cell", move |_life| serve(cell));
//!     for name in ["one", "two"] {
//!         simulation.client(name, move || {
//!             let client = CellClient::new(cell);
//!             let value = client.load().expect("it answers");
//!             client.store(value + 1).expect("it answers");
//!             // As many as have added, at least.
//!             assert!(client.load() != Ok(1) || name == "one", "an update was lost");
//!         });
//!     }
//! }
//!
//! # fn main() {
//! let found = simulation::search(0..100, two_that_add_one).expect("there is a race");
//! assert!(found.to_string().contains("an update was lost"));
//! let again = simulation::search([found.seed], two_that_add_one).expect("a seed repeats it");
//! assert_eq!(again.trace, found.trace);
//! # }
//! ```
extern crate std;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::env;

use crate::syscall::objects;
use crate::{Endpoint, Notification};

mod actor;
mod kernel;
mod ready;
mod world;

pub(crate) use actor::current;
pub(crate) use kernel::{message, operate};

use world::{Deaths, Role, World};

/// Most steps of a run: what takes more does not end.
pub const STEPS_MAX: usize = 200_000;

/// The environment variable that names the one seed to run, with its whole trace printed.
pub const SEED_VARIABLE: &str = "KAMEN_SEED";

/// A simulation being set up.
///
/// ```
/// use libipc::simulation::Simulation;
/// use libipc::{Time, now};
/// let mut simulation = Simulation::new(1);
/// let bell = simulation.notification();
/// simulation.client("sleeper", move || {
///     assert_eq!(bell.wait(Time::FOREVER), Ok(2));
///     // Time is virtual: an hour passes at once.
///     let later = now().after_ms(3_600_000);
///     assert_eq!(bell.wait(later), Err(libipc::Error::TimedOut));
///     assert!(now() >= later);
/// });
/// simulation.client("ringer", move || bell.signal(2).expect("it is there"));
/// let report = simulation.run().expect("nobody panics, nobody waits for ever");
/// assert_eq!(report.deaths, 0);
/// ```
///
/// ```
/// use libipc::simulation::Simulation;
/// use libipc::{Endpoint, Error, Inbox, Message, OpenCall, Time};
///
/// /// Answers whatever comes.
/// fn serve(endpoint: Endpoint) {
///     let (mut inbox, mut call) = (Inbox::new(endpoint), OpenCall::NONE);
///     while let Ok(event) = inbox.reply_receive(call, &Message::success(), Time::FOREVER) {
///         call = event.call().unwrap_or(OpenCall::NONE);
///     }
/// }
///
/// let mut simulation = Simulation::new(3);
/// let endpoint = simulation.endpoint("echo");
/// simulation.labels(|label| (label == 1).then_some("Echo::echo"));
/// simulation.server("echo", move |_life| serve(endpoint));
/// simulation.death_at("echo", 6); // Or, by the seed: simulation.deaths("echo", 10, 2).
/// simulation.client("one", move || {
///     for _ in 0..5 {
///         let end = endpoint.call(1, [0; 6], Time::FOREVER);
///         assert!(end.is_ok() || end == Err(Error::Restarted));
///     }
/// });
/// assert_eq!(simulation.run().map(|report| report.deaths), Ok(1));
/// ```
pub struct Simulation {
    world: Arc<World>,
    seed: u64,
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl Simulation {
    /// Returns the simulation of a seed, without servers and clients.
    pub fn new(seed: u64) -> Self {
        Simulation { world: World::new(seed), seed }
    }

    /// Returns a new endpoint, called so in traces.
    pub fn endpoint(&mut self, name: &str) -> Endpoint {
        let endpoint = self.world.record(objects::create_endpoint);
        self.world.lock().name_object(endpoint, name);
        Endpoint(endpoint)
    }

    /// Returns a new notification.
    pub fn notification(&mut self) -> Notification {
        Notification(self.world.record(objects::create_notification))
    }

    /// Adds a server: `life` is its main, from its first life (0) on. When it dies, the next life
    /// begins; what it is to keep lies outside of the closure.
    pub fn server(&mut self, name: &str, life: impl Fn(u32) + Send + Sync + 'static) {
        let role = Role::Server { life: 0, main: Arc::new(life) };
        self.world.add(name, role, None);
    }

    /// Adds a client. The simulation ends when all clients have.
    pub fn client(&mut self, name: &str, body: impl FnOnce() + Send + 'static) {
        self.world.add(name, Role::Client, Some(Box::new(body)));
    }

    /// Has a server die at one in `one_in` steps, at most `most` times.
    pub fn deaths(&mut self, server: &str, one_in: usize, most: usize) {
        let deaths = Deaths { one_in, most, at: None };
        self.world.lock().deaths.insert(server.into(), deaths);
    }

    /// Has a server die at a step of the run.
    pub fn death_at(&mut self, server: &str, step: usize) {
        let deaths = Deaths { one_in: 0, most: 1, at: Some(step) };
        self.world.lock().deaths.insert(server.into(), deaths);
    }

    /// Has traces say names of operations, by a protocol's `x_label::name`.
    pub fn labels(&mut self, name: fn(u32) -> Option<&'static str>) {
        self.world.lock().labels.push(name);
    }

    /// Runs until all clients have ended.
    ///
    /// # Errors
    /// Somebody panicked; nobody can go on; [`STEPS_MAX`] were not enough.
    pub fn run(self) -> Result<Report, Found> {
        let (report, problem, trace) = self.world.run();
        match problem {
            None => Ok(report),
            Some(problem) => Err(Found { seed: self.seed, problem, trace, report }),
        }
    }
}

/// What a run was like.
///
/// ```
/// use libipc::simulation::{Report, Simulation};
/// let mut simulation = Simulation::new(1);
/// simulation.client("one", || assert!(libipc::now().0 > 0));
/// let Report { steps, deaths, time, fingerprint } = simulation.run().expect("it just ends");
/// assert!(steps > 0 && deaths == 0 && time > 0 && fingerprint != 0);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// How often somebody was chosen to go on.
    pub steps: usize,
    /// How many servers died.
    pub deaths: usize,
    /// Virtual time that passed, in ns.
    pub time: u64,
    /// A number that follows from all steps: equal for equal runs.
    pub fingerprint: u64,
}

/// Why a run failed.
///
/// ```
/// use libipc::simulation::{Problem, STEPS_MAX, search};
/// let describe = |problem: &Problem| match problem {
///     Problem::Panicked { who, message } => format!("{who}: {message}"),
///     Problem::Deadlock { waits, circle } => format!("{waits:?} {circle:?}"),
///     Problem::Endless => format!("more than {STEPS_MAX} steps"),
/// };
/// let found = search([1], |simulation| simulation.client("one", || panic!("a bug")));
/// assert_eq!(describe(&found.expect("it panics").problem), "one: a bug");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// A client or server panicked.
    Panicked {
        /// Which one.
        who: String,
        /// With what message.
        message: String,
    },
    /// Clients have not ended, and nobody can go on.
    Deadlock {
        /// Who waits for what.
        waits: Vec<String>,
        /// Those who wait for each other in a circle; none where somebody waits for a signal.
        circle: Vec<String>,
    },
    /// More than [`STEPS_MAX`] steps.
    Endless,
}

/// A failed run, which its seed repeats.
///
/// ```
/// use libipc::simulation::{self, Problem};
/// let found = simulation::search([7], |simulation| {
///     let never = simulation.notification();
///     simulation.client("waiter", move || assert!(never.wait(libipc::Time::FOREVER).is_ok()));
/// });
/// let found = found.expect("nobody signals");
/// assert_eq!((found.seed, found.report.deaths), (7, 0));
/// assert!(matches!(&found.problem, Problem::Deadlock { waits, .. } if waits.len() == 1));
/// println!("{found}");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The seed.
    pub seed: u64,
    /// What happened.
    pub problem: Problem,
    /// The steps, the last ones of a long run.
    pub trace: Vec<String>,
    /// What the run was like until then.
    pub report: Report,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} fails ({SEED_VARIABLE}={} repeats it):", self.seed, self.seed)?;
        match &self.problem {
            Problem::Panicked { who, message } => writeln!(f, "{who} panicked: {message}")?,
            Problem::Deadlock { waits, circle } => {
                writeln!(f, "nobody can go on: {}", waits.join("; "))?;
                if !circle.is_empty() {
                    writeln!(f, "they wait for each other: {}", circle.join(" -> "))?;
                }
            }
            Problem::Endless => writeln!(f, "it does not end within {STEPS_MAX} steps")?,
        }
        let from = self.trace.len().saturating_sub(40);
        self.trace[from..].iter().try_for_each(|step| writeln!(f, "  {step}"))
    }
}

/// Runs the simulations of seeds until one fails; returns that one. If [`SEED_VARIABLE`] is set,
/// only that seed is run.
///
/// ```
/// use libipc::simulation::{SEED_VARIABLE, search};
/// let found = search(0..10, |simulation| {
///     simulation.client("one", || assert!(libipc::now().0 > 5, "it is too early"));
/// });
/// let found = found.expect("time begins at 1");
/// assert!(found.to_string().contains(SEED_VARIABLE), "says how to repeat it");
/// assert_eq!(found.report.deaths, 0);
/// ```
pub fn search(
    seeds: impl IntoIterator<Item = u64>,
    setup: impl Fn(&mut Simulation),
) -> Option<Found> {
    let run = |seed| {
        let mut simulation = Simulation::new(seed);
        setup(&mut simulation);
        simulation.run().err()
    };
    match env::var(SEED_VARIABLE).ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => run(seed).inspect(|found| std::eprintln!("{}", found.trace.join("\n"))),
        None => seeds.into_iter().find_map(run),
    }
}

/// Runs the simulations of seeds.
///
/// ```
/// libipc::simulation::check(0..10, |simulation| {
///     let bell = simulation.notification();
///     simulation.client("one", move || bell.signal(1).expect("it is there"));
///     simulation.client("two", move || assert_eq!(bell.wait(libipc::Time::FOREVER), Ok(1)));
/// });
/// ```
///
/// # Panics
/// One fails: with its seed, what happened, and its last steps.
#[track_caller]
pub fn check(seeds: impl IntoIterator<Item = u64>, setup: impl Fn(&mut Simulation)) {
    if let Some(found) = search(seeds, setup) {
        panic!("{found}");
    }
}

#[cfg(test)]
mod tests;
