//! What stands in the box of each program, and in which order the boxes come.

use kamen_init::manifest::{
    Amount, Archive, LOG, Manifest, Program, Restart, Role, SUPERVISOR_PRIORITY,
    SUPERVISOR_SERVICES,
};

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Pages to a MiB.
const PAGES_PER_MIB: u64 = 256;

/// A program as it is drawn.
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its priority, which is the layer that it is in.
    pub priority: u8,
    /// The services that others call it by.
    pub services: Vec<String>,
    /// The services that it may call.
    pub uses: Vec<String>,
    /// What else its manifest entry gives it, a line each.
    pub lines: Vec<String>,
}

/// Returns init and all programs from the highest priority down; in a layer, each server stands
/// above its clients.
pub fn rows(manifest: &Manifest) -> Vec<Row> {
    let mut rows = vec![Row {
        name: "init".into(),
        priority: SUPERVISOR_PRIORITY,
        services: SUPERVISOR_SERVICES.map(String::from).into(),
        uses: Vec::new(),
        lines: vec!["the first task: starts and restarts all others".into()],
    }];
    let mut waiting: Vec<&Program> = manifest.programs.iter().collect();
    waiting.sort_by_key(|program| u8::MAX - program.priority);
    while let Some(place) = next(&waiting) {
        rows.push(row(waiting.remove(place)));
    }
    rows
}

/// Returns the place of the first program of the first layer whose servers are all placed. There
/// is one, as the manifest has no circle of calls.
fn next(waiting: &[&Program]) -> Option<usize> {
    let priority = waiting.first()?.priority;
    let layer = || waiting.iter().filter(|program| program.priority == priority);
    let is_free = |program: &&Program| {
        layer().all(|server| !server.service().is_some_and(|s| program.uses.iter().any(|u| u == s)))
    };
    Some(
        waiting
            .iter()
            .position(|program| program.priority == priority && is_free(program))
            .unwrap_or(0),
    )
}

fn row(program: &Program) -> Row {
    Row {
        name: program.name.clone(),
        priority: program.priority,
        services: program.service().map(String::from).into_iter().collect(),
        uses: program.uses.iter().filter(|service| *service != LOG).cloned().collect(),
        lines: lines(program),
    }
}

/// Returns what stands in a program's box below its name.
fn lines(program: &Program) -> Vec<String> {
    let kind = match (&program.role, program.restart) {
        (Role::Native, _) => "native, started by request",
        (Role::Server { .. }, Restart::Always) => "server, restarted",
        (Role::Server { .. }, Restart::Never) => "server, not restarted",
    };
    let mut lines = vec![
        format!("{kind}: {}", program.file),
        format!(
            "{} pages, {} objects, {} handles",
            amount(program.pages),
            amount(program.objects),
            program.handles
        ),
    ];
    for ports in &program.ports {
        lines.push(format!("ports {}: {:#x} to {:#x}", ports.name, ports.first, ports.last));
    }
    for interrupt in &program.interrupts {
        lines.push(format!("interrupt {}: {}", interrupt.name, interrupt.line));
    }
    for mmio in &program.mmio {
        let first = u64::from(mmio.first) * PAGE;
        let last = (u64::from(mmio.last) + 1) * PAGE - 1;
        lines.push(format!("mmio {}: {first:#x} to {last:#x}", mmio.name));
    }
    for memory in &program.memory {
        let pages = memory.pages;
        lines.push(match pages % PAGES_PER_MIB {
            0 => format!("kept memory {}: {} MiB", memory.name, pages / PAGES_PER_MIB),
            _ => format!("kept memory {}: {pages} pages", memory.name),
        });
    }
    for ring in &program.rings {
        lines.push(format!("ring to {}: {} pages", ring.service, ring.pages));
    }
    for dma in &program.dma {
        lines.push(format!("DMA memory {}: {} pages", dma.name, dma.pages));
    }
    let log = program.uses.iter().any(|service| service == LOG).then_some("writes the log");
    let archive = (program.archive == Archive::Read).then_some("reads the boot archive");
    let others: Vec<&str> = log.into_iter().chain(archive).collect();
    if !others.is_empty() {
        lines.push(others.join(", "));
    }
    lines
}

fn amount(amount: Amount) -> String {
    match amount {
        Amount::Count(count) => count.to_string(),
        Amount::Percent(percent) => format!("{percent} % of free"),
    }
}
