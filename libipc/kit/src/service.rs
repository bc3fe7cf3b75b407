//! A server's main: what it serves, what it was given, what it hears; and the loop that turns.
//!
//! ```text
//!   run ── Setup: capabilities by name, sources ──> the server ──┐
//!    │                                                           v
//!    └── loop: request ──────────────> PROTOCOLS, by number ── Service
//!              notification's bits ──> sources ──────────────── occurred
//!              call given up ────────────────────────────────── cancelled
//!              SERVICE_RESTARTED ────────────────────────────── service_restarted
//!              PING ──> answered by the loop
//! ```
//!
//! The whole main of a server (`fn main(start: &Start) -> i32`) is a call of [`run`]. What it was
//! given has names, from its entry in servers/system.toml; without one that it needs, it ends with
//! status 1 and says so in the log.
//!
//! What a server hears besides requests are its *sources*, which it tells apart by values of its
//! own type: an interrupt ([`Setup::interrupt`]), a time ([`Setup::alarm`]), a bell that others ring
//! ([`Setup::bell`]): clients of its rings, children that end. Bits and their notification are the
//! loop's affair.
//!
//! A server that counts its callers' visits, and forgets them a minute after the last:
//!
//! ```
//! use kamen_kit::service::{self, Alarm, Attention, Protocol, Service};
//! use libipc::start::Start;
//! use libipc::{Caller, ProtocolError, interface, now};
//!
//! #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
//! #[repr(u8)]
//! pub enum VisitsError {
//!     /// The alarm could not be set.
//!     Alarm = 1,
//! }
//!
//! /// Visits.
//! #[interface(number = 99, error = VisitsError)]
//! pub trait Visits {
//!     /// Counts one more, and returns how many there were within a minute of another.
//!     #[operation(1)]
//!     fn visit(&mut self) -> Result<u64, VisitsError>;
//! }
//!
//! struct Server {
//!     visits: u64,
//!     minute: Alarm,
//! }
//!
//! impl Visits for Server {
//!     fn visit(&mut self, _: &Caller) -> Result<u64, VisitsError> {
//!         self.minute.set(now().after_ms(60_000)).map_err(|_| VisitsError::Alarm)?;
//!         self.visits += 1;
//!         Ok(self.visits)
//!     }
//! }
//!
//! #[derive(Clone, Copy)]
//! enum Source {
//!     Minute,
//! }
//!
//! impl Service for Server {
//!     type Source = Source;
//!     const PROTOCOLS: &'static [Protocol<Self>] =
//!         &[Protocol::new(visits_label::PROTOCOL, serve_visits)];
//!
//!     fn occurred(&mut self, source: Source) -> Attention {
//!         match source {
//!             Source::Minute => self.visits = 0,
//!         }
//!         Attention::Done
//!     }
//! }
//!
//! fn main_of_server(start: &Start) -> i32 {
//!     service::run(start, |setup| Ok(Server { visits: 0, minute: setup.alarm(Source::Minute)? }))
//! }
//! # fn main() {
//! #     assert_eq!(main_of_server(&Start::default()), 1);
//! # }
//! ```

use libipc::start::Start;
use libipc::{Endpoint, Error, Event, Foreign, Inbox, Message, OpenCall, Request, Time, error};

use crate::executor::Executor;

mod alarm;
mod desk;
mod problem;
mod setup;
mod sources;
#[cfg(test)]
mod tests;
mod world;

pub use alarm::Alarm;
pub use problem::{FAILED, Problem, cannot};
pub use setup::Setup;
pub use sources::{MAX_SOURCES, Trigger};

use desk::Desk;
use world::{Kernel, World};

/// A server, as its loop sees it.
pub trait Service: Sized + 'static {
    /// What the server tells its sources apart by; `()` where it has none.
    type Source: Copy;

    /// What is served, all on one endpoint. A request of another protocol is refused with
    /// InvalidOperation, and the capabilities that came with it are deleted.
    const PROTOCOLS: &'static [Protocol<Self>];

    /// Handles what a source told. [`Attention::More`]: it is called again, once what has arrived
    /// meanwhile had a turn.
    fn occurred(&mut self, source: Self::Source) -> Attention {
        let _ = source;
        Attention::Done
    }

    /// Forgets a call that was to be answered later, for whose answer nobody waits any more; see
    /// [`OpenCall::is_ended_by`].
    fn cancelled(&mut self, call: OpenCall) {
        let _ = call;
    }

    /// Answers a call that a thread made without libipc, a page request of a memory object that
    /// the server supplies above all; none: it will be answered later.
    fn foreign(&mut self, foreign: &Foreign) -> Option<Message> {
        let _ = foreign;
        None
    }

    /// Returns the server's tasks, which the loop sees to before each wait; a server that has some
    /// always returns the same.
    #[inline(always)]
    fn executor(&self) -> Option<&Executor> {
        None
    }

    /// Sees to what it has with services that it uses: one of them began another life.
    fn service_restarted(&mut self) {}
}

/// A protocol that a server serves: its number, and its dispatch.
pub struct Protocol<S> {
    number: u16,
    serve: fn(&mut S, &Request<'_>) -> Option<Message>,
}

impl<S> Protocol<S> {
    /// Returns the protocol of a number, whose requests `serve` answers: what `#[interface]` made
    /// as `x_label::PROTOCOL` and `serve_x`.
    pub const fn new(number: u16, serve: fn(&mut S, &Request<'_>) -> Option<Message>) -> Self {
        Protocol { number, serve }
    }
}

/// Whether a source is done with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Attention {
    /// It is; it will tell of the next time.
    Done,
    /// It is not, although the server has done its share for now.
    More,
}

/// Makes a server and serves its endpoint "self" for ever; returns the program's exit status, as
/// it does only where that is impossible. The log has said why.
pub fn run<S: Service>(
    start: &Start,
    make: impl FnOnce(&mut Setup<'_, S::Source>) -> Result<S, Problem>,
) -> i32 {
    finish(Setup::new(start).and_then(|setup| {
        let endpoint = setup.find("self")?;
        serve_at(endpoint, setup, make)
    }))
}

/// As [`run`], at an endpoint that the program has made itself.
pub fn run_at<S: Service>(
    endpoint: Endpoint,
    start: &Start,
    make: impl FnOnce(&mut Setup<'_, S::Source>) -> Result<S, Problem>,
) -> i32 {
    finish(Setup::new(start).and_then(|setup| serve_at(endpoint, setup, make)))
}

/// Serves; returns only with a problem.
fn serve_at<S: Service>(
    endpoint: Endpoint,
    mut setup: Setup<'_, S::Source>,
    make: impl FnOnce(&mut Setup<'_, S::Source>) -> Result<S, Problem>,
) -> Result<(), Problem> {
    let server = make(&mut setup)?;
    let (sources, world) = setup.finish();
    let mut turn = Turn { server, desk: Desk::new(sources), world };
    Err(cannot("receive")(self::turn(endpoint, &mut turn)))
}

fn finish(served: Result<(), Problem>) -> i32 {
    match served {
        Ok(()) => 0,
        Err(problem) => {
            error!("{problem}");
            FAILED
        }
    }
}

/// What the loop turns around.
struct Turn<S: Service, W> {
    server: S,
    desk: Desk<S::Source>,
    world: W,
}

impl<S: Service, W: World> Handler for Turn<S, W> {
    #[inline(always)]
    fn event(&mut self, event: Event<'_>) -> Option<Message> {
        match event {
            Event::Request(request) => dispatch(&mut self.server, &request),
            // Each arm by itself: an event that is passed on whole is first written to memory,
            // which costs requests 18 instructions.
            Event::Foreign(foreign) => self.server.foreign(&foreign),
            Event::Notified(bits) => {
                self.desk.notified(&mut self.server, bits, &mut self.world);
                None
            }
            Event::Cancelled(call) => {
                self.server.cancelled(call);
                None
            }
        }
    }

    #[inline(always)]
    fn rest(&mut self) -> Time {
        if self.desk.is_done() && !self.server.executor().is_some_and(Executor::is_awake) {
            return Time::FOREVER;
        }
        self.go_on()
    }
}

impl<S: Service, W: World> Turn<S, W> {
    /// Has tasks and sources go on; returns how long the next wait may last.
    #[cold]
    fn go_on(&mut self) -> Time {
        let Turn { server, desk, world } = self;
        desk.go_on(server, world);
        let world = &*world;
        let tasks = server.executor().map_or(Attention::Done, |tasks| tasks.turn(|| world.now()));
        match desk.is_done() && tasks == Attention::Done {
            true => Time::FOREVER,
            false => Time::NEVER_WAIT,
        }
    }
}

/// Has the server answer a request of any of its protocols.
#[inline(always)]
fn dispatch<S: Service>(server: &mut S, request: &Request<'_>) -> Option<Message> {
    let number = request.protocol();
    match S::PROTOCOLS.iter().find(|protocol| protocol.number == number) {
        Some(protocol) => (protocol.serve)(server, request),
        None => Some(request.refuse(Error::InvalidOperation)),
    }
}

/// Who answers the events of [`turn`], and decides how long it waits for one.
pub(crate) trait Handler {
    /// Answers an event; none where there is nothing to answer, or it will be answered later
    /// through its open call. For a notification or cancellation the result is not looked at.
    fn event(&mut self, event: Event<'_>) -> Option<Message>;

    /// Is called before every wait; returns until when that may last.
    fn rest(&mut self) -> Time;
}

/// The loop: one system call answers a request and waits for the next event. Returns why receiving
/// became impossible.
#[inline]
pub(crate) fn turn(endpoint: Endpoint, handler: &mut impl Handler) -> Error {
    let mut inbox = Inbox::new(endpoint);
    let nothing = (OpenCall::NONE, Message::success());
    let mut answer = nothing;
    loop {
        let deadline = handler.rest();
        let (call, message) = answer;
        answer = match inbox.reply_receive(call, &message, deadline) {
            Ok(event) => {
                let call = event.call();
                match (call, handler.event(event)) {
                    (Some(call), Some(message)) => (call, message),
                    (_, None) | (None, Some(_)) => nothing,
                }
            }
            // The handler's deadline passed, or somebody who controls the thread ended the wait;
            // the answer went out before it.
            Err(Error::WouldBlock | Error::TimedOut | Error::Cancelled) => nothing,
            Err(error) => return error,
        };
    }
}
