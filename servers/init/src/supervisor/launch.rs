//! Starting programs: servers from the archive, native programs from archive or file server.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use kamen_kit::process::{Capability, Grant, Launch, LaunchError, NATIVE_BADGE, Process};
use kamen_kit::{Arguments, path};
use libipc::{Endpoint, Error, Notification, Object, Rights};
use protocols::process::Pid;

use super::watch::{ATTENTION_BADGE, alive_badge};
use super::{SHELL, SYSTEM_BADGE, Supervisor, entry};
use crate::manifest::{ATTENTION, Amount, Archive, LOG, LOG_PORT, Program};
use crate::processes::{Class, SUPERVISOR};

/// Where a session begins.
const HOME: &[u8] = b"/root";
/// The program whose processes count as DOS'.
const DOS_SESSION: &[u8] = b"/bin/dos-session";

/// What a running process holds.
pub(super) struct Held {
    /// The process in the kernel; dropping it ends it.
    pub(super) process: Process,
    /// Its standard error, init's own capability.
    pub(super) stderr: Option<Endpoint>,
    /// Whom to tell of its end, init's own capability.
    pub(super) exited: Option<Notification>,
    /// Whether it may signal processes of others.
    pub(super) powers: Powers,
}

/// What a process may do to others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Powers {
    /// Signal its children.
    Own,
    /// Signal all programs, because the manifest gives it the system protocol.
    All,
}

/// The capabilities that a new program gets from the one who starts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    pub(super) stdin: Endpoint,
    pub(super) stdout: Endpoint,
    pub(super) stderr: Endpoint,
}

/// A program about to be started.
pub(super) struct Candidate<'a> {
    pub(super) program: &'a Program,
    pub(super) class: Class,
    pub(super) parent: Pid,
    pub(super) name: String,
    pub(super) image: &'a [u8],
    pub(super) arguments: &'a [u8],
    pub(super) streams: Option<Streams>,
    pub(super) exited: Option<Notification>,
}

impl Supervisor {
    /// Starts a server.
    pub(super) fn start_server(&mut self, program: &Program) -> Result<Pid, String> {
        let path = program.file.as_bytes();
        let image = self.archived(path).ok_or_else(|| format!("no {}", program.file))?;
        let mut env: Vec<Vec<u8>> = self.settings();
        env.push(format!("archive={}", self.machine.archive.len()).into_bytes());
        let arguments = Arguments { cwd: b"/".to_vec(), argv: vec![path.to_vec()], env };
        self.start_program(&Candidate {
            program,
            class: Class::Server,
            parent: SUPERVISOR,
            name: program.name.clone(),
            image,
            arguments: &arguments.emit().map_err(|error| format!("{error:?}"))?,
            streams: None,
            exited: None,
        })
        .map_err(|error| explain(&error))
        .inspect(|_| {
            if let Some(place) = self.place(&program.name) {
                self.life_begins(place, program);
            }
        })
    }

    /// Starts the shell on the console.
    pub(super) fn start_shell(&mut self) -> Result<(), String> {
        let program = self.manifest.native(SHELL).ok_or("no manifest entry")?.clone();
        let image = self.archived(SHELL).ok_or("no /bin/shell in the boot archive")?;
        let console = *self.services.get("console").ok_or("no console")?;
        let pid = self.processes.next(Class::Native).map_err(|error| format!("{error:?}"))?;
        let stream = console
            .mint(Rights::SEND.union(Rights::GRANT), NATIVE_BADGE | pid.0)
            .map_err(|error| format!("{error:?}"))?;
        let mut env = self.settings();
        let defaults: [&[u8]; 5] =
            [b"PATH=/bin:/sbin", b"HOME=/root", b"USER=root", b"TERM=xterm", b"SHELL=/bin/sh"];
        env.extend(defaults.map(<[u8]>::to_vec));
        let arguments = Arguments { cwd: HOME.to_vec(), argv: vec![SHELL.to_vec()], env };
        let started = self.start_program(&Candidate {
            program: &program,
            class: Class::Native,
            parent: SUPERVISOR,
            name: program.name.clone(),
            image,
            arguments: &arguments.emit().map_err(|error| format!("{error:?}"))?,
            streams: Some(Streams { stdin: stream, stdout: stream, stderr: stream }),
            exited: None,
        });
        self.shell = started.map_err(|error| explain(&error))?;
        Ok(())
    }

    /// Starts a program with exactly the capabilities of its manifest entry and its streams.
    /// On success the candidate's stderr and `exited` belong to the process.
    pub(super) fn start_program(&mut self, candidate: &Candidate<'_>) -> Result<Pid, LaunchError> {
        let program = candidate.program;
        let pid = self.processes.next(candidate.class).map_err(|_| Error::QuotaExhausted)?;
        let grants = self.grants(candidate, pid);
        let pages = share(program.pages, self.shared_pages);
        let objects = share(program.objects, self.shared_objects);
        let quota = self.machine.quota.create_quota(pages, objects)?;
        let process = Process::start(&Launch {
            name: &candidate.name,
            image: candidate.image,
            quota,
            priority: program.priority,
            handles: program.handles,
            supervisor: self.endpoint,
            badge: NATIVE_BADGE | pid.0,
            grants: &grants,
            arguments: candidate.arguments,
        })?;
        let powers = match program.uses.iter().any(|service| service == "system") {
            true => Powers::All,
            false => Powers::Own,
        };
        let stderr = candidate.streams.map(|streams| streams.stderr);
        let held = Held { process, stderr, exited: candidate.exited, powers };
        self.processes
            .insert(candidate.parent, candidate.class, candidate.name.clone(), held)
            .map_err(|_| Error::QuotaExhausted.into())
    }

    /// Returns the contents of a file of the boot archive by its absolute path.
    pub(super) fn archived(&self, file: &[u8]) -> Option<&'static [u8]> {
        entry(self.machine.archive, file.strip_prefix(b"/")?)
    }

    /// Returns a service's endpoint, if a process provides it at this moment.
    pub(super) fn client(&self, service: &str) -> Option<Endpoint> {
        let provider = self.manifest.provider(service)?;
        self.processes.find(Class::Server, &provider.name)?;
        self.services.get(service).copied()
    }

    /// Returns the settings of this start as environment.
    fn settings(&self) -> Vec<Vec<u8>> {
        self.run.lines.iter().map(|line| line.as_bytes().to_vec()).collect()
    }

    fn grants<'a>(&'a self, candidate: &Candidate<'a>, pid: Pid) -> Vec<Grant<'a>> {
        let program = candidate.program;
        let mut grants = Vec::new();
        let mut add = |name, capability| grants.push(Grant { name, capability });
        let client = Rights::SEND.union(Rights::GRANT);
        if let Some(&own) = program.service().and_then(|service| self.services.get(service)) {
            let server = client.union(Rights::RECEIVE);
            add("self", Capability::Object(own.handle(), server, 0));
        }
        if let Some(place) = program.service().and_then(|_| self.place(&program.name)) {
            let events = self.watched[place].events.handle();
            add("events", Capability::Object(events, client.union(Rights::RECEIVE), 0));
            let (bell, badge) = (self.bell.notification.handle(), alive_badge(place));
            add("alive", Capability::Object(bell, Rights::SEND, badge));
            for (name, left) in self.left_by(&program.name) {
                add(name, Capability::Object(left, client, 0));
            }
        }
        if let Some(Streams { stdin, stdout, stderr }) = candidate.streams {
            for (name, stream) in [("stdin", stdin), ("stdout", stdout), ("stderr", stderr)] {
                add(name, Capability::Object(stream.handle(), client, 0));
            }
        }
        for service in &program.uses {
            if let Some(capability) = self.service(service, pid) {
                add(service, capability);
            }
        }
        for ports in &program.ports {
            add(&ports.name, Capability::Ports(self.machine.ports, ports.first, ports.last));
        }
        for interrupt in &program.interrupts {
            let line = u32::from(interrupt.line);
            add(&interrupt.name, Capability::Interrupt(self.machine.interrupts, line));
        }
        for mmio in &program.mmio {
            let physical = self.machine.physical;
            add(&mmio.name, Capability::Physical(physical, mmio.first, mmio.last));
        }
        for (name, memory, rights) in self.kept_for(program) {
            add(name, Capability::Object(memory.handle(), rights, 0));
        }
        if program.archive == Archive::Read {
            let archive = self.machine.archive_memory.handle();
            // The file server lets its clients read it, too.
            let rights = Rights::READ.union(Rights::GRANT);
            add("archive", Capability::Object(archive, rights, 0));
        }
        grants
    }

    /// Returns the capability to a service for a process.
    fn service(&self, service: &str, pid: Pid) -> Option<Capability> {
        let client = Rights::SEND.union(Rights::GRANT);
        let badge = NATIVE_BADGE | pid.0;
        match service {
            LOG => Some(Capability::Ports(self.machine.ports, LOG_PORT, LOG_PORT)),
            ATTENTION => {
                let bell = self.bell.notification.handle();
                Some(Capability::Object(bell, Rights::SEND, ATTENTION_BADGE))
            }
            "process" => Some(Capability::Object(self.endpoint.handle(), client, badge)),
            "system" => {
                let badge = badge | SYSTEM_BADGE;
                Some(Capability::Object(self.endpoint.handle(), client, badge))
            }
            name => {
                let endpoint = self.services.get(name)?;
                Some(Capability::Object(endpoint.handle(), client, badge))
            }
        }
    }
}

/// Returns what a program is to init, and its name for people: a DOS session's is its program's.
pub(super) fn classify(file: &[u8], arguments: &Arguments) -> (Class, String) {
    let shown = |path: &[u8]| path::name(path).escape_ascii().to_string();
    match (file, &arguments.argv[..]) {
        (DOS_SESSION, [_, program, ..]) => (Class::Dos, shown(program)),
        (DOS_SESSION, _) => (Class::Dos, shown(file)),
        _ => (Class::Native, shown(file)),
    }
}

/// Returns why a program could not be started, for the log.
pub(super) fn explain(error: &LaunchError) -> String {
    match error {
        LaunchError::Elf(error) => format!("its file is malformed: {error:?}"),
        LaunchError::NotNative => "its file is no native program".into(),
        LaunchError::TooLong => "its arguments are longer than a message page".into(),
        LaunchError::Kernel(Error::QuotaExhausted | Error::OutOfMemory | Error::TableFull) => {
            "no memory is left for another process; start with --mem MIB for more".into()
        }
        LaunchError::Kernel(error) => format!("the kernel refused: {error:?}"),
    }
}

/// Returns an amount, of what is shared where it is a share.
fn share(amount: Amount, shared: u64) -> u64 {
    match amount {
        Amount::Count(count) => count,
        Amount::Percent(percent) => shared * u64::from(percent) / 100,
    }
}
