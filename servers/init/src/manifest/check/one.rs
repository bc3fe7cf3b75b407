//! Rules that one program's entry keeps or breaks by itself.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use libipc::abi::{CONTIGUOUS_MAX, MAX_SLOTS, PAGE_SIZE, boot};
use libipc::ring;

use super::super::{
    ANY_PROGRAM, Amount, Archive, LOG, LOG_PORT, MAX_CAPABILITIES, MAX_NAME, Program, Restart,
    Role, SUPERVISOR_PRIORITY, SUPERVISOR_SERVICES,
};
use super::{Fault, require};
use crate::heartbeat::{LONGEST_MS, SHORTEST_MS};

/// Names of capabilities that init gives by itself.
const RESERVED: [&str; 7] = ["self", "events", "alive", "stdin", "stdout", "stderr", ANY_PROGRAM];
/// Slots that every table has in use: the null handle's, and the process' own objects.
const OWN_SLOTS: usize = boot::QUOTA.0 as usize + 1;

/// Checks an entry.
pub(super) fn check(program: &Program) -> Result<(), Fault> {
    check_name(&program.name, "name", "")?;
    if let Some(service) = program.service() {
        check_name(service, "service", "service ")?;
    }
    let file = &program.file;
    require(file.starts_with('/') && !file.contains('\n'), "file", || {
        format!("file {file:?} is no absolute path, as /sbin/NAME is")
    })?;
    let priority = program.priority;
    require(priority < SUPERVISOR_PRIORITY, "priority", || {
        let most = SUPERVISOR_PRIORITY - 1;
        format!("priority {priority} is not below init's own; {most} is the highest")
    })?;
    check_amount(program.pages, "pages")?;
    check_amount(program.objects, "objects")?;
    check_heartbeat(program)?;
    check_ranges(program)?;
    check_memory(program)?;
    check_native(program)?;
    check_capabilities(program)
}

fn check_name(name: &str, key: &'static str, what: &str) -> Result<(), Fault> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(letter);
    require(is_name, key, || {
        format!(
            "{what}{name:?} is no name; names are 1 to {MAX_NAME} lower-case letters, digits and \
             hyphens"
        )
    })
}

fn check_amount(amount: Amount, key: &'static str) -> Result<(), Fault> {
    match amount {
        Amount::Count(1..) | Amount::Percent(1..=100) => Ok(()),
        Amount::Count(0) | Amount::Percent(0) => {
            Err(Fault { key, cause: format!("{key} is 0; a program can't do without") })
        }
        Amount::Percent(share) => {
            Err(Fault { key, cause: format!("{key} is {share} %; 100 % is all there is") })
        }
    }
}

fn check_heartbeat(program: &Program) -> Result<(), Fault> {
    let Some(period) = program.heartbeat_ms else { return Ok(()) };
    require(program.service().is_some(), "heartbeat-ms", || {
        "only servers have a heartbeat; who starts a native program sees whether it hangs".into()
    })?;
    require((SHORTEST_MS..=LONGEST_MS).contains(&period), "heartbeat-ms", || {
        format!("heartbeat-ms is {period}; it is from {SHORTEST_MS} to {LONGEST_MS}")
    })
}

fn check_ranges(program: &Program) -> Result<(), Fault> {
    for ports in &program.ports {
        let (name, first, last) = (&ports.name, ports.first, ports.last);
        require(first <= last, "ports", || {
            format!("ports {name} go from {first:#x} down to {last:#x}; the lower one comes first")
        })?;
        require(!(first..=last).contains(&LOG_PORT), "ports", || {
            format!("ports {name} include {LOG_PORT:#x}, the log's; use \"log\" for that")
        })?;
    }
    for mmio in &program.mmio {
        let page = PAGE_SIZE as u64;
        let (first, last) = (u64::from(mmio.first) * page, (u64::from(mmio.last) + 1) * page - 1);
        require(mmio.first <= mmio.last, "mmio", || {
            let name = &mmio.name;
            format!("mmio {name} goes from {first:#x} down to {last:#x}; the lower one comes first")
        })?;
    }
    Ok(())
}

/// Checks memory that init keeps.
fn check_memory(program: &Program) -> Result<(), Fault> {
    for memory in &program.memory {
        require(memory.pages > 0, "memory", || {
            format!("memory {} has 0 pages; nothing could be kept in it", memory.name)
        })?;
    }
    for memory in &program.rings {
        let (service, pages) = (&memory.service, memory.pages);
        require((1..=ring::MAX_PAGES).contains(&pages), "rings", || {
            let most = ring::MAX_PAGES;
            format!("the ring to {service:?} has {pages} pages; a ring has 1 to {most}")
        })?;
        require(program.uses.contains(service), "rings", || {
            format!("there is a ring to {service:?}, which is not in uses; add it there")
        })?;
        let has_none = service == LOG || SUPERVISOR_SERVICES.contains(&service.as_str());
        require(!has_none, "rings", || {
            format!("{service:?} is init's own, which serves no rings")
        })?;
    }
    for dma in &program.dma {
        let (name, pages, most) = (&dma.name, dma.pages, CONTIGUOUS_MAX as u64);
        require((1..=most).contains(&pages), "dma", || {
            format!("dma {name} has {pages} pages; contiguous memory has 1 to {most}")
        })?;
    }
    Ok(())
}

/// Checks that a program which may run several times at once has nothing that is there once.
fn check_native(program: &Program) -> Result<(), Fault> {
    if let Role::Server { .. } = program.role {
        return Ok(());
    }
    require(program.restart == Restart::Never, "restart", || {
        "only servers are restarted; who starts a native program sees to its end".into()
    })?;
    require(program.memory.is_empty(), "memory", || {
        "only servers have kept memory; a native program may run several times at once".into()
    })?;
    require(program.rings.is_empty(), "rings", || {
        "only servers have rings; a native program may run several times at once".into()
    })?;
    require(program.dma.is_empty(), "dma", || {
        "only servers have DMA memory; a native program may run several times at once".into()
    })?;
    require(program.interrupts.is_empty(), "interrupts", || {
        "only servers have interrupts; a native program may run several times at once".into()
    })
}

fn check_capabilities(program: &Program) -> Result<(), Fault> {
    let given = given(program);
    let count = given.len();
    let key = given.last().map_or("", |(key, _)| key);
    require(count <= MAX_CAPABILITIES, key, || {
        format!("{count} capabilities are named; a program gets at most {MAX_CAPABILITIES}")
    })?;
    for (index, (key, name)) in given.iter().enumerate() {
        check_name(name, key, "capability ")?;
        require(!RESERVED.contains(&&**name), key, || {
            format!("{name:?} is a name that init gives by itself; choose another")
        })?;
        require(given[..index].iter().all(|(_, before)| before != name), key, || {
            format!("{name:?} is given twice; each capability has a name of its own")
        })?;
    }
    check_handles(program, count)
}

fn check_handles(program: &Program, count: usize) -> Result<(), Fault> {
    let handles = usize::from(program.handles);
    require(handles <= MAX_SLOTS, "handles", || {
        format!("handles is {handles}; a table has at most {MAX_SLOTS}")
    })?;
    let besides = 3; // the streams, or "self", "events" and "alive"
    let least = OWN_SLOTS + besides + count;
    require(handles >= least, "handles", || {
        format!("handles is {handles}; what the program starts with takes {least}")
    })
}

/// Returns the capabilities that an entry names, with the keys they stand under.
fn given(program: &Program) -> Vec<(&'static str, Cow<'_, str>)> {
    let mut given: Vec<(&'static str, Cow<'_, str>)> = Vec::new();
    let mut add = |key, name| given.push((key, name));
    program.uses.iter().for_each(|name| add("uses", name.into()));
    program.ports.iter().for_each(|ports| add("ports", (&ports.name).into()));
    program.interrupts.iter().for_each(|line| add("interrupts", (&line.name).into()));
    program.mmio.iter().for_each(|mmio| add("mmio", (&mmio.name).into()));
    program.memory.iter().for_each(|memory| add("memory", (&memory.name).into()));
    program.rings.iter().for_each(|ring| add("rings", ring.name().into()));
    program.dma.iter().for_each(|dma| add("dma", (&dma.name).into()));
    given.extend((program.archive == Archive::Read).then_some(("archive", "archive".into())));
    given
}
