//! Watching over servers: starting them again, now or later, and telling who depends on them.
//!
//! ```text
//!   end of a life ──policy──┬─ now ────> start_again ──────> dependents: SERVICE_RESTARTED
//!                           ├─ later ──> timer ──┘             ▲
//!                           └─ no more ─> log, console, endpoint destroyed
//!   timer ──heartbeat──┬─ PING ──> events ──> server ──> alive ──┐
//!     │                └─ third period without an answer: hung,  v
//!     └───────────────── the end of a life                    answered
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
    Endpoint, Error, Notification, Object, Quota, Thread, Time, Timer, Trace, Within, error, now,
    warn,
};
use protocols::process::{ExitStatus, Signal};
use protocols::stream::{StreamClient, Wait};

use super::Supervisor;
use crate::heartbeat::{Heartbeat, Verdict, awaited};
use crate::manifest::{LOG, Manifest, Program, SUPERVISOR_SERVICES};
use crate::policy::{End, Lives, Next, Standing};
use crate::processes::Class;
use crate::run::Mode;

/// How long telling somebody something may take.
const BRIEFLY: Within = Within(100);
/// The bit of init's notification for its timer; those below are the servers'.
const TIMER: u64 = 1 << 63;
/// The bit of init's notification by which it is asked what goes on.
pub(super) const ATTENTION_BADGE: u64 = 1 << 62;

/// What init keeps for a server over all its lives.
pub(super) struct Watched {
    pub(super) name: String,
    /// `events`: what the server hears besides requests.
    pub(super) events: Notification,
    pub(super) lives: Lives,
    pub(super) heartbeat: Heartbeat,
    /// Services that its life began without, or whose endpoint was destroyed since.
    pub(super) lacks: Vec<String>,
}

impl Watched {
    /// Returns what is kept for a server, without a notification.
    #[cfg(test)]
    pub(super) fn silent(program: &Program) -> Self {
        Watched {
            name: program.name.clone(),
            events: Notification(libipc::Handle::NULL),
            lives: Lives::new(program.restart),
            heartbeat: Heartbeat::new(program.heartbeat_ms),
            lacks: Vec::new(),
        }
    }

    /// Returns when the server needs something to be done.
    fn due(&self) -> Time {
        self.lives.due().min(self.heartbeat.due())
    }
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
        let heartbeat = Heartbeat::new(program.heartbeat_ms);
        Ok(Watched { name: program.name.clone(), events, lives, heartbeat, lacks: Vec::new() })
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
        for (place, watched) in self.watched.iter_mut().enumerate() {
            if bits & alive_badge(place) != 0 {
                watched.heartbeat.answered();
            }
        }
        if bits & ATTENTION_BADGE != 0 {
            self.attend();
        }
        if bits & TIMER != 0 {
            self.bell.armed = Time::FOREVER;
            let now = now();
            for place in 0..self.watched.len() {
                self.see_to(place, now);
            }
            self.rearm();
        }
    }

    /// Does what is due for a server: starts one that waits, asks one that runs.
    fn see_to(&mut self, place: usize, now: Time) {
        let Watched { events, lives, heartbeat, .. } = &mut self.watched[place];
        if lives.due() <= now {
            lives.start();
            self.start_again(place);
            return;
        }
        match heartbeat.rung(now) {
            // init made it, with all rights.
            Some(Verdict::Ask) => drop(events.signal(event::PING)),
            Some(Verdict::Hung) => self.see_to_hung(place, now),
            None => {}
        }
    }

    /// Ends a server whose loop stands still, or spares it as it waits for another one.
    fn see_to_hung(&mut self, place: usize, now: Time) {
        if let Some(other) = self.awaited_by(place) {
            let Watched { name, heartbeat, .. } = &mut self.watched[place];
            if heartbeat.spare(now) {
                let missed = heartbeat.missed();
                warn!("server {name} waits for {other}: spared after {missed} missed heartbeats");
                return;
            }
        }
        self.end_hung(place);
    }

    /// Returns the server that a server's first thread waits for.
    fn awaited_by(&self, place: usize) -> Option<String> {
        let name = &self.watched[place].name;
        let pid = self.processes.find(Class::Server, name)?;
        let (_, process) = self.processes.all().find(|(running, _)| *running == pid)?;
        let slot = u64::from(process.held.as_ref()?.process.slot());
        let mut threads = Trace(boot::TRACE).threads().map_while(Result::ok);
        let first = threads.find(|thread| u64::from(thread.slot) >= slot)?;
        let is_it = u64::from(first.slot) == slot;
        is_it.then(|| awaited(&first, name, &self.service_slots()).map(String::from))?
    }

    /// Ends the life of a server whose loop stands still.
    fn end_hung(&mut self, place: usize) {
        let Watched { name, heartbeat, .. } = &self.watched[place];
        let Some(pid) = self.processes.find(Class::Server, name) else { return };
        let period = heartbeat.period_ms().unwrap_or_default();
        let missed = heartbeat.missed();
        let cause = format!("no answer to {missed} heartbeats, one each {period} ms");
        let line = format!("server {name} (pid {}) hangs: {cause}", pid.0);
        error!("{line}");
        if name != "console" {
            self.tell_console(&line);
        }
        self.end(pid, ExitStatus(256 + Signal::Kill as u64), End::Own(format!("hung: {cause}")));
    }

    /// Notes that a server's life begins, with the services that there are now.
    pub(super) fn life_begins(&mut self, place: usize, program: &Program) {
        let is_there = |service: &String| {
            let own = service == LOG || SUPERVISOR_SERVICES.contains(&service.as_str());
            own || self.services.contains_key(service)
        };
        let lacks = program.uses.iter().filter(|service| !is_there(service)).cloned().collect();
        self.watched[place].lacks = lacks;
        self.watched[place].heartbeat.started(now());
    }

    /// Returns a server's place in the manifest.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.watched.iter().position(|watched| watched.name == name)
    }

    /// Sees to what is to become of a server whose life has ended.
    pub(super) fn replace(&mut self, place: usize, end: &End) {
        let now = now();
        let Watched { name, lives, heartbeat, .. } = &mut self.watched[place];
        heartbeat.ended();
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

    /// Starts a server again, and tells who uses it.
    pub(super) fn start_again(&mut self, place: usize) {
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
        self.destroy_endpoint(program.service().unwrap_or_default());
        let line = format!("server {} stays down: {reason}", program.name);
        error!("{line}");
        self.tell_console(&line);
        self.tell_dependents(&program);
    }

    /// Destroys a service's endpoint, and notes who has a capability to it.
    fn destroy_endpoint(&mut self, service: &str) {
        let Some(endpoint) = self.services.remove(service) else { return };
        // It is init's, with all rights.
        let _ = endpoint.destroy();
        let _ = endpoint.delete();
        for (watched, other) in self.watched.iter_mut().zip(self.manifest.servers()) {
            let depends = other.uses.iter().any(|used| used == service);
            let is_running = *watched.lives.standing() == Standing::Running;
            if depends && is_running && !watched.lacks.iter().any(|lacked| lacked == service) {
                watched.lacks.push(service.into());
            }
        }
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
    pub(super) fn rearm(&mut self) {
        let due = self.watched.iter().map(Watched::due).min().unwrap_or(Time::FOREVER);
        self.bell.arm(due);
    }
}
