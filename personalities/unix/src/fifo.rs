//! Named pipes: pipes that are found by their node, and openers that wait for the other end.
//!
//! An opener that waits holds its end already, so that two of them find each other; the end lies
//! in [`Fifos`] under the opener's thread until the call is made again, or is gone.

use alloc::collections::BTreeMap;

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::linux::flags::open as flags;
use crate::path::Node;
use crate::pipe::{Direction, End, WeakPipe};
use crate::process::{State, ThreadNumber, Threads};

/// Named pipes in use.
#[derive(Default, Debug)]
pub struct Fifos {
    pipes: BTreeMap<Node, WeakPipe>,
    waiting: BTreeMap<ThreadNumber, End>,
}

impl Fifos {
    /// Drops the ends of openers that wait no longer, and pipes without ends.
    pub fn prune(&mut self, threads: &Threads) {
        let waits = |number: &ThreadNumber| {
            threads.get(number).is_some_and(|thread| thread.state != State::Running)
        };
        self.waiting.retain(|number, _| waits(number));
        self.pipes.retain(|_, pipe| pipe.is_alive());
    }

    /// Adds a pipe that an earlier life kept.
    pub(crate) fn take_up(&mut self, node: Node, pipe: WeakPipe) {
        self.pipes.insert(node, pipe);
    }

    /// Returns the ends of openers that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &End> {
        self.waiting.values()
    }

    /// Returns whether each pipe is kept under the node that it is found by.
    pub fn is_sound(&self) -> bool {
        self.pipes.iter().all(|(node, pipe)| !pipe.is_alive() || pipe.node() == Some(*node))
    }

    /// Returns whether there is nothing to prune.
    pub fn is_empty(&self) -> bool {
        self.pipes.is_empty()
    }
}

/// Opens a named pipe in the direction of the flags, waiting for the other end (fifo(7)).
///
/// # Errors
/// Wait; ENXIO: a writer that never waits finds no reader; ENFILE: too many pipes.
pub fn open(context: &mut Context<'_>, node: Node, bits: u32) -> Result<End, Stop> {
    let direction = Direction::from_flags(bits);
    let number = context.number;
    let end = match context.unix.fifos.waiting.remove(&number) {
        Some(end) => end,
        None => join(context, node, direction)?,
    };
    if end.has_other() {
        return Ok(end);
    }
    match (bits & flags::NON_BLOCKING != 0, direction) {
        (true, Direction::Read) => Ok(end),
        (true, Direction::Write) => Err(Errno::ENXIO.into()),
        (false, _) | (true, Direction::Both) => {
            let reads = direction.reads();
            let wait = Wait::on(if reads { end.channel_in() } else { end.channel_out() });
            context.unix.fifos.waiting.insert(number, end);
            Err(Stop::Wait(wait))
        }
    }
}

fn join(context: &mut Context<'_>, node: Node, direction: Direction) -> Result<End, Errno> {
    let known = context.unix.fifos.pipes.get(&node).and_then(|pipe| pipe.end(direction));
    if let Some(end) = known {
        return Ok(end);
    }
    let id = context.unix.unique();
    let end = context.unix.pipes.named(id, node, direction)?;
    context.unix.fifos.pipes.insert(node, end.downgrade());
    Ok(end)
}
