//! A budget that is being spent.

use libipc::abi::boot;
use libipc::{Endpoint, Error, Memory, Notification, Object, Quota, Rights, Space};

use crate::thing::{Budget, CLONED, COMMITTED, Thing};
use crate::walk;

/// Slots of the largest table.
const MOST_SLOTS: u16 = 16_384;
/// Mappings lie so far apart.
const STRIDE: u64 = 1 << 21;

/// A quota, and what the next things of some kinds are made of.
#[derive(Debug)]
pub struct Purse {
    quota: Quota,
    endpoint: Endpoint,
    notification: Notification,
    memory: Option<Memory>,
    cloned: Option<Memory>,
    space: Option<Space>,
    mapped: u64,
}

impl Purse {
    /// Returns a purse with all that a budget allows, but for the quota's own price.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn new(budget: Budget) -> Result<Purse, Error> {
        let own = Quota(boot::QUOTA);
        let (endpoint, notification) = (own.create_endpoint()?, own.create_notification()?);
        let quota = own.create_quota(budget.pages, budget.units)?;
        let (memory, cloned, space) = (None, None, None);
        Ok(Purse { quota, endpoint, notification, memory, cloned, space, mapped: 0 })
    }

    /// Gives everything back.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn end(self) -> Result<(), Error> {
        self.quota.destroy()?;
        self.endpoint.destroy()?;
        self.notification.destroy()?;
        for memory in [self.memory, self.cloned].into_iter().flatten() {
            memory.delete()?;
        }
        self.space.map_or(Ok(()), Object::delete)?;
        self.quota.delete()?;
        self.endpoint.delete()?;
        self.notification.delete()
    }

    /// Buys as many things of a kind as are to be had; returns how many.
    ///
    /// # Errors
    /// Where one is refused for another reason than the quota.
    pub fn spend(&mut self, thing: Thing) -> Result<u64, Error> {
        if thing == Thing::Walk {
            return match walk::walk(self.quota, self.endpoint) {
                Err(Error::QuotaExhausted) => Ok(0),
                steps => steps,
            };
        }
        let mut bought = 0;
        loop {
            match self.buy(thing) {
                Ok(()) => bought += 1,
                Err(Error::QuotaExhausted) => return Ok(bought),
                Err(error) => {
                    libipc::log!("FAILS: {bought} of {thing:?}, then {error:?}");
                    return Err(error);
                }
            }
        }
    }

    /// The capability is not kept: the object is there, and paid for, without it.
    fn buy(&mut self, thing: Thing) -> Result<(), Error> {
        let quota = self.quota;
        match thing {
            Thing::Thread => quota.create_thread(Space(boot::SPACE), None)?.delete(),
            Thing::Pin => self.pin(),
            Thing::Space => quota.create_space()?.delete(),
            Thing::Table => quota.create_table(8)?.delete(),
            Thing::LargestTable => quota.create_table(MOST_SLOTS)?.delete(),
            Thing::Endpoint => quota.create_endpoint()?.delete(),
            Thing::Notification => quota.create_notification()?.delete(),
            Thing::Timer => quota.create_timer(self.notification, 1)?.delete(),
            Thing::Quota => quota.create_quota(0, 0)?.delete(),
            Thing::Memory => quota.create_memory(1)?.delete(),
            Thing::Contiguous => quota.create_contiguous(1)?.0.delete(),
            Thing::Paged => quota.create_paged(1, self.endpoint)?.delete(),
            Thing::Committed => self.committed(COMMITTED)?.delete(),
            Thing::Clone => {
                let source = match self.cloned {
                    Some(cloned) => cloned,
                    None => *self.cloned.insert(self.committed(CLONED)?),
                };
                source.clone_to(quota)?.delete()
            }
            Thing::Mapping => self.map(),
            Thing::Walk => Ok(()),
        }
    }

    fn committed(&self, pages: u64) -> Result<Memory, Error> {
        let memory = self.quota.create_memory(pages)?;
        match memory.commit(0, pages) {
            Ok(()) => Ok(memory),
            Err(stopped) => {
                memory.destroy()?;
                memory.delete()?;
                Err(stopped.error)
            }
        }
    }

    /// Returns the memory object of one page that mappings show and message pages come from.
    fn page(&mut self) -> Result<Memory, Error> {
        match self.memory {
            Some(memory) => Ok(memory),
            None => Ok(*self.memory.insert(self.quota.create_memory(1)?)),
        }
    }

    fn pin(&mut self) -> Result<(), Error> {
        let page = self.page()?;
        let thread = self.quota.create_thread(Space(boot::SPACE), None)?;
        let pinned = thread.set_message_page(page, 0);
        if pinned.is_err() {
            thread.destroy()?;
        }
        thread.delete()?;
        pinned?;
        page.decommit(0, 1).map_err(|stopped| stopped.error)
    }

    fn map(&mut self) -> Result<(), Error> {
        let page = self.page()?;
        let space = match self.space {
            Some(space) => space,
            None => *self.space.insert(self.quota.create_space()?),
        };
        space.map(page, 0, self.mapped * STRIDE, 1, Rights::READ)?;
        self.mapped += 1;
        Ok(())
    }
}
