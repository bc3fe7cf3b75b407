//! What a server is made from: its capabilities by name, its arguments, its sources.

use alloc::format;

use libipc::abi::{ObjectKind, boot};
use libipc::start::Start;
use libipc::{Error, Interrupt, Notification, Object, Quota, Rights, Thread};

use super::sources::{Kind, Line, Sources, Trigger};
use super::{Alarm, Kernel, Problem, cannot};
use crate::Arguments;

/// What a server is made from; `T` is what it tells its sources apart by.
#[derive(Debug)]
pub struct Setup<'a, T> {
    start: &'a Start,
    /// The notification that is bound to the thread.
    events: Option<Notification>,
    sources: Sources<T>,
}

impl<'a, T: Copy> Setup<'a, T> {
    /// Returns the setup of a program, whose "events", if it was given that, are heard from here
    /// on.
    pub(super) fn new(start: &'a Start) -> Result<Self, Problem> {
        let events = start.find::<Notification>("events");
        events.map_or(Ok(()), listen)?;
        Ok(Setup { start, events, sources: Sources::new() })
    }

    /// Returns what the program knew when it started.
    pub const fn start(&self) -> &'a Start {
        self.start
    }

    /// Returns the capability of a name, in the type of the object that it should name.
    ///
    /// # Errors
    /// The program was not given it.
    pub fn find<C: Object>(&self, name: &str) -> Result<C, Problem> {
        self.find_optional(name).ok_or_else(|| Problem::missing(name))
    }

    /// Returns the capability of a name, if the program was given it.
    pub fn find_optional<C: Object>(&self, name: &str) -> Option<C> {
        self.start.find(name)
    }

    /// Returns arguments and environment; malformed ones are none.
    pub fn arguments(&self) -> Arguments {
        Arguments::parse(self.start.arguments()).unwrap_or_default()
    }

    /// Has the interrupt line of a name tell of itself as `source`.
    ///
    /// # Errors
    /// The program was not given the line, or more than one by that name; the kernel refused; there
    /// are [`MAX_SOURCES`](super::MAX_SOURCES).
    pub fn interrupt(&mut self, name: &str, trigger: Trigger, source: T) -> Result<(), Problem> {
        let interrupt: Interrupt = self.find(name)?;
        let number = line(name, interrupt)?;
        let (events, bit) = (self.events()?, self.sources.next_bit()?);
        let bound = interrupt.bind(number, events, bit);
        bound.map_err(cannot("hear its interrupt"))?;
        self.sources.add(source, Kind::Line(Line { interrupt, number, trigger }));
        Ok(())
    }

    /// Returns an alarm, not set, that tells of itself as `source`.
    ///
    /// # Errors
    /// The kernel refused; there are [`MAX_SOURCES`](super::MAX_SOURCES).
    pub fn alarm(&mut self, source: T) -> Result<Alarm, Problem> {
        let (events, bit) = (self.events()?, self.sources.next_bit()?);
        let timer = Quota(boot::QUOTA).create_timer(events, bit);
        let alarm = Alarm::new(timer.map_err(cannot("have a timer"))?);
        self.sources.add(source, Kind::Alarm(alarm.clone()));
        Ok(alarm)
    }

    /// Returns a bell: a notification (SEND, GRANT) of which every signal, whatever its bits, tells
    /// of `source`. Copies of it go to who is to ring it; the server may ring it as well.
    ///
    /// # Errors
    /// The kernel refused; there are [`MAX_SOURCES`](super::MAX_SOURCES).
    pub fn bell(&mut self, source: T) -> Result<Notification, Problem> {
        let (events, bit) = (self.events()?, self.sources.next_bit()?);
        let bell = events.mint(Rights::SEND.union(Rights::GRANT), bit);
        let bell = bell.map_err(cannot("have a bell"))?;
        self.sources.add(source, Kind::Bell);
        Ok(bell)
    }

    /// Returns what the loop needs.
    pub(super) fn finish(self) -> (Sources<T>, Kernel) {
        (self.sources, Kernel { alive: self.start.find("alive") })
    }

    /// Returns the notification that is bound to the thread: the one that the program was given,
    /// or one of its own.
    fn events(&mut self) -> Result<Notification, Problem> {
        if let Some(events) = self.events {
            return Ok(events);
        }
        let events = Quota(boot::QUOTA).create_notification();
        let events = events.map_err(cannot("have a notification"))?;
        listen(events)?;
        self.events = Some(events);
        Ok(events)
    }
}

/// Has the thread's receives bring a notification's bits as well.
fn listen(events: Notification) -> Result<(), Problem> {
    let bound = Thread(boot::THREAD).bind(events);
    bound.map_err(cannot("listen to its notification"))
}

/// Returns the one line that a capability is to.
fn line(name: &str, interrupt: Interrupt) -> Result<u32, Problem> {
    let inspection = interrupt.inspect().map_err(cannot("look at its interrupt"))?;
    let [first, last, _] = inspection.values;
    if inspection.kind != ObjectKind::Interrupt || first != last {
        return Err(format!("cannot start: {name:?} is not one interrupt line").into());
    }
    u32::try_from(first).map_err(|_| cannot("use its interrupt")(Error::InvalidArgument))
}
