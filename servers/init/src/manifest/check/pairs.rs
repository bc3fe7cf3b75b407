//! What two programs cannot both have: names, services, files, interrupts, ports, registers.

use alloc::format;

use libipc::abi::PAGE_SIZE;

use super::super::{LOG, MmioRange, PortRange, Program, Role, SUPERVISOR_SERVICES};
use super::{Fault, require};

/// Checks a program against those before it, and its resources against each other.
pub(super) fn check(program: &Program, before: &[Program]) -> Result<(), Fault> {
    let name = &program.name;
    require(before.iter().all(|other| other.name != *name), "name", || {
        format!("a second program is called {name:?}; each has a name of its own")
    })?;
    check_service(program, before)?;
    let is_same = |other: &&Program| other.role == Role::Native && other.file == program.file;
    let twin = before.iter().find(is_same).filter(|_| program.role == Role::Native);
    require(twin.is_none(), "file", || {
        format!("file {:?} has an entry already, {}", program.file, named(twin))
    })?;
    for (index, interrupt) in program.interrupts.iter().enumerate() {
        let line = interrupt.line;
        let own = program.interrupts[..index].iter().any(|other| other.line == line);
        let has = |other: &&Program| other.interrupts.iter().any(|other| other.line == line);
        let taken = own.then_some(program).or_else(|| before.iter().find(has));
        require(taken.is_none(), "interrupts", || {
            format!("interrupt {line} is given to {} already", named(taken))
        })?;
    }
    check_ports(program, before)?;
    check_mmio(program, before)
}

fn check_service(program: &Program, before: &[Program]) -> Result<(), Fault> {
    let Some(service) = program.service() else { return Ok(()) };
    let own = service == LOG || SUPERVISOR_SERVICES.contains(&service);
    require(!own, "service", || format!("service {service:?} is init's own; choose another name"))?;
    let provider = before.iter().find(|other| other.service() == Some(service));
    require(provider.is_none(), "service", || {
        format!("service {service:?} is provided by {} already", named(provider))
    })
}

fn check_ports(program: &Program, before: &[Program]) -> Result<(), Fault> {
    for (index, ports) in program.ports.iter().enumerate() {
        let meets = |other: &&PortRange| other.first <= ports.last && ports.first <= other.last;
        let own = program.ports[..index].iter().find(meets).map(|other| (program, other));
        let others = || before.iter().find_map(|it| Some((it, it.ports.iter().find(meets)?)));
        if let Some((owner, other)) = own.or_else(others) {
            let cause = format!(
                "ports {} ({:#x} to {:#x}) overlap {}'s {} ({:#x} to {:#x})",
                ports.name,
                ports.first,
                ports.last,
                owner.name,
                other.name,
                other.first,
                other.last
            );
            return Err(Fault { key: "ports", cause });
        }
    }
    Ok(())
}

fn check_mmio(program: &Program, before: &[Program]) -> Result<(), Fault> {
    for (index, mmio) in program.mmio.iter().enumerate() {
        let meets = |other: &&MmioRange| other.first <= mmio.last && mmio.first <= other.last;
        let own = program.mmio[..index].iter().find(meets).map(|other| (program, other));
        let others = || before.iter().find_map(|it| Some((it, it.mmio.iter().find(meets)?)));
        if let Some((owner, other)) = own.or_else(others) {
            let address = u64::from(mmio.first.max(other.first)) * PAGE_SIZE as u64;
            let cause = format!(
                "mmio {} overlaps {}'s {} at {address:#x}",
                mmio.name, owner.name, other.name
            );
            return Err(Fault { key: "mmio", cause });
        }
    }
    Ok(())
}

fn named(program: Option<&Program>) -> &str {
    program.map_or("", |program| &program.name)
}
