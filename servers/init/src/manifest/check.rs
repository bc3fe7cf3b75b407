//! What makes a manifest a system: known names, bounds, priorities uphill, no circles.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use libipc::abi::MAX_SLOTS;

use super::{
    ANY_PROGRAM, Amount, LOG, MAX_CAPABILITIES, MAX_NAME, MAX_PROGRAMS, Manifest, ManifestError,
    Program, Role, SUPERVISOR_PRIORITY, SUPERVISOR_SERVICES,
};

/// Names of capabilities that init gives by itself.
const RESERVED: [&str; 5] = ["self", "stdin", "stdout", "stderr", ANY_PROGRAM];

/// Checks everything, the programs one by one first.
pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    if manifest.programs.len() > MAX_PROGRAMS {
        let cause = format!("more than {MAX_PROGRAMS} programs");
        return Err(ManifestError { program: None, line: 0, cause });
    }
    for (index, program) in manifest.programs.iter().enumerate() {
        let at = |cause| ManifestError { program: Some(index), line: 0, cause };
        check_program(program).map_err(at)?;
        check_distinct(manifest, index).map_err(at)?;
        check_uses(manifest, program).map_err(at)?;
    }
    check_shares(manifest)?;
    check_circles(manifest)
}

fn check_program(program: &Program) -> Result<(), String> {
    let name = &program.name;
    check_name(name)?;
    program.service().map_or(Ok(()), check_name)?;
    if !program.file.starts_with('/') || program.file.contains('\n') {
        return Err(format!("{name}: file {:?} is no absolute path", program.file));
    }
    if program.priority >= SUPERVISOR_PRIORITY {
        return Err(format!("{name}: priority must be below init's {SUPERVISOR_PRIORITY}"));
    }
    if usize::from(program.handles) > MAX_SLOTS {
        return Err(format!("{name}: more than {MAX_SLOTS} handles"));
    }
    for (what, amount) in [("pages", program.pages), ("objects", program.objects)] {
        match amount {
            Amount::Count(0) | Amount::Percent(0) => {
                return Err(format!("{name}: {what} must be more than 0"));
            }
            Amount::Count(_) | Amount::Percent(1..=100) => {}
            Amount::Percent(_) => return Err(format!("{name}: {what} of more than 100 %")),
        }
    }
    if let Some(ports) = program.ports.iter().find(|ports| ports.first > ports.last) {
        return Err(format!("{name}: ports {} end before they begin", ports.name));
    }
    if let Some(mmio) = program.mmio.iter().find(|mmio| mmio.first > mmio.last) {
        return Err(format!("{name}: mmio {} ends before it begins", mmio.name));
    }
    check_capabilities(program)
}

fn check_capabilities(program: &Program) -> Result<(), String> {
    let name = &program.name;
    let capabilities: Vec<&str> = program.capabilities().collect();
    if capabilities.len() > MAX_CAPABILITIES {
        return Err(format!("{name}: more than {MAX_CAPABILITIES} capabilities"));
    }
    for (index, capability) in capabilities.iter().enumerate() {
        check_name(capability)?;
        if RESERVED.contains(capability) || capabilities[..index].contains(capability) {
            return Err(format!("{name}: capability {capability:?} is given twice or reserved"));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(letter) {
        return Err(format!(
            "{name:?} is no name: 1 to {MAX_NAME} lower-case letters, digits and hyphens"
        ));
    }
    Ok(())
}

/// Checks that what a program is known by is known of it alone.
fn check_distinct(manifest: &Manifest, index: usize) -> Result<(), String> {
    let program = &manifest.programs[index];
    let before = &manifest.programs[..index];
    if before.iter().any(|other| other.name == program.name) {
        return Err(format!("a second program is called {:?}", program.name));
    }
    if let Some(service) = program.service() {
        let taken = before.iter().any(|other| other.service() == Some(service))
            || service == LOG
            || SUPERVISOR_SERVICES.contains(&service);
        if taken {
            return Err(format!("{}: service {service:?} has a provider already", program.name));
        }
    }
    for interrupt in &program.interrupts {
        let taken = |other: &Program| other.interrupts.iter().any(|i| i.line == interrupt.line);
        if before.iter().any(taken) {
            return Err(format!("{}: interrupt {} is taken", program.name, interrupt.line));
        }
    }
    Ok(())
}

fn check_uses(manifest: &Manifest, program: &Program) -> Result<(), String> {
    let name = &program.name;
    for service in &program.uses {
        if service == LOG || SUPERVISOR_SERVICES.contains(&service.as_str()) {
            continue;
        }
        let Some(provider) = manifest.provider(service) else {
            return Err(format!("{name}: uses {service:?}, which nobody provides"));
        };
        if provider.priority < program.priority {
            return Err(format!(
                "{name} (priority {}) uses {service:?}, whose server {} has only priority {}",
                program.priority, provider.name, provider.priority
            ));
        }
    }
    Ok(())
}

/// Checks the sums of the shares of servers; native programs share what their entry names.
fn check_shares(manifest: &Manifest) -> Result<(), ManifestError> {
    check_sum(manifest, "memory", |program| program.pages)?;
    check_sum(manifest, "objects", |program| program.objects)
}

fn check_sum(
    manifest: &Manifest,
    what: &str,
    amount: impl Fn(&Program) -> Amount,
) -> Result<(), ManifestError> {
    let percent = |program: &Program| match amount(program) {
        Amount::Percent(percent) => u32::from(percent),
        Amount::Count(_) => 0,
    };
    let sum: u32 = manifest.servers().map(percent).sum();
    if sum > 100 {
        let cause = format!("the servers' shares of {what} add up to {sum} %");
        return Err(ManifestError { program: None, line: 0, cause });
    }
    Ok(())
}

/// Checks that no server calls itself through others: follows uses from each, depth first.
fn check_circles(manifest: &Manifest) -> Result<(), ManifestError> {
    for (index, start) in manifest.programs.iter().enumerate() {
        let Role::Server { service } = &start.role else { continue };
        let mut reached = vec![false; manifest.programs.len()];
        let mut pending = vec![start];
        while let Some(program) = pending.pop() {
            if program.uses.contains(service) {
                let cause = format!("{} calls itself, through {}", start.name, program.name);
                return Err(ManifestError { program: Some(index), line: 0, cause });
            }
            for (next, provider) in manifest.programs.iter().enumerate() {
                let used = provider.service().is_some_and(|s| program.uses.iter().any(|u| u == s));
                if used && !core::mem::replace(&mut reached[next], true) {
                    pending.push(provider);
                }
            }
        }
    }
    Ok(())
}
