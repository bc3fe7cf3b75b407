//! Who waits for whom, told on demand: of a system that may hang, so that nobody is asked.
//!
//! The kernel tells what each thread waits for, init knows its processes and which endpoints are
//! services. The log takes the lines at once; the console only where its server can. Anybody can ask
//! as often as a key repeats, and init runs above the servers: what is asked again at once is
//! ignored.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use kamen_kit::waits::View;
use libipc::abi::boot;
use libipc::abi::snapshot::Snapshot;
use libipc::{Object, Thread, Time, Trace, log, now};

use super::Supervisor;
use super::watch::tell;
use crate::processes::Class;

/// How long after a view another one is not shown, in ms.
const PAUSE_MS: u64 = 1_000;

/// Being asked who waits for whom.
#[derive(Default)]
pub(super) struct Attention {
    /// When the pause after the last view is over.
    pause: Option<Time>,
}

impl Attention {
    /// Returns whether a view is to be shown to who asks at this time.
    fn asked(&self, now: Time) -> bool {
        self.pause.is_none_or(|end| end <= now)
    }

    /// Notes when a view had been shown.
    fn shown(&mut self, now: Time) {
        self.pause = Some(now.after_ms(PAUSE_MS));
    }
}

impl Supervisor {
    /// Writes to log and console who waits for whom, unless it has just done so.
    pub(super) fn attend(&mut self) {
        if self.attention.asked(now()) {
            self.show_waits();
            self.attention.shown(now());
        }
    }

    /// Writes to log and console who waits for whom at this moment.
    fn show_waits(&self) {
        let threads: Vec<Snapshot> = Trace(boot::TRACE).threads().filter_map(Result::ok).collect();
        let (names, services) = (self.thread_names(), self.service_slots());
        let view = View::new(
            &threads,
            |thread| names.get(&u64::from(thread.slot)).cloned(),
            |endpoint| services.get(&u64::from(endpoint)).cloned(),
        );
        let lines = view.lines();
        log!("{} threads; who waits for whom:", threads.len());
        lines.iter().for_each(|line| log!("  {line}"));
        if let Some(console) = self.client("console").filter(|_| view.is_awake("console")) {
            tell(console, &format!("\nwho waits for whom:\n  {}", lines.join("\n  ")));
        }
    }

    /// Returns what processes are called, by the slots of their first threads. Of programs there
    /// may be several with one name, of servers not.
    fn thread_names(&self) -> BTreeMap<u64, String> {
        let slot = |thread: Thread| thread.inspect().map_or(0, |inspection| inspection.values[2]);
        let mut names = BTreeMap::from([(slot(Thread(boot::THREAD)), String::from("init"))]);
        for (pid, process) in self.processes.all() {
            let Some(held) = process.held.as_ref() else { continue };
            let name = match process.class {
                Class::Server => process.name.clone(),
                Class::Native | Class::Dos => format!("{} ({})", process.name, pid.0),
            };
            names.insert(held.process.slot().into(), name);
        }
        names
    }

    /// Returns which server each service's endpoint belongs to, by its slot; init's own, too.
    pub(super) fn service_slots(&self) -> BTreeMap<u64, String> {
        let slot = |inspection: libipc::Inspection| inspection.values[2];
        let mut slots = BTreeMap::new();
        if let Ok(own) = self.endpoint.inspect() {
            slots.insert(slot(own), "init".into());
        }
        for (service, endpoint) in &self.services {
            let provider = self.manifest.provider(service);
            if let (Some(provider), Ok(found)) = (provider, endpoint.inspect()) {
                slots.insert(slot(found), provider.name.clone());
            }
        }
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_again_within_a_second_is_ignored() {
        let at = |ms| Time(0).after_ms(ms);
        let mut attention = Attention::default();
        assert!(attention.asked(at(0)));
        attention.shown(at(5));
        let asked = [5, 6, 1_004].map(|ms| attention.asked(at(ms)));
        assert_eq!(asked, [false; 3]);
        // Those that were ignored do not make the pause longer.
        assert!(attention.asked(at(1_005)));
        attention.shown(at(1_010));
        assert!(!attention.asked(at(2_009)));
    }
}
