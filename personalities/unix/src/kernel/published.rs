//! [`Published`] by the memory that a file server publishes.

use alloc::boxed::Box;

use libipc::{Endpoint, Memory, Object, PublishedWords};
use protocols::file::{FileClient, Node, place};

use crate::Errno;
use crate::cache::{Cache, Published};
use crate::filesystem::{FileSystem, Pages};

/// Published memory of a file server, mapped as far as it is generations.
#[derive(Debug)]
pub struct PublishedMemory {
    client: FileClient,
    words: PublishedWords,
    slots: u64,
    region: Memory,
    archive: Option<Memory>,
}

/// Returns the tree of a file server, with a cache if it publishes generations.
pub fn files(server: Endpoint) -> Box<dyn FileSystem> {
    match PublishedMemory::new(FileClient::new(server)) {
        Some(published) => Box::new(Cache::new(FileClient::new(server), published)),
        None => Box::new(FileClient::new(server)),
    }
}

impl PublishedMemory {
    fn new(client: FileClient) -> Option<Self> {
        let (generations, region) = client.publish().ok()?;
        let slots = generations.slots;
        let words = PublishedWords::new(region, generations.at, slots.saturating_add(1)).ok();
        let Some(words) = words.filter(|_| slots.is_power_of_two()) else {
            // Nothing else names it.
            let _ = region.delete();
            return None;
        };
        let archive = client.publish_archive().ok();
        Some(PublishedMemory { client, words, slots, region, archive })
    }

    fn word(&self, index: u64) -> u64 {
        // There are as many; an odd one keeps nothing.
        self.words.load(index as usize).unwrap_or(1)
    }
}

impl Published for PublishedMemory {
    #[inline]
    fn generation(&self, node: Node) -> u64 {
        self.word(node.0 & (self.slots - 1))
    }

    fn changes(&self) -> u64 {
        self.word(self.slots)
    }

    fn extent(&mut self, node: Node, offset: u64) -> Result<Option<Pages>, Errno> {
        let extent = self.client.extent(node, offset)?;
        let memory = match extent.place {
            place::REGION => Some(self.region),
            place::ARCHIVE => self.archive,
            _ => None,
        };
        let pages = |memory| {
            let (at, len, generation) = (extent.at, extent.len, extent.generation);
            Pages { memory, at, len, generation }
        };
        Ok(memory.map(pages))
    }
}
