//! Which lines the guest logs: `--log FILTER`, checked before anything is built.
//!
//! ```text
//!   --log unix=debug,warn ──parse──> Filter ── "log=…" in /boot/run ──> each program's level
//! ```

use crate::build::{self, Place, Set};
use crate::graph;
use anyhow::Result;
use clap::Args;
use kamen_init::manifest::Role;
use libipc::log::{Level, parts};
use std::collections::BTreeSet;

/// Longest filter in bytes: with its key it must be a line of /boot/run (servers/init/src/run.rs).
const FILTER_MAX: usize = 240;

/// Which lines are logged.
#[derive(Args, Clone, Debug, Default)]
pub struct Chosen {
    /// Has programs log lines down to a level: LEVEL, NAME=LEVEL, or several with commas between;
    /// LEVEL is error, warn, info, debug or trace. Without it: info. `run` shows them as they come.
    #[arg(long = "log", value_name = "FILTER", value_parser = parse)]
    filter: Option<String>,
}

impl Chosen {
    /// Returns whether a filter was given.
    pub fn is_given(&self) -> bool {
        self.filter.is_some()
    }

    /// Returns the `key=value` line of /boot/run that stands for it, where there is one.
    pub fn setting(&self) -> Option<String> {
        self.filter.as_ref().map(|filter| format!("log={filter}"))
    }
}

/// Returns the filter, if it means something.
fn parse(filter: &str) -> Result<String, String> {
    check(filter, &names().map_err(|error| format!("{error:#}"))?)?;
    Ok(filter.to_owned())
}

/// Returns what programs are called in the log: servers as the manifest has it, others as their
/// files. A DOS session is called as its program, which can be anything.
fn names() -> Result<BTreeSet<String>> {
    let manifest = graph::manifest(|_| true)?;
    let servers = manifest.programs.into_iter();
    let servers = servers.filter(|program| matches!(program.role, Role::Server { .. }));
    let programs = build::programs()?.into_iter().filter(|program| match &program.place {
        Place::Kernel => false,
        Place::Init => true,
        Place::Archive(path) => program.set == Set::Servers && path.starts_with("bin/"),
    });
    let programs = programs.map(|program| program.name);
    Ok(servers.map(|program| program.name).chain(programs).collect())
}

/// Says what is wrong with a filter.
fn check(filter: &str, names: &BTreeSet<String>) -> Result<(), String> {
    if filter.len() > FILTER_MAX {
        return Err(format!("it is longer than {FILTER_MAX} bytes"));
    }
    for (name, level) in parts(filter) {
        if Level::of_name(level).is_none() {
            let levels = Level::ALL.map(Level::name).join(", ");
            return Err(format!("there is no level `{level}`; levels are {levels}"));
        }
        if let Some(name) = name.filter(|name| !names.contains(*name)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let names = names.join(", ");
            return Err(format!("no program is called `{name}`; there are {names}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(filter: &str) -> Option<String> {
        parse(filter).err()
    }

    #[test]
    fn filters_of_levels_and_programs_are_taken() {
        for filter in ["warn", "unix=debug,info", "init=trace", "shell=debug,dos=error,hello=warn"]
        {
            assert_eq!(complaint(filter), None, "{filter}");
        }
        let chosen = Chosen { filter: Some("unix=debug,info".into()) };
        assert_eq!(chosen.setting().unwrap(), "log=unix=debug,info");
        assert_eq!(Chosen::default().setting(), None);
    }

    #[test]
    fn an_unknown_level_is_told_with_those_that_exist() {
        for filter in ["loud", "unix=", "", "warn,", "unix=debug=warn2"] {
            let complaint = complaint(filter).unwrap();
            assert!(complaint.ends_with("levels are error, warn, info, debug, trace"), "{filter}");
        }
    }

    #[test]
    fn an_unknown_program_is_told_with_those_that_exist() {
        for filter in ["unixx=debug", "=debug", "any=debug", "a=b=debug", "kernel=debug"] {
            let complaint = complaint(filter).unwrap();
            assert!(complaint.starts_with("no program is called"), "{complaint}");
            for name in ["init, ", "ramfs, ", "shell, ", "unix"] {
                assert!(complaint.contains(name), "{complaint}");
            }
        }
    }

    #[test]
    fn a_filter_longer_than_a_line_is_refused() {
        let filter = vec!["unix=debug"; 23].join(",");
        assert!(complaint(&filter).unwrap().contains("240 bytes"));
    }
}
