//! One page: mapped, touched, unmapped.

use libipc::abi::boot;
use libipc::{Error, Object, Rights, Space};

use crate::measure::{BATCH, row};
use crate::raw;
use crate::world::World;

/// Where the page is mapped.
const AT: u64 = 0x5200_0000_0000;
const SPACE: Space = Space(boot::SPACE);
const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);

/// Pages of the object that plays a heap.
const HEAP_PAGES: u64 = 16;

/// A page of a heap, a new one each time: mapped, touched (the kernel takes a frame and clears it),
/// unmapped, and given back.
pub fn map1(world: &mut World) -> Result<(), Error> {
    let heap = world.quota.create_memory(HEAP_PAGES)?;
    let mut result = Ok(());
    let page = || {
        result = result.and_then(|()| {
            SPACE.map(heap, 0, AT, 1, READ_WRITE)?;
            raw::touch(AT);
            SPACE.unmap(AT, 1)?;
            heap.decommit(0, 1).map_err(|stopped| stopped.error)
        });
    };
    row("map1", BATCH, page);
    heap.destroy()?;
    heap.delete()?;
    result
}

/// The same with a new memory object for each page, which is destroyed.
pub fn map1_new(world: &mut World) -> Result<(), Error> {
    let mut result = Ok(());
    let page = || {
        result = result.and_then(|()| {
            let memory = world.quota.create_memory(1)?;
            SPACE.map(memory, 0, AT, 1, READ_WRITE)?;
            raw::touch(AT);
            SPACE.unmap(AT, 1)?;
            memory.destroy()?;
            memory.delete()
        });
    };
    row("map1_new", BATCH, page);
    result
}

/// The same page each time: its object keeps the frame.
pub fn map1_again(world: &mut World) -> Result<(), Error> {
    let memory = world.quota.create_memory(1)?;
    let mut result = Ok(());
    let page = || {
        result = result.and_then(|()| {
            SPACE.map(memory, 0, AT, 1, READ_WRITE)?;
            raw::touch(AT);
            SPACE.unmap(AT, 1)
        });
    };
    row("map1_again", BATCH, page);
    memory.destroy()?;
    memory.delete()?;
    result
}
