//! Who is told of events: the stack of controllers, and the watchers of the stream.

use alloc::boxed::Box;
use alloc::vec::Vec;

use libipc::{Notification, Object, log};
use protocols::keep::PLACES;

use crate::keeper::{Keeper, Record};

/// Most controllers, one inside the other, and most watchers.
pub const LISTENERS_MAX: usize = 32;

/// A client (its badge) and the notification that it gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Listener {
    badge: u64,
    notification: Notification,
    /// Where the notification is kept for the next life; nothing where it is not. No two listeners
    /// have the same place.
    place: Option<u32>,
}

impl Listener {
    /// Signals; returns whether there still is somebody to hear it.
    fn signal(self, bits: u64) -> bool {
        self.notification.signal(bits).is_ok()
    }
}

/// Whether a listener was taken up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It was.
    Admitted,
    /// There are too many; its notification was deleted.
    Full,
}

/// Controllers and watchers.
#[derive(Debug, Default)]
pub struct Listeners {
    /// The last one is in control.
    controllers: Vec<Listener>,
    watchers: Vec<Listener>,
    keeper: Option<Box<dyn Keeper>>,
    /// Places that the state names which was stored last: the next life looks for their listeners.
    stored: Vec<u32>,
    /// Places that the keeper has not said to have forgotten.
    unsure: Vec<u32>,
    /// Whether they are others than those that are kept.
    pub(crate) has_changed: bool,
}

impl Listeners {
    /// Takes up the listeners of an earlier life whose notifications are still there. Notifications
    /// at other places are nobody's.
    pub fn restore(
        &mut self,
        controllers: &[Record],
        watchers: &[Record],
        left: impl Fn(u32) -> Option<Notification>,
    ) {
        let listener = |&(badge, place): &Record| {
            left(place).map(|notification| Listener { badge, notification, place: Some(place) })
        };
        self.controllers = controllers.iter().filter_map(listener).collect();
        self.watchers = watchers.iter().filter_map(listener).collect();
        self.stored = controllers.iter().chain(watchers).map(|&(_, place)| place).collect();
        for place in (0..PLACES).filter(|place| !self.stored.contains(place)) {
            if let Some(nobodys) = left(place) {
                // A capability that can't be deleted is gone already.
                let _ = nobodys.delete();
                self.unsure.push(place);
            }
        }
    }

    /// Has what listeners leave kept from now on, and forgotten what is nobody's.
    pub fn kept_by(&mut self, keeper: Box<dyn Keeper>) {
        self.keeper = Some(keeper);
        self.has_changed = true;
        for place in core::mem::take(&mut self.unsure) {
            self.forget(place);
        }
    }

    /// Returns controllers and watchers by badge and place, those that have one.
    pub fn records(&self) -> [Vec<Record>; 2] {
        let record = |listener: &Listener| Some((listener.badge, listener.place?));
        [&self.controllers, &self.watchers].map(|list| list.iter().filter_map(record).collect())
    }

    /// Has the state kept that has these records.
    pub fn store(&mut self, records: &[Vec<Record>; 2], state: &[u8]) {
        if let Some(keeper) = &mut self.keeper
            && keeper.store(state)
        {
            self.stored = records.iter().flatten().map(|&(_, place)| place).collect();
        }
    }

    /// Puts a client in control; who is in control already just changes its notification.
    pub fn take(&mut self, badge: u64, notification: Notification) -> Admission {
        // Whoever is in control already has asked again, after a death.
        if let Some(listener) = self.controllers.pop_if(|listener| listener.badge == badge) {
            self.dismiss(listener);
        }
        match self.admit(self.controllers.len(), badge, notification) {
            Some(listener) => {
                self.controllers.push(listener);
                Admission::Admitted
            }
            None => Admission::Full,
        }
    }

    /// Ends a client's innermost control; returns whether it had any.
    pub fn release(&mut self, badge: u64) -> bool {
        let found = self.controllers.iter().rposition(|listener| listener.badge == badge);
        if let Some(index) = found {
            let listener = self.controllers.remove(index);
            self.dismiss(listener);
        }
        found.is_some()
    }

    /// Has a client watch, instead of its earlier notification.
    pub fn watch(&mut self, badge: u64, notification: Notification) -> Admission {
        if let Some(index) = self.watchers.iter().position(|listener| listener.badge == badge) {
            let listener = self.watchers.remove(index);
            self.dismiss(listener);
        }
        match self.admit(self.watchers.len(), badge, notification) {
            Some(listener) => {
                self.watchers.push(listener);
                Admission::Admitted
            }
            None => Admission::Full,
        }
    }

    /// Tells the controller; controllers that are gone make way for those before them.
    pub fn tell_controller(&mut self, event: u64) {
        while let Some(&controller) = self.controllers.last() {
            if controller.signal(event) {
                return;
            }
            self.controllers.pop();
            self.dismiss(controller);
        }
    }

    /// Tells all watchers; those that are gone are forgotten.
    pub fn tell_watchers(&mut self, event: u64) {
        let watchers = core::mem::take(&mut self.watchers);
        for watcher in watchers {
            if watcher.signal(event) {
                self.watchers.push(watcher);
            } else {
                self.dismiss(watcher);
            }
        }
    }

    /// Returns the listener for a list that has so many, with a place of its own; nothing where
    /// the list is full.
    fn admit(&mut self, count: usize, badge: u64, notification: Notification) -> Option<Listener> {
        if count >= LISTENERS_MAX {
            // A capability that can't be deleted is gone already.
            let _ = notification.delete();
            return None;
        }
        let place = self.keep(notification);
        self.has_changed = true;
        Some(Listener { badge, notification, place })
    }

    fn dismiss(&mut self, listener: Listener) {
        // A capability that can't be deleted is gone already.
        let _ = listener.notification.delete();
        if let Some(place) = listener.place {
            self.forget(place);
        }
        self.has_changed = true;
    }

    /// Has a notification kept at a place that is nobody's, in the stored state neither; returns the
    /// place, if it was.
    fn keep(&mut self, notification: Notification) -> Option<u32> {
        // One each time is enough: no listener leaves more than one behind.
        if let Some(place) = self.unsure.pop() {
            self.forget(place);
        }
        let listeners = self.controllers.iter().chain(&self.watchers);
        let mut used: Vec<u32> = listeners.filter_map(|listener| listener.place).collect();
        used.extend(self.stored.iter().chain(&self.unsure));
        let Some(place) = (0..PLACES).find(|place| !used.contains(place)) else {
            log!("a listener is not kept beyond this life: all {PLACES} places are used");
            return None;
        };
        if self.keeper.as_mut()?.keep(place, notification) {
            return Some(place);
        }
        // It may have come to be kept although nobody said so in time.
        self.unsure.push(place);
        None
    }

    /// Has a place forgotten, now or later.
    fn forget(&mut self, place: u32) {
        let is_forgotten = self.keeper.as_mut().is_some_and(|keeper| keeper.forget(place));
        if !is_forgotten {
            self.unsure.push(place);
        }
    }
}
