//! Memory objects and notifications of tests on the host, which all threads share.
//!
//! Rights are not looked at. A capability whose object was destroyed, or that was deleted, is
//! InvalidHandle as in the system; one that no test ever got from here is InvalidOperation, as
//! there is no kernel. An object's memory is never freed.
extern crate std;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::sync::atomic::AtomicU64;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use kamen_abi::{Error, Handle, NOW, PAGE_SIZE};

use crate::Time;

/// Handles from here on are of created objects.
const FIRST: u16 = 0x9000;

#[derive(Clone, Copy)]
enum Object {
    Memory(&'static [AtomicU64]),
    Notification(u64),
    Endpoint,
    /// Signals bits to a notification.
    Timer(Handle, u64),
}

#[derive(Clone, Copy)]
struct Capability {
    object: u64,
    badge: u64,
}

struct State {
    capabilities: BTreeMap<u16, Capability>,
    objects: BTreeMap<u64, Object>,
    created: u64,
    next: u16,
}

static STATE: Mutex<State> = Mutex::new(State {
    capabilities: BTreeMap::new(),
    objects: BTreeMap::new(),
    created: 0,
    next: FIRST,
});
/// Capabilities that were made, to be forgotten together.
pub(crate) type Record = Arc<Mutex<Vec<Handle>>>;

std::thread_local! {
    static RECORD: RefCell<Option<Record>> = const { RefCell::new(None) };
}

/// Has the calling thread's new capabilities recorded from now on; returns where they were.
pub(crate) fn record_in(record: Option<Record>) -> Option<Record> {
    RECORD.with(|mine| mine.replace(record))
}

/// Deletes the capabilities that were recorded.
pub(crate) fn forget(record: &Record) {
    let recorded = core::mem::take(&mut *record.lock().unwrap_or_else(PoisonError::into_inner));
    for handle in recorded {
        delete(handle);
    }
}

/// Notified whenever a notification is signalled.
static SIGNALLED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    // A test that panicked left it as it was between two statements.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn create(&mut self, object: Object) -> Handle {
        self.created += 1;
        let number = self.created;
        self.objects.insert(number, object);
        self.insert(Capability { object: number, badge: 0 })
    }

    /// Takes the handles in turn, so that one that was deleted does not soon mean something else.
    fn insert(&mut self, capability: Capability) -> Handle {
        assert!(self.capabilities.len() < 20_000, "capabilities of host objects are not deleted");
        while self.capabilities.contains_key(&self.next) {
            self.advance();
        }
        let handle = self.next;
        self.advance();
        self.capabilities.insert(handle, capability);
        RECORD.with(|record| {
            if let Some(record) = &*record.borrow() {
                record.lock().unwrap_or_else(PoisonError::into_inner).push(Handle(handle));
            }
        });
        Handle(handle)
    }

    fn advance(&mut self) {
        self.next = self.next.checked_add(1).unwrap_or(FIRST);
    }

    fn find(&mut self, handle: Handle) -> Result<(Capability, &mut Object), Error> {
        if handle.0 < FIRST {
            return Err(Error::InvalidOperation);
        }
        let capability = *self.capabilities.get(&handle.0).ok_or(Error::InvalidHandle)?;
        let object = self.objects.get_mut(&capability.object).ok_or(Error::InvalidHandle)?;
        Ok((capability, object))
    }
}

/// Creates a memory object of zeros.
pub(crate) fn create_memory(pages: u64) -> Handle {
    let words = pages as usize * PAGE_SIZE / size_of::<AtomicU64>();
    let words = (0..words).map(|_| AtomicU64::new(0)).collect::<Box<[AtomicU64]>>();
    state().create(Object::Memory(Box::leak(words)))
}

/// Creates a notification.
pub(crate) fn create_notification() -> Handle {
    state().create(Object::Notification(0))
}

/// Creates an endpoint, which a simulation's calls go through.
pub(crate) fn create_endpoint() -> Handle {
    state().create(Object::Endpoint)
}

/// Creates a timer, which a simulation's time fires.
pub(crate) fn create_timer(notification: Handle, bits: u64) -> Handle {
    state().create(Object::Timer(notification, bits))
}

/// Returns an endpoint's number and the capability's badge.
pub(crate) fn endpoint(handle: Handle) -> Result<(u64, u64), Error> {
    match state().find(handle)? {
        (capability, Object::Endpoint) => Ok((capability.object, capability.badge)),
        _ => Err(Error::WrongKind),
    }
}

/// Returns a timer's number.
pub(crate) fn timer(handle: Handle) -> Result<u64, Error> {
    match state().find(handle)? {
        (capability, Object::Timer(..)) => Ok(capability.object),
        _ => Err(Error::WrongKind),
    }
}

/// Has a timer signal; one that is gone does not.
pub(crate) fn fire(timer: Handle) {
    let found = state().find(timer).map(|(_, object)| *object);
    if let Ok(Object::Timer(notification, bits)) = found {
        let _ = signal(notification, bits);
    }
}

/// Returns whether a wait for a notification ends: there are bits, or it is gone.
pub(crate) fn has_bits(handle: Handle) -> bool {
    !matches!(state().find(handle), Ok((_, Object::Notification(0))))
}

/// Returns whether an object was not destroyed.
pub(crate) fn is_there(object: u64) -> bool {
    state().objects.contains_key(&object)
}

/// Returns the words of a memory object.
pub(crate) fn words(handle: Handle) -> Result<&'static [AtomicU64], Error> {
    match *state().find(handle)?.1 {
        Object::Memory(words) => Ok(words),
        Object::Notification(_) | Object::Endpoint | Object::Timer(..) => Err(Error::WrongKind),
    }
}

/// Returns the pages of a memory object.
pub(super) fn pages(handle: Handle) -> Result<u64, Error> {
    words(handle).map(|words| (size_of_val(words) / PAGE_SIZE) as u64)
}

/// Copies a capability.
pub(super) fn mint(handle: Handle, badge: u64) -> Result<Handle, Error> {
    let mut state = state();
    let (capability, _) = state.find(handle)?;
    let badge = if capability.badge == 0 { badge } else { capability.badge };
    Ok(state.insert(Capability { badge, ..capability }))
}

/// Returns the receiver's copy of a capability that travels; a mere number stays what it is.
pub(crate) fn copy(handle: Handle) -> Handle {
    mint(handle, 0).unwrap_or(handle)
}

/// Deletes a capability; returns whether it was one to a created object.
pub(super) fn delete(handle: Handle) -> bool {
    state().capabilities.remove(&handle.0);
    handle.0 >= FIRST
}

/// Destroys an object.
pub(super) fn destroy(handle: Handle) -> Result<(), Error> {
    let mut state = state();
    let (capability, _) = state.find(handle)?;
    state.objects.remove(&capability.object);
    SIGNALLED.notify_all();
    Ok(())
}

/// Signals a notification; none if it is a mere number.
pub(super) fn signal(handle: Handle, bits: u64) -> Option<Result<(), Error>> {
    let mut state = state();
    let result = state.find(handle).and_then(|(capability, object)| match object {
        Object::Notification(set) => {
            *set |= if capability.badge == 0 { bits } else { capability.badge };
            Ok(())
        }
        Object::Memory(_) | Object::Endpoint | Object::Timer(..) => Err(Error::WrongKind),
    });
    SIGNALLED.notify_all();
    (result != Err(Error::InvalidOperation)).then_some(result)
}

/// Takes a notification's bits; waits for them if the deadline is FOREVER, as there is no clock.
pub(crate) fn wait(handle: Handle, deadline: Time) -> Result<u64, Error> {
    let mut state = state();
    loop {
        match state.find(handle)?.1 {
            Object::Notification(0) => {}
            Object::Notification(bits) => return Ok(core::mem::take(bits)),
            Object::Memory(_) | Object::Endpoint | Object::Timer(..) => {
                return Err(Error::WrongKind);
            }
        }
        match deadline {
            Time::FOREVER => {
                state = SIGNALLED.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            Time(NOW) => return Err(Error::WouldBlock),
            Time(_) => return Err(Error::TimedOut),
        }
    }
}
