//! Who is told of events: the stack of controllers, and the watchers of the stream.

use alloc::vec::Vec;

use libipc::{Notification, Object};

/// Most controllers, one inside the other, and most watchers.
pub const LISTENERS_MAX: usize = 32;

/// A client (its badge) and the notification that it gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Listener {
    badge: u64,
    notification: Notification,
}

impl Listener {
    /// Signals; returns whether there still is somebody to hear it.
    fn signal(self, bits: u64) -> bool {
        self.notification.signal(bits).is_ok()
    }

    fn dismiss(self) {
        // A capability that can't be deleted is gone already.
        let _ = self.notification.delete();
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
}

impl Listeners {
    /// Puts a client in control.
    pub fn take(&mut self, badge: u64, notification: Notification) -> Admission {
        admit(&mut self.controllers, Listener { badge, notification })
    }

    /// Ends a client's innermost control; returns whether it had any.
    pub fn release(&mut self, badge: u64) -> bool {
        let found = self.controllers.iter().rposition(|listener| listener.badge == badge);
        if let Some(index) = found {
            self.controllers.remove(index).dismiss();
        }
        found.is_some()
    }

    /// Has a client watch, instead of its earlier notification.
    pub fn watch(&mut self, badge: u64, notification: Notification) -> Admission {
        if let Some(index) = self.watchers.iter().position(|listener| listener.badge == badge) {
            self.watchers.remove(index).dismiss();
        }
        admit(&mut self.watchers, Listener { badge, notification })
    }

    /// Tells the controller; controllers that are gone make way for those before them.
    pub fn tell_controller(&mut self, event: u64) {
        while let Some(controller) = self.controllers.last() {
            if controller.signal(event) {
                return;
            }
            if let Some(gone) = self.controllers.pop() {
                gone.dismiss();
            }
        }
    }

    /// Tells all watchers; those that are gone are forgotten.
    pub fn tell_watchers(&mut self, event: u64) {
        self.watchers.retain(|watcher| {
            let hears = watcher.signal(event);
            if !hears {
                watcher.dismiss();
            }
            hears
        });
    }
}

fn admit(listeners: &mut Vec<Listener>, listener: Listener) -> Admission {
    if listeners.len() == LISTENERS_MAX {
        listener.dismiss();
        return Admission::Full;
    }
    listeners.push(listener);
    Admission::Admitted
}
