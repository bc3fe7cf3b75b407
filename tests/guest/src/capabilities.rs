//! A process has exactly the capabilities that the manifest gives it.
//!
//! ```text
//!   servers/system.toml, tests/guest/system.toml ──wanted──┐
//!                                                          ├── compared both ways: none is
//!   the programs' log ─────────────────────────────told────┘   missing, none is there besides
//! ```
//!
//! Each program tells its own table (libipc/rt/src/capabilities.rs). Where an endpoint's capability
//! leads is seen by the endpoint's slot: the provider's own says which one its service has.

mod told;
mod wanted;

use kamen_init::manifest::{self, Manifest, Program};
use std::collections::{BTreeMap, BTreeSet};

use crate::case::Case;
use told::Told;
use wanted::{Leads, Wanted};

/// Who is asked: a name in the log, and the manifest's entry that it is started by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its name in the log.
    pub logged: String,
    /// Its entry.
    pub entry: String,
}

/// Returns the test.
pub fn cases() -> Vec<Case> {
    let servers: Vec<String> = system().servers().map(|server| server.name.clone()).collect();
    let natives = [("shell", "shell"), ("hello", "any"), ("HELLO.COM", "dos-session")];
    let holder = |logged: &str, entry: &str| Holder { logged: logged.into(), entry: entry.into() };
    let mut holders: Vec<Holder> = servers.iter().map(|name| holder(name, name)).collect();
    holders.extend(natives.map(|(logged, entry)| holder(logged, entry)));
    let name = "capabilities: each program has those of the manifest, and no others";
    vec![Case::line(name, "hello; /dos/HELLO.COM").holds(&holders)]
}

fn system() -> Manifest {
    let texts = [include_str!("../../../servers/system.toml"), include_str!("../system.toml")];
    manifest::from_texts(&texts, |_| true).expect("the build has checked it")
}

/// Returns what is wrong with the capabilities that a log tells.
pub fn complaint(holders: &[Holder], log: &str) -> Option<String> {
    let told = match told::read(log) {
        Ok(told) => told,
        Err(line) => return Some(format!("not understood: {line:?}")),
    };
    let manifest = system();
    let (mut faults, mut ends, mut pids) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
    for Holder { logged, entry } in holders {
        let program = manifest.programs.iter().find(|program| program.name == *entry);
        let (Some(program), Some(told)) = (program, told.get(logged)) else {
            faults.push(format!("{logged} tells nothing"));
            continue;
        };
        let Some(pid) = told.iter().find(|told| told.name == "process").map(Told::pid) else {
            faults.push(format!("{logged} lacks \"process\""));
            continue;
        };
        if !pids.insert(pid) {
            faults.push(format!("{logged} calls as process {pid}, which another is"));
        }
        compare(logged, wanted::of(&manifest, program, pid), told, &mut faults);
        ends.extend(
            endpoints(&manifest, program, told).map(|(service, slot)| ((service, slot), logged)),
        );
    }
    faults.extend(mixed_up(ends.keys()));
    (!faults.is_empty()).then(|| faults.join("\n"))
}

/// Compares what a program has with what it should have, both ways.
fn compare(who: &str, all: Vec<Wanted>, told: &[Told], faults: &mut Vec<String>) {
    let mut besides: Vec<&Told> = told.iter().collect();
    for wanted in all {
        match besides.iter().position(|told| wanted.is_met_by(told)) {
            Some(place) => drop(besides.remove(place)),
            None => faults.push(format!("{who} lacks {wanted:?}")),
        }
    }
    faults.extend(besides.iter().map(|told| format!("{who} has besides {told:?}")));
}

/// Returns the services that a program's endpoints stand for, with their slots.
fn endpoints(
    system: &Manifest,
    program: &Program,
    told: &[Told],
) -> impl Iterator<Item = (String, u64)> {
    let wanted = wanted::of(system, program, 0).into_iter();
    wanted.filter_map(|Wanted { name, leads, .. }| {
        let Leads::Service(service) = leads else { return None };
        let told = told.iter().find(|told| told.name == name)?;
        Some((service, told.values[2]))
    })
}

/// Returns services that are at two endpoints, and endpoints that are of two services. Both of
/// init's protocols are at one.
fn mixed_up<'a>(ends: impl Iterator<Item = &'a (String, u64)>) -> Vec<String> {
    let (mut slots, mut services) = (BTreeMap::new(), BTreeMap::new());
    let mut faults = Vec::new();
    for (service, slot) in ends {
        let owner = if service == "system" { "process" } else { service.as_str() };
        if *slots.entry(owner).or_insert(*slot) != *slot {
            faults.push(format!("capabilities to {owner:?} lead to different endpoints"));
        }
        if *services.entry(*slot).or_insert(owner) != owner {
            faults.push(format!("a capability to {owner:?} leads to another service's endpoint"));
        }
    }
    faults
}

#[cfg(test)]
mod tests;
