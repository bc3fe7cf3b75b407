//! Rules of the whole: calls go uphill and in no circle, and the sums can be had.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::{
    Amount, LOG, Manifest, ManifestError, Program, SMALLEST_MIB, SMALLEST_OBJECTS, SMALLEST_PAGES,
    SUPERVISOR_SERVICES,
};
use super::{Fault, require};

/// Checks whom a program calls.
pub(super) fn check(manifest: &Manifest, program: &Program) -> Result<(), Fault> {
    for service in &program.uses {
        if service == LOG || SUPERVISOR_SERVICES.contains(&service.as_str()) {
            continue;
        }
        let Some(provider) = manifest.provider(service) else {
            let cause =
                format!("uses {service:?}, which no server provides; there {}", services(manifest));
            return Err(Fault { key: "uses", cause });
        };
        require(provider.priority >= program.priority, "uses", || {
            let (own, name, its) = (program.priority, &provider.name, provider.priority);
            format!(
                "uses {service:?} with priority {own}, but its server {name} has only {its}; a \
                 server's priority is at least that of its clients"
            )
        })?;
    }
    let circle = program.service().and_then(|service| circle(manifest, program, service));
    require(circle.is_none(), "uses", || {
        let names = circle.unwrap_or_default().join(" calls ");
        format!("calls itself in a circle, in which both would wait forever: {names}")
    })
}

fn services(manifest: &Manifest) -> String {
    let mut names: Vec<&str> = manifest.servers().filter_map(Program::service).collect();
    names.push(LOG);
    names.extend(SUPERVISOR_SERVICES);
    format!("are {}", names.join(", "))
}

/// Returns the names along a way of calls from a server back to itself.
fn circle<'a>(manifest: &'a Manifest, start: &'a Program, service: &str) -> Option<Vec<&'a str>> {
    let mut reached: Vec<&str> = Vec::new();
    let mut pending = vec![(start, vec![start.name.as_str()])];
    while let Some((program, way)) = pending.pop() {
        for used in &program.uses {
            let mut way = way.clone();
            if used == service {
                way.push(&start.name);
                return Some(way);
            }
            if let Some(provider) = manifest.provider(used).filter(|_| !reached.contains(&&**used))
            {
                reached.push(used);
                way.push(&provider.name);
                pending.push((provider, way));
            }
        }
    }
    None
}

/// Checks what the servers take together; native programs share what their entry names.
pub(super) fn check_sums(manifest: &Manifest) -> Result<(), ManifestError> {
    check_sum(manifest, "pages", |program| (program.pages, committed(program)), SMALLEST_PAGES)?;
    check_sum(manifest, "objects", |program| (program.objects, 0), SMALLEST_OBJECTS)
}

/// Returns the pages that init keeps for a program and that are in use from the start.
fn committed(program: &Program) -> u64 {
    let rings = program.rings.iter().map(|ring| ring.pages);
    rings.chain(program.dma.iter().map(|dma| dma.pages)).fold(0, u64::saturating_add)
}

/// Checks the sum of what the servers take of something: `amount` by themselves, and so much with
/// init.
fn check_sum(
    manifest: &Manifest,
    key: &'static str,
    amount: impl Fn(&Program) -> (Amount, u64),
    most: u64,
) -> Result<(), ManifestError> {
    let (mut shares, mut fixed) = (0, 0u64);
    for (index, program) in manifest.programs.iter().enumerate() {
        if program.service().is_none() {
            continue;
        }
        let (own, with_init) = amount(program);
        fixed = fixed.saturating_add(with_init);
        match own {
            Amount::Percent(percent) => shares += u32::from(percent),
            Amount::Count(count) => fixed = fixed.saturating_add(count),
        }
        let checked = require(shares <= 100, key, || {
            format!("with it the servers' shares of {key} add up to {shares} %")
        });
        let checked = checked.and(require(fixed <= most, key, || {
            format!(
                "with it the servers' {key} add up to {fixed}; the smallest machine, of \
                 {SMALLEST_MIB} MiB, has {most} for them"
            )
        }));
        checked.map_err(|fault| fault.of(manifest, index))?;
    }
    Ok(())
}
