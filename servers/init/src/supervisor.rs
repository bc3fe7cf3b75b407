//! The supervisor itself: what it owns, and how it brings the system up.
//!
//! ```text
//!   Machine (boot capabilities, archive) ──> Supervisor::new ──> start_servers ──> start_shell
//!                                                 │
//!        events: requests ──> process, system     │   faults ──> report, end the process
//!                timer ─────> watch: servers that wait to be restarted
//! ```
//!
//! init is a client of the file server and of the console, although both run below it: it must
//! load programs and drain output. Those calls have deadlines, so that a server
//! that hangs or dies cannot take init along.

mod endings;
mod keeping;
mod kept;
mod launch;
mod power;
mod process;
mod services;
mod system;
mod waits;
mod watch;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use kamen_kit::cpio::Archive;
use kamen_kit::process::NATIVE_BADGE;
use libipc::abi::boot;
use libipc::{
    Endpoint, Error, Event, Foreign, Interrupt, Memory, Message, Object, Physical, Ports, Quota,
    Request, Thread, Trace, Within, error, log,
};
use protocols::keep::{keep_label, serve_keep};
use protocols::process::{Pid, process_label, serve_process};
use protocols::system::{serve_system, system_label};

use crate::manifest::{self, Amount, Manifest, ManifestError, Program, SUPERVISOR_PRIORITY};
use crate::policy::End;
use crate::processes::{Processes, SUPERVISOR};
use crate::run::Run;
use kept::Kept;
use launch::Held;
use watch::{Bell, Watched};

/// Path of the manifest in the boot archive.
const MANIFEST: &[u8] = b"boot/system.bin";
/// Path of the settings of this start in the boot archive.
const SETTINGS: &[u8] = b"boot/run";
/// The shell, which every kind of session begins with.
const SHELL: &[u8] = b"/bin/shell";
/// Badge bit of capabilities to the system protocol, which shares init's endpoint with process.
const SYSTEM_BADGE: u64 = 1 << 62;
/// Number of the process protocol.
const PROCESS: u16 = (process_label::SPAWN >> 16) as u16;
/// Number of the system protocol.
const SYSTEM: u16 = (system_label::POWER_OFF >> 16) as u16;
/// Number of the protocol by which servers leave capabilities to their next lives.
const KEEP: u16 = (keep_label::FORGET >> 16) as u16;
/// How long init waits for a server.
const PATIENCE: Within = Within(2_000);
/// Kept memory takes at most this part of the machine's.
const KEPT_SHARE: u64 = 4;

/// What the kernel gives its first task.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// The boot archive's bytes.
    pub archive: &'static [u8],
    /// The boot archive as memory object.
    pub archive_memory: Memory,
    /// All memory and objects.
    pub quota: Quota,
    /// All I/O ports.
    pub ports: Ports,
    /// All interrupt lines.
    pub interrupts: Interrupt,
    /// All physical memory.
    pub physical: Physical,
}

impl Machine {
    /// Returns what the kernel gives its first task, with the bytes of the archive.
    pub fn first_task(archive: &'static [u8]) -> Self {
        Machine {
            archive,
            archive_memory: Memory(boot::ARCHIVE),
            quota: Quota(boot::QUOTA),
            ports: Ports(boot::PORTS),
            interrupts: Interrupt(boot::INTERRUPTS),
            physical: Physical(boot::PHYSICAL),
        }
    }
}

/// The state of init.
pub struct Supervisor {
    machine: Machine,
    manifest: Manifest,
    run: Run,
    /// Own endpoint: requests and faults.
    endpoint: Endpoint,
    /// Endpoints of all services. They belong to init, so that they survive their servers.
    services: BTreeMap<String, Endpoint>,
    /// Memory that outlives its program, by the names of program and capability.
    kept: BTreeMap<(String, String), Kept>,
    /// Capabilities that servers left, by the server's name and their place.
    left: BTreeMap<(String, u32), keeping::Left>,
    processes: Processes<Held>,
    /// The servers in the manifest's order, over all their lives.
    watched: Vec<Watched>,
    /// Own notification.
    bell: Bell,
    /// The process whose end is the end of the session.
    shell: Pid,
    /// Pages that the servers' shares are hundredths of.
    shared_pages: u64,
    /// Units for objects likewise.
    shared_objects: u64,
    /// The trace to be read only, once somebody has asked for it.
    seen: Option<Trace>,
    /// Who had the kernel record last.
    tracer: Option<Pid>,
    /// Being asked who waits for whom.
    attention: waits::Attention,
}

/// Why the system cannot come up.
#[derive(Debug)]
pub enum BootError {
    /// The boot archive has no manifest.
    NoManifest,
    /// The manifest is malformed.
    Manifest(ManifestError),
    /// The kernel refused.
    Kernel(Error),
}

impl From<Error> for BootError {
    fn from(error: Error) -> Self {
        BootError::Kernel(error)
    }
}

impl Supervisor {
    /// Reads manifest and settings, and creates endpoints and kept memory.
    ///
    /// # Errors
    /// The manifest is missing or malformed, or the kernel refuses.
    pub fn new(machine: Machine) -> Result<Self, BootError> {
        let file = |path| entry(machine.archive, path);
        let manifest = file(MANIFEST).ok_or(BootError::NoManifest)?;
        let manifest = manifest::parse(manifest).map_err(BootError::Manifest)?;
        let run = Run::parse(file(SETTINGS).unwrap_or(b""));
        log::set_filter(run.value("log").unwrap_or(""), "init");
        let watched = watch::watch(&manifest, machine.quota)?;
        let mut supervisor = Supervisor {
            machine,
            manifest,
            run,
            endpoint: machine.quota.create_endpoint()?,
            services: BTreeMap::new(),
            kept: BTreeMap::new(),
            left: BTreeMap::new(),
            processes: Processes::default(),
            watched,
            bell: Bell::new(machine.quota)?,
            shell: SUPERVISOR,
            shared_pages: 0,
            shared_objects: 0,
            seen: None,
            tracer: None,
            attention: waits::Attention::default(),
        };
        supervisor.create_objects()?;
        // The kernel starts it above everything; its place is just above the servers.
        Thread(boot::THREAD).set_priority(SUPERVISOR_PRIORITY)?;
        Ok(supervisor)
    }

    /// Returns the endpoint that the supervisor receives on.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Starts the servers in the manifest's order, then the shell.
    /// What cannot be started is reported; the rest goes on.
    pub fn start(&mut self) {
        let servers: Vec<Program> = self.manifest.servers().cloned().collect();
        for (place, server) in servers.iter().enumerate() {
            if let Err(cause) = self.start_server(server) {
                error!("cannot start {}: {cause}", server.name);
                self.replace(place, &End::Own(format!("it cannot be started: {cause}")));
            }
        }
        self.rearm();
        if let Err(cause) = self.start_shell() {
            error!("cannot start the shell: {cause}");
            self.shut_down(power::FAILED);
        }
    }

    /// Handles whatever arrived; returns the answer to a call that gets one now.
    pub fn handle(&mut self, event: Event<'_>) -> Option<Message> {
        match event {
            Event::Request(request) => self.request(&request),
            Event::Foreign(foreign) => {
                self.fault(foreign);
                None
            }
            Event::Notified(bits) => {
                self.notified(bits);
                None
            }
            Event::Cancelled(_) => None,
        }
    }

    fn request(&mut self, request: &Request<'_>) -> Option<Message> {
        match request.protocol() {
            PROCESS => serve_process(self, request),
            SYSTEM => serve_system(self, request),
            KEEP => serve_keep(self, request),
            _ => {
                request.delete_caps();
                Some(Message::refused(Error::InvalidOperation))
            }
        }
    }

    fn fault(&mut self, foreign: Foreign) {
        let fault = kamen_kit::fault::Fault::of_call(foreign.number, foreign.words);
        self.end_faulted(pid_of(foreign.caller.badge), &fault, foreign.caller.call);
    }

    /// Creates endpoints and kept memory, and computes what the servers share.
    fn create_objects(&mut self) -> Result<(), Error> {
        let quota = self.machine.quota;
        let [used, limit, objects] = quota.inspect()?.values;
        let free = limit.saturating_sub(used);
        let (mut taken, mut taken_objects) = (0, 0);
        let servers: Vec<Program> = self.manifest.servers().cloned().collect();
        for program in &servers {
            let service = program.service().unwrap_or_default().to_owned();
            self.services.insert(service, quota.create_endpoint()?);
            taken += self.keep(program, free)?;
            if let Amount::Count(pages) = program.pages {
                taken += pages;
            }
            if let Amount::Count(units) = program.objects {
                taken_objects += units;
            }
        }
        self.shared_pages = free.saturating_sub(taken);
        let free = (objects >> 32).saturating_sub(objects & u64::from(u32::MAX));
        self.shared_objects = free.saturating_sub(taken_objects);
        Ok(())
    }
}

/// Returns the process that a badge names.
fn pid_of(badge: u64) -> Pid {
    Pid(badge & !(NATIVE_BADGE | SYSTEM_BADGE))
}

/// Returns the contents of a file in the boot archive; `path` without leading slash.
fn entry(archive: &'static [u8], path: &[u8]) -> Option<&'static [u8]> {
    match Archive::new(archive).find(path) {
        Ok(entry) => entry.map(|entry| entry.data),
        Err(malformed) => {
            error!("boot archive: {malformed:?}");
            None
        }
    }
}

/// Returns a text for the log from any bytes.
fn text(bytes: &[u8]) -> String {
    format!("{}", bytes.escape_ascii())
}

#[cfg(test)]
mod tests;
