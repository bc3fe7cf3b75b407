//! Calls as a tree: each with those that its server made for it, and what it cost.
//!
//! ```text
//!      TOTAL ns       OWN ns  CALL
//!        35,120       12,345  cat -> unix: openat(AT_FDCWD, 0x4c5010, O_RDONLY) = 3
//!         8,020        8,020    unix -> ramfs: File::lookup 2 "bin" = ok 1 4
//! ```
//!
//! Total is from the call to the answer, own what the server itself ran for it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::calls::Call;
use super::told;

/// Deepest indentation: nested deeper, calls stand below each other.
const DEPTH_MAX: usize = 20;

/// What a tree shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Most calls.
    pub calls: usize,
}

/// Writes the calls as a tree; `name` tells who had a slot at a time, `wanted` which calls that
/// are nobody's children are shown, with all their own.
///
/// # Errors
/// What `out` returns.
pub fn tree(
    calls: &[Call],
    name: impl Fn(u16, u64) -> String,
    wanted: impl Fn(&Call) -> bool,
    bounds: Bounds,
    out: &mut dyn Write,
) -> fmt::Result {
    writeln!(out, "{:>12} {:>12}  CALL", "TOTAL ns", "OWN ns")?;
    let depths = depths(calls, wanted);
    let shown = order(calls, &depths);
    for &index in shown.iter().take(bounds.calls) {
        let (Some(call), Some(Some(depth))) = (calls.get(index), depths.get(index)) else {
            continue;
        };
        line(call, *depth, &name, out)?;
    }
    match shown.len().saturating_sub(bounds.calls) {
        0 => Ok(()),
        more => writeln!(out, "… and {more} more calls; --calls N shows more"),
    }
}

fn line(
    call: &Call,
    depth: usize,
    name: impl Fn(u16, u64) -> String,
    out: &mut dyn Write,
) -> fmt::Result {
    let total = call.total_ns().map_or("-".into(), grouped);
    let own = if call.asked.is_some() { grouped(call.own_ns) } else { "-".into() };
    let (caller, server) = (name(call.caller, call.begun), name(call.server, call.received));
    let (asked, outcome) = (told::request(call), told::outcome(call));
    let indent = 2 * depth.min(DEPTH_MAX);
    write!(out, "{total:>12} {own:>12}  {:indent$}{caller} -> {server}: {asked} = {outcome}", "")?;
    match call.received.saturating_sub(call.begun) {
        0 => writeln!(out),
        queued => writeln!(out, " (queued {} ns)", grouped(queued)),
    }
}

/// Returns how deep each call is; nothing for those that are not shown.
fn depths(calls: &[Call], wanted: impl Fn(&Call) -> bool) -> Vec<Option<usize>> {
    let mut depths: Vec<Option<usize>> = Vec::new();
    for call in calls {
        // A parent was received before its children.
        let depth = match call.parent {
            Some(parent) => depths.get(parent).copied().flatten().map(|depth| depth + 1),
            None => wanted(call).then_some(0),
        };
        depths.push(depth);
    }
    depths
}

/// Returns the places of the calls that are shown, each before its children.
fn order(calls: &[Call], depths: &[Option<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = alloc::vec![Vec::new(); calls.len()];
    let mut roots = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        match call.parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(index),
            None => roots.push(index),
        }
    }
    let is_shown = |index: &usize| depths.get(*index).is_some_and(Option::is_some);
    let mut order = Vec::new();
    let mut waiting: Vec<usize> = roots.into_iter().filter(is_shown).rev().collect();
    while let Some(index) = waiting.pop() {
        order.push(index);
        waiting.extend(children.get(index).into_iter().flatten().rev());
    }
    order
}

/// Returns a number with a comma before each three digits.
pub fn grouped(number: u64) -> String {
    let digits = alloc::format!("{number}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
