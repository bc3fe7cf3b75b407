//! A process of victims: made, used up, destroyed.

use libipc::abi::{PAGE_SIZE, boot};
use libipc::{
    Endpoint, Error, Handle, Handling, Interrupt, Memory, Object, Ports, Quota, Registers, Rights,
    Table, Thread,
};

/// Where the victims' code is: `syscall`, and `ud2` to come back.
pub const CODE: u64 = 0x40_0000;
/// Where their memory is.
pub const DATA: u64 = 0x10_0000;
/// Pages of it.
pub const DATA_PAGES: u64 = 20;
/// Victims of a process.
pub const VICTIMS: usize = 4;

/// `syscall` (0F 05), `ud2` (0F 0B) (Intel SDM 2B).
const STUB: [u8; 4] = [0x0f, 0x05, 0x0f, 0x0b];
/// The victims' message pages are the last pages of their memory.
const MESSAGES_AT: u64 = DATA_PAGES - VICTIMS as u64;
/// Priority of the victims, and of the witness.
const PRIORITY: u8 = 8;
/// Objects that all victims may use and none may destroy.
const KEEP: Rights = Rights(Rights::ALL.0 & !Rights::DESTROY.0);

/// Whether a process holds the right to destroy what it is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mercy {
    /// It does not.
    Spared,
    /// It does.
    Exposed,
}

/// A process.
#[derive(Debug)]
pub struct Life {
    /// What all of it is charged to.
    quota: Quota,
    memory: Memory,
    threads: [Thread; VICTIMS],
}

impl Life {
    /// Makes a process whose victims report to `parent` with badges from `badge` on, and that may
    /// meet others at `shared`.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn new(
        parent: Endpoint,
        badge: u64,
        shared: Endpoint,
        mercy: Mercy,
    ) -> Result<Life, Error> {
        let quota = Quota(boot::QUOTA).create_quota(230, 200)?;
        let (space, table) = (quota.create_space()?, quota.create_table(64)?);
        let memory = quota.create_memory(DATA_PAGES + 1)?;
        memory.write(DATA_PAGES * PAGE_SIZE as u64, &STUB).map_err(Error::from)?;
        let (read, write) = (Rights::READ, Rights::READ.union(Rights::WRITE));
        space.map(memory, 0, DATA, DATA_PAGES, write)?;
        space.map(memory, DATA_PAGES, CODE, 1, read.union(Rights::EXECUTE))?;
        let mut threads = [Thread(Handle::NULL); VICTIMS];
        for (index, thread) in threads.iter_mut().enumerate() {
            *thread = quota.create_thread(space, Some(table))?;
            thread.set_priority(PRIORITY)?;
            thread.set_message_page(memory, MESSAGES_AT + index as u64)?;
            thread.set_handler(parent, badge + index as u64, Handling::Faults)?;
        }
        let rights = if mercy == Mercy::Spared { KEEP } else { Rights::ALL };
        let endpoint = quota.create_endpoint()?;
        let notification = quota.create_notification()?;
        let timer = quota.create_timer(notification, 1)?;
        let inner = quota.create_quota(100, 100)?;
        let [first, others @ ..] = threads;
        let others = others.map(Object::handle);
        let own = [table.handle(), space.handle(), first.handle(), inner.handle()];
        let meeting = [endpoint.handle(), shared.handle(), notification.handle()];
        let rest = [memory.handle(), timer.handle()];
        let given = own.iter().chain(&others).chain(&meeting).chain(&rest);
        for (slot, handle) in (1..).zip(given) {
            let rights = if *handle == shared.handle() { KEEP } else { rights };
            Thread(*handle).mint_to(table, rights, 0, Handle(slot))?;
        }
        give_devices(table)?;
        for handle in [space.handle(), endpoint.handle(), timer.handle(), inner.handle()] {
            Table(Handle::NULL).delete_slot(handle)?;
        }
        for handle in [table.handle(), notification.handle()] {
            Table(Handle::NULL).delete_slot(handle)?;
        }
        Ok(Life { quota, memory, threads })
    }

    /// Lets a victim that waits, or does anything else, make another call.
    ///
    /// # Errors
    /// InvalidHandle where it is gone.
    pub fn restart(
        &self,
        victim: usize,
        parent: Endpoint,
        badge: u64,
        registers: &Registers,
    ) -> Result<(), Error> {
        let thread = self.threads[victim];
        thread.stop()?;
        thread.set_priority(PRIORITY)?;
        thread.set_handler(parent, badge + victim as u64, Handling::Faults)?;
        thread.write_registers(registers)?;
        thread.start()
    }

    /// Returns whether a victim waits for something, or is stopped.
    ///
    /// # Errors
    /// InvalidHandle where it is gone.
    pub fn is_idle(&self, victim: usize) -> Result<bool, Error> {
        Ok(self.threads[victim].inspect()?.values[0] != 1)
    }

    /// Fills the head of a victim's message page: handles and leases.
    pub fn litter(&self, victim: usize, words: [u64; 9]) {
        let page = (MESSAGES_AT + victim as u64) * PAGE_SIZE as u64;
        let mut bytes = [0; 128];
        for (place, word) in (0..).zip(words) {
            // The first word holds the handles, the leases begin at 64.
            let at = if place == 0 { 0 } else { 56 + 8 * place };
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        // A victim may have given its memory up.
        let _ = self.memory.write(page, &bytes);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // A victim may have destroyed some of it.
        let _ = self.quota.destroy();
        let threads = self.threads.map(Object::handle);
        for handle in [self.quota.handle(), self.memory.handle()].into_iter().chain(threads) {
            let _ = Table(Handle::NULL).delete_slot(handle);
        }
    }
}

/// Gives a port that delays and a line that nothing is on, as a driver would have.
fn give_devices(table: Table) -> Result<(), Error> {
    let (ports, lines) = (Ports(boot::PORTS), Interrupt(boot::INTERRUPTS));
    ports.narrow_to(table, Rights::ALL, (0x80, 0x80), Handle::NULL)?;
    lines.narrow_to(table, Rights::ALL, (21, 21), Handle::NULL)?;
    Ok(())
}
