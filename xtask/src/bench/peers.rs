//! The rows of the kernel's table: what they must reach, and what peers take.
//!
//! Peers were measured as this kernel is, under QEMU 7.2's instruction clock (`-cpu max -icount
//! shift=0`): seL4 16.0.0-dev (x86_64, release, fast path, without Meltdown window, PCID and MCS)
//! by its own benchmark suite; Linux 6.1 (Debian's cloud kernel, mitigations off, one processor)
//! by a static glibc program, the better of its figures with and without ERMS. docs/benchmarks.md
//! has the conditions.

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Its name in results.
    pub name: &'static str,
    /// The operation, for a person to read.
    pub title: &'static str,
    /// Instructions that it must stay below.
    pub must: f64,
    /// Instructions that are aimed at.
    pub aim: f64,
    /// Who does the same, and in how many instructions.
    pub peer: Option<Peer>,
}

/// A peer's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peer {
    /// The peer.
    pub name: &'static str,
    /// What it takes.
    pub instructions: f64,
}

/// Most instructions of a stretch with interrupts off.
const IRQS_OFF_MOST: f64 = 10_000.0;

/// The rows in the table's order.
pub const ROWS: [Row; 18] = [
    row("rt0_cross", "call + reply, 0 words, two spaces", 410.0, 300.0, sel4(410.0)),
    row("rt0_traced", "rt0_cross while the trace records", 2200.0, 1000.0, None),
    row("rt6_cross", "call + reply, 6 words (seL4: 4)", 452.0, 330.0, sel4(452.0)),
    row("rt0_same", "call + reply, 0 words, one space", 406.0, 280.0, sel4(406.0)),
    row("rt10_cross", "call + reply, 10 words", 700.0, 450.0, sel4(1586.0)),
    row("lease4k", "call lending 4 KiB, copied in", 1500.0, 1100.0, None),
    row("null", "null system call", 89.0, 50.0, sel4(89.0)),
    row("yield", "yield, nobody else ready", 283.0, 120.0, sel4(283.0)),
    row("signal", "signal without waiter", 359.0, 110.0, sel4(359.0)),
    row("poll", "poll, nothing there", 246.0, 85.0, sel4(246.0)),
    row("pingpong", "signal + wait ping-pong, two spaces", 2004.0, 700.0, sel4(2004.0)),
    row("fault", "fault, handler, resumed", 1303.0, 600.0, sel4(1303.0)),
    row("foreign", "foreign system call, server, resumed", 600.0, 380.0, None),
    row("branch", "branch to the in-process entry and back", 150.0, 60.0, None),
    row("irq", "interrupt to waiting thread, other space", 356.0, 300.0, sel4(356.0)),
    row("map1", "map + touch + unmap of one page", 3500.0, 1500.0, linux(27180.0)),
    row("process", "process: create, run, exit, destroy", 60_000.0, 25_000.0, linux(163_000.0)),
    row("irqs_off_max", "longest stretch, interrupts off", IRQS_OFF_MOST, IRQS_OFF_MOST, None),
];

/// Returns the row of a name.
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

const fn row(
    name: &'static str,
    title: &'static str,
    must: f64,
    aim: f64,
    peer: Option<Peer>,
) -> Row {
    Row { name, title, must, aim, peer }
}

const fn sel4(instructions: f64) -> Option<Peer> {
    Some(Peer { name: "seL4", instructions })
}

const fn linux(instructions: f64) -> Option<Peer> {
    Some(Peer { name: "Linux", instructions })
}
