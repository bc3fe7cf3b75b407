//! Operations that are no messages: null, yield, signal, poll, and the ping-pong of signals.

use libipc::abi::Operation;
use libipc::{Error, Object};

use crate::measure::{BATCH, row};
use crate::raw;
use crate::world::{Where, World, number};

/// The null system call.
pub fn null(_: &mut World) -> Result<(), Error> {
    let mut status = 1;
    row("null", BATCH, || status = raw::plain(Operation::Null));
    Error::check(status)
}

/// Yield with nobody else of the priority ready.
pub fn yield_alone(_: &mut World) -> Result<(), Error> {
    let mut status = 1;
    row("yield", BATCH, || status = raw::plain(Operation::Yield));
    Error::check(status)
}

/// A signal that nobody waits for.
pub fn signal(world: &mut World) -> Result<(), Error> {
    let notification = world.quota.create_notification()?;
    let (handle, mut status) = (number(notification), 1);
    row("signal", BATCH, || status = raw::signal(handle, 1));
    let bits = notification.poll()?;
    notification.destroy()?;
    if bits == 1 { Error::check(status) } else { Err(Error::InvalidOperation) }
}

/// A poll that finds nothing.
pub fn poll(world: &mut World) -> Result<(), Error> {
    let notification = world.quota.create_notification()?;
    let (handle, mut status) = (number(notification), 0);
    row("poll", BATCH, || (status, _) = raw::poll(handle));
    notification.destroy()?;
    if status == Error::WouldBlock as u64 { Ok(()) } else { Err(Error::InvalidOperation) }
}

/// Two threads of equal priority in two spaces: each signals the other and waits for it.
pub fn pingpong(world: &mut World) -> Result<(), Error> {
    let (to, back) = (world.quota.create_notification()?, world.quota.create_notification()?);
    let handles = [number(to), number(back)];
    let thread = world.spawn(Where::Second, pong, handles)?;
    let mut end = (1, 0);
    let round = || {
        raw::signal(handles[0], 1);
        end = raw::wait(handles[1]);
    };
    row("pingpong", BATCH, round);
    thread.destroy()?;
    to.destroy()?;
    back.destroy()?;
    if end == (0, 1) { Ok(()) } else { Err(Error::InvalidOperation) }
}

extern "C" fn pong(to: u64, back: u64, _: u64) -> ! {
    loop {
        raw::wait(to);
        raw::signal(back, 1);
    }
}
