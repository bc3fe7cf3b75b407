//! What the loop decides about its sources: in which order what has happened is seen to.

use libipc::start::event;

use super::sources::{Entry, Kind, Sources, Trigger};
use super::{Attention, Service, World};

/// What is to be done about the server's sources.
#[derive(Debug)]
pub(super) struct Desk<T> {
    sources: Sources<T>,
    /// Bits of sources that want to go on.
    again: u64,
    /// Those of them that have let others have a turn.
    ripe: u64,
}

impl<T: Copy> Desk<T> {
    pub(super) const fn new(sources: Sources<T>) -> Self {
        Desk { sources, again: 0, ripe: 0 }
    }

    /// Returns whether no source wants to go on.
    #[inline(always)]
    pub(super) const fn is_done(&self) -> bool {
        self.again == 0
    }

    /// Handles the notification's bits: first what has changed, then the sources in the order in
    /// which they were declared, then the supervisor's question, which a handler that hangs is
    /// not to answer.
    #[cold]
    pub(super) fn notified<S: Service<Source = T>>(
        &mut self,
        server: &mut S,
        bits: u64,
        world: &mut impl World,
    ) {
        if bits & event::SERVICE_RESTARTED != 0 {
            server.service_restarted();
        }
        for (bit, entry) in self.sources.among(bits) {
            if begin(entry, server, world) == Attention::More {
                self.again |= bit;
            }
        }
        if bits & event::PING != 0 {
            world.answer_ping();
        }
    }

    /// Has sources go on that want to, and have let others have a turn since.
    pub(super) fn go_on<S: Service<Source = T>>(&mut self, server: &mut S, world: &mut impl World) {
        let ripe = core::mem::take(&mut self.ripe);
        self.again &= !ripe;
        for (bit, entry) in self.sources.among(ripe) {
            if see_to(entry, server, world) == Attention::More {
                self.again |= bit;
            }
        }
        self.ripe = self.again;
    }
}

/// Handles a source whose bit was set.
fn begin<S: Service>(
    entry: &Entry<S::Source>,
    server: &mut S,
    world: &mut impl World,
) -> Attention {
    match &entry.kind {
        Kind::Line(line) if line.trigger == Trigger::Edge => world.acknowledge(*line),
        Kind::Alarm(alarm) if !alarm.take_due(world.now()) => {
            // The timer goes by the clock of another processor, which may be ahead; or the signal
            // is an old one, and this changes nothing.
            alarm.set_again();
            return Attention::Done;
        }
        Kind::Line(_) | Kind::Alarm(_) | Kind::Bell => {}
    }
    see_to(entry, server, world)
}

/// Handles a source, for the first time or again.
fn see_to<S: Service>(
    entry: &Entry<S::Source>,
    server: &mut S,
    world: &mut impl World,
) -> Attention {
    let attention = server.occurred(entry.source);
    match &entry.kind {
        Kind::Line(line) if line.trigger == Trigger::Level && attention == Attention::Done => {
            world.acknowledge(*line);
        }
        Kind::Line(_) | Kind::Alarm(_) | Kind::Bell => {}
    }
    attention
}
