//! Long operations: large unmaps, clones, copies, and the end of large processes.

use libipc::abi::{COPY_MAX, PAGE_SIZE, boot};
use libipc::{Error, Memory, Object, Quota, Rights, Space};

use crate::raw;

/// How often each operation is done.
pub const TIMES: usize = 20;

/// An operation, by a name for a person to read.
pub type Operation = (&'static str, fn() -> Result<(), Error>);

/// All of them.
pub const OPERATIONS: [Operation; 7] = [
    ("unmapping and destroying 4 MiB", large_unmap),
    ("changing the rights of 4 MiB in many mappings", many_mappings),
    ("cloning 4 MiB and writing to it", large_clone),
    ("shrinking 4 MiB to a page", large_shrink),
    ("copying 64 KiB", large_copy),
    ("destroying a process of 4 MiB", large_process),
    ("destroying a quota of many objects", many_objects),
];

const QUOTA: Quota = Quota(boot::QUOTA);
const SPACE: Space = Space(boot::SPACE);
const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);
/// Where memory is mapped.
const AT: u64 = 0x5400_0000_0000;
const PAGES: u64 = 1024;
const PAGE: u64 = PAGE_SIZE as u64;
/// Objects of each kind.
const OBJECTS: u64 = 48;

fn large_unmap() -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    SPACE.unmap(AT, PAGES)?;
    end(memory)
}

fn many_mappings() -> Result<(), Error> {
    let memory = QUOTA.create_memory(PAGES)?;
    for page in (0..PAGES).step_by(8) {
        SPACE.map(memory, page, AT + page * PAGE, 8, READ_WRITE)?;
        raw::touch(AT + page * PAGE);
    }
    SPACE.protect(AT, PAGES, Rights::READ)?;
    SPACE.unmap(AT, PAGES)?;
    end(memory)
}

fn large_clone() -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    let clone = memory.clone_to(QUOTA)?;
    touch_all();
    SPACE.unmap(AT, PAGES)?;
    end(clone)?;
    end(memory)
}

fn large_shrink() -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    memory.resize(1)?;
    SPACE.unmap(AT, PAGES)?;
    end(memory)
}

fn large_copy() -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    let pages = (COPY_MAX / PAGE_SIZE) as u64;
    let to = QUOTA.create_memory(pages)?;
    SPACE.map(to, 0, AT + PAGES * PAGE, pages, READ_WRITE)?;
    let (status, copied) = raw::copy_own(AT, AT + PAGES * PAGE, COPY_MAX as u64);
    Error::check(status)?;
    SPACE.unmap(AT, PAGES + pages)?;
    end(to)?;
    end(memory)?;
    if copied > 0 { Ok(()) } else { Err(Error::BadAddress) }
}

fn large_process() -> Result<(), Error> {
    let quota = QUOTA.create_quota(PAGES + 64, 96)?;
    let space = quota.create_space()?;
    let memory = quota.create_memory(PAGES)?;
    space.map(memory, 0, AT, PAGES, READ_WRITE)?;
    // Touched here, as the process would.
    SPACE.map(memory, 0, AT, PAGES, READ_WRITE)?;
    touch_all();
    SPACE.unmap(AT, PAGES)?;
    for _ in 0..8 {
        quota.create_thread(space, None)?.delete()?;
    }
    memory.delete()?;
    space.delete()?;
    quota.destroy()?;
    quota.delete()
}

fn many_objects() -> Result<(), Error> {
    let quota = QUOTA.create_quota(512, 32 * OBJECTS)?;
    let space = quota.create_space()?;
    for _ in 0..OBJECTS {
        quota.create_endpoint()?.delete()?;
        quota.create_notification()?.delete()?;
        quota.create_memory(1)?.delete()?;
        quota.create_thread(space, None)?.delete()?;
        quota.create_table(8)?.delete()?;
    }
    space.delete()?;
    quota.destroy()?;
    quota.delete()
}

/// Returns a memory object whose pages are all there, mapped.
fn filled(quota: Quota, space: Space) -> Result<Memory, Error> {
    let memory = quota.create_memory(PAGES)?;
    space.map(memory, 0, AT, PAGES, READ_WRITE)?;
    touch_all();
    Ok(memory)
}

fn touch_all() {
    for page in 0..PAGES {
        raw::touch(AT + page * PAGE);
    }
}

fn end(memory: Memory) -> Result<(), Error> {
    memory.destroy()?;
    memory.delete()
}
