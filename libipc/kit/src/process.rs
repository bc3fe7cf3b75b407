//! Starts a native process from an ELF image, and takes it down again.
//!
//! ```text
//!   image ──elf──> Plan ──┐
//!   Launch (quota, ───────┼──> space, table, thread, one memory object ──> Process (owner)
//!   grants, arguments) ───┘
//!
//!   memory object:  | segment | segment | …  | stack | message page |
//! ```
//!
//! init is the user; a personality that starts native helpers may become one. Everything that a
//! process consists of is charged to its own quota, and goes with it: [`Process`] owns the quota,
//! and dropping it ends the process. That is also how a start that fails midway is undone.

mod plan;

use alloc::vec::Vec;
use libipc::abi::{MessagePage, PAGE_SIZE, boot};
use libipc::start::Start;
use libipc::{
    Endpoint, Error, Handle, Handling, Interrupt, Memory, Object, Physical, Ports, Quota,
    Registers, Rights, Space, Table, Thread,
};

use crate::elf::ElfError;
use plan::Plan;

/// Badge bit of all capabilities that a native process calls servers through; the other bits are
/// its process number.
pub const NATIVE_BADGE: u64 = 1 << 63;

/// What a process is made of.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// Its name, for the log.
    pub name: &'a str,
    /// The program, a whole ELF file.
    pub image: &'a [u8],
    /// The quota of its own that pays for everything; the process' owner destroys it as well.
    pub quota: Quota,
    /// Priority of its first thread.
    pub priority: u8,
    /// Slots of its capability table.
    pub handles: u16,
    /// Who hears of its faults.
    pub supervisor: Endpoint,
    /// The badge that the supervisor sees with a fault.
    pub badge: u64,
    /// Its capabilities.
    pub grants: &'a [Grant<'a>],
    /// A block of [`crate::Arguments`].
    pub arguments: &'a [u8],
}

/// A capability that a new process finds under a name.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The name.
    pub name: &'a str,
    /// The capability.
    pub capability: Capability,
}

/// A capability to be copied into a new process' table.
#[derive(Clone, Copy, Debug)]
pub enum Capability {
    /// Any object: its handle, rights, and the badge where it has none yet.
    Object(Handle, Rights, u64),
    /// A range of I/O ports, to be read and written.
    Ports(Ports, u16, u16),
    /// An interrupt line.
    Interrupt(Interrupt, u32),
    /// A range of physical memory, first and last frame, to map devices' registers of.
    Physical(Physical, u32, u32),
}

/// Why a process could not be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LaunchError {
    /// The image is no executable.
    Elf(ElfError),
    /// The image is no native program, or one whose code is writable.
    NotNative,
    /// Name, capabilities and arguments are longer than a message page.
    TooLong,
    /// The kernel refused.
    Kernel(Error),
}

impl From<Error> for LaunchError {
    fn from(error: Error) -> Self {
        LaunchError::Kernel(error)
    }
}

/// A process: its quota, which everything that it consists of and creates is charged to, so that
/// destroying the one destroys the other. Dropping it ends the process.
#[derive(Debug)]
pub struct Process {
    quota: Quota,
    slot: u16,
}

impl Process {
    /// Starts a process. The quota belongs to it, also when this fails.
    ///
    /// # Errors
    /// What is wrong with the image or its arguments, or what the kernel refused; nothing is left.
    pub fn start(launch: &Launch<'_>) -> Result<Process, LaunchError> {
        let mut process = Process { quota: launch.quota, slot: 0 };
        let plan = Plan::of_image(launch.image)?;
        let space = Temporary::new(process.quota.create_space()?);
        let table = Temporary::new(process.quota.create_table(launch.handles)?);
        let thread = Temporary::new(process.quota.create_thread(space.0, Some(table.0))?);
        let memory = Temporary::new(process.quota.create_memory(plan.pages)?);
        load(&plan, launch.image, memory.0, space.0)?;
        own_capabilities(process.quota, table.0, space.0, thread.0)?;
        introduce(launch, &plan, memory.0, table.0)?;
        set_up_thread(launch, &plan, thread.0, memory.0)?;
        process.slot = thread.0.inspect()?.values[2] as u16;
        thread.0.start()?;
        Ok(process)
    }

    /// Returns what the kernel's trace calls its first thread.
    pub const fn slot(&self) -> u16 {
        self.slot
    }

    /// Returns the quota, to be inspected.
    pub const fn quota(&self) -> Quota {
        self.quota
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It was made for the process with all rights; what is gone already need not go again.
        let _ = self.quota.destroy();
        let _ = self.quota.delete();
    }
}

/// A capability of the own table that is needed while a process is made; the object stays.
struct Temporary<T: Object>(T);

impl<T: Object> Temporary<T> {
    const fn new(object: T) -> Self {
        Temporary(object)
    }
}

impl<T: Object> Drop for Temporary<T> {
    fn drop(&mut self) {
        // An object that was destroyed leaves an empty slot, which is what is wanted.
        let _ = self.0.delete();
    }
}

/// Gives the process the capabilities to itself.
fn own_capabilities(quota: Quota, table: Table, space: Space, thread: Thread) -> Result<(), Error> {
    let rights = Rights::CONTROL.union(Rights::READ).union(Rights::GRANT);
    table.mint_to(table, rights, 0, boot::TABLE)?;
    space.mint_to(table, rights, 0, boot::SPACE)?;
    thread.mint_to(table, rights, 0, boot::THREAD)?;
    quota.mint_to(table, rights, 0, boot::QUOTA)?;
    Ok(())
}

fn set_up_thread(
    launch: &Launch<'_>,
    plan: &Plan,
    thread: Thread,
    memory: Memory,
) -> Result<(), Error> {
    thread.set_message_page(memory, plan.message_page)?;
    thread.set_handler(launch.supervisor, launch.badge, Handling::Faults)?;
    thread.set_priority(launch.priority)?;
    thread.write_registers(&Registers {
        rip: plan.entry,
        rsp: boot::STACK_TOP as u64,
        rdi: boot::MESSAGE_PAGE as u64,
        rflags: Registers::FIXED_FLAGS,
        ..Registers::default()
    })
}

/// Fills the memory object and maps it.
fn load(plan: &Plan, image: &[u8], memory: Memory, space: Space) -> Result<(), Error> {
    for part in &plan.parts {
        let bytes = image.get(part.bytes.clone()).unwrap_or(&[]);
        memory.write(part.first_page * PAGE_SIZE as u64 + part.skip, bytes)?;
        space.map(memory, part.first_page, part.address, part.pages, part.rights)?;
    }
    Ok(())
}

/// Gives the process its named capabilities, and tells it about them.
fn introduce(
    launch: &Launch<'_>,
    plan: &Plan,
    memory: Memory,
    table: Table,
) -> Result<(), LaunchError> {
    let mut names = Vec::new();
    for grant in launch.grants {
        names.push((grant.name, grant.capability.give(table)?));
    }
    let start = Start::emit(launch.name, &names, launch.arguments).ok_or(LaunchError::TooLong)?;
    let at = plan.message_page * PAGE_SIZE as u64 + MessagePage::BYTES_AT as u64;
    memory.write(at, &start).map_err(Error::from)?;
    Ok(())
}

impl Capability {
    /// Copies the capability to a table; returns its handle there.
    fn give(&self, table: Table) -> Result<Handle, Error> {
        let access = Rights::READ.union(Rights::WRITE);
        match *self {
            Capability::Object(handle, rights, badge) => {
                Memory(handle).mint_to(table, rights, badge, Handle::NULL)
            }
            Capability::Ports(ports, first, last) => {
                ports.narrow_to(table, access, (first, last), Handle::NULL)
            }
            Capability::Interrupt(lines, line) => {
                lines.narrow_to(table, Rights::CONTROL, (line, line), Handle::NULL)
            }
            Capability::Physical(physical, first, last) => {
                let range = (first.into(), last.into());
                physical.narrow_to(table, Rights::CONTROL, range, Handle::NULL)
            }
        }
    }
}
