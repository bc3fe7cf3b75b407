//! Many objects, large tables, deep and wide quotas, processes: created and destroyed.

use libipc::abi::{MAX_SLOTS, boot};
use libipc::{Error, Handle, Object, Quota, Rights, Space, Table, Thread};

use super::memory::filled;
use super::{Operation, end};
use crate::world::World;

/// The group.
pub const OPERATIONS: &[Operation] = &[
    ("destroying a process of 4 MiB", large_process),
    ("destroying a quota of many objects", many_objects),
    ("quotas 200 deep", deep_quotas),
    ("quotas 200 wide", wide_quotas),
    ("the largest table, filled and destroyed", largest_table),
    ("every second of 1000 tables destroyed, and larger ones created", tables_of_many_sizes),
    ("an empty space beside many threads", space_beside_threads),
];

const QUOTA: Quota = Quota(boot::QUOTA);
const SPACE: Space = Space(boot::SPACE);
/// Quotas in one another, or beside each other.
const QUOTAS: usize = 200;
/// Objects of each kind.
const OBJECTS: usize = 48;

fn large_process(_: &mut World) -> Result<(), Error> {
    let quota = QUOTA.create_quota(1100, 512)?;
    let space = quota.create_space()?;
    // Filled here, as the process would.
    let memory = filled(quota, SPACE)?;
    space.map(memory, 0, 0x1000_0000, 1024, Rights::READ.union(Rights::WRITE))?;
    for _ in 0..8 {
        quota.create_thread(space, None)?.delete()?;
    }
    memory.delete()?;
    space.delete()?;
    end(quota)
}

fn many_objects(_: &mut World) -> Result<(), Error> {
    let quota = QUOTA.create_quota(512, 50 * OBJECTS as u64)?;
    fill(quota, OBJECTS)?;
    end(quota)
}

/// Creates that many objects of most kinds.
fn fill(quota: Quota, objects: usize) -> Result<(), Error> {
    let space = quota.create_space()?;
    let notification = quota.create_notification()?;
    for _ in 0..objects {
        quota.create_endpoint()?.delete()?;
        quota.create_notification()?.delete()?;
        quota.create_timer(notification, 1)?.delete()?;
        quota.create_memory(1)?.delete()?;
        quota.create_thread(space, None)?.delete()?;
        quota.create_table(8)?.delete()?;
    }
    notification.delete()?;
    space.delete()
}

fn deep_quotas(_: &mut World) -> Result<(), Error> {
    let top = QUOTA.create_quota(5 * QUOTAS as u64, 16 * QUOTAS as u64 + 8)?;
    let mut at = top;
    for depth in (0..QUOTAS as u64).rev() {
        let below = at.create_quota(4 * depth + 2, 16 * depth + 6)?;
        below.create_memory(1)?.delete()?;
        if at.handle() != top.handle() {
            at.delete()?;
        }
        at = below;
    }
    at.delete()?;
    end(top)
}

fn wide_quotas(_: &mut World) -> Result<(), Error> {
    let top = QUOTA.create_quota(1000, 26 * QUOTAS as u64)?;
    for _ in 0..QUOTAS {
        let below = top.create_quota(2, 16)?;
        below.create_memory(1)?.delete()?;
        below.delete()?;
    }
    end(top)
}

fn largest_table(_: &mut World) -> Result<(), Error> {
    const SLOTS: u16 = MAX_SLOTS as u16;
    let table = QUOTA.create_table(SLOTS)?;
    let endpoint = QUOTA.create_endpoint()?;
    let mut filled = 1;
    // The last slot first, then all others: the lowest free one is looked for each time.
    endpoint.mint_to(table, Rights::ALL, 0, Handle(SLOTS - 1))?;
    while endpoint.mint_to(table, Rights::ALL, 0, Handle::NULL).is_ok() {
        filled += 1;
    }
    table.delete_slot(Handle(SLOTS - 2))?;
    endpoint.mint_to(table, Rights::ALL, 0, Handle::NULL)?;
    end(endpoint)?;
    end(table)?;
    if filled == SLOTS - 1 { Ok(()) } else { Err(Error::TableFull) }
}

/// Leaves holes between tables, which are searched for what fits none of them.
fn tables_of_many_sizes(_: &mut World) -> Result<(), Error> {
    const TABLES: usize = 1000;
    let mut tables = [None::<Table>; TABLES];
    for (place, table) in tables.iter_mut().enumerate() {
        *table = Some(QUOTA.create_table(2 + (place * 7 % 64) as u16)?);
    }
    for table in tables.iter_mut().step_by(2) {
        table.take().map_or(Ok(()), end)?;
    }
    let large = [QUOTA.create_table(4096)?, QUOTA.create_table(300)?];
    large.into_iter().try_for_each(end)?;
    tables.into_iter().flatten().try_for_each(end)
}

fn space_beside_threads(_: &mut World) -> Result<(), Error> {
    const THREADS: usize = 250;
    let mut threads = [None::<Thread>; THREADS];
    for thread in &mut threads {
        *thread = Some(QUOTA.create_thread(SPACE, None)?);
    }
    end(QUOTA.create_space()?)?;
    threads.into_iter().flatten().try_for_each(end)
}
