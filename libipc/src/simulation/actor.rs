//! Actors: the threads of a simulation, of which one runs at a time.
extern crate std;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::any::Any;
use core::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, JoinHandle};

use super::world::World;
use crate::syscall::{calls, objects};

/// What unwinds the thread of who is killed.
pub(super) struct Killed;

/// The simulation of the calling thread, and which of its actors that is.
#[derive(Clone)]
pub(crate) struct Me {
    pub(super) world: Arc<World>,
    pub(super) index: usize,
}

std::thread_local! {
    static ME: RefCell<Option<Me>> = const { RefCell::new(None) };
}

/// Returns who the calling thread is, if it is an actor. One that unwinds is none any more, except
/// for what it has shared.
pub(crate) fn current() -> Option<Me> {
    ME.with(|me| me.borrow().clone())
}

/// Starts an actor's thread, which waits for its first turn.
pub(super) fn start(
    world: &Arc<World>,
    index: usize,
    body: Box<dyn FnOnce() + Send>,
) -> JoinHandle<()> {
    let me = Me { world: world.clone(), index };
    thread::spawn(move || {
        calls::adopt(me.world.calls.clone());
        objects::record_in(Some(me.world.handles.clone()));
        ME.with(|mine| *mine.borrow_mut() = Some(me.clone()));
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            me.world.first_turn(me.index);
            body();
        }));
        ME.with(|mine| *mine.borrow_mut() = None);
        me.world.ended(me.index, result.err().map(|payload| reason(&*payload)));
    })
}

/// How an actor ended other than by returning.
pub(super) enum Reason {
    Killed,
    Panicked(String),
}

fn reason(payload: &(dyn Any + Send)) -> Reason {
    if payload.is::<Killed>() {
        return Reason::Killed;
    }
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    Reason::Panicked(text.unwrap_or_else(|| "without a message".to_string()))
}

/// Ends the calling thread, whose state goes as at a process's death.
pub(super) fn die() -> ! {
    panic::resume_unwind(Box::new(Killed))
}
