//! The system manifest: what is started, with which capabilities, and who may call whom.
//!
//! ```text
//!   servers/system.toml ──from_toml──> Manifest ──emit──> /boot/system.bin ──parse──> init
//!            (host: feature "toml")       └─ check: on both sides ─┘
//! ```
//!
//! A program holds what its entry names and nothing else. [`Manifest::check`] refuses a system in
//! which a server runs below one of its clients, or in which servers call each other in a circle.

mod check;
mod lines;
#[cfg(feature = "toml")]
mod source;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use lines::{emit, parse};
#[cfg(feature = "toml")]
pub use source::{from_texts, from_toml};

/// Priority of init itself, above every server's.
pub const SUPERVISOR_PRIORITY: u8 = 20;
/// Most entries of a manifest.
pub const MAX_PROGRAMS: usize = 64;
/// Most servers of a manifest: each has a bit of init's notification.
pub const MAX_SERVERS: usize = 48;
/// Most capabilities that one entry may name, of all sorts together.
pub const MAX_CAPABILITIES: usize = 24;
/// Longest name of a program, service or capability.
pub const MAX_NAME: usize = 24;
/// What the capability to a ring's memory is called: this and the service's name.
pub const RING: &str = "ring-";

/// What init itself provides: the process and system protocols on its endpoint.
pub const SUPERVISOR_SERVICES: [&str; 3] = ["process", "system", ATTENTION];
/// The service by which a driver tells init that somebody at the machine wants to know what goes
/// on: a notification, so that nobody waits.
pub const ATTENTION: &str = "attention";
/// The right to write to the log, which is a capability to the debug console's port.
pub const LOG: &str = "log";
/// The entry for native programs that have none of their own.
pub const ANY_PROGRAM: &str = "any";
/// The debug console's port (QEMU isa-debugcon), which [`LOG`] stands for.
pub const LOG_PORT: u16 = 0xe9;

/// Memory in MiB of the smallest machine that a system must come up on.
pub const SMALLEST_MIB: u64 = 64;
/// Pages of that machine that servers can be promised: three quarters, the rest being the
/// kernel's, init's and the boot archive's.
pub const SMALLEST_PAGES: u64 = SMALLEST_MIB * 256 * 3 / 4;
/// Units for objects of that machine that servers can be promised: half of the least that the
/// kernel has, the rest being init's and native programs'.
pub const SMALLEST_OBJECTS: u64 = 2048;

/// The declaration of a whole system.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Manifest {
    /// Servers in the order of their start, and native programs.
    pub programs: Vec<Program>,
}

/// One program: its resources and capabilities.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// Name in the log, for servers also of their thread.
    pub name: String,
    /// What it is to the system.
    pub role: Role,
    /// Absolute path of the program in the boot archive.
    pub file: String,
    /// Priority of its threads.
    pub priority: u8,
    /// Memory it may use.
    pub pages: Amount,
    /// Units for the kernel objects that it may create (`ObjectKind::cost`).
    pub objects: Amount,
    /// Slots of its capability table.
    pub handles: u16,
    /// What happens when it ends.
    pub restart: Restart,
    /// How often init asks whether its loop still turns, in ms; None: never.
    pub heartbeat_ms: Option<u32>,
    /// Services that it may call: other servers', [`SUPERVISOR_SERVICES`] and [`LOG`].
    pub uses: Vec<String>,
    /// Ranges of I/O ports.
    pub ports: Vec<PortRange>,
    /// Interrupt lines.
    pub interrupts: Vec<InterruptLine>,
    /// Devices' registers.
    pub mmio: Vec<MmioRange>,
    /// Memory objects that init creates and keeps, so that their contents outlive the program.
    pub memory: Vec<KeptMemory>,
    /// Rings to services that it uses, in memory that init creates and keeps.
    pub rings: Vec<RingMemory>,
    /// Contiguous memory that devices reach, which init creates and keeps: a device may still
    /// write to it when the driver has died; the driver's next life resets the device first.
    pub dma: Vec<KeptMemory>,
    /// Whether it may read the boot archive (capability "archive").
    pub archive: Archive,
}

/// What a program is to the system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// Started at boot; provides the service of this name.
    Server {
        /// Name that clients use.
        service: String,
    },
    /// Started by request, in as many processes as wanted.
    Native,
}

/// An amount of pages, or of units for objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amount {
    /// So many.
    Count(u64),
    /// So many hundredths of what is free after all fixed amounts.
    Percent(u8),
}

/// What happens when a server ends or faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// It stays down; init says so in the log.
    Never,
    /// It is started again; its endpoint and kept memory stay.
    Always,
}

/// Whether a program may read the boot archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Archive {
    /// It has no capability to it.
    None,
    /// It may map it.
    Read,
}

/// A range of I/O ports under a capability's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortRange {
    /// Name of the capability.
    pub name: String,
    /// First port.
    pub first: u16,
    /// Last port.
    pub last: u16,
}

/// Devices' registers under a capability's name, by the numbers of their frames: physical
/// addresses divided by the page size.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MmioRange {
    /// Name of the capability.
    pub name: String,
    /// First frame.
    pub first: u32,
    /// Last frame.
    pub last: u32,
}

/// An interrupt line under a capability's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterruptLine {
    /// Name of the capability.
    pub name: String,
    /// Line (ISA numbers below 16).
    pub line: u8,
}

/// A memory object that init keeps, under a capability's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptMemory {
    /// Name of the capability.
    pub name: String,
    /// Its size; pages are supplied when they are first used.
    pub pages: u64,
}

/// The memory of a ring between a program and the server of a service that it uses; init keeps it,
/// so that either side survives the other's end (decisions/0024).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RingMemory {
    /// The service.
    pub service: String,
    /// Pages of queues and data area; both sides commit all of them.
    pub pages: u64,
}

impl RingMemory {
    /// Returns the name of the client's capability.
    pub fn name(&self) -> String {
        format!("{RING}{}", self.service)
    }
}

/// What is wrong with a manifest, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManifestError {
    /// Index of the program that the error is about.
    pub program: Option<usize>,
    /// Key of the program's entry in servers/system.toml; empty where all of it is meant.
    pub key: &'static str,
    /// Line of the text, from 1; 0 where none is to blame.
    pub line: usize,
    /// What is wrong, for a person.
    pub cause: String,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "manifest: {}", self.cause),
            line => write!(f, "manifest, line {line}: {}", self.cause),
        }
    }
}

impl Manifest {
    /// Returns the manifest if its parts fit together.
    ///
    /// # Errors
    /// What is wrong first: names, bounds, capabilities, what two programs cannot both have,
    /// unknown services, priorities, circles, sums.
    pub fn check(self) -> Result<Self, ManifestError> {
        check::check(&self)?;
        Ok(self)
    }

    /// Returns the server that provides a service.
    pub fn provider(&self, service: &str) -> Option<&Program> {
        self.programs.iter().find(|program| program.service() == Some(service))
    }

    /// Returns the servers in the order of their start.
    pub fn servers(&self) -> impl Iterator<Item = &Program> {
        self.programs.iter().filter(|program| program.service().is_some())
    }

    /// Returns the entry that a native program of this path is started by.
    pub fn native(&self, path: &[u8]) -> Option<&Program> {
        let natives = || self.programs.iter().filter(|program| program.role == Role::Native);
        natives()
            .find(|program| program.file.as_bytes() == path)
            .or_else(|| natives().find(|program| program.name == ANY_PROGRAM))
    }
}

impl Program {
    /// Returns a program with nothing but a name, a role and a file.
    pub fn new(name: &str, role: Role, file: &str) -> Self {
        Program {
            name: name.into(),
            role,
            file: file.into(),
            priority: 8,
            pages: Amount::Count(256),
            objects: Amount::Count(96),
            handles: 64,
            restart: Restart::Never,
            heartbeat_ms: None,
            uses: Vec::new(),
            ports: Vec::new(),
            interrupts: Vec::new(),
            mmio: Vec::new(),
            memory: Vec::new(),
            rings: Vec::new(),
            dma: Vec::new(),
            archive: Archive::None,
        }
    }

    /// Returns the service that the program provides.
    pub fn service(&self) -> Option<&str> {
        match &self.role {
            Role::Server { service } => Some(service),
            Role::Native => None,
        }
    }
}

#[cfg(test)]
mod tests;
