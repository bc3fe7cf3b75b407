//! What lies in tables under numbers: entries that were closed are taken out.

use crate::open::Kind;
use crate::unix::Unix;

impl Unix {
    /// Has the event loop look at the timer descriptors when the next one expires.
    pub(crate) fn arm_timers(&mut self) {
        let now = self.machine.now();
        if let Some(next) = self.timer_files.expire(now) {
            self.wake_at(next);
        }
    }

    /// Takes the entries out whose last descriptor was closed.
    pub(super) fn give_up_numbered(&mut self) {
        for watch in self.closed.take_watches() {
            self.epolls.forget(watch);
        }
        let closed = self.closed.take_numbered();
        let mut sockets = false;
        for (kind, number) in closed {
            match kind {
                Kind::Socket => {
                    sockets = true;
                    for node in self.sockets.remove(number) {
                        self.files.release(node);
                    }
                }
                Kind::Epoll => self.epolls.remove(number),
                Kind::Counter => self.counters.remove(number),
                Kind::Signals => self.signal_files.remove(number),
                Kind::Timer => self.timer_files.remove(number),
                Kind::Process => self.process_files.remove(number),
            }
        }
        if sockets {
            drop(self.sockets.collect());
        }
    }
}
