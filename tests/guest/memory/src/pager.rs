//! The pager: supplies pages when they are asked for, or when its own copies stop at them.

use alloc::vec::Vec;

use libipc::abi::PAGE_SIZE;
use libipc::{
    Caller, Error, Event, Memory, Message, MissingPage, Partial, ReadLease, WriteLease, log,
};

use crate::client::CHECKS;
use crate::content;
use crate::errand::{Errand, ErrandError, serve_errand};

/// The badge by which the pager knows its object.
pub const OBJECT: u64 = 0x0b1ec7;

/// The pager of one object.
#[derive(Debug)]
pub struct Pager {
    /// The object.
    memory: Memory,
    /// A page to prepare others in.
    scratch: Memory,
    supplied: u64,
    /// What the client found, in order.
    pub found: Vec<bool>,
    /// Whether the client is done.
    pub done: bool,
}

impl Pager {
    /// Returns the pager of an object; `scratch` is an anonymous one of a page.
    pub const fn new(memory: Memory, scratch: Memory) -> Self {
        Pager { memory, scratch, supplied: 0, found: Vec::new(), done: false }
    }

    /// Handles an event.
    pub fn handle(&mut self, event: Event<'_>) -> Option<Message> {
        match event {
            Event::Request(request) => serve_errand(self, &request),
            Event::Foreign(foreign) => {
                let Some(request) = foreign.page_request() else {
                    log!("client: {:?} {} {:x?}", foreign.kind, foreign.number, foreign.words);
                    self.done = true;
                    return None;
                };
                match self.supply(request.missing) {
                    Ok(()) => Some(Message::resume()),
                    Err(error) => {
                        log!("page {}: {error:?}", request.missing.page);
                        self.done = true;
                        None
                    }
                }
            }
            Event::Notified(_) | Event::Cancelled(_) => None,
        }
    }

    /// Prepares a page and shares it with the object; the scratch page is given up, so that
    /// preparing the next copies nothing.
    fn supply(&mut self, missing: MissingPage) -> Result<(), Error> {
        if missing.object != OBJECT {
            return Err(Error::InvalidArgument);
        }
        let page = [content(missing.page); PAGE_SIZE];
        self.scratch.write(0, &page)?;
        self.memory.supply(missing.page, 1, self.scratch, 0)?;
        self.scratch.decommit(0, 1)?;
        self.supplied += 1;
        Ok(())
    }

    /// Copies with `copy`, which is told how many bytes are done and copies on from there, and
    /// supplies what it misses.
    fn copy(
        &mut self,
        len: usize,
        mut copy: impl FnMut(usize) -> Result<(), Partial>,
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < len {
            match copy(done) {
                Ok(()) => done = len,
                Err(Partial { copied, missing: Some(missing), .. }) => {
                    done += copied;
                    self.supply(missing)?;
                }
                Err(Partial { error, .. }) => return Err(error),
            }
        }
        Ok(())
    }
}

fn kernel(what: &str) -> impl Fn(Error) -> ErrandError {
    move |error| {
        log!("{what}: {error:?}");
        ErrandError::Kernel
    }
}

impl Errand for Pager {
    fn found(&mut self, _: &Caller, check: u64, holds: bool) -> Result<(), ErrandError> {
        if check != self.found.len() as u64 || self.found.len() == CHECKS.len() {
            return Err(ErrandError::Kernel);
        }
        self.found.push(holds);
        Ok(())
    }

    fn supplied(&mut self, _: &Caller) -> Result<u64, ErrandError> {
        Ok(self.supplied)
    }

    fn sum(&mut self, caller: &Caller, from: ReadLease<'_>) -> Result<u64, ErrandError> {
        let mut bytes = alloc::vec![0; from.len() as usize];
        let len = bytes.len();
        let read = self.copy(len, |done| {
            caller.call.lease_read(from.index(), done as u64, &mut bytes[done..])
        });
        read.map_err(kernel("read"))?;
        Ok(bytes.iter().map(|&byte| u64::from(byte)).sum())
    }

    fn fill(&mut self, caller: &Caller, byte: u8, into: WriteLease<'_>) -> Result<(), ErrandError> {
        let bytes = alloc::vec![byte; into.len() as usize];
        let written = self.copy(bytes.len(), |done| {
            caller.call.lease_write(into.index(), done as u64, &bytes[done..])
        });
        written.map_err(kernel("write"))
    }

    fn take(&mut self, _: &Caller, page: u64) -> Result<u8, ErrandError> {
        let mut byte = [0];
        let read = self.memory.read(page * PAGE_SIZE as u64, &mut byte).map_err(Error::from);
        read.map_err(kernel("read object"))?;
        let gone = self.memory.decommit(page, 1).map_err(Error::from);
        gone.map_err(kernel("decommit"))?;
        Ok(byte[0])
    }

    fn done(&mut self, _: &Caller) -> Result<(), ErrandError> {
        self.done = true;
        Ok(())
    }
}
