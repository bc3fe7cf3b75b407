//! Seeing who talks to whom: runs a program while the kernel records, and tells.
//!
//! ```text
//!   options ──> program: find, start, drain the rings until it ends ──> kit::trace: tree, table, JSON
//!                   └── names: whose threads the slots are ──────────────┘
//!   waits: who waits for whom at this moment
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod names;
mod options;
mod output;
mod program;
mod services;
mod waits;

use alloc::format;
use alloc::string::String;

use kamen_kit::Arguments;
use kamen_kit::trace::{Bounds, chrome, list, pairs, table, tree};
use libipc::start::Start;
use protocols::process::process_label;

use options::{Asked, Format, Options};
use output::Output;
use program::Traced;
use services::Services;

/// Status of a command line that is wrong, and of a trace that could not be made.
const FAILED: i32 = 125;

/// Does what the arguments say; returns the traced program's exit status.
pub fn run(start: &Start) -> i32 {
    let Some(services) = Services::find(start) else {
        libipc::log!("a capability is missing: trace needs a manifest entry of its own");
        return FAILED;
    };
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let options = match Asked::parse(&arguments.argv) {
        Ok(Asked::Trace(options)) => options,
        Ok(Asked::Waits) => return waits::show(&services),
        Err(text) => return services.complain(&text),
    };
    match program::run(&services, &arguments, &options) {
        Ok(traced) => {
            show(&services, &options, &traced);
            traced.status.into()
        }
        Err(text) => services.complain(&text),
    }
}

/// Prints what was recorded.
fn show(services: &Services, options: &Options, traced: &Traced) {
    let mut out = Output::new(services.stdout);
    let calls = kamen_kit::trace::calls(&traced.events);
    let name = |slot: u16, time: u64| traced.names.at(slot, time);
    // What this program asks for while it looks on is nobody's business.
    let is_wanted =
        |caller: u16, label: u32| caller != traced.own_slot || label == process_label::SPAWN;
    out.put(&options.mark);
    // Whoever reads has gone where writing fails.
    let _ = match options.format {
        Format::Tree => tree(
            &calls,
            name,
            |call| is_wanted(call.caller, call.asked.map_or(0, |asked| asked.tag.label())),
            Bounds { calls: options.calls },
            &mut out,
        ),
        Format::Table => table(&pairs(&calls), |slot| traced.names.at(slot, u64::MAX), &mut out),
        Format::Linux => list(&calls, name, Bounds { calls: options.calls }, &mut out),
        Format::Chrome => chrome(&traced.events, &calls, name, &mut out),
    };
    if options.format != Format::Chrome {
        out.put(note(traced).as_bytes());
    }
    out.flush();
}

/// Returns what a reader must know about how whole the trace is.
fn note(traced: &Traced) -> String {
    let kept = traced.events.len();
    match (traced.lost, traced.is_full) {
        (0, false) => String::new(),
        (0, true) => format!("only the first {kept} events were kept\n"),
        (lost, _) => format!(
            "{kept} events; {lost} more were overwritten before they were read: calls may be missing\n"
        ),
    }
}
