//! Long operations of the kernel, for `cargo xtask test --irqs-off` to find how long each keeps
//! interrupts off; in ordinary tests, whether they work.
//!
//! ```text
//!   main ── run(group) ──┬── memory: large unmaps, clones, sparse and contiguous objects
//!                        ├── objects: quotas, tables, processes with all that is in them
//!                        └── threads: call chains, crowds that wait, deadlines
//! ```

use libipc::{Error, Object};

use crate::measure::print;
use crate::world::World;

mod memory;
mod objects;
mod threads;

/// Something that takes long, by a name for a person to read.
type Operation = (&'static str, fn(&mut World) -> Result<(), Error>);

/// Does what a group of that name holds; returns how many operations fail.
pub fn run(world: &mut World, group: &str) -> usize {
    let operations = match group {
        "memory" => memory::OPERATIONS,
        "objects" => objects::OPERATIONS,
        "threads" => threads::OPERATIONS,
        _ => return 1,
    };
    let mut failures = 0;
    for (name, operation) in operations {
        let outcome = operation(world);
        print(&alloc::format!("{name}: {outcome:?}\n"));
        failures += usize::from(outcome.is_err());
    }
    failures
}

/// Destroys an object and deletes its handle.
fn end(object: impl Object) -> Result<(), Error> {
    object.destroy()?;
    object.delete()
}
