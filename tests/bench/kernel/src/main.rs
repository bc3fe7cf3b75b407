//! `kernel-bench`: what the kernel's operations take, a line each; alone on the machine.
//!
//! ```text
//!   main ── rows ───────┬── measure ── raw ── kernel
//!      └─── structures ─┴── world: a second space, threads
//!   log:  "clock TICKS NS", "row NAME MIN MEDIAN P99" (ticks), "path NAME TEXT",
//!         "missing NAME ERROR", the verdict
//! ```
#![no_std]
#![no_main]

extern crate alloc;

mod measure;
mod raw;
mod rows;
mod stress;
mod structures;
mod world;

use kamen_first_task::{FirstTask, leave};
use kamen_rt::Start;
use libipc::Error;

use measure::print;
use world::World;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let failures = run(start).unwrap_or_else(|error| {
        print(&alloc::format!("missing all {error:?}\n"));
        1
    });
    let status = u8::from(failures != 0);
    leave(status);
    i32::from(status)
}

/// Measures everything; returns how many rows are missing.
fn run(start: &Start) -> Result<usize, Error> {
    let task = FirstTask::new(kamen_rt::boot_archive(start)).ok_or(Error::InvalidArgument)?;
    let mut world = World::new(task.program)?;
    if let Some(group) = task.arguments.strip_prefix("stress ") {
        return Ok(stress::run(&mut world, group));
    }
    let rows: &[(&str, rows::Measure)] = if task.arguments == "structures" {
        structures::prepare(&world)?;
        &structures::STRUCTURES
    } else {
        &rows::ROWS
    };
    let mut failures = 0;
    for (name, row) in rows {
        if let Err(error) = row(&mut world) {
            print(&alloc::format!("missing {name} {error:?}\n"));
            failures += 1;
        }
    }
    Ok(failures)
}
