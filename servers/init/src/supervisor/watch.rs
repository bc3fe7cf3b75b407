//! Watching over servers: starting them again, now or later, and telling who depends on them.
//!
//! ```text
//!   end of a life ──policy──┬─ now ────> start_again ──┬──> dependents: SERVICE_RESTARTED
//!                           ├─ later ──> timer ────────┘        ▲
//!                           └─ no more ─> log, console, endpoint destroyed
//! ```
//!
//! Nothing here waits: what is due later arrives as a bit of init's own notification, which is
//! bound to its thread.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use libipc::abi::boot;
use libipc::start::event;
use libipc::{
    Endpoint, Error, Notification, Object, Quota, Thread, Time, Timer, Within, error, now, warn,
};
use protocols::stream::{StreamClient, Wait};

use super::Supervisor;
use crate::manifest::{Manifest, Program};
use crate::policy::{End, Lives, Next, Standing};
use crate::run::Mode;

/// How long telling somebody something may take.
const BRIEFLY: Within = Within(100);
/// The bit of init's notification for its timer; those below are the servers'.
const TIMER: u64 = 1 << 63;

/// What init keeps for a server over all its lives.
pub(super) struct Watched {
    pub(super) name: String,
    /// `events`: what the server hears besides requests.
    pub(super) events: Notification,
    pub(super) lives: Lives,
}

/// init's own notification, and the timer that signals it.
pub(super) struct Bell {
    pub(super) notification: Notification,
    timer: Timer,
    /// What the timer is armed for.
    armed: Time,
}

impl Bell {
    /// Returns a notification with a timer, bound to the calling thread.
    pub(super) fn new(quota: Quota) -> Result<Self, Error> {
        let notification = quota.create_notification()?;
        let timer = quota.create_timer(notification, TIMER)?;
        Thread(boot::THREAD).bind(notification)?;
        Ok(Bell { notification, timer, armed: Time::FOREVER })
    }

    /// Returns one that never rings.
    #[cfg(test)]
    pub(super) fn silent() -> Self {
        let null = libipc::Handle::NULL;
        Bell { notification: Notification(null), timer: Timer(null), armed: Time::FOREVER }
    }

    /// Has the timer ring at a time.
    fn arm(&mut self, due: Time) {
        if due == self.armed {
            return;
        }
        match self.timer.set(due) {
            Ok(()) => self.armed = due,
            Err(error) => error!("the timer cannot be set, servers may not come back: {error:?}"),
        }
    }
}

/// Returns what is kept for each server, in the manifest's order.
pub(super) fn watch(manifest: &Manifest, quota: Quota) -> Result<Vec<Watched>, Error> {
    let watched = |program: &Program| {
        let events = quota.create_notification()?;
        let lives = Lives::new(program.restart);
        Ok(Watched { name: program.name.clone(), events, lives })
    };
    manifest.servers().map(watched).collect()
}

/// Returns the badge by which the server at a place of the manifest answers init's questions.
pub(super) fn alive_badge(place: usize) -> u64 {
    1 << place // a manifest has at most 48 servers
}

/// Shows a line to whoever reads a stream.
pub(super) fn tell(stream: Endpoint, line: &str) {
    // Who cannot be told now has the log.
    let client = StreamClient::with(stream, BRIEFLY);
    let _ = client.write(Wait::Never, format!("{line}\n").as_bytes());
}

impl Supervisor {
    /// Handles the bits of init's own notification.
    pub(super) fn notified(&mut self, bits: u64) {
        if bits & TIMER != 0 {
            self.bell.armed = Time::FOREVER;
            self.start_due();
        }
    }

    /// Returns a server's place in the manifest.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.watched.iter().position(|watched| watched.name == name)
    }

    /// Sees to what is to become of a server whose life has ended.
    pub(super) fn replace(&mut self, place: usize, end: &End) {
        let now = now();
        let Watched { name, lives, .. } = &mut self.watched[place];
        match lives.ended(end, now) {
            Next::Start => self.start_again(place),
            Next::Wait => {
                let delay = lives.due().0.saturating_sub(now.0) / 1_000_000;
                warn!("server {name} is restarted in {delay} ms");
            }
            Next::GiveUp => self.give_up(place),
        }
        self.rearm();
    }

    /// Starts the servers that are due.
    fn start_due(&mut self) {
        let now = now();
        for place in 0..self.watched.len() {
            if self.watched[place].lives.due() <= now {
                self.watched[place].lives.start();
                self.start_again(place);
            }
        }
        self.rearm();
    }

    fn start_again(&mut self, place: usize) {
        let Some(program) = self.manifest.servers().nth(place).cloned() else { return };
        let name = &program.name;
        match self.start_server(&program) {
            Ok(pid) => {
                warn!("server {name} restarted as pid {}", pid.0);
                self.tell_dependents(&program);
            }
            Err(cause) => {
                let cause = format!("it cannot be restarted: {cause}");
                error!("server {name}: {cause}");
                // This is an end more, and no third one follows it at once.
                self.replace(place, &End::Own(cause));
            }
        }
    }

    /// Takes a service's endpoint away, so that its clients get an error in place of silence, and
    /// tells everybody why.
    fn give_up(&mut self, place: usize) {
        let Some(program) = self.manifest.servers().nth(place).cloned() else { return };
        let reason = match self.watched[place].lives.standing() {
            Standing::Down(reason) => reason.to_owned(),
            Standing::Running | Standing::Waiting(_) => return,
        };
        if let Some(endpoint) = self.services.remove(program.service().unwrap_or_default()) {
            // It is init's, with all rights.
            let _ = endpoint.destroy();
            let _ = endpoint.delete();
        }
        let line = format!("server {} stays down: {reason}", program.name);
        error!("{line}");
        self.tell_console(&line);
        self.tell_dependents(&program);
    }

    /// Tells the running servers that use a service that it began another life or was given up.
    fn tell_dependents(&self, program: &Program) {
        let service = program.service().unwrap_or_default();
        for (watched, other) in self.watched.iter().zip(self.manifest.servers()) {
            let depends = other.uses.iter().any(|used| used == service);
            if depends && *watched.lives.standing() == Standing::Running {
                // init made it, with all rights.
                let _ = watched.events.signal(event::SERVICE_RESTARTED);
            }
        }
    }

    /// Shows a line to the person at the console, where there is one: nobody would look into the
    /// log for a server's end before missing the server.
    pub(super) fn tell_console(&self, line: &str) {
        if self.run.mode != Mode::Interactive {
            return;
        }
        if let Some(console) = self.client("console") {
            tell(console, line);
        }
    }

    /// Arms the timer for what is due next.
    fn rearm(&mut self) {
        let due = self.watched.iter().map(|watched| watched.lives.due());
        let due = due.min().unwrap_or(Time::FOREVER);
        self.bell.arm(due);
    }
}
