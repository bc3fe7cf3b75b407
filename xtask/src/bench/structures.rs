//! The comparison of structures: one service, reached in five ways.

use super::draw::{self, Bars};
use super::first::{self, Program};
use super::kernel::{PROGRAM, PROGRAMS};
use super::results::Measured;
use crate::build::{self, Purpose, Special};
use crate::image::System;
use anyhow::Result;

/// The structures: name, and what is between client and service.
pub const STRUCTURES: [(&str, &str); 5] = [
    ("call", "function call"),
    ("branch", "in-process entry, same space (as MVS)"),
    ("trap", "system call, service in the kernel"),
    ("ipc", "call to a server in its own space"),
    ("ring", "shared ring, 32 reads for each doorbell"),
];

/// Measures all structures, on the kernel that has the service in it.
///
/// # Errors
/// Where the build or a boot fails.
pub fn measure(seeds: u32, missing: &mut Vec<String>) -> Result<Vec<Measured>> {
    let kernel = build::special_kernel(Special::Structures)?;
    let system = System::build(Purpose::Only(PROGRAMS))?.with_kernel(kernel);
    let program = Program { system: &system, name: PROGRAM, arguments: "structures" };
    let runs = first::runs(program, seeds)?;
    let mut rows = Vec::new();
    for (name, _) in STRUCTURES {
        let Some((counted, time)) = runs.row(name) else {
            missing.push(format!("{name}: {}", runs.reason(name)));
            continue;
        };
        rows.push(Measured {
            name: name.to_owned(),
            instructions: counted.median,
            tcg_ns: time,
            peer: None,
            peer_instructions: None,
            min: counted.min,
            p99: counted.p99,
            path: None,
        });
    }
    Ok(rows)
}

/// Returns the table for a person to read.
pub fn table(rows: &[Measured]) -> String {
    let mut table = format!(
        "{:<8} {:<42} {:>12} {:>12} {:>10}\n",
        "name", "structure (one read of a record)", "instructions", "over a call", "TCG ns"
    );
    let call = rows.iter().find(|row| row.name == "call").map(|row| row.instructions);
    for row in rows {
        let title = STRUCTURES.iter().find(|(name, _)| *name == row.name);
        let over = call.map_or("-".to_owned(), |call| format!("{:.1}", row.instructions - call));
        let time = row.tcg_ns.map_or("-".to_owned(), |ns| format!("{ns:.0}"));
        table += &format!(
            "{:<8} {:<42} {:>12.1} {:>12} {:>10}\n",
            row.name,
            title.map_or("", |(_, title)| title),
            row.instructions,
            over,
            time
        );
    }
    table
}

/// Returns the table for docs/benchmarks.md.
pub fn markdown(rows: &[Measured]) -> String {
    let mut table =
        "| structure | what | instructions a read | TCG ns |\n|---|---|--:|--:|\n".to_owned();
    for row in rows {
        let title = STRUCTURES.iter().find(|(name, _)| *name == row.name);
        let title = title.map_or("", |(_, title)| title);
        let time = row.tcg_ns.map_or("".to_owned(), |ns| format!("{ns:.0}"));
        table += &format!("| {} | {title} | {:.0} | {time} |\n", row.name, row.instructions);
    }
    table
}

/// Returns the picture of the structures.
pub fn picture(rows: &[Measured]) -> String {
    let bars = |row: &Measured| {
        let title = STRUCTURES.iter().find(|(name, _)| *name == row.name);
        let label = title.map_or(row.name.as_str(), |(_, title)| title).to_owned();
        Bars { label, values: vec![Some(row.instructions)] }
    };
    let title = "Instructions to read a record, by where the service is (fewer is better)";
    let bars: Vec<Bars> = rows.iter().map(bars).collect();
    draw::svg(title, &["Kamen"], &bars)
}

#[cfg(test)]
mod tests {
    use super::{Measured, table};

    #[test]
    fn structures_stand_beside_the_function_call() {
        let row = |name: &str, instructions| Measured {
            name: name.to_owned(),
            instructions,
            tcg_ns: None,
            peer: None,
            peer_instructions: None,
            min: instructions,
            p99: instructions,
            path: None,
        };
        let table = table(&[row("call", 50.0), row("ipc", 450.5)]);
        let line = table.lines().find(|line| line.starts_with("ipc")).unwrap();
        assert!(line.contains("450.5") && line.contains("400.5"), "{line}");
    }
}
