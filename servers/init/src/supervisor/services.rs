//! Servers by name: how each stands, and another life by request.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use libipc::abi::MAX_SLOTS;
use libipc::{Handle, Memory, Object, log, now};
use protocols::process::{ExitStatus, Pid};
use protocols::system::{Holdings, SystemError};

use super::Supervisor;
use super::watch::Watched;
use crate::heartbeat::MISSES;
use crate::manifest::Program;
use crate::policy::{End, Standing};
use crate::processes::Class;

impl Supervisor {
    /// Returns lines about the servers behind the first `skip`, as many as there is room for.
    pub(super) fn standings(&self, skip: u64, room: usize) -> Vec<u8> {
        let mut lines = Vec::new();
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        for watched in self.watched.iter().skip(skip) {
            let line = self.standing(watched);
            if lines.len() + line.len() > room {
                break;
            }
            lines.extend_from_slice(line.as_bytes());
        }
        lines
    }

    fn standing(&self, watched: &Watched) -> String {
        let Watched { name, lives, heartbeat, lacks, .. } = watched;
        let pid = self.processes.find(Class::Server, name).unwrap_or(Pid(0));
        let mut line = format!("{name} {} {} ", pid.0, lives.restarts());
        line += &match lives.standing() {
            Standing::Running => "running".into(),
            Standing::Waiting(due) => {
                let delay = due.0.saturating_sub(now().0) / 1_000_000;
                format!("waiting to be restarted, in {delay} ms")
            }
            Standing::Down(reason) => reason.clone(),
        };
        if heartbeat.missed() > 0 {
            line += &format!(", silent for {} of {MISSES} heartbeats", heartbeat.missed());
        }
        if !lacks.is_empty() {
            line += &format!(", without {}", lacks.join(", "));
        }
        line + "\n"
    }

    /// Ends the life of the server of this name, or with this service, and starts another, for the
    /// process `caller`.
    pub(super) fn restart_server(&mut self, name: &[u8], caller: Pid) -> Result<Pid, SystemError> {
        let name = core::str::from_utf8(name).map_err(|_| SystemError::NotFound)?;
        let is_it = |server: &Program| server.name == name || server.service() == Some(name);
        let place = self.manifest.servers().position(is_it).ok_or(SystemError::NotFound)?;
        let name = &*self.watched[place].name.clone();
        if let Some(pid) = self.processes.find(Class::Server, name) {
            log!("server {name} (pid {}) is killed by process {} to be restarted", pid.0, caller.0);
            self.end(pid, ExitStatus(256 + 9), End::Requested);
        }
        if *self.watched[place].lives.standing() != Standing::Running {
            self.revive(place)?;
        }
        // It may have failed to start, and wait now.
        self.processes.find(Class::Server, name).ok_or(SystemError::Refused)
    }

    /// Starts a server that waits or was given up.
    fn revive(&mut self, place: usize) -> Result<(), SystemError> {
        let program = self.manifest.servers().nth(place).ok_or(SystemError::NotFound)?;
        let service = program.service().unwrap_or_default();
        if !self.services.contains_key(service) {
            // Who has a capability to the one that was destroyed cannot get this one.
            let endpoint = self.machine.quota.create_endpoint();
            self.services.insert(service.into(), endpoint.map_err(|_| SystemError::Refused)?);
        }
        self.watched[place].lives.revive();
        self.start_again(place);
        self.rearm();
        Ok(())
    }

    /// Returns what is in use.
    pub(super) fn holdings(&self) -> Holdings {
        let quota = self.machine.quota.inspect();
        let [pages, _, objects] = quota.map_or([0; 3], |quota| quota.values);
        let free = quota.map_or(0, |quota| quota.badge);
        Holdings {
            free_pages: free & u64::from(u32::MAX),
            charged_pages: pages,
            objects: objects & u64::from(u32::MAX),
            handles: own_handles(),
        }
    }
}

/// Returns how many slots of init's table are in use.
fn own_handles() -> u64 {
    let slots = (1..=MAX_SLOTS).filter_map(|slot| u16::try_from(slot).ok());
    // As memory: what it is does not matter.
    slots.filter(|&slot| Memory(Handle(slot)).inspect().is_ok()).count() as u64
}
