//! Large memory objects: unmapped, cloned, shrunk, copied, supplied and destroyed.

use libipc::abi::{CONTIGUOUS_MAX, COPY_MAX, PAGE_SIZE, PORT_WRITE_MAX, boot};
use libipc::{Error, Memory, Ports, Quota, Registers, Rights, Space};

use super::{Operation, end};
use crate::raw;
use crate::world::{TOP, World};

/// The group.
pub const OPERATIONS: &[Operation] = &[
    ("unmapping and destroying 4 MiB", large_unmap),
    ("changing the rights of 4 MiB in many mappings", many_mappings),
    ("cloning 4 MiB and writing to it", large_clone),
    ("clones of clones, each mapped twice, unmapped and destroyed", clones_mapped_twice),
    ("a page in a hundred mappings, copied on write, decommitted", one_page_everywhere),
    ("shrinking 4 MiB to a page", large_shrink),
    ("copying 64 KiB", large_copy),
    ("mappings far from each other, in one unmap", scattered),
    ("a space of many page tables, destroyed", many_tables),
    ("an object of 512 GiB with pages here and there", sparse),
    ("contiguous memory, committed and destroyed", contiguous),
    ("committing and decommitting 4 MiB", commit),
    ("a long line to a port", long_line),
];

const QUOTA: Quota = Quota(boot::QUOTA);
const SPACE: Space = Space(boot::SPACE);
const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);
/// Where memory is mapped.
const AT: u64 = 0x5400_0000_0000;
const PAGES: u64 = 1024;
const PAGE: u64 = PAGE_SIZE as u64;
/// The port of the log.
const LOG: u16 = 0xe9;

fn large_unmap(_: &mut World) -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    SPACE.unmap(AT, PAGES)?;
    end(memory)
}

fn many_mappings(_: &mut World) -> Result<(), Error> {
    let memory = QUOTA.create_memory(PAGES)?;
    for page in (0..PAGES).step_by(4) {
        SPACE.map(memory, page, AT + page * PAGE, 4, READ_WRITE)?;
        raw::touch(AT + page * PAGE);
    }
    SPACE.protect(AT, PAGES, Rights::READ)?;
    SPACE.protect(AT + PAGE, PAGES - 2, READ_WRITE)?;
    SPACE.unmap(AT + PAGE, PAGES - 2)?;
    SPACE.unmap(AT, PAGES)?;
    end(memory)
}

fn large_clone(_: &mut World) -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    let clone = memory.clone_to(QUOTA)?;
    touch_all(AT, PAGES);
    SPACE.unmap(AT, PAGES)?;
    end(clone)?;
    end(memory)
}

fn clones_mapped_twice(world: &mut World) -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    world.second.map(memory, 0, AT, PAGES, READ_WRITE)?;
    let mut clones = [memory; 4];
    for place in 1..clones.len() {
        let clone = clones[place - 1].clone_to(QUOTA)?;
        clones[place] = clone;
        let at = AT + 2 * place as u64 * PAGES * PAGE;
        for at in [at, at + PAGES * PAGE] {
            SPACE.map(clone, 0, at, PAGES, READ_WRITE)?;
            look_at_all(at, PAGES, 1);
        }
        touch_all(at, PAGES / 2);
    }
    SPACE.unmap(AT, 4 * PAGES)?;
    // The first is still mapped, in the second space; the last twice.
    end(clones[0])?;
    clones[2].resize(1)?;
    end(clones[3])?;
    end(clones[1])?;
    end(clones[2])
}

fn one_page_everywhere(_: &mut World) -> Result<(), Error> {
    const MAPPINGS: u64 = 100;
    let memory = QUOTA.create_memory(1)?;
    for place in 0..MAPPINGS {
        SPACE.map(memory, 0, AT + 2 * place * PAGE, 1, READ_WRITE)?;
        raw::touch(AT + 2 * place * PAGE);
    }
    let clone = memory.clone_to(QUOTA)?;
    (0..MAPPINGS).for_each(|place| raw::touch(AT + 2 * place * PAGE));
    memory.decommit(0, 1)?;
    look_at_all(AT, MAPPINGS, 2);
    end(clone)?;
    end(memory)
}

fn large_shrink(_: &mut World) -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    memory.resize(1)?;
    SPACE.unmap(AT, PAGES)?;
    end(memory)
}

fn large_copy(_: &mut World) -> Result<(), Error> {
    let memory = filled(QUOTA, SPACE)?;
    let pages = (COPY_MAX / PAGE_SIZE) as u64;
    let to = QUOTA.create_memory(pages)?;
    SPACE.map(to, 0, AT + PAGES * PAGE, pages, READ_WRITE)?;
    // Once with the target's pages to be made, once with both there, once across pages.
    for shift in [0, 0, 2000] {
        let (status, copied) = raw::copy_own(AT, AT + PAGES * PAGE + shift, COPY_MAX as u64 / 2);
        Error::check(status)?;
        if copied == 0 {
            return Err(Error::BadAddress);
        }
    }
    SPACE.unmap(AT, PAGES + pages)?;
    end(to)?;
    end(memory)
}

/// As many page tables as mappings, and most of the range without any.
fn scattered(_: &mut World) -> Result<(), Error> {
    const MAPPINGS: u64 = 64;
    let memory = QUOTA.create_memory(MAPPINGS)?;
    for place in 0..MAPPINGS {
        let at = AT + (place << 33) + (place % 512) * PAGE;
        SPACE.map(memory, place, at, 1, READ_WRITE)?;
        raw::touch(at);
    }
    SPACE.protect(AT, 1, Rights::READ)?;
    SPACE.unmap(AT, MAPPINGS << (33 - 12))?;
    end(memory)?;
    // One mapping over nearly nothing.
    let memory = QUOTA.create_memory(1 << 27)?;
    SPACE.map(memory, 0, AT, 1 << 27, READ_WRITE)?;
    for page in [0, 511, 1 << 20, (1 << 27) - 1] {
        raw::touch(AT + page * PAGE);
    }
    SPACE.protect(AT, 1 << 27, Rights::READ)?;
    SPACE.unmap(AT, 1 << 27)?;
    end(memory)
}

fn many_tables(_: &mut World) -> Result<(), Error> {
    let memory = QUOTA.create_memory(1)?;
    for place in 0..100 {
        let at = AT + ((place % 10) << 30) + ((place / 10 * 51) << 21) + 511 * PAGE;
        SPACE.map(memory, 0, at, 1, READ_WRITE)?;
        raw::touch(at);
    }
    SPACE.unmap(AT, 10 << (30 - 12))?;
    end(memory)?;
    // The same tables in a space that goes; entries at the end of each.
    let space = QUOTA.create_space()?;
    let memory = QUOTA.create_memory(1)?;
    for place in 0..100 {
        let at = ((200 + place % 10) << 39) + (511 << 30) + ((place / 10 * 51) << 21);
        space.map(memory, 0, at, 1, Rights::READ.union(Rights::EXECUTE))?;
        touch_from_there(space, at)?;
    }
    end(space)?;
    end(memory)
}

/// Has a page touched by a thread of that space, which begins there: what it finds is no code, so
/// that it faults, and stops.
fn touch_from_there(space: Space, at: u64) -> Result<(), Error> {
    let thread = QUOTA.create_thread(space, None)?;
    let rflags = Registers::FIXED_FLAGS;
    thread.write_registers(&Registers { rip: at, rflags, ..Registers::default() })?;
    thread.set_priority(TOP)?;
    thread.start()?;
    libipc::yield_now();
    end(thread)
}

fn sparse(_: &mut World) -> Result<(), Error> {
    let memory = QUOTA.create_memory(1 << 27)?;
    for page in [0, 1, 511, 512, 1 << 18, (1 << 20) + 511, (1 << 27) - 1] {
        memory.commit(page, 1)?;
    }
    let clone = memory.clone_to(QUOTA)?;
    memory.resize(1)?;
    end(clone)?;
    end(memory)
}

fn contiguous(_: &mut World) -> Result<(), Error> {
    let pages = CONTIGUOUS_MAX as u64;
    let (memory, _) = QUOTA.create_contiguous(pages)?;
    SPACE.map(memory, 0, AT, pages, READ_WRITE)?;
    touch_all(AT, pages);
    end(memory)
}

fn commit(_: &mut World) -> Result<(), Error> {
    let memory = QUOTA.create_memory(PAGES)?;
    memory.commit(0, PAGES)?;
    memory.commit(0, PAGES)?;
    memory.decommit(0, PAGES)?;
    memory.decommit(0, PAGES)?;
    end(memory)
}

fn long_line(_: &mut World) -> Result<(), Error> {
    let line = [b'.'; PORT_WRITE_MAX];
    Ports(boot::PORTS).write_bytes(LOG, &line)?;
    Ports(boot::PORTS).write_bytes(LOG, b"\n")
}

/// Returns a memory object whose pages are all there, mapped.
pub fn filled(quota: Quota, space: Space) -> Result<Memory, Error> {
    let memory = quota.create_memory(PAGES)?;
    space.map(memory, 0, AT, PAGES, READ_WRITE)?;
    touch_all(AT, PAGES);
    Ok(memory)
}

fn touch_all(at: u64, pages: u64) {
    for page in 0..pages {
        raw::touch(at + page * PAGE);
    }
}

/// Reads pages, each so many behind the last.
fn look_at_all(at: u64, pages: u64, step: u64) {
    for page in 0..pages {
        raw::look(at + step * page * PAGE);
    }
}
