//! Memory that init makes for programs and keeps over their deaths.
//!
//! ```text
//!   memory   pages on demand   READ WRITE           state of the program's next life
//!   rings    committed         READ WRITE GRANT     shared with a server (decisions/0024)
//!   dma      contiguous        READ WRITE CONTROL   a device reaches it; CONTROL tells its address
//! ```
//!
//! None of them has DESTROY, and what has CONTROL cannot be resized: nobody takes memory away that
//! another still uses.

use alloc::string::String;

use libipc::{Error, Memory, Rights, log};

use super::{KEPT_SHARE, Supervisor};
use crate::manifest::Program;

const ACCESS: Rights = Rights::READ.union(Rights::WRITE);
/// What a program may do with memory that is its own: also let its clients read it.
const OWN: Rights = ACCESS.union(Rights::GRANT);

/// Memory that outlives its program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    memory: Memory,
    /// What the program may do with it.
    rights: Rights,
}

impl Supervisor {
    /// Makes a program's kept memory; returns how many pages it takes. `free` pages are there.
    pub(super) fn keep(&mut self, program: &Program, free: u64) -> Result<u64, Error> {
        let quota = self.machine.quota;
        let mut taken = 0;
        for memory in &program.memory {
            let pages = memory.pages.min(free / KEPT_SHARE);
            self.add_kept(program, memory.name.clone(), quota.create_memory(pages)?, OWN);
            taken += pages;
        }
        for ring in &program.rings {
            let memory = quota.create_memory(ring.pages)?;
            self.add_kept(program, ring.name(), memory, OWN);
            taken += ring.pages;
        }
        for dma in &program.dma {
            // The system comes up without a device rather than not at all.
            match quota.create_contiguous(dma.pages) {
                Ok((memory, _)) => {
                    let rights = ACCESS.union(Rights::CONTROL);
                    self.add_kept(program, dma.name.clone(), memory, rights);
                    taken += dma.pages;
                }
                Err(error) => log!(
                    "{} gets no {}: {} contiguous pages are not to be had ({error:?})",
                    program.name,
                    dma.name,
                    dma.pages
                ),
            }
        }
        Ok(taken)
    }

    fn add_kept(&mut self, program: &Program, name: String, memory: Memory, rights: Rights) {
        self.kept.insert((program.name.clone(), name), Kept { memory, rights });
    }

    /// Returns what is kept for a program: names, memory, and what it may do with it.
    pub(super) fn kept_for<'a>(
        &'a self,
        program: &Program,
    ) -> impl Iterator<Item = (&'a str, Memory, Rights)> {
        let owner = program.name.clone();
        self.kept
            .range((owner.clone(), String::new())..)
            .take_while(move |((of, _), _)| *of == owner)
            .map(|((_, name), kept)| (name.as_str(), kept.memory, kept.rights))
    }
}
