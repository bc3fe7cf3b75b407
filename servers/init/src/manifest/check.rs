//! What makes a manifest a system: its programs one by one, side by side, and as a whole.
//!
//! ```text
//!   one (names, bounds) ──> pairs (what two cannot both have) ──> calls (uphill, no circles, sums)
//! ```
//!
//! Each rule has its line in tests/rules.rs.

mod calls;
mod one;
mod pairs;

use alloc::format;
use alloc::string::String;

use super::{MAX_PROGRAMS, MAX_SERVERS, Manifest, ManifestError, Program};

/// What is wrong with an entry: the key at fault ("" for all of it), and the cause.
struct Fault {
    key: &'static str,
    cause: String,
}

impl Fault {
    /// Returns the error of an entry, which begins with the program's name.
    fn of(self, manifest: &Manifest, index: usize) -> ManifestError {
        let Fault { key, cause } = self;
        let name = &manifest.programs[index].name;
        let cause = if key == "name" { cause } else { format!("{name}: {cause}") };
        ManifestError { program: Some(index), key, line: 0, cause }
    }
}

/// Checks everything; what is found first is told.
pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    let count = manifest.programs.len();
    if count > MAX_PROGRAMS {
        let cause = format!("there are {count} programs; at most {MAX_PROGRAMS} can be declared");
        return Err(ManifestError { program: Some(MAX_PROGRAMS), key: "", line: 0, cause });
    }
    let is_server = |&(_, program): &(usize, &Program)| program.service().is_some();
    let mut servers = manifest.programs.iter().enumerate().filter(is_server);
    if let Some((index, _)) = servers.nth(MAX_SERVERS) {
        let cause = format!("there are more than {MAX_SERVERS} servers");
        return Err(ManifestError { program: Some(index), key: "", line: 0, cause });
    }
    for (index, program) in manifest.programs.iter().enumerate() {
        let at = |fault: Fault| fault.of(manifest, index);
        one::check(program).map_err(at)?;
        pairs::check(program, &manifest.programs[..index]).map_err(at)?;
    }
    for (index, program) in manifest.programs.iter().enumerate() {
        calls::check(manifest, program).map_err(|fault| fault.of(manifest, index))?;
    }
    calls::check_sums(manifest)
}

/// Returns the error of a rule that does not hold.
fn require(holds: bool, key: &'static str, cause: impl FnOnce() -> String) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault { key, cause: cause() }) }
}
